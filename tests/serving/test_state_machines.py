"""SageMaker's integrations of Step Functions beyond training jobs: each needs its permissions, each waits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from serving_account import ROWS, ServingAccount, make_role, unique, until
from test_stand_in_jobs import tuning_request

from amazon_estimators import KMeans
from amazon_estimators.inference import write_request
from amazon_estimators_rehearsal.platform import Platform

ACTIONS = {
    "iam:PassRole": "*",
    "sagemaker:*": "*",
    "events:PutTargets": "*",
    "events:PutRule": "*",
    "events:DescribeRule": "*",
}
TASK = "arn:aws:states:::sagemaker:"


def run(
    platform: Platform, states: dict[str, Any], actions: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Run states one after the other with a role: the execution's description."""
    names = [*states]
    for name, following in zip(names, [*names[1:], None], strict=True):
        states[name] |= {"Type": "Task", **({"Next": following} if following else {"End": True})}
    role = make_role(platform.client("iam"), actions, service="states.amazonaws.com")
    client = platform.client("stepfunctions")
    machine = client.create_state_machine(
        name=unique("machine"),
        definition=json.dumps({"StartAt": names[0], "States": states}),
        roleArn=role,
    )["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
    return until(
        lambda: dict(client.describe_execution(executionArn=arn)), lambda one: one["status"] != "RUNNING"
    )


def batch(serving: ServingAccount, source: str) -> dict[str, Any]:
    """The states that create a model and transform with it."""
    estimator = serving.trained("KMeans")
    name = unique("sfn")
    container = {"Image": estimator.train_image(), "ModelDataUrl": estimator.model_data}
    place = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}}
    return {
        "Model": {
            "Resource": f"{TASK}createModel",
            "Parameters": {
                "ModelName": name,
                "PrimaryContainer": container,
                "ExecutionRoleArn": serving.role,
            },
            "ResultPath": "$.model",
        },
        "Transform": {
            "Resource": f"{TASK}createTransformJob.sync",
            "Parameters": {
                "TransformJobName": name,
                "ModelName": name,
                "TransformInput": {"DataSource": place, "ContentType": "text/csv", "SplitType": "Line"},
                "TransformOutput": {
                    "S3OutputPath": source + "-out",
                    "Accept": "application/jsonlines",
                    "AssembleWith": "Line",
                },
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            },
            "ResultPath": "$.transform",
        },
    }


def uploaded(serving: ServingAccount) -> str:
    source = serving.place() + "/points.csv"
    serving.put(source, write_request(KMeans, ROWS, "text/csv").body)
    return source


def test_model_transform_and_endpoint(serving: ServingAccount, platform: Platform) -> None:
    states = batch(serving, uploaded(serving))
    model = states["Model"]["Parameters"]["ModelName"]
    variant = {
        "VariantName": "all",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    states |= {
        "Config": {
            "Resource": f"{TASK}createEndpointConfig",
            "Parameters": {"EndpointConfigName": model, "ProductionVariants": [variant]},
            "ResultPath": "$.config",
        },
        "Endpoint": {
            "Resource": f"{TASK}createEndpoint",
            "Parameters": {"EndpointName": model, "EndpointConfigName": model},
            "ResultPath": "$.endpoint",
        },
        "Describe": {
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint",
            "Parameters": {"EndpointName": model},
            "ResultPath": "$.described",
        },
    }
    execution = run(platform, states, ACTIONS, {})
    assert execution["status"] == "SUCCEEDED", (execution, platform.problems())
    output = json.loads(execution["output"])
    assert output["model"]["ModelArn"].endswith(f"model/{model}")
    assert output["transform"]["TransformJobStatus"] == "Completed"
    assert output["described"]["EndpointStatus"] in ("Creating", "InService")
    assert output["described"]["CreationTime"].endswith("Z")
    serving.settled(model)
    serving.sagemaker.delete_endpoint(EndpointName=model)


def test_a_search_and_its_best_training(serving: ServingAccount, platform: Platform) -> None:
    states = {
        "Tune": {
            "Resource": f"{TASK}createHyperParameterTuningJob.sync",
            "Parameters": tuning_request(serving),
            "ResultPath": "$.tuning",
        },
        "Best": {
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob",
            "Parameters": {"TrainingJobName.$": "$.tuning.BestTrainingJob.TrainingJobName"},
            "ResultPath": "$.best",
        },
    }
    execution = run(platform, states, ACTIONS, {})
    assert execution["status"] == "SUCCEEDED", (execution, platform.problems())
    output = json.loads(execution["output"])
    assert output["best"]["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")


@pytest.mark.parametrize(
    "missing",
    ["sagemaker:CreateTransformJob", "sagemaker:StopTransformJob", "sagemaker:AddTags", "events:PutRule"],
)
def test_each_permission_of_a_transform_task_counts(
    serving: ServingAccount, platform: Platform, missing: str
) -> None:
    wanted = {
        "iam:PassRole": "*",
        "sagemaker:CreateModel": "*",
        "sagemaker:CreateTransformJob": "*",
        "sagemaker:DescribeTransformJob": "*",
        "sagemaker:StopTransformJob": "*",
        "sagemaker:AddTags": "*",
        "events:PutTargets": "*",
        "events:PutRule": "arn:aws:events:*:*:rule/StepFunctionsGetEventsForSageMakerTransformJobsRule",
        "events:DescribeRule": "*",
    }
    del wanted[missing]
    execution = run(platform, batch(serving, uploaded(serving)), wanted, {})
    assert execution["status"] == "FAILED"
    assert missing in execution["cause"]


def test_a_transform_job_that_fails_fails_the_task(serving: ServingAccount, platform: Platform) -> None:
    source = serving.place() + "/points.csv"
    serving.put(source, b"a,b,c\n")
    execution = run(platform, batch(serving, source), ACTIONS, {})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(execution["cause"])["TransformJobStatus"] == "Failed"


@pytest.mark.parametrize("action", ["createModel.sync", "createLabelingJob", "createEndpoint.sync"])
def test_integrations_that_do_not_exist(serving: ServingAccount, platform: Platform, action: str) -> None:
    states = {"Only": {"Resource": TASK + action, "Parameters": {}}}
    execution = run(platform, states, ACTIONS, {})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")
    assert action in execution["cause"]
