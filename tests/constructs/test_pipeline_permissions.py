"""What each role may do, as a truth table; and that nothing is ``*`` where the service knows a resource."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from pipeline_stacks import Synthesised, with_props

from amazon_estimators.algorithms.training_images import train_image

DATA, MODELS = "arn:aws:s3:::<DigitsDataBucket6C5C068C>", "arn:aws:s3:::<DigitsModelBucketD7347822>"
ROOT = "recordsets/0123456789abcdef01234567"
RECORD_SET = f"{DATA}/{ROOT}"
ACCOUNT, REGION = "111122223333", "eu-west-1"

NO_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "lambda:GetAccountSettings",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def allowed(
    pipeline: Synthesised, role: str, action: str, resource: str, context: dict[str, str] | None = None
) -> bool:
    """Whether an identity policy of the role allows it, by IAM's rules for the operators that are used."""
    return any(
        statement["Effect"] == "Allow"
        and any(matches(one, action) for one in as_list(statement["Action"]))
        and any(matches(one, resource) for one in as_list(statement["Resource"]))
        and holds(statement.get("Condition", {}), context or {})
        for statement in pipeline.statements(role)
    )


def holds(conditions: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    for operator, keys in conditions.items():
        assert operator in ("StringEquals", "StringLike", "ArnLike", "Bool"), operator
        for key, values in keys.items():
            if key not in context or not any(matches(one, context[key]) for one in as_list(values)):
                return False
    return True


LISTED = {
    "input": {"s3:prefix": "input/train/"},
    "recordsets": {"s3:prefix": "recordsets/0123456789abcdef01234567/receipts/train/"},
    "models": {"s3:prefix": "models/"},
    "all": {"s3:prefix": ""},
}
PLAN, ENCODE, SEAL, EXPLAIN = (
    f"RecordSetEncoder{name}Role" for name in ("Plan", "Encode", "Seal", "Explain")
)
TRAINING, STATES = "DigitsTrainingRole", "DigitsStateMachineRole"
JOB = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job"
REPOSITORY = f"arn:aws:ecr:{REGION}:438346466558:repository"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"

# role, action, resource, condition context, allowed
TABLE: list[tuple[str, str, str, dict[str, str], bool]] = [
    (PLAN, "s3:ListBucketVersions", DATA, LISTED["input"], True),
    (PLAN, "s3:ListBucketVersions", DATA, LISTED["all"], False),
    (PLAN, "s3:ListBucket", DATA, LISTED["recordsets"], True),
    (PLAN, "s3:ListBucket", DATA, LISTED["models"], False),
    (PLAN, "s3:GetObjectVersion", f"{DATA}/input/train/a.npy", {}, True),
    (PLAN, "s3:GetObject", f"{DATA}/input/test/a.npy", {}, False),
    (PLAN, "s3:GetObject", f"{DATA}/input/train-secret/a.npy", {}, False),
    (PLAN, "s3:GetObject", f"{RECORD_SET}/train/record_set.json", {}, True),
    (PLAN, "s3:GetObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, False),
    (PLAN, "s3:PutObject", f"{RECORD_SET}/plan.json", {}, True),
    (PLAN, "s3:PutObject", f"{DATA}/datasets/0123456789abcdef01234567.jsonl.gz", {}, True),
    (PLAN, "s3:AbortMultipartUpload", f"{DATA}/datasets/0123456789abcdef01234567.jsonl.gz", {}, True),
    (PLAN, "s3:PutObject", f"{DATA}/datasets/0123456789abcdef01234567.jsonl", {}, False),
    (PLAN, "s3:GetObject", f"{DATA}/datasets/0123456789abcdef01234567.jsonl.gz", {}, True),
    (PLAN, "s3:GetObject", f"{DATA}/datasets/0123456789abcdef01234567.jsonl", {}, True),
    (PLAN, "s3:GetObject", f"{RECORD_SET}/plan.json", {}, True),
    (PLAN, "s3:GetObject", f"{DATA}/recordsets/plans/0123456789abcdef01234567.json", {}, True),
    (PLAN, "s3:PutObject", f"{DATA}/recordsets/plans/0123456789abcdef01234567.json", {}, True),
    (PLAN, "s3:PutObject", f"{DATA}/datasets/last_trained.json", {}, False),
    (PLAN, "s3:ListBucket", DATA, {"s3:prefix": "datasets/0123456789abcdef01234567.jsonl"}, True),
    (PLAN, "s3:PutObject", f"{RECORD_SET}/pieces.jsonl", {}, True),
    (PLAN, "s3:PutObject", f"{RECORD_SET}/executions/run/shards.jsonl", {}, True),
    (PLAN, "s3:PutObject", f"{RECORD_SET}/train/.amazon.manifest", {}, False),
    (PLAN, "s3:PutObject", f"{DATA}/input/train/a.npy", {}, False),
    (ENCODE, "s3:GetObject", f"{DATA}/input/train/a.npy", {}, True),
    (ENCODE, "s3:GetObjectVersion", f"{DATA}/input/train/a.npy", {}, True),
    (ENCODE, "s3:GetObject", f"{RECORD_SET}/plan.json", {}, True),
    (ENCODE, "s3:GetObject", f"{RECORD_SET}/pieces.jsonl", {}, True),
    (ENCODE, "s3:ListBucket", DATA, LISTED["input"], False),
    (ENCODE, "s3:ListBucket", DATA, LISTED["recordsets"], True),
    (ENCODE, "s3:ListBucket", DATA, {"s3:prefix": f"{ROOT}/profiles/train/012"}, True),
    (ENCODE, "s3:ListBucket", DATA, {"s3:prefix": f"{ROOT}/group_profiles/train/"}, False),
    (ENCODE, "s3:ListBucket", DATA, {"s3:prefix": f"{ROOT}/"}, False),
    (ENCODE, "s3:GetObject", f"{RECORD_SET}/profiles/train/00000.json", {}, True),
    (ENCODE, "s3:GetObject", f"{RECORD_SET}/group_profiles/train/000.json", {}, False),
    (ENCODE, "s3:GetObject", f"{RECORD_SET}/train/feature_profile.json", {}, False),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, True),
    (ENCODE, "s3:AbortMultipartUpload", f"{RECORD_SET}/train/matrix_00000.pbr", {}, True),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/train/part_00000.csv", {}, True),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/auxiliary/files/vocab.txt", {}, True),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/receipts/train/00000/eyJh", {}, True),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/profiles/train/00000.json", {}, True),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/group_profiles/train/000.json", {}, True),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/train/feature_profile.json", {}, False),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/failures/run/00000.json", {}, False),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/train/.amazon.manifest", {}, False),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/train/record_set.json", {}, False),
    (ENCODE, "s3:PutObject", f"{RECORD_SET}/plan.json", {}, False),
    (ENCODE, "s3:DeleteObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, False),
    (SEAL, "s3:ListBucket", DATA, LISTED["recordsets"], True),
    (SEAL, "s3:GetObject", f"{RECORD_SET}/plan.json", {}, True),
    (SEAL, "s3:GetObject", f"{RECORD_SET}/profiles/train/00000.json", {}, True),
    (SEAL, "s3:GetObject", f"{RECORD_SET}/group_profiles/train/000.json", {}, True),
    (SEAL, "s3:PutObject", f"{RECORD_SET}/group_profiles/train/000.json", {}, False),
    (SEAL, "s3:GetObject", f"{DATA}/input/train/a.npy", {}, False),
    (SEAL, "s3:PutObject", f"{RECORD_SET}/train/.amazon.manifest", {}, True),
    (SEAL, "s3:PutObject", f"{RECORD_SET}/train/record_set.json", {}, True),
    (SEAL, "s3:PutObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, False),
    (EXPLAIN, "s3:ListBucket", DATA, LISTED["recordsets"], True),
    (EXPLAIN, "s3:GetObject", f"{RECORD_SET}/failures/run/00000.json", {}, True),
    (EXPLAIN, "s3:GetObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, False),
    (EXPLAIN, "s3:PutObject", f"{RECORD_SET}/failures/run/00000.json", {}, True),
    (EXPLAIN, "s3:PutObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, False),
    (TRAINING, "s3:GetObject", f"{RECORD_SET}/train/.amazon.manifest", {}, True),
    (TRAINING, "s3:GetObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, True),
    (TRAINING, "s3:ListBucket", DATA, LISTED["recordsets"], True),
    (TRAINING, "s3:ListBucket", DATA, LISTED["input"], False),
    (TRAINING, "s3:GetObject", f"{DATA}/input/train/a.npy", {}, False),
    (TRAINING, "s3:PutObject", f"{RECORD_SET}/train/matrix_00000.pbr", {}, False),
    (TRAINING, "s3:PutObject", f"{MODELS}/models/job/output/model.tar.gz", {}, True),
    (TRAINING, "s3:PutObject", f"{MODELS}/elsewhere/model.tar.gz", {}, False),
    (TRAINING, "s3:DeleteObject", f"{MODELS}/models/job/output/model.tar.gz", {}, False),
    (TRAINING, "ecr:BatchGetImage", f"{REPOSITORY}/kmeans", {}, True),
    (TRAINING, "ecr:GetDownloadUrlForLayer", f"{REPOSITORY}/kmeans", {}, True),
    (TRAINING, "ecr:BatchCheckLayerAvailability", f"{REPOSITORY}/kmeans", {}, True),
    (TRAINING, "ecr:BatchGetImage", f"{REPOSITORY}/pca", {}, False),
    (TRAINING, "ecr:GetAuthorizationToken", "*", {}, True),
    (TRAINING, "logs:CreateLogGroup", f"{LOGS}:/aws/sagemaker/TrainingJobs", {}, True),
    (
        TRAINING,
        "logs:CreateLogStream",
        f"{LOGS}:/aws/sagemaker/TrainingJobs:log-stream:any/algo-1-1",
        {},
        True,
    ),
    (
        TRAINING,
        "logs:PutLogEvents",
        f"{LOGS}:/aws/sagemaker/TrainingJobs:log-stream:JOBS-a-b/algo-1-1",
        {},
        True,
    ),
    (
        TRAINING,
        "logs:PutLogEvents",
        f"{LOGS}:/aws/sagemaker/TrainingJobs:log-stream:other/algo-1-1",
        {},
        False,
    ),
    (
        TRAINING,
        "cloudwatch:PutMetricData",
        "*",
        {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"},
        True,
    ),
    (TRAINING, "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Mine"}, False),
    (STATES, "s3:GetObject", f"{RECORD_SET}/executions/run/shards.jsonl", {}, True),
    (STATES, "s3:GetObject", f"{RECORD_SET}/plan.json", {}, False),
    (STATES, "sagemaker:CreateTrainingJob", f"{JOB}/JOBS-0123-4567-0-0", {}, True),
    (STATES, "sagemaker:DescribeTrainingJob", f"{JOB}/JOBS-0123-4567-0-0", {}, True),
    (STATES, "sagemaker:StopTrainingJob", f"{JOB}/JOBS-0123-4567-0-0", {}, True),
    (STATES, "sagemaker:AddTags", f"{JOB}/JOBS-0123-4567-0-0", {}, True),
    (STATES, "sagemaker:ListTags", f"{JOB}/JOBS-0123-4567-0-0", {}, True),
    (STATES, "sagemaker:StopTrainingJob", f"{JOB}/someone-elses-job", {}, False),
    (STATES, "iam:PassRole", "<ROLE>", {"iam:PassedToService": "sagemaker.amazonaws.com"}, True),
    (STATES, "iam:PassRole", "<ROLE>", {"iam:PassedToService": "ec2.amazonaws.com"}, False),
    (
        STATES,
        "iam:PassRole",
        "arn:aws:iam::111122223333:role/Admin",
        {"iam:PassedToService": "sagemaker.amazonaws.com"},
        False,
    ),
    (
        STATES,
        "events:PutRule",
        f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        {},
        True,
    ),
    (STATES, "events:PutRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/mine", {}, False),
    (STATES, "lambda:InvokeFunction", "<RecordSetEncoderPlan53D09069.Arn>", {}, True),
    (STATES, "lambda:InvokeFunction", "<RecordSetEncoderPlan53D09069.Arn>:7", {}, False),
    (STATES, "states:StartExecution", "<DigitsStateMachine952ED281>", {}, True),
]


@pytest.mark.parametrize(("role", "action", "resource", "context", "expected"), TABLE)
def test_truth_table(
    role: str,
    action: str,
    resource: str,
    context: dict[str, str],
    expected: bool,
    plain_pipeline: Synthesised,
) -> None:
    (training_role,) = [
        one for one in plain_pipeline.resources if re.fullmatch(r"DigitsTrainingRole\w{8}", one)
    ]
    resource = resource.replace("JOBS", plain_pipeline.pipeline.job_name_prefix)
    resource = resource.replace("<ROLE>", f"<{training_role}.Arn>")
    assert allowed(plain_pipeline, role, action, resource, context) is expected


@pytest.mark.parametrize("fixture", ["plain_pipeline", "configured_pipeline"])
def test_star_only_where_the_service_knows_no_resource(fixture: str, request: pytest.FixtureRequest) -> None:
    pipeline: Synthesised = request.getfixturevalue(fixture)
    for name, policy in pipeline.of_type("AWS::IAM::Policy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = as_list(statement["Action"])
            assert not [one for one in actions if "*" in one], (name, actions)
            if "*" in as_list(statement["Resource"]):
                assert set(actions) <= NO_RESOURCE, (name, actions)


def test_no_managed_policies(plain_pipeline: Synthesised) -> None:
    assert not [
        one for one in plain_pipeline.of_type("AWS::IAM::Role").values() if "ManagedPolicyArns" in one
    ]


def test_services_assume_roles_for_this_account_only(plain_pipeline: Synthesised) -> None:
    for role in (TRAINING, STATES):
        (document,) = [
            one["AssumeRolePolicyDocument"]
            for name, one in plain_pipeline.of_type("AWS::IAM::Role").items()
            if name.startswith(role)
        ]
        (statement,) = document["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_the_repository_is_the_one_the_image_is_pulled_from(plain_pipeline: Synthesised) -> None:
    image = plain_pipeline.definition["States"]["Train"]["Parameters"]["AlgorithmSpecification"][
        "TrainingImage"
    ]
    assert image == train_image("kmeans", "1", REGION)
    assert allowed(plain_pipeline, TRAINING, "ecr:BatchGetImage", f"{REPOSITORY}/kmeans")
    assert image.startswith("438346466558.")


EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
INTERFACE = f"{EC2}:network-interface/eni-0"
OURS, OTHERS = ({"ec2:Subnet": f"{EC2}:subnet/{name}"} for name in ("subnet-public", "subnet-private"))
SHARED = f"arn:aws:ec2:{REGION}:999988887777:subnet/subnet-public"
NETWORK_TABLE: list[tuple[str, str, dict[str, str], bool]] = [
    ("ec2:CreateNetworkInterface", INTERFACE, {}, True),
    ("ec2:CreateNetworkInterface", f"{EC2}:subnet/subnet-public", {}, True),
    ("ec2:CreateNetworkInterface", SHARED, {}, True),
    ("ec2:CreateNetworkInterface", f"{EC2}:subnet/subnet-private", {}, False),
    ("ec2:CreateNetworkInterface", f"{EC2}:security-group/sg-0123456789abcdef0", {}, True),
    ("ec2:CreateNetworkInterface", f"{EC2}:security-group/sg-other", {}, False),
    ("ec2:CreateNetworkInterfacePermission", INTERFACE, OURS, True),
    ("ec2:CreateNetworkInterfacePermission", INTERFACE, {"ec2:Subnet": SHARED}, True),
    ("ec2:CreateNetworkInterfacePermission", INTERFACE, OTHERS, False),
    ("ec2:DeleteNetworkInterface", INTERFACE, OURS, True),
    ("ec2:DeleteNetworkInterface", INTERFACE, OTHERS, False),
    ("ec2:DeleteNetworkInterfacePermission", INTERFACE, OURS, True),
    ("ec2:DeleteNetworkInterfacePermission", INTERFACE, OTHERS, False),
    ("ec2:DescribeNetworkInterfaces", "*", {}, True),
    ("ec2:DescribeVpcs", "*", {}, True),
    ("ec2:DescribeDhcpOptions", "*", {}, True),
    ("ec2:DescribeSubnets", "*", {}, True),
    ("ec2:DescribeSecurityGroups", "*", {}, True),
    ("ec2:AttachNetworkInterface", INTERFACE, OURS, False),
]
"""All that SageMaker documents for training in a VPC, in the subnets and groups given and no others."""


@pytest.mark.parametrize(("action", "resource", "context", "expected"), NETWORK_TABLE)
def test_network_interfaces_are_put_where_the_pipeline_says(
    action: str, resource: str, context: dict[str, str], expected: bool, configured_pipeline: Synthesised
) -> None:
    assert allowed(configured_pipeline, TRAINING, action, resource, context) is expected


def test_no_vpc_no_network_interfaces(plain_pipeline: Synthesised) -> None:
    granted = {
        one for statement in plain_pipeline.statements(TRAINING) for one in as_list(statement["Action"])
    }
    assert not [one for one in granted if one.startswith("ec2:")]


def test_network_actions_name_the_kinds_of_resources_that_ec2_knows_for_them(
    configured_pipeline: Synthesised,
) -> None:
    """By the Service Authorization Reference, as cfn-lint has it: a kind too few is a job that is refused."""
    data = files("cfnlint") / "data/AdditionalSpecs/Policies.json"
    reference = json.loads(data.read_text(encoding="utf-8"))["ec2"]["Actions"]
    granted: dict[str, set[str]] = {}
    for statement in configured_pipeline.statements(TRAINING):
        for action in as_list(statement["Action"]):
            service, _, name = action.partition(":")
            if service == "ec2":
                resources = as_list(statement["Resource"])
                kinds = {one.rpartition(":")[2].partition("/")[0] for one in resources}
                granted.setdefault(name.lower(), set()).update(kinds)
    assert granted == {name: set(reference[name].get("Resources", ["*"])) for name in granted}
    assert len(granted) == 9


KEY = "<Key961B73FD.Arn>"
THROUGH_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
KEY_TABLE = [
    (PLAN, "kms:Decrypt", True),
    (PLAN, "kms:GenerateDataKey", True),
    (ENCODE, "kms:Decrypt", True),
    (ENCODE, "kms:GenerateDataKey", True),
    (SEAL, "kms:Decrypt", True),
    (SEAL, "kms:GenerateDataKey", True),
    (EXPLAIN, "kms:Decrypt", True),
    (EXPLAIN, "kms:GenerateDataKey", True),
    (STATES, "kms:Decrypt", True),
    (STATES, "kms:GenerateDataKey", False),
    (TRAINING, "kms:Decrypt", True),
    (TRAINING, "kms:GenerateDataKey", True),
    (TRAINING, "kms:ScheduleKeyDeletion", False),
]


@pytest.mark.parametrize(("role", "action", "expected"), KEY_TABLE)
def test_the_key_can_be_used_where_objects_are(
    role: str, action: str, expected: bool, keyed: Synthesised
) -> None:
    assert allowed(keyed, role, action, KEY, THROUGH_S3) is expected


@pytest.mark.parametrize(
    ("role", "action", "expected"), [one for one in KEY_TABLE if one[:2] != (TRAINING, "kms:GenerateDataKey")]
)
def test_the_key_of_a_given_data_bucket_too(
    role: str, action: str, expected: bool, given_key: Synthesised
) -> None:
    # All but the model bucket, which has no key here: SageMaker writes there, and reads from the data bucket.
    (key,) = given_key.of_type("AWS::KMS::Key")
    assert allowed(given_key, role, action, f"<{key}.Arn>", THROUGH_S3) is expected


@pytest.mark.parametrize(("role", "action"), [one[:2] for one in KEY_TABLE if one[2]])
@pytest.mark.parametrize("service", [None, "ec2", "secretsmanager"])
def test_the_key_is_of_no_use_but_through_s3(
    role: str, action: str, service: str | None, keyed: Synthesised
) -> None:
    context = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"} if service else {}
    assert not allowed(keyed, role, action, KEY, context)


def test_volumes_use_the_key_through_a_grant_for_aws_only(keyed: Synthesised) -> None:
    assert allowed(keyed, TRAINING, "kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": "true"})
    assert not allowed(keyed, TRAINING, "kms:CreateGrant", KEY)


@pytest.fixture(scope="module")
def keyed() -> Synthesised:
    return with_props("encryption_key", region=None)


@pytest.fixture(scope="module")
def given_key() -> Synthesised:
    """A data bucket with a key of its own, passed in."""
    return with_props("data_bucket", region=None)


def test_a_given_role_is_granted_the_same_and_passed() -> None:
    pipeline = with_props("training_role", region=None)
    assert not [one for one in pipeline.of_type("AWS::IAM::Role") if one.startswith("DigitsTrainingRole")]
    assert allowed(pipeline, "GivenRole", "s3:GetObject", f"{RECORD_SET}/train/.amazon.manifest")
    assert allowed(pipeline, "GivenRole", "ecr:BatchGetImage", f"{REPOSITORY}/kmeans")
    (role,) = [one for one in pipeline.of_type("AWS::IAM::Role") if one.startswith("GivenRole")]
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert allowed(pipeline, STATES, "iam:PassRole", f"<{role}.Arn>", context)


def test_given_buckets_are_granted() -> None:
    pipeline = with_props("data_bucket", "model_bucket", region=None)
    recordset = "arn:aws:s3:::given/recordsets/0123"
    assert allowed(pipeline, PLAN, "s3:GetObjectVersion", "arn:aws:s3:::given/input/train/a.npy")
    assert allowed(pipeline, ENCODE, "s3:PutObject", f"{recordset}/train/matrix_00000.pbr")
    assert allowed(pipeline, TRAINING, "s3:GetObject", f"{recordset}/train/matrix_00000.pbr")
    assert allowed(
        pipeline, TRAINING, "s3:PutObject", "arn:aws:s3:::given-models/models/j/output/model.tar.gz"
    )


def test_grant_start_execution() -> None:
    from aws_cdk import aws_iam as iam

    pipeline = with_props(region=None)
    user = iam.Role(pipeline.stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    pipeline.pipeline.grant_start_execution(user)
    (machine,) = pipeline.of_type("AWS::StepFunctions::StateMachine")
    assert allowed(pipeline, "Caller", "states:StartExecution", f"<{machine}>")
    assert not allowed(pipeline, "Caller", "states:StopExecution", f"<{machine}>")
