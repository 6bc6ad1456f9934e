"""Who may use which KMS key for what: state machines, captured requests, the output of training jobs."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from endpoint_stacks import INSTANCE, endpoint
from pipeline_stacks import REQUIRED, Synthesised, new_stack, with_props
from test_pipeline_permissions import REGION, STATES, TRAINING, allowed

from cdk_amazon_estimators import DataCapture, TrainingPipeline

MACHINE = "kms:EncryptionContext:aws:states:stateMachineArn"


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey"])
def test_a_state_machine_may_use_its_key_for_its_own_executions(action: str) -> None:
    pipeline = with_props("service_encryption_key", region=None)
    (key,), (machine,) = (
        pipeline.of_type(kind) for kind in ("AWS::KMS::Key", "AWS::StepFunctions::StateMachine")
    )
    assert allowed(pipeline, STATES, action, f"<{key}.Arn>", {MACHINE: f"<{machine}>"})
    for other in ({MACHINE: "<AnotherMachine>"}, {}):
        assert not allowed(pipeline, STATES, action, f"<{key}.Arn>", other)


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey"])
def test_the_rule_that_deploys_may_start_an_encrypted_state_machine(action: str) -> None:
    made = endpoint(**INSTANCE, service_encryption_key=lambda stack: kms.Key(stack, "Services"))
    (key,) = (name for name in made.of_type("AWS::KMS::Key") if name.startswith("Services"))
    (role,) = (name for name in made.of_type("AWS::IAM::Role") if "EventsRole" in name)
    through = {"kms:ViaService": "states.eu-west-1.amazonaws.com"}
    assert allowed(made, role[:-8], action, f"<{key}.Arn>", through)
    assert not allowed(made, role[:-8], action, f"<{key}.Arn>", {})


@pytest.mark.parametrize("own", [True, False], ids=["key of the endpoint", "key of the pipeline"])
def test_an_endpoint_may_write_captures_with_the_key_that_it_names_for_them(own: bool) -> None:
    props: dict[str, Any] = {"encryption_key": lambda stack: kms.Key(stack, "Volumes")} if own else {}
    pipeline = {"encryption_key": lambda stack: kms.Key(stack, "Pipeline")}
    made = endpoint(pipeline=pipeline, data_capture=DataCapture(), **INSTANCE, **props)
    (name,) = (key for key in made.of_type("AWS::KMS::Key") if key.startswith("Volumes" if own else "Pipe"))
    through = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    role = "OnlineExecutionRole"
    assert allowed(made, role, "kms:GenerateDataKey", f"<{name}.Arn>", through)
    assert not allowed(made, role, "kms:GenerateDataKey", f"<{name}.Arn>", {})


def test_a_training_role_may_encrypt_its_output_with_the_key_of_a_given_bucket() -> None:
    stack = new_stack(region=REGION)
    key = kms.Key(stack, "Own")
    bucket = s3.Bucket.from_bucket_attributes(stack, "Models", bucket_name="models", encryption_key=key)
    made = Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, model_bucket=bucket))
    (name,) = made.of_type("AWS::KMS::Key")
    states = made.definition["States"]
    assert states["Train"]["Parameters"]["OutputDataConfig"]["KmsKeyId"] == f"<{name}.Arn>"
    assert allowed(made, TRAINING, "kms:Encrypt", f"<{name}.Arn>", {})
