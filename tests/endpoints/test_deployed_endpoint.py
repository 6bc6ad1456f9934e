"""Endpoints that follow pipelines, deployed with IAM enforced: they appear, are updated, go back, go away."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from endpoint_account import EndpointAccount
from endpoint_steps import NOT_IN_THE_LOCAL_ACCOUNT, steps_of

from amazon_estimators.inference.archive import write_archive
from amazon_estimators.inference.models import LocalKMeans
from amazon_estimators.pipeline.metrics import NAMESPACE
from amazon_estimators.serving.drift import DRIFTED, ENDPOINT
from denials import untold

pytestmark = pytest.mark.deployed

TWO_FEATURES = write_archive(LocalKMeans(np.zeros((2, 2), np.float32)).to_bytes())
"""A model that cannot answer about the records of the tests, which have three."""


@pytest.fixture(scope="module")
def first(account: EndpointAccount) -> dict[str, Any]:
    """Model Trained of the first model."""
    assert account.client("sagemaker").list_endpoints()["Endpoints"] == []
    return account.train("Points", 1.0)


@pytest.mark.parametrize("name", ["Online", "Cheap"])
def test_endpoints_appear_with_the_first_model(
    account: EndpointAccount, first: dict[str, Any], name: str
) -> None:
    updated = account.told("Endpoint Updated", endpoint=account.outputs[f"{name}Endpoint"])
    described = account.described(name)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == updated["endpoint_config"]
    assert (updated["job"], updated["model"]) == (first["job"], first["model"])
    assert updated["previous_config"] is None
    assert updated["smoke"].startswith("the first record of s3://")
    assert account.ask(name, "1,1,1")["distance_to_cluster"] < 0.5
    serves = "CurrentServerlessConfig" if name == "Cheap" else "CurrentInstanceCount"
    assert serves in described["ProductionVariants"][0]


def test_a_new_model_takes_the_place_of_the_old_one(account: EndpointAccount, first: dict[str, Any]) -> None:
    account.idle()
    before = account.described("Online")["EndpointConfigName"]
    trained = account.train("Points", 5.0)
    name = account.outputs["OnlineEndpoint"]
    updated = account.told("Endpoint Updated", endpoint=name, job=trained["job"])
    assert updated["previous_config"] == before
    described = account.described("Online")
    assert described["EndpointConfigName"] == updated["endpoint_config"] != before
    routing = described["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    assert account.ask("Online", "5,5,5")["distance_to_cluster"] < 0.5
    tags = account.client("sagemaker").list_tags(ResourceArn=described["EndpointArn"])["Tags"]
    assert {"Key": "team", "Value": "web"} in tags


def test_requests_are_captured(account: EndpointAccount, first: dict[str, Any]) -> None:
    account.idle()
    account.ask("Online", "0.125,0.25,0.5")
    name, bucket = account.outputs["OnlineEndpoint"], account.outputs["PointsModels"]
    s3 = account.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"captures/{name}/AllTraffic/")["Contents"]
    bodies = [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed]
    captured = [json.loads(body)["captureData"] for body in bodies]
    (asked,) = (one for one in captured if "0.125" in one["endpointInput"]["data"])
    assert asked["endpointInput"]["encoding"] == "CSV"
    assert "closest_cluster" in asked["endpointOutput"]["data"]


def test_drifted_requests_are_found(account: EndpointAccount, first: dict[str, Any]) -> None:
    """The function is invoked as its schedule does it, on what the endpoint has captured."""
    account.idle()
    account.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=account.outputs["OnlineEndpoint"], Body=b"90,0,0\n" * 40, ContentType="text/csv"
    )
    events = account.client("events")
    (rule,) = (one for one in events.list_rules()["Rules"] if one.get("ScheduleExpression"))
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    answer = account.client("lambda").invoke(
        FunctionName=account.outputs["DriftFunction"], Payload=target["Input"].encode()
    )
    found = json.loads(answer["Payload"].read())
    assert found["requests"] >= 1, found
    assert found["skipped"] == 0
    assert found["drifted"][0]["mean_after"] > found["drifted"][0]["mean_before"]
    watched = account.client("cloudwatch").describe_alarms_for_metric(
        Namespace=NAMESPACE,
        MetricName=DRIFTED,
        Dimensions=[{"Name": ENDPOINT, "Value": account.outputs["OnlineEndpoint"]}],
    )
    (alarm,) = watched["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM", "the metric of the function's log line reaches the alarm"


def test_nothing_happens_if_nothing_is_new(account: EndpointAccount, first: dict[str, Any]) -> None:
    account.idle()
    before = account.described("Online"), account.names("Online")
    ended = account.run("Online")
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["attempt"] == {"phase": "nothing"}
    assert (account.described("Online"), account.names("Online")) == before


def test_a_model_that_does_not_answer_is_rolled_back(account: EndpointAccount, first: dict[str, Any]) -> None:
    account.idle()
    good = account.use()
    assert account.run("Online")["status"] == "SUCCEEDED"
    before = account.described("Online")["EndpointConfigName"]
    bad = account.use(body=TWO_FEATURES)
    ended = account.run("Online")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    told = account.told("Endpoint Rolled Back", execution=ended["name"])
    assert told["model"] == bad.model
    assert "the model was trained on 2" in told["because"]
    assert told["serving"] == before == account.described("Online")["EndpointConfigName"]
    assert account.ask("Online", "5,5,5")["closest_cluster"] in (0, 1)
    account.put_current(good)


def test_an_alarm_rolls_the_update_back_and_an_inservice_endpoint_does_not_hide_it(
    account: EndpointAccount, first: dict[str, Any]
) -> None:
    account.idle()
    before = account.described("Online")["EndpointConfigName"]
    cloudwatch = account.client("cloudwatch")
    (alarm,) = (
        one["AlarmName"]
        for one in cloudwatch.describe_alarms()["MetricAlarms"]
        if one["MetricName"] == "Invocation5XXErrors"
    )
    account.use()
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    ended = account.run("Online")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="test")
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    told = account.told("Endpoint Rolled Back", execution=ended["name"])
    assert told["serving"] == before == account.described("Online")["EndpointConfigName"]
    assert account.described("Online")["EndpointStatus"] == "InService"
    assert "alarm" in told["because"]


def test_only_the_last_three_are_kept(account: EndpointAccount, first: dict[str, Any]) -> None:
    account.idle()
    for _ in range(4):
        account.use()
        assert account.run("Online")["status"] == "SUCCEEDED"
    configs, models = account.names("Online")
    assert len(configs) == len(models) == 3
    assert account.described("Online")["EndpointConfigName"] in configs


def test_two_events_at_once_end_with_the_newer_model(account: EndpointAccount, first: dict[str, Any]) -> None:
    account.idle()
    client, machine = account.client("stepfunctions"), account.outputs["OnlineMachine"]
    account.use()
    one = client.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    newer = account.use()
    other = client.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    ends = [account.end(arn) for arn in (one, other)]
    assert [end["status"] for end in ends] == ["SUCCEEDED", "SUCCEEDED"], (ends, account.platform.problems())
    config = account.described("Online")["EndpointConfigName"]
    (variant,) = account.client("sagemaker").describe_endpoint_config(EndpointConfigName=config)[
        "ProductionVariants"
    ]
    model = account.client("sagemaker").describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"]["ModelDataUrl"] == newer.model


PERMISSIONS = [
    ("DeployRole", "sagemaker:CreateModel"),
    ("DeployRole", "sagemaker:CreateEndpointConfig"),
    ("DeployRole", "sagemaker:UpdateEndpoint"),
    ("SmokeRole", "sagemaker:InvokeEndpoint"),
    ("OnlineServing", "s3:GetObject"),
]
"""One action of each kind of call that ends a deployment."""


@pytest.mark.parametrize(("role", "action"), PERMISSIONS)
def test_each_permission_counts_and_a_redrive_goes_on(
    account: EndpointAccount, first: dict[str, Any], role: str, action: str
) -> None:
    account.idle()
    model = account.use()
    with account.denied(role, action):
        failed = account.run("Online")
    assert failed["status"] == "FAILED"
    cause = json.loads(failed["cause"])["errorMessage"]
    assert account.outputs[role] in cause
    assert action in cause
    told = account.told("Endpoint Failed", execution=failed["name"])
    assert told["remedy"]
    ended = account.redrive(failed)
    assert ended["status"] == "SUCCEEDED", (ended, account.platform.problems())
    assert account.told("Endpoint Updated", execution=failed["name"])["model"] == model.model


@pytest.mark.parametrize(
    "action", ["sagemaker:ListModels", "sagemaker:DeleteModel", "sagemaker:DescribeEndpointConfig"]
)
def test_what_cannot_be_deleted_is_told(account: EndpointAccount, first: dict[str, Any], action: str) -> None:
    account.idle()
    account.use()
    with account.denied("CleanRole", action):
        ended = account.run("Online")
    assert ended["status"] == "SUCCEEDED"
    told = account.told("Endpoint Updated", execution=ended["name"])
    assert account.outputs["CleanRole"] in told["not_cleaned"]
    assert action in told["not_cleaned"]


@pytest.mark.parametrize("action", ["ecr:BatchGetImage", "cloudwatch:DescribeAlarms"])
def test_a_serving_role_that_lacks_a_permission_rolls_back(
    account: EndpointAccount, first: dict[str, Any], action: str
) -> None:
    account.idle()
    account.use()
    with account.denied("OnlineServing", action):
        ended = account.run("Online")
    told = account.told("Endpoint Rolled Back", execution=ended["name"])
    assert account.outputs["OnlineServing"] in told["because"]
    assert action in told["because"]


def test_the_registry_decides(account: EndpointAccount) -> None:
    """Approved is deployed, rejected goes back; and a multi-model endpoint serves both all the time."""
    client, group = account.client("sagemaker"), account.outputs["Group"]
    trained = [account.train("Kinds", 1.0), account.train("Kinds", 4.0)]
    listed = client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    newer, older = (one["ModelPackageArn"] for one in listed)
    with pytest.raises(client.exceptions.ClientError, match="Could not find"):
        account.described("Single")
    single = account.outputs["SingleEndpoint"]
    for package, one in ((older, trained[0]), (newer, trained[1])):
        client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
        updated = account.told("Endpoint Updated", endpoint=single, job=one["job"])
        assert updated["model_package"] == package
        many = account.told("Endpoint Updated", endpoint=account.outputs["ManyEndpoint"], job=one["job"])
        assert many["target_model"] == f"{one['job']}/output/model.tar.gz"
        account.idle()
    for target in (f"{one['job']}/output/model.tar.gz" for one in trained):
        assert account.ask("Many", "1,1,1", TargetModel=target)["predicted_label"] == 0
    scaling = account.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{single}/variant/AllTraffic"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 600
    before = len(account.events)
    client.update_model_package(ModelPackageArn=newer, ModelApprovalStatus="Rejected")
    config = account.described("Single")["EndpointConfigName"]
    account.until(
        lambda: account.described("Single"),
        lambda found: found["EndpointConfigName"] != config and found["EndpointStatus"] == "InService",
    )
    account.idle()
    account.told("Endpoint Updated", endpoint=single, previous_config=config)
    assert len(account.events) > before


def test_each_action_of_each_role_counts_and_its_absence_names_the_role(
    account: EndpointAccount, first: dict[str, Any]
) -> None:
    """The functions are invoked directly, as their roles, without one action after the other."""
    single, client = account.outputs["SingleEndpoint"], account.client("sagemaker")
    trained = account.train("Kinds", 6.0)
    client.update_model_package(ModelPackageArn=trained["model_package"], ModelApprovalStatus="Approved")
    account.told("Endpoint Updated", endpoint=single, job=trained["job"])
    account.idle()
    account.ask("Online", "1,1,1")
    steps, alone = steps_of(account)
    assert untold(account.client, steps, before=account.use, only=alone) == set(NOT_IN_THE_LOCAL_ACCOUNT)


def test_settings_that_change_are_deployed_and_the_endpoint_goes_with_the_stack(
    account: EndpointAccount, first: dict[str, Any]
) -> None:
    account.idle()
    account.platform.deploy({"instances": "2"})
    account.until(
        lambda: account.described("Online"),
        lambda found: (
            found["EndpointStatus"] == "InService"
            and found["ProductionVariants"][0]["CurrentInstanceCount"] == 2
        ),
    )
    account.idle()
    account.client("cloudformation").delete_stack(StackName="Serving")
    account.until(
        lambda: account.client("sagemaker").list_endpoints(MaxResults=100)["Endpoints"],
        lambda found: not found,
    )
    account.until(lambda: account.names("Online"), lambda found: found == ([], []))
