"""DriftMonitor: what is refused, the schedule, the alarm that trains, what its function may do."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration
from endpoint_stacks import INSTANCE
from pipeline_stacks import Synthesised, new_stack
from test_after_training import algorithm, channels
from test_documented_defaults import documented, props
from test_pipeline_permissions import allowed

from cdk_amazon_estimators import (
    AlarmTrigger,
    DataCapture,
    DriftMonitor,
    ModelEndpoint,
    PipelineError,
    ScheduleTrigger,
    TrainingPipeline,
)


def monitored(name: str = "KMeans", *, capture: bool = True, **given: Any) -> Synthesised:
    from aws_cdk import aws_scheduler as scheduler

    stack = new_stack(region="eu-west-1")
    pipeline = TrainingPipeline(
        stack,
        "Digits",
        algorithm=algorithm(name),
        instance_type="ml.m5.large",
        channels=channels(name),
        triggers=[ScheduleTrigger(schedule=scheduler.ScheduleExpression.rate(Duration.days(7)))],
    )
    online = ModelEndpoint(
        stack, "Online", model=pipeline, data_capture=DataCapture() if capture else None, **INSTANCE
    )
    monitor = DriftMonitor(stack, "Drift", endpoint=online, **given)
    assert pipeline.starter is not None
    pipeline.starter.add("Drift", AlarmTrigger(monitor.alarm))
    return Synthesised(stack, pipeline)


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("KMeans", {"capture": False}, "captures no requests; allowed: one with data_capture"),
        ("IPInsights", {}, "IPInsights, whose records are no vectors"),
        ("Object2Vec", {}, "Object2Vec, whose records are no vectors"),
        (
            "KMeans",
            {"interval": Duration.minutes(90)},
            "interval is 5400 seconds; allowed: whole hours, 1 to 24",
        ),
        ("KMeans", {"interval": Duration.hours(25)}, "allowed: whole hours, 1 to 24"),
        ("KMeans", {"threshold": 0}, "threshold is 0; allowed: 1 or more"),
    ],
)
def test_what_is_refused(name: str, given: dict[str, Any], text: str) -> None:
    with pytest.raises(PipelineError, match=text):
        monitored(name, **given)


def test_an_alarm_on_the_metric_trains() -> None:
    made = monitored(interval=Duration.hours(6), threshold=2)
    (alarm,) = (
        one for name, one in made.of_type("AWS::CloudWatch::Alarm").items() if name.startswith("DriftAlarm")
    )
    assert (alarm["MetricName"], alarm["Namespace"]) == ("DriftedFeatures", "AmazonEstimators")
    assert (alarm["Threshold"], alarm["Period"], alarm["Statistic"]) == (2, 21_600, "Maximum")
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    rules = made.of_type("AWS::Events::Rule")
    (schedule,) = (one for one in rules.values() if "ScheduleExpression" in one)
    assert schedule["ScheduleExpression"] == "rate(6 hours)"
    assert '"hours":6' in schedule["Targets"][0]["Input"]
    patterns = [one["EventPattern"] for one in rules.values() if "EventPattern" in one]
    (heard,) = (one for one in patterns if one["source"] == ["aws.cloudwatch"])
    assert heard["resources"][0].startswith("<DriftAlarm")


def test_the_function_may_read_captures_and_profiles_and_nothing_else() -> None:
    made, role = monitored(), "RecordSetEncoderDriftRole"
    data, models = "arn:aws:s3:::<DigitsDataBucket6C5C068C>", "arn:aws:s3:::<DigitsModelBucketD7347822>"
    profile = f"{data}/recordsets/0123456789abcdef01234567/train/feature_profile.json"
    assert allowed(made, role, "s3:GetObject", profile)
    assert allowed(made, role, "s3:GetObject", f"{models}/captures/online/AllTraffic/2026/03/01/10/a.jsonl")
    assert allowed(made, role, "s3:ListBucket", models, {"s3:prefix": "captures/online/"})
    assert not allowed(made, role, "s3:GetObject", f"{models}/models/a/output/model.tar.gz")
    assert not allowed(made, role, "s3:GetObject", f"{data}/input/train/a.csv")
    assert not allowed(made, role, "s3:PutObject", f"{models}/captures/a")


def test_every_prop_is_documented_with_its_default() -> None:
    said = documented(DriftMonitor)
    assert set(said) == set(props(DriftMonitor))
    assert (said["endpoint"], said["interval"], said["threshold"]) == (None, "1 hour", "1")
    (schedule,) = (
        one["ScheduleExpression"]
        for one in monitored().of_type("AWS::Events::Rule").values()
        if "ScheduleExpression" in one
    )
    assert schedule == "rate(1 hour)"
