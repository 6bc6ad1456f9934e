"""Monitoring: every metric shown or watched is one that is written, and each switch does what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from pipeline_stacks import REPOSITORY, REQUIRED, Synthesised, new_app, new_stack
from test_examples import stack_of
from test_pipeline_base import NOTED
from test_pipeline_nag import violations

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.pipeline.metrics import (
    COUNTS,
    ENDPOINT_COUNTS,
    NAMESPACE,
    PREDICTION_COUNTS,
    embedded,
    metric_line,
)
from amazon_estimators.pipeline.step_metrics import step_lines
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.serving.drift import ENDPOINT, Captured, drift_metrics
from cdk_amazon_estimators import (
    DataCapture,
    DriftMonitor,
    ModelEndpoint,
    Monitoring,
    MonitoringDashboard,
    PipelineError,
    PredictionPipeline,
    TrainingPipeline,
)
from cdk_amazon_estimators.compliance import PACKS, SWITCHES
from cdk_amazon_estimators.monitoring.dashboard import (
    MOST_METRICS,
    MOST_METRICS_OF_WIDGET,
    MOST_WIDGETS,
    Section,
    size_problems,
)
from cdk_amazon_estimators.monitoring.training import curves_of

WEEK = 7 * 86_400
"""Seconds that an alarm may look back:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

OF_STATES = {"ExecutionsFailed", "ExecutionsTimedOut"}
OF_QUEUES = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
OF_ENDPOINTS = {
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "ModelLatency",
    "OverheadLatency",
}
DOCUMENTED: dict[tuple[str, frozenset[str]], set[str]] = {
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    ("AWS/States", frozenset({"StateMachineArn"})): OF_STATES,
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", frozenset({"QueueName"})): OF_QUEUES,
    # https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    ("AWS/SageMaker", frozenset({"EndpointName", "VariantName"})): OF_ENDPOINTS,
    ("/aws/sagemaker/Endpoints", frozenset({"EndpointName", "VariantName"})): {
        "CPUUtilization",
        "MemoryUtilization",
    },
}
"""Metrics that services document, by namespace and dimensions."""


class Named(NamedTuple):
    """A metric of the template: its name, and its dimensions by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def churn() -> Synthesised:
    """The stack of examples/monitored.py: a training, a scoring, an endpoint and a drift monitor."""
    return Synthesised(stack_of(REPOSITORY / "examples" / "monitored.py"))


def body(synthesised: Synthesised) -> dict[str, Any]:
    (dashboard,) = synthesised.of_type("AWS::CloudWatch::Dashboard").values()
    read: dict[str, Any] = json.loads(dashboard["DashboardBody"])
    return read


def graphed(synthesised: Synthesised) -> Iterator[Named]:
    """The metrics of the dashboard's graphs."""
    for widget in body(synthesised)["widgets"]:
        for namespace, name, *rest in widget["properties"].get("metrics", ()):
            texts = [part for part in rest if isinstance(part, str)]
            yield Named(namespace, name, tuple(zip(texts[::2], texts[1::2], strict=True)))


def alarmed(synthesised: Synthesised) -> Iterator[Named]:
    """The metrics of the alarms."""
    for alarm in synthesised.of_type("AWS::CloudWatch::Alarm").values():
        single = [alarm] if "MetricName" in alarm else []
        for metric in [*single, *(query["MetricStat"]["Metric"] for query in queries(alarm))]:
            pairs = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
            yield Named(metric["Namespace"], metric["MetricName"], pairs)


def queries(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [query for query in alarm.get("Metrics", ()) if "MetricStat" in query]


OF_TRAINING = {
    "billable_seconds": 42,
    "training_seconds": 44,
    "waited_seconds": 0,
    "model_age_seconds": 86_400,
    "cost": {"amount": 0.01},
}


def event_line(told: str) -> dict[str, Any]:
    """The line that is written for an event, with every member that such an event can have."""
    metrics = {metric.name: 0.5 for metric in LinearLearner.metrics}
    detail = {
        "state_machine": "arn",
        "seconds": 61,
        "error": "InputError",
        **({**OF_TRAINING, "metrics": metrics} if told in COUNTS else {}),
    }
    line = metric_line(told, detail, now=0)
    assert line is not None
    return line


def training_lines() -> Iterator[dict[str, Any]]:
    """The lines of a training pipeline: of its events, and of its steps."""
    yield from map(event_line, COUNTS)
    event = {"execution": {"name": "one", "state_machine": "arn"}, "plan": {"planned_at": -30.0}}
    for step, facts in NOTED.items():
        yield from step_lines(step, event, facts, seconds=1.0, now=0)


def drift_line() -> dict[str, Any]:
    builder = ProfileBuilder()
    builder.add_dense(np.zeros((3, 2), np.float32))
    captured = Captured(builder.profile(), requests=3, skipped=0)
    return embedded({ENDPOINT: "online"}, [[ENDPOINT]], drift_metrics(captured, ()), now=0)


def metrics_of(line: dict[str, Any]) -> set[tuple[str, frozenset[str]]]:
    """The metrics that CloudWatch extracts from a line, each with the names of its dimensions."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    return {
        (metric["Name"], frozenset(names))
        for metric in directive["Metrics"]
        for names in directive["Dimensions"]
        if metric["Name"] in line and all(name in line for name in names)
    }


WRITTEN: dict[str, set[tuple[str, frozenset[str]]]] = {
    "Training": {one for line in training_lines() for one in metrics_of(line)},
    "Scores": {one for told in PREDICTION_COUNTS for one in metrics_of(event_line(told))},
    "Online": {one for told in ENDPOINT_COUNTS for one in metrics_of(event_line(told))},
    "drift": metrics_of(drift_line()),
}
"""What is written of each state machine of the example, and of its drift monitor."""


def is_produced(metric: Named) -> bool:
    names = frozenset(name for name, _ in metric.dimensions)
    if metric.namespace != NAMESPACE:
        return metric.name in DOCUMENTED.get((metric.namespace, names), ())
    machine = dict(metric.dimensions).get("StateMachineArn")
    owner = re.match(r"<(Training|Scores|Online)StateMachine[0-9A-F]{8}>", machine) if machine else None
    return (metric.name, names) in WRITTEN[owner[1] if owner else "drift"]


def test_every_metric_of_the_dashboard_is_one_that_is_written_or_documented(churn: Synthesised) -> None:
    metrics = [*graphed(churn)]
    assert len(metrics) > 40
    assert [metric for metric in metrics if not is_produced(metric)] == []
    assert {metric.namespace for metric in metrics} == {NAMESPACE, *(space for space, _ in DOCUMENTED)}


def test_every_metric_of_an_alarm_is_one_that_is_written_or_documented(churn: Synthesised) -> None:
    metrics = [*alarmed(churn)]
    assert len(metrics) >= len(churn.of_type("AWS::CloudWatch::Alarm")) == 15
    assert [metric for metric in metrics if not is_produced(metric)] == []


def test_the_test_of_metrics_can_fail() -> None:
    machine = (("StateMachineArn", "<TrainingStateMachineEAE34FB3>"),)
    assert is_produced(Named(NAMESPACE, "ModelsTrained", machine))
    assert not is_produced(Named(NAMESPACE, "ModelsTrainedd", machine))
    assert not is_produced(Named(NAMESPACE, "PredictionsReady", machine))
    assert not is_produced(Named(NAMESPACE, "ModelsTrained", (("EndpointName", "online"),)))
    assert not is_produced(Named("AWS/States", "ExecutionFailed", machine))


TELLERS = {"Training": {"announce", "starter"}, "Scores": {"announce", "starter"}, "Online": {"tell"}}
"""The functions that write the lines of each state machine's events."""


def test_every_table_shows_members_of_lines_that_its_functions_write(churn: Synthesised) -> None:
    handlers = {
        function["LoggingConfig"]["LogGroup"]: function["Handler"].split(".")[2]
        for function in churn.of_type("AWS::Lambda::Function").values()
        if "LoggingConfig" in function
    }
    tables = [widget for widget in body(churn)["widgets"] if widget["type"] == "log"]
    assert len(tables) == 5
    for table in tables:
        query = table["properties"]["query"]
        sources = set(re.findall(r"SOURCE '(\S+)'", query))
        fields = [name.strip("`") for name in re.search(r"fields (.*)", query)[1].split(", ")]
        kinds = json.loads(re.search(r"event in (\[.*\])", query)[1])
        owner = re.search(r'StateMachineArn = "<(\w+)StateMachine', query)[1]
        assert {handlers[source] for source in sources} == TELLERS[owner]
        lines = [event_line(kind) for kind in kinds]
        for name in fields:
            assert name == "@timestamp" or any(name in line for line in lines), (name, query)
        assert {line["event"] for line in lines} == {*kinds}


def test_widgets_lie_beside_one_another(churn: Synthesised) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body(churn)["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}
        assert max(columns) < 24
        assert not cells & taken
        taken |= cells


def test_the_picture_of_the_docs_has_every_widget_of_the_template(churn: Synthesised) -> None:
    """If not: python benchmarks/dashboard_picture.py."""
    picture = (REPOSITORY / "docs" / "images" / "dashboard.svg").read_text(encoding="utf-8")
    widgets = body(churn)["widgets"]
    titles = [widget["properties"]["title"] for widget in widgets if widget["type"] != "text"]
    assert [picture.count(f">{title}</text>") for title in titles] == [*map(titles.count, titles)]
    labels = {metric[-1]["label"] for one in widgets for metric in one["properties"].get("metrics", ())}
    assert {label for label in labels if f">{label}</text>" not in picture} == set()
    assert "An illustration" in picture


def test_an_alarm_looks_back_no_further_than_cloudwatch_does(churn: Synthesised) -> None:
    for alarm in churn.of_type("AWS::CloudWatch::Alarm").values():
        periods = (
            [alarm["Period"]]
            if "Period" in alarm
            else [query["MetricStat"]["Period"] for query in queries(alarm)]
        )
        assert {*periods} and max(periods) * alarm["EvaluationPeriods"] <= WEEK
        assert max(periods) >= 3_600 or max(periods) * alarm["EvaluationPeriods"] <= 86_400


def test_every_alarm_tells_the_topic_and_what_is_wrong(churn: Synthesised) -> None:
    alarms = churn.of_type("AWS::CloudWatch::Alarm").values()
    (topic,) = churn.of_type("AWS::SNS::Topic")
    assert all(alarm["AlarmActions"] == [f"<{topic}>"] for alarm in alarms)
    assert all(re.search(r"docs/\w+\.md", alarm["AlarmDescription"]) for alarm in alarms)
    (shown,) = (one for one in body(churn)["widgets"] if one["type"] == "alarm")
    assert len(shown["properties"]["alarms"]) == len(set(shown["properties"]["alarms"])) == len(alarms)


def test_cloudwatch_may_publish_to_a_topic_with_a_policy_of_its_own(churn: Synthesised) -> None:
    """One statement in a topic's policy, and that which the service begins with is gone."""
    (policy,) = churn.of_type("AWS::SNS::TopicPolicy").values()
    statements = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    (statement,) = (one for one in statements if "cloudwatch" in str(one["Principal"]))
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def test_nothing_is_found_in_it_that_no_setting_meets() -> None:
    stack = new_stack()
    loop(stack)
    synthesised = Synthesised(stack)
    found = {rule for pack in PACKS for rule in violations(synthesised, pack)}
    assert found - set(SWITCHES) == set()


def test_cloudwatch_may_use_the_key_of_a_topic() -> None:
    stack = new_stack(region="eu-west-1")
    topic = sns.Topic(stack, "OnCall", master_key=kms.Key(stack, "Key"))
    TrainingPipeline(stack, "Digits", **REQUIRED, monitoring=Monitoring(alarm_topic=topic))
    (key,) = Synthesised(stack).of_type("AWS::KMS::Key").values()
    (statement,) = (one for one in key["KeyPolicy"]["Statement"] if one.get("Sid") == "CloudWatchAlarms")
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def loop(stack: Stack, **given: Any) -> None:
    """Everything that can be watched."""
    monitoring = Monitoring(**given)
    training = TrainingPipeline(stack, "Training", **REQUIRED, monitoring=monitoring)
    PredictionPipeline(stack, "Scores", model=training, engine="numpy", monitoring=monitoring)
    online = ModelEndpoint(
        stack,
        "Online",
        model=training,
        instance_type="ml.m5.large",
        data_capture=DataCapture(),
        monitoring=monitoring,
    )
    DriftMonitor(stack, "Drift", endpoint=online)


def alarms_below(stack: Stack) -> set[str]:
    return {
        node.node.path.removeprefix("Stack/")
        for node in stack.node.find_all()
        if isinstance(node, cloudwatch.Alarm)
    }


ALWAYS = {"Training/Starter/Queues/Alarm", "Scores/Starter/Queues/Alarm", "Drift/Alarm"}
"""Alarms that exist without monitoring."""
FAILURES = {
    f"{name}/Monitoring/{end}" for name in WRITTEN if name != "drift" for end in ("Failed", "TimedOut")
}
SWITCHED_OFF: list[tuple[dict[str, Any], set[str], set[str]]] = [
    ({"failures": False}, {*FAILURES, "Online/Monitoring/RolledBack"}, set()),
    ({"dead_letters": False}, {"Online/Monitoring/Unheard"}, {*ALWAYS} - {"Drift/Alarm"}),
    ({"endpoint_errors": False}, {"Online/Monitoring/Errors"}, set()),
    ({"endpoint_latency": None}, {"Online/Monitoring/Latency"}, set()),
    ({"drift": False}, set(), {"Drift/Alarm"}),
]
"""Switches off: the alarms that are gone, and those that still exist but do not tell the topic."""


@pytest.fixture(scope="module")
def everything() -> Synthesised:
    """All that can be watched, with every alarm but that of a model that does not come."""
    stack = new_stack()
    loop(stack, alarm_topic=sns.Topic(stack, "OnCall"))
    return Synthesised(stack)


@pytest.mark.parametrize(("given", "gone", "silent"), SWITCHED_OFF)
def test_a_switch_takes_away_its_alarms_and_no_other(
    given: dict[str, Any], gone: set[str], silent: set[str], everything: Synthesised
) -> None:
    stack = new_stack()
    loop(stack, alarm_topic=sns.Topic(stack, "OnCall"), dashboard=False, **given)
    assert alarms_below(everything.stack) - alarms_below(stack) == gone
    told = {
        node.node.path.removeprefix("Stack/")
        for node in stack.node.find_all()
        if isinstance(node, cloudwatch.Alarm) and stack.resolve(node.node.default_child.alarm_actions)
    }
    assert alarms_below(stack) - told == silent


def test_a_model_that_does_not_come_is_an_alarm_even_without_any_data() -> None:
    stack = new_stack()
    every = Duration.days(7)
    TrainingPipeline(stack, "Digits", **REQUIRED, monitoring=Monitoring(expected_every=every))
    alarms = Synthesised(stack).of_type("AWS::CloudWatch::Alarm")
    (alarm,) = (one for name, one in alarms.items() if name.startswith("DigitsMonitoringNoModel"))
    (query,) = queries(alarm)
    assert query["MetricStat"]["Period"] == WEEK
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    assert [one["Expression"] for one in alarm["Metrics"] if "Expression" in one] == ["FILL(m, 0)"]


def test_a_budget_is_watched_as_far_back_as_an_alarm_looks() -> None:
    stack = new_stack()
    TrainingPipeline(stack, "Digits", **REQUIRED, monitoring=Monitoring(monthly_budget=60))
    alarms = Synthesised(stack).of_type("AWS::CloudWatch::Alarm")
    (alarm,) = (one for name, one in alarms.items() if name.startswith("DigitsMonitoringBudget"))
    (query,) = queries(alarm)
    assert (query["MetricStat"]["Metric"]["MetricName"], query["MetricStat"]["Stat"]) == ("Cost", "Sum")
    assert query["MetricStat"]["Period"] * alarm["EvaluationPeriods"] == WEEK
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 14)
    assert "a budget of 60 per month" in alarm["AlarmDescription"]


def test_monitoring_adds_alarms_and_a_dashboard_and_changes_nothing_else() -> None:
    stacks = {watched: new_stack() for watched in (True, False)}
    for watched, stack in stacks.items():
        monitoring = Monitoring() if watched else None
        training = TrainingPipeline(stack, "Training", **REQUIRED, monitoring=monitoring)
        PredictionPipeline(stack, "Scores", model=training, engine="numpy", monitoring=monitoring)
        ModelEndpoint(stack, "Online", model=training, instance_type="ml.m5.large", monitoring=monitoring)
    seen, plain = (Synthesised(stacks[one]).template for one in (True, False))
    added = {name: one for name, one in seen["Resources"].items() if name not in plain["Resources"]}
    assert {one["Type"] for one in added.values()} == {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}
    for name in added:
        del seen["Resources"][name]
    assert json.dumps(seen) == json.dumps(plain)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"expected_every": Duration.days(8)}, "691200 seconds; allowed: whole hours, 1 to 168"),
    ({"expected_every": Duration.minutes(90)}, "5400 seconds; allowed: whole hours"),
    ({"monthly_budget": 0}, "Monitoring.monthly_budget is 0; allowed: more than 0"),
    ({"monthly_budget": "100 USD"}, "Monitoring.monthly_budget is '100 USD'; allowed: a number"),
    ({"expected_every": 2}, "Monitoring.expected_every is 2; allowed: a Duration"),
    ({"endpoint_latency": Duration.seconds(0)}, "Monitoring.endpoint_latency is 0; allowed: more than 0"),
    ({"alarm_topic": "arn"}, "Monitoring.alarm_topic is 'arn'; allowed: a topic"),
    ({"dashboard": "models"}, "Monitoring.dashboard is 'models'; allowed: True, False or a Monitoring"),
    ({"failures": "no"}, "Monitoring.failures is 'no'; allowed: True or False"),
]


@pytest.mark.parametrize(("given", "problem"), REFUSED)
def test_what_no_alarm_can_be_is_refused(given: dict[str, Any], problem: str) -> None:
    stack = new_stack()
    with pytest.raises(PipelineError) as refused:
        TrainingPipeline(stack, "Digits", **REQUIRED, monitoring=Monitoring(**given))
    assert f"Stack/Digits: {problem}" in str(refused.value) or problem in str(refused.value)


def test_predictions_and_endpoints_refuse_it_too() -> None:
    stack = new_stack()
    training = TrainingPipeline(stack, "Digits", **REQUIRED)
    wrong = Monitoring(expected_every=Duration.days(8))
    for make in (
        lambda: PredictionPipeline(stack, "Scores", model=training, engine="numpy", monitoring=wrong),
        lambda: ModelEndpoint(stack, "Online", model=training, instance_type="ml.m5.large", monitoring=wrong),
    ):
        with pytest.raises(PipelineError, match="expected_every is 691200 seconds"):
            make()


def test_a_topic_of_another_region_is_refused() -> None:
    stack = new_stack(region="eu-west-1")
    topic = sns.Topic.from_topic_arn(stack, "OnCall", "arn:aws:sns:us-east-1:111122223333:on-call")
    with pytest.raises(PipelineError, match="alarm_topic is in us-east-1, the alarms in eu-west-1"):
        TrainingPipeline(stack, "Digits", **REQUIRED, monitoring=Monitoring(alarm_topic=topic))


def stacks_of(app: App, *regions: str) -> list[Stack]:
    return [
        Stack(app, f"S{number}", env=Environment(account="111122223333", region=region))
        for number, region in enumerate(regions)
    ]


def test_one_dashboard_shows_the_pipelines_of_several_stacks() -> None:
    app = new_app()
    first, second, third = stacks_of(app, *["eu-west-1"] * 3)
    dashboard = MonitoringDashboard(third, "Models", dashboard_name="models")
    for stack in (first, second):
        TrainingPipeline(stack, "Digits", **REQUIRED, monitoring=Monitoring(dashboard=dashboard))
    assembly = app.synth()
    (last,) = (one for one in assembly.stacks if one.stack_name == "S2")
    (properties,) = (
        one["Properties"]
        for one in last.template["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Dashboard"
    )
    text = json.dumps(properties["DashboardBody"])
    assert properties["DashboardName"] == "models"
    assert "## S0/Digits" in text
    assert "## S1/Digits" in text
    assert {"S0", "S1"} <= {dependency.id for dependency in last.dependencies}


def test_a_dashboard_of_another_region_is_refused() -> None:
    here, there = stacks_of(new_app(), "eu-west-1", "us-east-1")
    dashboard = MonitoringDashboard(there, "Models")
    with pytest.raises(PipelineError, match="is in region us-east-1, and it is in eu-west-1"):
        TrainingPipeline(here, "Digits", **REQUIRED, monitoring=Monitoring(dashboard=dashboard))


def test_a_dashboard_that_is_too_large_fails_synth_with_the_way_out() -> None:
    stack = new_stack()
    dashboard = MonitoringDashboard(stack, "Models")
    text = cloudwatch.TextWidget(markdown="one of many")
    dashboard.add(stack, Section(title="Many", about="widgets", rows=[[text]] * (MOST_WIDGETS - 1)))
    app = stack.node.root
    assert isinstance(app, App)
    with pytest.raises(
        RuntimeError, match=rf"(?s)has {MOST_WIDGETS + 1} widgets; allowed: {MOST_WIDGETS}.*Others"
    ):
        app.synth()


@pytest.mark.parametrize(
    ("widgets", "metrics", "problems"),
    [
        (MOST_WIDGETS, 1, 0),
        (MOST_WIDGETS + 1, 1, 1),
        (5, MOST_METRICS // 5, 0),
        (5, MOST_METRICS // 5 + 1, 2),
        (1, MOST_METRICS_OF_WIDGET + 1, 1),
        (0, 0, 0),
    ],
)
def test_the_size_of_a_dashboard(widgets: int, metrics: int, problems: int) -> None:
    widget = {"properties": {"metrics": [["AWS/SQS", "Name"]] * metrics}}
    assert len(size_problems([widget] * widgets)) == problems


@pytest.mark.parametrize(
    ("algorithm", "channels", "first", "curves"),
    [
        (KMeans(k=3), ["train"], [], ["train:msd"]),
        (KMeans(k=3), ["train", "test"], ["test:ssd"], ["test:ssd", "test:msd", "train:msd"]),
        (
            LinearLearner(predictor_type="regressor"),
            ["train", "test"],
            [],
            ["test:absolute_loss", "test:mse"],
        ),
    ],
    ids=["no test data", "judged by", "of its kind"],
)
def test_the_graph_of_models_shows_what_training_reports(
    algorithm: Algorithm, channels: list[str], first: list[str], curves: list[str]
) -> None:
    assert curves_of(algorithm, channels, first)[: len(curves)] == curves
    assert {name.partition(":")[0] for name in curves_of(algorithm, channels, first)} <= {*channels}
