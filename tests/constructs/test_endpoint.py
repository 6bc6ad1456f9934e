"""ModelEndpoint: the states, the requests, what its roles may do."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from botocore.session import Session
from botocore.validate import ParamValidator
from endpoint_stacks import GROUPS, INSTANCE, TWO_GIB, VPC, definition, endpoint, settings
from pipeline_stacks import Synthesised, new_stack, states_of
from test_after_training import algorithm
from test_pipeline_permissions import NO_RESOURCE, allowed, as_list

from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.serving.wanted import Wanted
from cdk_amazon_estimators import (
    Canary,
    DataCapture,
    Linear,
    ModelEndpoint,
    Registration,
    Scaling,
    TrainingPipeline,
)

MODEL = CurrentModel(
    job="digits-1", model="s3://models/models/digits-1/output/model.tar.gz", data_set="d" * 24
)
EVERYTHING: dict[str, Any] = {
    **INSTANCE,
    "instance_count": 3,
    "endpoint_name": "Online-Digits",
    "traffic": Canary(percent=20, wait=Duration.minutes(1), bake=Duration.minutes(2)),
    "alarms": lambda stack: [
        cloudwatch.Alarm.from_alarm_arn(
            stack, "Errors", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors"
        )
    ],
    "scaling": Scaling(least=2, most=5, invocations=1000, scale_out_cooldown=Duration.minutes(1)),
    "data_capture": DataCapture(percent=50),
    "encryption_key": lambda stack: kms.Key(stack, "Volumes"),
    "vpc": VPC,
    "security_groups": GROUPS,
    "enable_network_isolation": True,
    "timeout": Duration.hours(1),
    "service_encryption_key": lambda stack: kms.Key(stack, "Services"),
    "tags": {"team": "web"},
}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "few settings": ("KMeans", INSTANCE),
    "all settings": ("KMeans", EVERYTHING),
    "serverless": ("PCA", TWO_GIB),
    "several models": ("KNN", {**INSTANCE, "multi_model": True}),
    "in steps": ("KMeans", {**INSTANCE, "traffic": Linear()}),
}


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_the_requests_are_valid(case: tuple[str, dict[str, Any]]) -> None:
    """botocore checks members and types; a pattern of the service is met by what the tests put in."""
    name, given = case
    found = settings(endpoint(name, **given))
    wanted = Wanted.of(found, MODEL)
    client = Session().get_service_model("sagemaker")
    update = {
        "EndpointName": found.name,
        "EndpointConfigName": wanted.config_name,
        "DeploymentConfig": found.deployment,
    }
    for operation, request in (
        ("CreateModel", wanted.model),
        ("CreateEndpointConfig", wanted.config),
        ("UpdateEndpoint", update),
    ):
        shape = client.operation_model(operation).input_shape
        assert ParamValidator().validate(request, shape).generate_report() == ""
    assert len(wanted.config_name) <= 63
    assert wanted.model_name.startswith(f"{found.name}-")


def test_all_settings_arrive() -> None:
    found = settings(endpoint(**EVERYTHING))
    assert found.name == "Online-Digits"
    assert found.seconds == 3600
    assert found.variant == {"InstanceType": "ml.m5.large", "InitialInstanceCount": 3}
    assert found.model["EnableNetworkIsolation"] is True
    assert found.model["VpcConfig"] == {
        "Subnets": ["subnet-private"],
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
    }
    assert found.config["KmsKeyId"].startswith("<Volumes")
    assert found.config["DataCaptureConfig"]["InitialSamplingPercentage"] == 50
    assert found.config["DataCaptureConfig"]["DestinationS3Uri"].endswith("/captures")
    assert found.tags["team"] == "web"
    assert found.scaling == {
        "least": 2,
        "most": 5,
        "invocations": 1000,
        "scale_in_seconds": 300,
        "scale_out_seconds": 60,
    }
    assert found.deployment == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20},
                "WaitIntervalInSeconds": 60,
            },
            "TerminationWaitInSeconds": 120,
            "MaximumExecutionTimeoutInSeconds": 3600,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }


def test_an_alarm_on_the_endpoint_s_own_metric_can_be_added_later() -> None:
    stack = new_stack(region="eu-west-1")
    model = TrainingPipeline(stack, "Digits", algorithm=algorithm("KMeans"), instance_type="ml.m5.large")
    online = ModelEndpoint(stack, "Online", model=model, **INSTANCE)
    alarm = online.metric("Invocation5XXErrors").create_alarm(
        stack, "Errors", threshold=1, evaluation_periods=1
    )
    online.roll_back_on(alarm)
    made = Synthesised(stack, model)
    (name,) = settings(made).deployment["AutoRollbackConfiguration"]["Alarms"]
    assert name["AlarmName"].startswith("<Errors")
    (metric,) = (
        one for name, one in made.of_type("AWS::CloudWatch::Alarm").items() if name.startswith("Errors")
    )
    dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
    assert dimensions == {"EndpointName": online.endpoint_name, "VariantName": "AllTraffic"}
    described = [
        one for one in made.statements("OnlineExecutionRole") if one["Action"] == "cloudwatch:DescribeAlarms"
    ]
    assert [one["Resource"].startswith("<Errors") for one in described] == [True]


def test_without_a_registry_the_endpoint_hears_of_trained_models() -> None:
    made = endpoint(**INSTANCE)
    (rule,) = (
        one for name, one in made.of_type("AWS::Events::Rule").items() if name.startswith("OnlineModelInUse")
    )
    assert rule["EventPattern"]["detail-type"] == ["Model Trained"]
    (machine,) = (one for one in made.of_type("AWS::StepFunctions::StateMachine") if one.startswith("Digits"))
    assert rule["EventPattern"]["detail"] == {"state_machine": [f"<{machine}>"]}
    assert settings(made).group is None


def test_with_a_registry_it_hears_of_approvals_and_rejections() -> None:
    made = endpoint("KNN", pipeline={"registration": Registration(model_package_group="Group")}, **INSTANCE)
    (rule,) = (
        one for name, one in made.of_type("AWS::Events::Rule").items() if name.startswith("OnlineModelInUse")
    )
    assert rule["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["Group"], "ModelApprovalStatus": ["Approved", "Rejected"]},
    }
    assert settings(made).group == "Group"


def test_every_error_is_explained_and_every_state_exists() -> None:
    states = definition(endpoint(**INSTANCE))["States"]
    for name, state, siblings in states_of(definition(endpoint(**INSTANCE))):
        for following in (state.get("Next"), state.get("Default")):
            assert following is None or following in siblings, name
    for name in ("Deploy", "Smoke", "Tell"):
        assert states[name]["Catch"] == [
            {"ErrorEquals": ["States.ALL"], "Next": "Explain", "ResultPath": "$.error"}
        ]
    assert "Scale" not in states
    scaled = definition(endpoint(**EVERYTHING))["States"]
    assert scaled["DoesItAnswer"]["Choices"][0]["Next"] == "Scale"
    assert (scaled["Scale"]["Next"], scaled["Scale"]["Catch"][0]["Next"]) == ("Clean", "Explain")
    assert states["Clean"]["Catch"][0]["Next"] == "Tell"
    assert states["Redriven"]["Next"] == "Deploy"
    assert states["Pause"]["SecondsPath"] == "$.attempt.pause"


ARN = "arn:aws:sagemaker:eu-west-1:111122223333"
NAME = "online-digits"
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm"
DEPLOY, SMOKE, CLEAN, TELL, SCALE, SERVING = (
    *(f"RecordSetEncoder{name}Role" for name in ("Deploy", "Smoke", "Clean", "Tell", "Scale")),
    "OnlineExecutionRole",
)
MAY: list[tuple[str, str, str, bool]] = [
    (DEPLOY, "sagemaker:CreateModel", f"{ARN}:model/{NAME}-0123456789ab", True),
    (DEPLOY, "sagemaker:CreateModel", f"{ARN}:model/another-0123456789ab", False),
    (DEPLOY, "sagemaker:DeleteModel", f"{ARN}:model/{NAME}-0123456789ab", False),
    (DEPLOY, "sagemaker:CreateEndpointConfig", f"{ARN}:endpoint-config/{NAME}-0123456789ab", True),
    (DEPLOY, "sagemaker:UpdateEndpoint", f"{ARN}:endpoint/{NAME}", True),
    (DEPLOY, "sagemaker:UpdateEndpoint", f"{ARN}:endpoint-config/{NAME}-0123456789ab", True),
    (DEPLOY, "sagemaker:UpdateEndpoint", f"{ARN}:endpoint/{NAME}-of-others", False),
    (DEPLOY, "sagemaker:InvokeEndpoint", f"{ARN}:endpoint/{NAME}", False),
    (SMOKE, "sagemaker:InvokeEndpoint", f"{ARN}:endpoint/{NAME}", True),
    (SMOKE, "sagemaker:UpdateEndpoint", f"{ARN}:endpoint/{NAME}", False),
    (CLEAN, "sagemaker:DeleteModel", f"{ARN}:model/{NAME}-0123456789ab", True),
    (CLEAN, "sagemaker:DeleteModel", f"{ARN}:model/another-0123456789ab", False),
    (CLEAN, "sagemaker:DeleteEndpoint", f"{ARN}:endpoint/{NAME}", False),
    (SCALE, "cloudwatch:PutMetricAlarm", f"{ALARM}:TargetTracking-endpoint/Online-Digits/variant/A-1", True),
    (SCALE, "cloudwatch:PutMetricAlarm", f"{ALARM}:errors", False),
    (SCALE, "sagemaker:UpdateEndpointWeightsAndCapacities", f"{ARN}:endpoint/{NAME}", True),
    (TELL, "events:PutEvents", "arn:aws:events:eu-west-1:111122223333:event-bus/default", True),
    (
        SERVING,
        "s3:GetObject",
        "arn:aws:s3:::<DigitsModelBucketD7347822>/models/digits-1/output/model.tar.gz",
        True,
    ),
    (SERVING, "s3:PutObject", "arn:aws:s3:::<DigitsModelBucketD7347822>/captures/Online-Digits/x", True),
    (SERVING, "s3:PutObject", "arn:aws:s3:::<DigitsModelBucketD7347822>/models/x", False),
    (SERVING, "s3:GetObject", "arn:aws:s3:::<DigitsDataBucket6C5C068C>/input/train/a", False),
    (SERVING, "cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors", True),
]


@pytest.fixture(scope="module")
def everything() -> Synthesised:
    return endpoint(**EVERYTHING)


@pytest.mark.parametrize(("role", "action", "resource", "may"), MAY)
def test_what_each_role_may_do(
    everything: Synthesised, role: str, action: str, resource: str, may: bool
) -> None:
    context = {"events:source": ["amazon-estimators", "amazon-estimators.lineage"]}
    if action == "events:PutEvents":
        (statement,) = (one for one in everything.statements(role) if one["Action"] == action)
        assert statement["Condition"] == {"StringEqualsIfExists": context}
        return
    assert allowed(everything, role, action, resource) is may


def test_stars_are_for_actions_without_resources(everything: Synthesised) -> None:
    for role in (DEPLOY, SMOKE, CLEAN, TELL, SERVING):
        for statement in everything.statements(role):
            if "*" in as_list(statement["Resource"]):
                assert set(as_list(statement["Action"])) <= NO_RESOURCE | {
                    "sagemaker:ListEndpointConfigs",
                    "sagemaker:ListModels",
                }


def test_a_registry_is_read_in_place_of_the_pipeline_s_record() -> None:
    made = endpoint("KNN", pipeline={"registration": Registration(model_package_group="Group")}, **INSTANCE)
    group = f"{ARN}:model-package-group/group"
    for role in (DEPLOY, CLEAN):
        assert allowed(made, role, "sagemaker:ListModelPackages", group)
        actions = {action for one in made.statements(role) for action in as_list(one["Action"])}
        assert not {one for one in actions if one.startswith("s3:")}


def test_ids_of_what_stays_are_pinned() -> None:
    """The name of an endpoint is made of its path: another name is another endpoint."""
    assert settings(endpoint(**INSTANCE)).name == "online-7414d3c0"
