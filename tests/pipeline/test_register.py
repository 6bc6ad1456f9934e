"""Register: the request of a model package, and the report beside the model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from pipeline_runs import Pipeline, execution_named

from after_training import AfterTraining
from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.pipeline.current_model import CurrentModel, metadata_of, registered_model
from amazon_estimators.pipeline.register import model_package, report

METRICS = {"test_mse": 0.25, "test_absolute_loss": 0.4, "validation_mse": 0.3, "train_objective_loss": 0.2}
VERDICT = {"good": True, "because": "it is better", "test_data": {"test": "a" * 24}}


@pytest.fixture
def trained(pipeline: Pipeline) -> AfterTraining:
    return AfterTraining(pipeline, prefix="")


def package(trained: AfterTraining, **more: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "plan": trained.planned,
        "job": trained.job("digits-1", **METRICS),
        "verdict": VERDICT,
        "execution": execution_named("run"),
        "reason": 'drift of "price" <5%>',
    }
    return model_package(trained.s3, trained.settings, **{**arguments, **more})


def test_the_request_fits_the_service_and_is_the_same_again(trained: AfterTraining) -> None:
    request = package(trained)
    full = {"ModelPackageGroupName": "digits", "ModelApprovalStatus": "Approved", **request}
    shape = Session().get_service_model("sagemaker").operation_model("CreateModelPackage").input_shape
    assert not ParamValidator().validate(full, shape).has_errors()
    assert package(trained) == request
    other = package(trained, job=trained.job("digits-2", **METRICS))
    assert other["ClientToken"] != request["ClientToken"]
    assert len(request["ClientToken"]) <= 36
    assert len(json.dumps(request)) <= 4096


def test_the_service_takes_it_and_registers_it_once(trained: AfterTraining, emulated: Any) -> None:
    import boto3

    endpoint, certificate = emulated
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=endpoint,
        verify=str(certificate),
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    sagemaker.create_model_package_group(ModelPackageGroupName="once")
    request = {"ModelPackageGroupName": "once", "ModelApprovalStatus": "Approved", **package(trained)}
    arns = {sagemaker.create_model_package(**request)["ModelPackageArn"] for _ in range(3)}
    assert len(arns) == 1
    found = registered_model(sagemaker.describe_model_package(ModelPackageName=arns.pop()))
    assert found.job == "digits-1"
    assert found.data_set == trained.planned["data_set"]
    assert found.test_data == VERDICT["test_data"]
    assert found.metrics == {name.replace("_", ":", 1): value for name, value in METRICS.items()}


def test_the_report_has_the_services_schema_and_prefers_the_test_channel(trained: AfterTraining) -> None:
    request = package(trained)
    uri = request["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert uri == f"s3://{trained.bucket}/models/digits-1/metrics.json"
    written = json.loads(trained.pipeline.get("models/digits-1/metrics.json"))
    assert written["regression_metrics"] == {
        "mse": {"value": 0.25, "standard_deviation": "NaN"},
        "mae": {"value": 0.4, "standard_deviation": "NaN"},
    }
    assert set(written["amazon_estimators_metrics"]) == {name.replace("_", ":", 1) for name in METRICS}


def test_clusters_have_no_schema_but_our_own() -> None:
    found = report(ALGORITHMS["KMeans"](k=2), {"test:msd": 1.0})
    assert found == {"amazon_estimators_metrics": {"test:msd": {"value": 1.0, "standard_deviation": "NaN"}}}


def test_the_card_and_the_metadata_say_where_the_model_comes_from(trained: AfterTraining) -> None:
    request = package(trained)
    card = json.loads(request["ModelCard"]["ModelCardContent"])
    details = card["additional_information"]["custom_details"]
    assert details["records of channel train"] == "60"
    assert details["records of channel test"] == "20"
    assert details["reason"] == 'drift of "price" <5%>'
    assert details["verdict"] == "it is better"
    job = card["training_details"]["training_job_details"]
    assert {one["name"]: one["value"] for one in job["training_metrics"]}["test:mse"] == 0.25
    assert {one["name"] for one in job["hyper_parameters"]} == {"feature_dim", "predictor_type"}
    metadata = request["CustomerMetadataProperties"]
    assert metadata["reason"] == "drift of _price_ _5__"
    assert metadata["record_set"] == trained.planned["fingerprint"]


def test_of_many_metrics_those_of_training_are_left_out() -> None:
    metrics = {f"{channel}:m{number}": 1.0 for channel in ("train", "test") for number in range(40)}
    model = CurrentModel(job="j", model="s3://a/b", data_set="d", metrics=metrics)
    metadata = metadata_of(model, execution="run")
    assert len(metadata) == 50
    assert sum(name.startswith("metric test:") for name in metadata) == 40


def test_without_gate_and_reason(trained: AfterTraining) -> None:
    request = package(trained, verdict=None, reason="")
    assert "reason" not in request["CustomerMetadataProperties"]
    assert "data of channel test" not in request["CustomerMetadataProperties"]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_has_content_types_to_register(name: str) -> None:
    facts = ALGORITHMS[name].inference
    assert facts.accepts
    assert facts.returns
