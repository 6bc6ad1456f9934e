"""Tune, judge and register, deployed with IAM enforced: a model, and a worse one after it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from after_account import Account, pipeline_of, session_of, table

from amazon_estimators.client.lineage import lineage_of
from amazon_estimators.pipeline.explain import MAP_FAILED
from amazon_estimators_rehearsal.platform import Platform
from denials import Invocation, denied, invocations, step_of, untold

pytestmark = pytest.mark.deployed


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Platform(app=Path(__file__).parent / "app") as platform:
        yield Account(platform, platform.deploy({}))


@pytest.fixture(scope="module")
def first(account: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    """A good model whose registration is refused, and goes through once redriven: (failed, redriven).

    Its lineage is refused too, which fails nothing.
    """
    for channel, rows in (("train", 200), ("validation", 50), ("test", 50)):
        account.put(channel, table(rows))
    with denied(account.client, account.outputs["Role"], "sagemaker:CreateModelPackage"):
        arn = account.start("first")
        failed = account.end(arn)
    with denied(account.client, account.outputs["AssociateRole"], "sagemaker:AddAssociation"):
        account.client("stepfunctions").redrive_execution(executionArn=arn)
        time.sleep(1)
        return failed, account.end(arn)


@pytest.fixture(scope="module")
def second(account: Account, first: Any) -> dict[str, Any]:
    """A model trained on noise."""
    account.put("train", table(200, noise=500.0))
    return account.end(account.start("second"))


def test_a_refused_registration_names_the_role_and_is_redriven_without_another_training(
    account: Account, first: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    failed, redriven = first
    assert failed["status"] == "FAILED", failed
    cause = json.loads(failed["cause"])["errorMessage"]
    assert account.outputs["Role"] in cause
    assert "sagemaker:CreateModelPackage" in cause
    assert redriven["status"] == "SUCCEEDED", (redriven, account.platform.problems())
    searches = account.client("sagemaker").list_hyper_parameter_tuning_jobs()
    assert len(searches["HyperParameterTuningJobSummaries"]) == 1
    tuned = json.loads(redriven["output"])["tuned"]
    trainings = account.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuned["job_name"]
    )["TrainingJobSummaries"]
    assert len(trainings) == 2
    assert len(tuned["job_name"]) <= 32


def test_the_best_training_is_announced_with_all_a_consumer_needs(
    account: Account, first: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    output = json.loads(first[1]["output"])
    detail = account.told("first", "Model Trained")
    assert detail["job"] == output["tuned"]["best"] == output["job"]["TrainingJobName"]
    assert detail["verdict"]["good"] is True
    assert detail["verdict"]["because"] == "there is no other model in use"
    assert detail["model_package"] == account.packages()[-1]["ModelPackageArn"]
    assert detail["image"].endswith("/linear-learner:1")
    assert detail["hyperparameters"]["predictor_type"] == "regressor"
    assert (detail["instance_type"], detail["instance_count"]) == ("ml.m5.large", 1)
    assert detail["metrics"]["test:mse"] < 1
    rows = list(csv.DictReader(io.StringIO(account.read(detail["tuning"]["leaderboard"]).decode())))
    assert rows[0]["training_job"] == detail["job"]
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert {"learning_rate", "wd"} <= set(rows[0])


def test_the_model_is_registered_once_with_what_the_pipeline_knows(
    account: Account, first: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    package = account.client("sagemaker").describe_model_package(
        ModelPackageName=account.packages()[-1]["ModelPackageArn"]
    )
    detail = account.told("first", "Model Trained")
    assert package["ModelPackageVersion"] == 1
    assert package["ModelApprovalStatus"] == "Approved"
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container == {"Image": detail["image"], "ModelDataUrl": detail["model"]}
    report = json.loads(account.read(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]))
    assert report["regression_metrics"]["mse"]["value"] == detail["metrics"]["test:mse"]
    card = json.loads(package["ModelCard"]["ModelCardContent"])
    assert card["model_overview"]["model_artifact"] == [detail["model"]]
    details = card["additional_information"]["custom_details"]
    assert details["records of channel train"] == "200"
    assert details["reason"] == "to see first"
    assert package["CustomerMetadataProperties"]["data_set"] == detail["data_set"]


def test_a_lineage_that_is_refused_is_told_and_once_allowed_made_once(
    account: Account, first: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    detail, output = account.told("first", "Model Trained"), json.loads(first[1]["output"])
    for part in ("AccessDeniedException", "sagemaker:AddAssociation", account.outputs["AssociateRole"]):
        assert part in detail["lineage_missing"]
    machine = account.client("stepfunctions").describe_state_machine(
        stateMachineArn=account.outputs["Machine"]
    )
    state = json.loads(machine["definition"])["States"]["AssociateRecordSet"]
    event = {"pipeline": state["Parameters"]["pipeline"], "plan": output["plan"], "job": output["job"]}
    answers = []
    for _ in range(2):
        answer = account.client("lambda").invoke(
            FunctionName=account.outputs["Associate"], Payload=json.dumps(event)
        )
        answers.append(json.loads(answer["Payload"].read()))
    made, again = answers
    assert again == made
    sagemaker = account.client("sagemaker")
    (component,) = sagemaker.list_trial_components(SourceArn=output["job"]["TrainingJobArn"])[
        "TrialComponentSummaries"
    ]
    listed = sagemaker.list_associations(SortOrder="Ascending")["AssociationSummaries"]
    assert [(one["SourceArn"], one["AssociationType"], one["DestinationArn"]) for one in listed] == [
        (made["data_set"], "DerivedFrom", made["record_set"]),
        (made["record_set"], "ContributedTo", component["TrialComponentArn"]),
    ]
    uris = {
        one["ArtifactArn"]: one["Source"]["SourceUri"]
        for one in sagemaker.list_artifacts()["ArtifactSummaries"]
    }
    assert uris.keys() == {made["data_set"], made["record_set"]}
    assert uris[made["record_set"]] == detail["record_set"]
    assert detail["data_set"] in uris[made["data_set"]]
    assert account.read(uris[made["data_set"]])


def test_a_worse_model_is_rejected_with_both_figures_and_the_other_one_stays(
    account: Account, second: dict[str, Any]
) -> None:
    assert second["status"] == "SUCCEEDED", (second, account.platform.problems())
    good = account.told("first", "Model Trained")
    detail = account.told("second", "Model Rejected")
    verdict = detail["verdict"]
    assert verdict["good"] is False
    assert detail["model_package"] is None
    assert verdict["test_data"] == good["verdict"]["test_data"]
    assert len(account.packages()) == 1
    assert pipeline_of(account).model_in_use().job == good["job"]


def test_each_training_has_a_page_beside_its_model(account: Account, second: dict[str, Any]) -> None:
    told = [account.told("first", "Model Trained"), account.told("second", "Model Rejected")]
    pages = []
    for detail in told:
        assert detail["report"] == detail["model"].removesuffix("output/model.tar.gz") + "report.html"
        bucket, _, key = detail["report"].removeprefix("s3://").partition("/")
        answer = account.client("s3").get_object(Bucket=bucket, Key=key)
        assert answer["ContentType"] == "text/html; charset=utf-8"
        pages.append(answer["Body"].read().decode())
        assert detail["job"] in pages[-1]
        assert "Profile of features 1 to 3 of 3, channel train" in pages[-1]
    assert "There is no earlier training to compare with." in pages[0]
    assert f"Compared with the last training, {told[0]['job']}" in pages[1]
    assert "Rejected by the gate" in pages[1]
    assert f"The model in use before was trained by {told[0]['job']}." in pages[1]


def test_each_attempt_has_its_lineage(account: Account, second: dict[str, Any]) -> None:
    bucket = account.outputs["Bucket"]
    failed, redriven, rejected = (
        json.loads(account.read(f"s3://{bucket}/lineage/{attempt}.json"))
        for attempt in ("first-0", "first-1", "second-0")
    )
    kinds = [event["eventType"] for event in (failed, redriven, rejected)]
    assert kinds == ["FAIL", "COMPLETE", "COMPLETE"]
    good = account.told("first", "Model Trained")
    versions = {one["facets"]["version"]["datasetVersion"] for one in redriven["inputs"]}
    assert versions == {good["data_set"], good["record_set"].rstrip("/").rpartition("/")[2]}
    assert redriven["outputs"][-1]["name"] == good["model"].removeprefix("s3://").partition("/")[2]
    (channel, *_) = lineage_of(good["model"], session=session_of(account)).channels
    assert channel.data_set == good["data_set"]
    assert channel.objects is not None
    assert [one.key for one in channel.objects] == ["input/train/rows.csv"]


NOTHING_HAPPENED = {"TrainingsSkipped", "TrainingsWaiting"}
"""Metrics of the dashboard that these executions give no reason to write."""


def test_the_dashboard_shows_what_the_functions_have_written(
    account: Account, second: dict[str, Any]
) -> None:
    logs, cloudwatch = account.client("logs"), account.client("cloudwatch")
    written: set[tuple[str, ...]] = set()
    for group in logs.describe_log_groups()["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            if not event["message"].startswith('{"_aws"'):
                continue
            line = json.loads(event["message"])
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            for metric in directive["Metrics"]:
                for names in directive["Dimensions"]:
                    pairs = [part for name in sorted(names) for part in (name, line[name])]
                    written.add((directive["Namespace"], metric["Name"], *pairs))
    (entry,) = cloudwatch.list_dashboards()["DashboardEntries"]
    body = json.loads(cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
    shown: set[tuple[str, ...]] = set()
    for widget in body["widgets"]:
        for namespace, name, *rest in widget["properties"].get("metrics", ()):
            texts = [part for part in rest if isinstance(part, str)]
            pairs = sorted(zip(texts[::2], texts[1::2], strict=True))
            if namespace == "AmazonEstimators":
                shown.add((namespace, name, *(part for pair in pairs for part in pair)))
    assert len(shown) > 15
    assert {name for _, name, *_ in shown - written} <= NOTHING_HAPPENED, shown - written
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert len([one for one in alarms if "docs/monitoring.md" in one["AlarmDescription"]]) == 3


def test_the_second_search_starts_from_the_first(account: Account, second: dict[str, Any]) -> None:
    first_tuned = account.told("first", "Model Trained")["tuning"]
    tuned = json.loads(second["output"])["tuned"]
    described = account.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuned["job_name"]
    )
    assert described["WarmStartConfig"] == {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": first_tuned["job_name"]}],
    }


def test_the_steps_add_little_state(second: dict[str, Any]) -> None:
    output = json.loads(second["output"])
    added = {name: output.get(name) for name in ("prepared", "tuned", "verdict", "package")}
    assert len(json.dumps(added)) <= 4096


AFTER_TRAINING = {"tune", "judge", "register", "associate", "report", "announce", "explain"}
NOT_OF_EVERY_RUN = {
    ("judge", "s3:ListBucket"): "the model in use of a pipeline without a registry; a model that is gone",
}
"""Steps and actions that these executions do not need, and what needs them."""


def test_each_action_of_the_steps_counts_and_its_absence_names_the_role(
    account: Account, first: tuple[dict[str, Any], dict[str, Any]], second: dict[str, Any]
) -> None:
    """The functions of both executions are invoked directly, as their roles, without one action after the
    other."""
    made = [call for ended in (first[1], second) for call in invocations(account.client, ended).values()]
    steps = [call for call in made if step_of(account.client, call.function) in AFTER_TRAINING]
    assert {step_of(account.client, call.function) for call in steps} == AFTER_TRAINING
    explain, associate = (
        next(call for call in steps if step_of(account.client, call.function) == name)
        for name in ("explain", "associate")
    )
    plan = json.loads(second["output"])["plan"]
    of_shards = [
        {**explain.event, "plan": plan, "shard": 0},
        {**explain.event, "plan": plan, "error": {"Error": MAP_FAILED}},
    ]
    steps += [Invocation(explain.function, event) for event in of_shards]

    def of_other_data(digit: str) -> Invocation:
        """Associate what it has not associated before."""
        names = dict.fromkeys(("data_set", "fingerprint", "prefix"), digit * 24)
        return Invocation(associate.function, {**associate.event, "plan": {**plan, **names}})

    alone = {
        ("associate", "sagemaker:AddAssociation"): lambda: of_other_data("0"),
        ("associate", "sagemaker:CreateArtifact"): lambda: of_other_data("1"),
    }
    assert untold(account.client, steps, only=alone) == set(NOT_OF_EVERY_RUN)
