"""Judge: the floor, and the model in use on the same test data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from pipeline_runs import Pipeline

from after_training import ROWS, TRUE, AfterTraining
from amazon_estimators.errors import DamagedFileError, RecordSetError, ServiceError, TrainingJobError
from amazon_estimators.pipeline.current_model import (
    SCHEMA,
    CurrentModel,
    current_model_values,
    metadata_of,
    registered_model,
)
from amazon_estimators.pipeline.judge import Bar, Verdict, judge
from amazon_estimators.pipeline.keys import current_model_key
from amazon_estimators.storage.documents import put_document
from amazon_estimators.storage.s3 import put_json, read_object
from faulty_s3 import CutS3

BAR = Bar(metric="test:mse", direction="Minimize")


@pytest.mark.parametrize(
    ("bar", "value", "passes"),
    [
        ({"at_most": 1.0}, 1.0, True),
        ({"at_most": 1.0}, 1.01, False),
        ({"at_least": 1.0}, 1.0, True),
        ({"at_least": 1.0}, 0.99, False),
        ({"at_least": 1.0, "at_most": 2.0}, 1.5, True),
        ({}, 1e9, True),
        ({}, math.nan, False),
        ({"at_least": 1.0}, math.inf, False),
    ],
)
def test_floors(bar: dict[str, Any], value: float, passes: bool) -> None:
    assert (not Bar(metric="test:x", direction=None, **bar).misses(value)) is passes


@pytest.mark.parametrize(
    ("direction", "margin", "value", "current", "passes"),
    [
        ("Minimize", 0.0, 0.9, 1.0, True),
        ("Minimize", 0.0, 1.0, 1.0, False),
        ("Minimize", 0.0, 1.1, 1.0, False),
        ("Minimize", 0.25, 1.25, 1.0, True),
        ("Minimize", 0.25, 1.26, 1.0, False),
        ("Maximize", 0.0, 0.9, 1.0, False),
        ("Maximize", 0.0, 1.1, 1.0, True),
        ("Maximize", 0.25, 0.75, 1.0, True),
        ("Maximize", 0.25, 0.7, 1.0, False),
        ("Maximize", 0.0, 0.1, math.nan, True),
    ],
)
def test_comparisons(direction: str, margin: float, value: float, current: float, passes: bool) -> None:
    bar = Bar(metric="test:x", direction=direction, margin=margin)
    assert (not bar.loses(value, current)) is passes


@pytest.fixture
def trained(pipeline: Pipeline) -> AfterTraining:
    return AfterTraining(pipeline)


def judged(trained: AfterTraining, job: dict[str, Any], bar: Bar = BAR, sagemaker: Any = None) -> Verdict:
    return judge(trained.s3, sagemaker, trained.settings, bar, plan=trained.planned, job=job)


def use(trained: AfterTraining, job: dict[str, Any], verdict: Verdict) -> None:
    """Make a judged model the one in use, as Announce does."""
    values = {**current_model_values(current(job, verdict)), "at": "2026-03-01T12:00:00.000+00:00"}
    put_document(trained.s3, trained.bucket, current_model_key(""), SCHEMA, values)


def current(job: dict[str, Any], verdict: Verdict) -> CurrentModel:
    return CurrentModel(
        job=job["TrainingJobName"],
        model=job["ModelArtifacts"]["S3ModelArtifacts"],
        data_set="0" * 24,
        metrics={one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]},
        test_data=verdict.test_data,
    )


def test_the_first_model_has_to_pass_the_floor_only(trained: AfterTraining) -> None:
    bar = Bar(metric="test:mse", direction="Minimize", at_most=1.0)
    good = judged(trained, trained.job("a", test_mse=0.5), bar)
    assert (good.good, good.value, good.current) == (True, 0.5, None)
    bad = judged(trained, trained.job("b", test_mse=1.5), bar)
    assert not bad.good
    assert bad.because == "test:mse is 1.5; must be at most 1"


def test_on_the_same_test_data_what_the_trainings_reported_is_compared(trained: AfterTraining) -> None:
    first = trained.job("a", test_mse=0.5)
    use(trained, first, judged(trained, first))
    worse = judged(trained, trained.job("b", test_mse=0.6))
    assert not worse.good
    assert worse.because == "test:mse is 0.6; must be better than the 0.5 of the model in use"
    assert worse.current == {"job": "a", "model": first["ModelArtifacts"]["S3ModelArtifacts"], "value": 0.5}
    assert worse.measured_by == "training job"
    assert judged(trained, trained.job("c", test_mse=0.4)).good
    alone = Bar(metric="test:mse", direction="Minimize", at_most=1.0, against_current=False)
    assert judged(trained, trained.job("d", test_mse=0.6), alone).good


def test_a_model_is_not_compared_with_itself_when_redriven(trained: AfterTraining) -> None:
    job = trained.job("a", test_mse=0.5)
    use(trained, job, judged(trained, job))
    assert judged(trained, job).good


def test_where_test_data_have_changed_both_are_measured_again(trained: AfterTraining) -> None:
    first = trained.job("a", TRUE + 1, test_mse=0.01)  # what it reported tells nothing of the new data
    use(trained, first, judged(trained, first))
    rows = ROWS[20:40]
    trained.put("test", rows)
    trained.planned = trained.pipeline.train("second")
    verdict = judged(trained, trained.job("b", TRUE + 0.5, test_mse=0.9))
    assert verdict.measured_by == "numpy"
    assert verdict.good
    assert verdict.value == pytest.approx(np.mean((rows @ np.full(2, 0.5)) ** 2), rel=1e-4)
    assert verdict.current is not None
    assert verdict.current["value"] == pytest.approx(np.mean((rows @ np.ones(2)) ** 2), rel=1e-4)
    worse = judged(trained, trained.job("c", TRUE + 2, test_mse=0.001))
    assert (worse.good, worse.measured_by) == (False, "numpy")


def test_other_training_data_are_not_other_test_data(trained: AfterTraining) -> None:
    first = trained.job("a", test_mse=0.5)
    before = judged(trained, first)
    use(trained, first, before)
    trained.put("train", ROWS[:50])
    trained.planned = trained.pipeline.train("second")
    verdict = judged(trained, trained.job("b", test_mse=0.4))
    assert verdict.measured_by == "training job"
    assert verdict.test_data == before.test_data


def test_what_cannot_be_measured_passes_and_says_why(trained: AfterTraining) -> None:
    first = trained.job("a", test_mse=0.5)
    use(trained, first, judged(trained, first))
    trained.put("test", ROWS[20:40])
    trained.planned = trained.pipeline.train("second")
    job = trained.job("b", test_mse=0.9)
    trained.s3.delete_object(Bucket=trained.bucket, Key="models/a/output/model.tar.gz")
    verdict = judged(trained, job)
    assert verdict.good
    assert "passes without a comparison: the test data have changed" in verdict.because
    assert "no longer there" in verdict.because
    assert verdict.current is not None
    assert verdict.current["value"] is None
    loss = Bar(metric="test:objective_loss", direction="Minimize")
    unmeasured = judged(
        trained, {**job, "FinalMetricDataList": [{"MetricName": loss.metric, "Value": 1.0}]}, loss
    )
    assert "test:objective_loss is not computed from its model file" in unmeasured.because


def test_an_algorithm_whose_model_file_is_not_public(trained: AfterTraining) -> None:
    bar = Bar(metric="test:accuracy", direction="Maximize")
    job = trained.job("a", test_accuracy=0.5)
    use(trained, job, judged(trained, job, bar))
    trained.pipeline.settings |= {
        "algorithm": "KNN",
        "hyperparameters": {"k": "3", "predictor_type": "classifier", "sample_size": "20"},
    }
    trained.put("test", ROWS[20:40])
    trained.planned = trained.pipeline.train("second")
    verdict = judged(trained, trained.job("b", test_accuracy=0.4), bar)
    assert verdict.good
    assert "a model of KNN is not measured outside its container" in verdict.because


def test_a_job_that_did_not_report_the_metric(trained: AfterTraining) -> None:
    with pytest.raises(TrainingJobError, match="did not report test:mse; it reported train:x") as raised:
        judged(trained, trained.job("a", train_x=1.0))
    assert raised.value.remedy.startswith("Judge by a metric")


def test_a_metric_that_is_no_number_is_not_good(trained: AfterTraining) -> None:
    job = trained.job("a", test_mse=0.5)
    job["FinalMetricDataList"][0]["Value"] = "NaN"
    verdict = judged(trained, job)
    assert not verdict.good
    assert verdict.to_dict()["value"] == "nan"


def test_a_record_that_was_changed_is_not_believed(trained: AfterTraining) -> None:
    job = trained.job("a", test_mse=0.5)
    use(trained, job, judged(trained, job))
    document = json.loads(read_object(trained.s3, trained.bucket, current_model_key("")))
    put_json(trained.s3, trained.bucket, current_model_key(""), {**document, "metrics": {"test:mse": 9.0}})
    with pytest.raises(DamagedFileError, match=r"current_model\.json was changed"):
        judged(trained, trained.job("b", test_mse=0.4))


@pytest.fixture
def registry(emulated: tuple[str, Path]) -> Any:
    """The stand-in's SageMaker, with an empty group ``models``."""
    endpoint, certificate = emulated
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=endpoint,
        verify=str(certificate),
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    yield sagemaker
    for one in sagemaker.list_model_packages(ModelPackageGroupName="models")["ModelPackageSummaryList"]:
        sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
    sagemaker.delete_model_package_group(ModelPackageGroupName="models")


def test_with_a_registry_the_newest_approved_model_is_in_use(trained: AfterTraining, registry: Any) -> None:
    bar = Bar(metric="test:mse", direction="Minimize", group="models")
    alone = Bar(metric="test:mse", direction="Minimize", against_current=False, at_most=1)
    arns = []
    for name, value, status in (("a", 0.5, "Approved"), ("b", 0.3, "Approved"), ("c", 0.1, "Rejected")):
        job = trained.job(name, test_mse=value)
        verdict = judged(trained, job, alone)
        arns.append(
            registry.create_model_package(
                ModelPackageGroupName="models",
                ModelApprovalStatus=status,
                InferenceSpecification={
                    "Containers": [
                        {
                            "Image": job["AlgorithmSpecification"]["TrainingImage"],
                            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
                        }
                    ],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["application/json"],
                },
                CustomerMetadataProperties=metadata_of(current(job, verdict)),
            )["ModelPackageArn"]
        )
    job = trained.job("d", test_mse=0.4)
    verdict = judged(trained, job, bar, registry)
    assert not verdict.good
    assert verdict.current is not None
    assert (verdict.current["job"], verdict.current["value"]) == ("b", 0.3)
    registry.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Rejected")
    assert judged(trained, job, bar, registry).good
    registry.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Rejected")
    assert judged(trained, job, bar, registry).current is None


def measured(trained: AfterTraining) -> tuple[dict[str, Any], str]:
    """Return a job that has to be measured beside the model in use, and the key of a shard of test data."""
    first = trained.job("a", TRUE + 1, test_mse=0.01)
    use(trained, first, judged(trained, first))
    trained.put("test", ROWS[20:40])
    trained.planned = trained.pipeline.train("second")
    return trained.job("b", TRUE + 0.5, test_mse=0.9), f"{trained.planned['prefix']}test/matrix_00000.pbr"


@pytest.mark.parametrize("what", ["record_set.json", "shard", "model", "current_model.json"])
def test_an_object_that_breaks_off_for_good_is_named_and_no_model_passes(
    trained: AfterTraining, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amazon_estimators.storage.faults.time.sleep", lambda seconds: None)
    job, shard = measured(trained)
    key = {
        "record_set.json": f"{trained.planned['prefix']}test/record_set.json",
        "shard": shard,
        "model": "models/b/output/model.tar.gz",
        "current_model.json": current_model_key(""),
    }[what]
    trained.s3 = CutS3(trained.s3, key)
    with pytest.raises(ServiceError, match=f"GetObject of s3://{trained.bucket}/{key}"):
        judged(trained, job)


def test_a_shard_that_was_exchanged_is_not_measured(trained: AfterTraining) -> None:
    job, shard = measured(trained)
    other = trained.pipeline.get(f"{trained.planned['prefix']}train/matrix_00000.pbr")
    trained.s3.put_object(Bucket=trained.bucket, Key=shard, Body=other)
    with pytest.raises(RecordSetError, match=f"{shard} is not the shard that was encoded"):
        judged(trained, job)


def test_facts_that_were_changed_are_not_judged_by(trained: AfterTraining) -> None:
    job, _ = measured(trained)
    key = f"{trained.planned['prefix']}test/record_set.json"
    changed = trained.pipeline.get(key).replace(b"test/matrix_00000", b"train/matrix_00000")
    trained.s3.put_object(Bucket=trained.bucket, Key=key, Body=changed)
    with pytest.raises(RecordSetError, match=f"{key} was changed"):
        judged(trained, job)


def test_a_metric_that_somebody_wrote_by_hand_is_none() -> None:
    package = {
        "CustomerMetadataProperties": {"metric test:mse": "n/a", "metric test:r2": "0.5"},
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://m/a"}]},
        "ModelPackageArn": "arn",
    }
    assert registered_model(package).metrics == {"test:r2": 0.5}
