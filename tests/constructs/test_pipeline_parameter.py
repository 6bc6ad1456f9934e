"""A pipeline tells where it is in a parameter, and another stack refers to it by that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from pipeline_stacks import PSEUDO, REQUIRED, Synthesised, new_app, new_stack

from cdk_amazon_estimators import PipelineError, TrainingPipeline, TrainingPipelineBase

ACCOUNT, REGION = PSEUDO["AWS::AccountId"], "eu-west-1"
NAME = "/ml/churn"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"
TOLD = {
    "state_machine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Churn",
    "data_bucket": "churn-data",
    "model_bucket": "churn-models",
    "prefix": "churn/",
    "input_prefixes": ["churn/input/train/"],
    "encryption_key": "",
    "current_model": "s3://churn-data/churn/datasets/current_model.json",
}


def written(**props: Any) -> dict[str, Any]:
    """The value of the parameter, references as text."""
    stack = new_stack(region=REGION)
    for name in ("data", "models"):
        props[f"{name.removesuffix('s')}_bucket"] = s3.Bucket.from_bucket_name(stack, name, name)
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, prefix="churn/", triggers=[], **props)
    pipeline.write_parameter("Parameter", NAME)
    (parameter,) = Synthesised(stack).of_type("AWS::SSM::Parameter").values()
    assert parameter["Name"] == NAME
    value: dict[str, Any] = json.loads(parameter["Value"])
    return value


def test_the_parameter_tells_where_the_pipeline_is() -> None:
    value = written()
    machine = value.pop("state_machine")
    assert machine.startswith("<DigitsStateMachine")
    assert value == {
        "data_bucket": "data",
        "model_bucket": "models",
        "prefix": "churn/",
        "input_prefixes": ["churn/input/train/"],
        "encryption_key": "",
        "current_model": "s3://data/churn/datasets/current_model.json",
    }


def test_it_names_the_key() -> None:
    key = kms.Key.from_key_arn(new_stack("Keys"), "Key", KEY)
    assert written(encryption_key=key)["encryption_key"] == KEY


def referring(value: object) -> tuple[Stack, TrainingPipelineBase]:
    """A stack that refers to a pipeline, after CDK has looked the parameter up; None: before."""
    looked_up = f"ssm:account={ACCOUNT}:parameterName={NAME}:region={REGION}"
    app = App() if value is None else new_app(**{looked_up: value})
    stack = Stack(app, "Other", env=Environment(account=ACCOUNT, region=REGION))
    return stack, TrainingPipeline.from_parameter(stack, "Churn", NAME)


@pytest.mark.parametrize("key", ["", KEY])
def test_a_stack_refers_to_it(key: str) -> None:
    stack, pipeline = referring(json.dumps({**TOLD, "encryption_key": key}))
    assert pipeline.state_machine.state_machine_arn == TOLD["state_machine"]
    assert (pipeline.prefix, [*pipeline.input_key_prefixes]) == ("churn/", TOLD["input_prefixes"])
    assert (pipeline.encryption_key.key_arn if pipeline.encryption_key else "") == key
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    pipeline.grant_read_models(role)
    resources = [one["Resource"] for one in Synthesised(stack).statements("Role")]
    assert "arn:aws:s3:::churn-models/churn/models/*" in json.dumps(resources)


def test_before_it_is_looked_up_a_placeholder_stands_there() -> None:
    _, pipeline = referring(None)
    assert pipeline.state_machine.state_machine_arn.endswith("NotLookedUpYet")


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        ("my-bucket", "any JSON object"),
        ("3", "any JSON object"),
        (
            json.dumps({"prefix": "a/"}),
            "data_bucket, encryption_key, input_prefixes, model_bucket, state_machine",
        ),
    ],
)
def test_a_parameter_that_tells_something_else_is_refused(value: str, missing: str) -> None:
    with pytest.raises(
        PipelineError, match=rf"/ml/churn does not tell .*: it lacks {missing}\. Write it with"
    ):
        referring(value)
