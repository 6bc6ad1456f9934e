"""What an organisation demands: each setting is off by default, and is seen in the template."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import NestedStack, Size, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from pipeline_stacks import OTHER_VALUES, REQUIRED, Synthesised, new_app, new_stack, with_props

from amazon_estimators.pipeline import allocator
from amazon_estimators.pipeline.settings import Settings
from cdk_amazon_estimators import PipelineError, RecordSetEncoder, TrainingPipeline, new_model_bucket


def settings_of(pipeline: Synthesised) -> dict[str, Any]:
    settings: dict[str, Any] = pipeline.definition["States"]["Plan"]["Parameters"]["pipeline"]
    return settings


def with_encoder(**props: Any) -> Synthesised:
    """A pipeline whose functions have these settings."""
    stack = new_stack(region="eu-west-1")
    made = {name: make(stack) if callable(make) else make for name, make in props.items()}
    encoder = RecordSetEncoder(stack, "Encoder", **made)
    return Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, encoder=encoder))


def test_tags_are_on_every_resource_that_takes_them_and_on_the_job() -> None:
    pipeline = with_props(tags={"team": "forecast"})
    tagged = {name for name, one in pipeline.resources.items() if "team" in json.dumps(one.get("Properties"))}
    kinds = {one["Type"] for name, one in pipeline.resources.items() if name in tagged}
    assert kinds >= {
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        "AWS::IAM::Role",
        "AWS::StepFunctions::StateMachine",
    }
    assert settings_of(pipeline)["tags"] == {"team": "forecast"}


@pytest.mark.parametrize("how", ["aspect", "stack"])
def test_tags_of_the_stack_reach_the_job(how: str) -> None:
    app = new_app()
    stack = Stack(app, "Stack", tags={"owner": "data"} if how == "stack" else None)
    pipeline = TrainingPipeline(stack, "Digits", **REQUIRED, tags={"team": "forecast"})
    if how == "aspect":
        Tags.of(app).add("owner", "data")  # after the definition was made
    settings = settings_of(Synthesised(stack, pipeline))
    assert settings["tags"] == {"owner": "data", "team": "forecast"}
    assert Settings.from_dict(settings).tags == settings["tags"]


def test_tags_of_the_stacks_around_a_nested_one_reach_the_job() -> None:
    stack = Stack(new_app(), "Stack", tags={"owner": "data", "stage": "prod"})
    nested = NestedStack(stack, "Nested")
    nested.tags.set_tag("stage", "dev")
    pipeline = TrainingPipeline(nested, "Digits", **REQUIRED)
    assert settings_of(Synthesised(nested, pipeline))["tags"] == {"owner": "data", "stage": "dev"}


def test_without_tags_the_job_has_the_library_s_own_alone() -> None:
    assert settings_of(with_props())["tags"] == {}


@pytest.mark.parametrize("given", [True, False])
def test_the_model_is_encrypted_with_its_bucket_s_own_key(given: bool) -> None:
    stack = new_stack()
    key = kms.Key(stack, "ModelKey")
    bucket = (
        s3.Bucket.from_bucket_attributes(stack, "Models", bucket_name="models", encryption_key=key)
        if given
        else new_model_bucket(stack, "Models", encryption_key=key)
    )
    pipeline = Synthesised(stack, TrainingPipeline(stack, "Digits", **REQUIRED, model_bucket=bucket))
    output = pipeline.definition["States"]["Train"]["Parameters"]["OutputDataConfig"]
    assert output["KmsKeyId"].startswith("<ModelKey")


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        ("444455556666.dkr.ecr.eu-west-1.amazonaws.com/kmeans:1", "eu-west-1:444455556666:repository/kmeans"),
        (
            "444455556666.dkr.ecr.us-east-2.amazonaws.com/mirror/kmeans@sha256:" + "0" * 64,
            "us-east-2:444455556666:repository/mirror/kmeans",
        ),
        (
            "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/kmeans:1",
            "cn-north-1:444455556666:repository/kmeans",
        ),
    ],
)
def test_an_image_of_one_s_own_is_named_and_may_be_pulled(uri: str, repository: str) -> None:
    pipeline = with_props(training_image=uri)
    specification = pipeline.definition["States"]["Train"]["Parameters"]["AlgorithmSpecification"]
    assert specification["TrainingImage"] == uri
    pulled = [
        statement["Resource"]
        for statement in pipeline.statements("DigitsTrainingRole")
        if "ecr:BatchGetImage" in statement["Action"]
    ]
    assert pulled == [f"arn:aws:ecr:{repository}"]


def test_it_serves_regions_without_images() -> None:
    stack = new_stack(region="mars-north-1")
    uri = "444455556666.dkr.ecr.mars-north-1.amazonaws.com/kmeans:1"
    TrainingPipeline(stack, "Digits", **REQUIRED, training_image=uri)


@pytest.mark.parametrize(
    "uri", ["kmeans:1", "docker.io/kmeans:1", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/k"]
)
def test_an_image_elsewhere_or_without_a_tag_is_refused(uri: str) -> None:
    with pytest.raises(PipelineError, match=r"training_image is .* allowed: an image in Amazon ECR"):
        with_props(training_image=uri)


HEADERS = "S3_ENCRYPTION_KEYS"


def environments(pipeline: Synthesised) -> dict[str, dict[str, str]]:
    return {
        one["Handler"].split(".")[2]: one.get("Environment", {}).get("Variables", {})
        for one in pipeline.of_type("AWS::Lambda::Function").values()
    }


@pytest.mark.parametrize("keyed", [False, True])
def test_functions_name_the_encryption_if_asked_to(keyed: bool) -> None:
    names = ["encryption_key"] if keyed else []
    assert not any(HEADERS in one for one in environments(with_props(*names)).values())
    told = {
        name: one[HEADERS] for name, one in environments(with_props(*names, encryption_headers=True)).items()
    }
    assert set(told) == {"plan", "encode", "seal", "explain", "announce", "fail", "report", "starter"}
    key = "<Key961B73FD.Arn>" if keyed else ""
    assert {json.dumps(json.loads(one)) for one in told.values()} == {
        json.dumps([["<DigitsDataBucket6C5C068C>", key]])
    }


def test_encode_alone_keeps_the_memory_it_frees() -> None:
    functions = environments(with_props()).items()
    assert [name for name, variables in functions if allocator.ENVIRONMENT.items() <= variables.items()] == [
        "encode"
    ]


def functions(pipeline: Synthesised) -> dict[str, dict[str, Any]]:
    return {one["Handler"].split(".")[2]: one for one in pipeline.of_type("AWS::Lambda::Function").values()}


def test_functions_in_a_vpc_have_a_group_that_calls_services_alone_and_the_rights_lambda_checks() -> None:
    assert not any("VpcConfig" in one for one in functions(with_props()).values())
    pipeline = with_encoder(vpc=OTHER_VALUES["vpc"])
    (group,) = pipeline.of_type("AWS::EC2::SecurityGroup").values()
    assert [(one["FromPort"], one["ToPort"]) for one in group["SecurityGroupEgress"]] == [(443, 443)]
    placed = functions(pipeline)
    assert len(placed) == 8
    assert all(one["VpcConfig"]["SubnetIds"] == ["subnet-private"] for one in placed.values())
    for role in ("EncoderEncodeRole", "DigitsStarterStarterRole"):
        actions = [action for one in pipeline.statements(role) for action in one["Action"]]
        assert "ec2:CreateNetworkInterface" in actions


def test_subnets_and_groups_of_the_functions_are_those_given() -> None:
    chosen = ec2.SubnetSelection(subnet_filters=[ec2.SubnetFilter.by_ids(["subnet-private"])])
    names = ("vpc", "security_groups")
    placed = functions(with_encoder(**{name: OTHER_VALUES[name] for name in names}, subnets=chosen))
    for one in placed.values():
        config = {name: one["VpcConfig"][name] for name in ("SubnetIds", "SecurityGroupIds")}
        assert config == {"SubnetIds": ["subnet-private"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}
    with pytest.raises(PipelineError, match="subnets without vpc"):
        with_encoder(subnets=chosen)


def test_training_instances_call_services_and_one_another_alone() -> None:
    pipeline = with_props("vpc")
    (group,) = pipeline.of_type("AWS::EC2::SecurityGroup").values()
    assert [(one["FromPort"], one["ToPort"], one["CidrIp"]) for one in group["SecurityGroupEgress"]] == [
        (443, 443, "0.0.0.0/0")
    ]
    (own,) = pipeline.of_type("AWS::EC2::SecurityGroupEgress").values()
    assert own["DestinationSecurityGroupId"] == own["GroupId"]


def test_logs_and_environments_of_the_functions_under_a_key() -> None:
    pipeline = with_encoder(encryption_key=lambda stack: kms.Key(stack, "Key"))
    (key,) = pipeline.of_type("AWS::KMS::Key")
    arn = f"<{key}.Arn>"
    assert {one["KmsKeyArn"] for one in functions(pipeline).values()} == {arn}
    groups = pipeline.of_type("AWS::Logs::LogGroup")
    assert {one["KmsKeyId"] for name, one in groups.items() if not name.startswith("DigitsStateMachine")} == {
        arn
    }
    policy = pipeline.of_type("AWS::KMS::Key")[key]["KeyPolicy"]["Statement"]
    (logs,) = (one for one in policy if one.get("Sid") == "CloudWatchLogs")
    assert logs["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    for role in ("EncoderPlanRole", "DigitsStarterStarterRole"):
        through = {"StringLike": {"kms:ViaService": "lambda.eu-west-1.amazonaws.com*"}}
        assert [one for one in pipeline.statements(role) if one.get("Condition") == through]


def test_state_machine_its_log_and_the_queues_under_a_key() -> None:
    pipeline = with_props(triggers=OTHER_VALUES["triggers"](new_stack()))
    assert not [one for one in pipeline.of_type("AWS::SQS::Queue").values() if "KmsMasterKeyId" in one]
    pipeline = with_props("service_encryption_key")
    (key,) = pipeline.of_type("AWS::KMS::Key")
    arn = f"<{key}.Arn>"
    (machine,) = pipeline.of_type("AWS::StepFunctions::StateMachine").values()
    assert machine["EncryptionConfiguration"]["KmsKeyId"] in (arn, f"<{key}>")
    assert machine["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    queues = pipeline.of_type("AWS::SQS::Queue").values()
    assert [one["KmsMasterKeyId"] for one in queues] == [arn] * 3
    groups = pipeline.of_type("AWS::Logs::LogGroup")
    assert [one.get("KmsKeyId") for name, one in groups.items() if name.startswith("DigitsState")] == [arn]
    policy = pipeline.of_type("AWS::KMS::Key")[key]["KeyPolicy"]["Statement"]
    assert {one.get("Sid") for one in policy} >= {"CloudWatchLogs", "EventBridge"}
    for role, service in {
        "DigitsStarterStarterRole": "states",
        "DigitsStarterScheduleRole": "sqs",
    }.items():
        through = {"StringLike": {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com*"}}
        assert [one for one in pipeline.statements(role) if one.get("Condition") == through], role


def test_concurrency_memory_and_tracing_of_the_functions() -> None:
    plain = functions(with_props())
    assert not any("ReservedConcurrentExecutions" in one or "TracingConfig" in one for one in plain.values())
    placed = functions(
        with_encoder(
            reserved_concurrency={"Encode": 50, "Starter": 1}, tracing=True, plan_memory=Size.gibibytes(3)
        )
    )
    reserved = {name: one.get("ReservedConcurrentExecutions") for name, one in placed.items()}
    assert {name: number for name, number in reserved.items() if number} == {"encode": 50, "starter": 1}
    assert placed["plan"]["MemorySize"] == 3072
    assert {one["TracingConfig"]["Mode"] for one in placed.values()} == {"Active"}


@pytest.mark.parametrize("reserved", [{}, {"Starter": 1}, {"Encode": 50}])
def test_plan_asks_what_the_account_has_unless_encode_has_its_own(reserved: dict[str, int]) -> None:
    pipeline = with_encoder(reserved_concurrency=reserved)
    told = pipeline.definition["States"]["Plan"]["Parameters"]["concurrency"]
    asks = any("lambda:GetAccountSettings" in one["Action"] for one in pipeline.statements("EncoderPlanRole"))
    assert (told, asks) == (
        ({"most": 100, "reserved": 50}, False) if "Encode" in reserved else ({"most": 100}, True)
    )


@pytest.mark.parametrize(
    ("props", "text"),
    [
        ({"reserved_concurrency": {"Encoder": 3}}, "has 'Encoder'; allowed: Plan, Encode, Seal"),
        ({"reserved_concurrency": {"Encode": 0}}, "of Encode is 0; allowed: 1 or more"),
        ({"reserved_concurrency": 3}, "reserved_concurrency is 3; allowed: numbers by function"),
        ({"tracing": "yes"}, "tracing is 'yes'; allowed: True or False"),
    ],
)
def test_what_the_functions_do_not_take(props: dict[str, Any], text: str) -> None:
    with pytest.raises(PipelineError, match=text):
        with_encoder(**props)


def test_a_permissions_boundary_is_on_every_role() -> None:
    stack = new_stack(region="eu-west-1")
    TrainingPipeline(
        stack, "Digits", **REQUIRED, notification_topic=OTHER_VALUES["notification_topic"](stack)
    )
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    iam.PermissionsBoundary.of(stack).apply(iam.ManagedPolicy.from_managed_policy_arn(stack, "B", boundary))
    roles = Synthesised(stack).of_type("AWS::IAM::Role")
    assert len(roles) >= 10
    assert {one["PermissionsBoundary"] for one in roles.values()} == {boundary}
