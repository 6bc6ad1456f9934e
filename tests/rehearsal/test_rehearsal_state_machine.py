"""State machines in the emulator do what their role may, and createTrainingJob.sync behaves as on AWS."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from training_account import ACCOUNT, REGION, RULE, TrainingAccount, statement, unique

JOBS = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/job-*"
SYNC = "arn:aws:states:::sagemaker:createTrainingJob.sync"


def statements(execution_role: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What a role needs to run a training job and wait for it."""
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    sagemaker = ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob", "AddTags")
    events = ("PutTargets", "PutRule", "DescribeRule")
    return [
        *((f"sagemaker:{action}", JOBS, {}) for action in sagemaker),
        *((f"events:{action}", RULE, {}) for action in events),
        ("iam:PassRole", execution_role, passed),
    ]


def machine_role(account: TrainingAccount, execution_role: str, *, without: str = "") -> str:
    wanted = [one for one in statements(execution_role) if one[0] != without]
    return account.role(
        *(statement(action, resource, **condition) for action, resource, condition in wanted),
        service="states.amazonaws.com",
    )


def train_state(account: TrainingAccount, execution_role: str, **changes: Any) -> dict[str, Any]:
    request = account.request(execution_role, TrainingJobName=None, **changes)
    name = "States.Format('{}-{}-{}', $.name, $$.Execution.RedriveCount, $$.State.RetryCount)"
    parameters = {**request, "TrainingJobName.$": name}
    return {"Train": {"Type": "Task", "Resource": SYNC, "Parameters": parameters, "End": True}}


def test_sync_returns_the_description(account: TrainingAccount, execution_role: str) -> None:
    machine = account.machine(train_state(account, execution_role), machine_role(account, execution_role))
    name = unique("job")
    execution = account.execute(machine, {"name": name})
    assert execution["status"] == "SUCCEEDED", (execution.get("error"), execution.get("cause"))
    job = json.loads(execution["output"])
    assert job["TrainingJobName"] == f"{name}-0-0"
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")
    assert abs(job["CreationTime"] / 1000 - time.time()) < 120
    assert "ResponseMetadata" not in job


def test_a_failed_job_fails_the_task_with_its_description(
    account: TrainingAccount, execution_role: str
) -> None:
    states = train_state(account, execution_role, HyperParameters={"k": "0", "feature_dim": "3"})
    machine = account.machine(states, machine_role(account, execution_role))
    execution = account.execute(machine, {"name": unique("job")})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    job = json.loads(execution["cause"])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError")


def test_a_name_in_use(account: TrainingAccount, execution_role: str) -> None:
    machine = account.machine(train_state(account, execution_role), machine_role(account, execution_role))
    name = unique("job")
    account.execute(machine, {"name": name})
    execution = account.execute(machine, {"name": name})
    assert execution["error"] == "SageMaker.ResourceInUseException"


@pytest.mark.parametrize("action", [action for action, _, _ in statements("")])
def test_each_permission_of_the_machine_counts(
    account: TrainingAccount, execution_role: str, action: str
) -> None:
    tags = [{"Key": "purpose", "Value": "test"}]
    role = machine_role(account, execution_role, without=action)
    machine = account.machine(train_state(account, execution_role, Tags=tags), role)
    execution = account.execute(machine, {"name": unique("job")})
    assert execution["status"] == "FAILED"
    assert execution["error"] == "SageMaker.AmazonSageMakerException"
    assert role.rpartition("/")[2] in execution["cause"] and action in execution["cause"]


def test_a_stopped_execution_stops_its_job(account: TrainingAccount, execution_role: str) -> None:
    machine = account.machine(train_state(account, execution_role), machine_role(account, execution_role))
    name = unique("job")
    arn = account.states.start_execution(stateMachineArn=machine, input=json.dumps({"name": name}))[
        "executionArn"
    ]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        listed = account.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
        if listed:
            break
        time.sleep(0.05)
    account.states.stop_execution(executionArn=arn)
    assert account.ended(f"{name}-0-0")["TrainingJobStatus"] == "Stopped"


@pytest.fixture(scope="module")
def function(account: TrainingAccount) -> str:
    """ARN of a function that returns its event."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("echo.py", "def handler(event, context):\n    return event\n")
    answer = account.platform.client("lambda").create_function(
        FunctionName=unique("echo"),
        Runtime="python3.11",
        Handler="echo.handler",
        Role=account.role(service="lambda.amazonaws.com"),
        Code={"ZipFile": code.getvalue()},
    )
    return str(answer["FunctionArn"])


def invoke(function: str) -> dict[str, Any]:
    return {
        "Echo": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function, "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "End": True,
        }
    }


def distributed_map(account: TrainingAccount, function: str) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Echo"}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket": account.bucket, "Key": "items.jsonl"},
    }
    states = invoke(function)
    return {
        "Map": {
            "Type": "Map",
            "ItemReader": reader,
            "ItemProcessor": {**processor, "States": states},
            "End": True,
        }
    }


MAP_NEEDS = ("lambda:InvokeFunction", "s3:GetObject", "states:StartExecution")


@pytest.mark.parametrize("missing", ["", *MAP_NEEDS])
def test_each_permission_of_a_distributed_map_counts(
    account: TrainingAccount, function: str, missing: str
) -> None:
    account.put("items.jsonl", b'{"x": 1}\n{"x": 2}\n')
    resources = {
        "lambda:InvokeFunction": function,
        "s3:GetObject": f"arn:aws:s3:::{account.bucket}/items.jsonl",
        "states:StartExecution": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:machine-*",
    }
    granted = [statement(action, resource) for action, resource in resources.items() if action != missing]
    role = account.role(*granted, service="states.amazonaws.com")
    execution = account.execute(account.machine(distributed_map(account, function), role))
    if missing:
        assert execution["status"] == "FAILED"
        assert missing in " ".join(
            line for line in account.platform.denials() if role.partition(":role/")[2] + "/" in line
        )
    else:
        assert execution["status"] == "SUCCEEDED", (execution.get("error"), execution.get("cause"))
        assert json.loads(execution["output"]) == [{"x": 1}, {"x": 2}]


def test_a_role_that_does_not_trust_step_functions(account: TrainingAccount, function: str) -> None:
    role = account.role(statement("lambda:InvokeFunction", function), service="lambda.amazonaws.com")
    execution = account.execute(account.machine(invoke(function), role))
    assert execution["error"] == "States.Permissions"
