"""Requests against SageMaker's model: a table of single faults, each named in the refusal."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from amazon_estimators_rehearsal.sagemaker.checks.request_rules import check_request
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import validate
from amazon_estimators_rehearsal.sagemaker.errors import UnknownOperationError, ValidationError

RIGHT: dict[str, Any] = {
    "TrainingJobName": "kmeans-1",
    "AlgorithmSpecification": {"TrainingImage": "1.dkr.ecr/kmeans:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::000000000000:role/Training",
    "HyperParameters": {"k": "10"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    request = copy.deepcopy(RIGHT)
    *parents, last = path.split(".")
    place = request
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return request


def test_a_right_request() -> None:
    validate("CreateTrainingJob", RIGHT)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("TrainingJobName", "a" * 63),
        ("TrainingJobName", "A-b-1"),
        ("HyperParameters", {f"h{index}": "1" for index in range(100)}),
        ("HyperParameters", {"k" * 256: "v" * 2500}),
        ("Tags", [{"Key": "a:b", "Value": "Stück 1/2 _.:/=+-@"}]),
    ],
)
def test_at_the_limit(path: str, value: Any) -> None:
    validate("CreateTrainingJob", changed(path, value))


@pytest.mark.parametrize(
    ("path", "value", "named", "constraint"),
    [
        ("TrainingJobName", None, "trainingJobName", "must not be null"),
        ("RoleArn", None, "roleArn", "must not be null"),
        ("TrainingJobName", "a" * 64, "trainingJobName", "length less than or equal to 63"),
        ("Tags", [{"Key": "a", "Value": "(v2)"}], "tags", "regular expression"),
        ("Tags", [{"Key": "a", "Value": "v" * 257}], "tags", "length less than or equal to 256"),
        ("TrainingJobName", "under_score", "trainingJobName", "regular expression"),
        ("TrainingJobName", "-dash-first", "trainingJobName", "regular expression"),
        ("TrainingJobName", "dash-last-", "trainingJobName", "regular expression"),
        ("TrainingJobName", 7, "trainingJobName", "type string"),
        (
            "HyperParameters",
            {f"h{i}": "1" for i in range(101)},
            "hyperParameters",
            "less than or equal to 100",
        ),
        ("HyperParameters", {"k" * 257: "1"}, "hyperParameters.key", "less than or equal to 256"),
        ("HyperParameters", {"k": "1" * 2501}, "hyperParameters.k", "less than or equal to 2500"),
        ("HyperParameters", {"k": 10}, "hyperParameters.k", "type string"),
        ("HyperParameters", {"k": True}, "hyperParameters.k", "type string"),
        ("HyperParameters", ["k"], "hyperParameters", "must be a map"),
        ("ResourceConfig.InstanceType", "ml.none.large", "resourceConfig.instanceType", "enum value set"),
        ("ResourceConfig.InstanceCount", -1, "resourceConfig.instanceCount", "greater than or equal to 0"),
        ("ResourceConfig.InstanceCount", "2", "resourceConfig.instanceCount", "type integer"),
        ("ResourceConfig.InstanceCount", True, "resourceConfig.instanceCount", "type integer"),
        ("StoppingCondition.MaxRuntimeInSeconds", 0, "maxRuntimeInSeconds", "greater than or equal to 1"),
        (
            "OutputDataConfig.S3OutputPath",
            "bucket/models",
            "outputDataConfig.s3OutputPath",
            "regular expression",
        ),
        ("AlgorithmSpecification.TrainingInputMode", "Stream", "trainingInputMode", "enum value set"),
        ("Tags", [{"Key": "", "Value": ""}], "tags.1.member.key", "greater than or equal to 1"),
        ("Tags", {"Key": "a"}, "tags", "must be a list"),
        ("ShuffleConfiguration", {"Seed": 1}, "shuffleConfiguration", "unknown"),
    ],
)
def test_a_fault_is_named(path: str, value: Any, named: str, constraint: str) -> None:
    with pytest.raises(
        ValidationError, match=r"^ValidationException: \d validation errors? detected"
    ) as refused:
        validate("CreateTrainingJob", changed(path, value))
    assert named in refused.value.message and constraint in refused.value.message


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ValidationError, match="2 validation errors detected"):
        validate("CreateTrainingJob", changed("TrainingJobName", "_") | {"HyperParameters": {"k": 1}})


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(ValidationError) as refused:
        validate("CreateTrainingJob", changed("HyperParameters", {"k": "1" * 100_000}))
    assert len(refused.value.message) < 1000


def test_an_operation_that_does_not_exist() -> None:
    with pytest.raises(UnknownOperationError):
        validate("DestroyTrainingJob", {})


def preferring(*preferences: dict[str, Any], **resources: Any) -> dict[str, Any]:
    return changed(
        "ResourceConfig", {"InstancePreferences": [*preferences], "VolumeSizeInGB": 5, **resources}
    )


LARGE, OTHER = {"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.c5.xlarge"}


@pytest.mark.parametrize(
    "request_",
    [
        preferring(LARGE, InstanceCount=2),
        preferring(LARGE, OTHER, InstanceCount=1),
        preferring({**LARGE, "InstanceCount": 1}, {**OTHER, "InstanceCount": 2}),
    ],
)
def test_preferences(request_: dict[str, Any]) -> None:
    validate("CreateTrainingJob", request_)
    check_request(request_)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (preferring(LARGE, LARGE, InstanceCount=1), "only once"),
        (preferring(LARGE, InstanceCount=1, InstanceType="ml.m5.large"), "exclusive with InstanceType"),
        (preferring(LARGE, OTHER), "InstanceCount belongs"),
        (preferring({**LARGE, "InstanceCount": 1}, OTHER), "InstanceCount belongs"),
        (preferring({**LARGE, "InstanceCount": 1}, InstanceCount=1), "InstanceCount belongs"),
        (
            preferring(LARGE, InstanceCount=1) | {"EnableManagedSpotTraining": True},
            "exclusive with EnableManagedSpotTraining",
        ),
    ],
)
def test_preferences_that_the_service_rejects(request_: dict[str, Any], text: str) -> None:
    validate("CreateTrainingJob", request_)
    with pytest.raises(ValidationError, match=text):
        check_request(request_)


@pytest.mark.parametrize("preferences", [[], [LARGE] * 6])
def test_the_number_of_preferences_is_in_the_model(preferences: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError, match="nstancePreferences"):
        validate("CreateTrainingJob", preferring(*preferences, InstanceCount=1))
