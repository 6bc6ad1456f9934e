"""May the roles do what the steps need? IAM simulates their policies, but not those of resources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from amazon_estimators.doctor.finding import Finding, error, ok
from amazon_estimators.doctor.image import repository_of
from amazon_estimators.doctor.patient import Patient
from amazon_estimators.pipeline import keys

LOGS = "/aws/sagemaker/TrainingJobs"
REMEDY = "Deploy the stack again; of a role of your own see docs/pipeline.md, 'A role of your own'."


@dataclass(frozen=True)
class Need:
    """Actions on one resource, with the context in which they are asked for."""

    actions: tuple[str, ...]
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


def training_role_trust(patient: Patient) -> Iterator[Finding]:
    """Is the training role there, and may SageMaker assume it?"""
    yield from _trust(patient, patient.job["RoleArn"], "sagemaker.amazonaws.com")


def training_role_permissions(patient: Patient) -> Iterator[Finding]:
    """May the training role read RecordSets, write models, pull the image, log and send metrics?"""
    prefix, models = patient.pipeline.settings["prefix"], patient.models
    record_sets = keys.record_sets_prefix(prefix)
    bucket = f"arn:{patient.partition}:s3:::{patient.data_bucket}"
    logs = f"arn:{patient.partition}:logs:{patient.region}:{patient.account}:log-group:{LOGS}"
    job = f"{patient.pipeline.settings['job_name_prefix']}-x"
    needs = [
        Need(("s3:ListBucket",), bucket, {"s3:prefix": record_sets}),
        Need(("s3:GetObject",), f"{bucket}/{record_sets}x/train/x"),
        Need(
            ("s3:PutObject",),
            f"arn:{patient.partition}:s3:::{models.bucket}/{models.key}{job}/output/model.tar.gz",
        ),
        Need(("ecr:GetAuthorizationToken",)),
        Need(("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), repository_of(patient)),
        Need(("logs:CreateLogStream",), f"{logs}:log-stream:{job}/algo-1"),
        Need(("cloudwatch:PutMetricData",), "*", {"cloudwatch:namespace": LOGS}),
    ]
    if "VpcConfig" in patient.job:
        needs.append(Need(("ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:DescribeNetworkInterfaces")))
    yield from _permissions(patient, patient.job["RoleArn"], needs)


def state_machine_role(patient: Patient) -> Iterator[Finding]:
    """May the state machine's role run the functions and the training job, and pass the training role?"""
    role = patient.described["roleArn"]
    yield from _trust(patient, role, "states.amazonaws.com")
    training_role = patient.job["RoleArn"]
    needs = [
        *(Need(("lambda:InvokeFunction",), function) for function in patient.functions),
        Need(("iam:PassRole",), training_role, {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    ]
    if not patient.tunes:  # a tuning job has a name of its own
        jobs = f"arn:{patient.partition}:sagemaker:{patient.region}:{patient.account}:training-job"
        prefix = patient.pipeline.settings["job_name_prefix"]
        needs.append(Need(("sagemaker:CreateTrainingJob", "sagemaker:StopTrainingJob"), f"{jobs}/{prefix}-x"))
    yield from _permissions(patient, role, needs)


def _trust(patient: Patient, role_arn: str, service: str) -> Iterator[Finding]:
    name = role_arn.rpartition("/")[2]
    try:
        role = patient.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as refused:
        if refused.response["Error"]["Code"] not in ("NoSuchEntity", "NoSuchEntityException"):
            raise
        yield error(f"role {name} does not exist", REMEDY)
        return
    policy = role["AssumeRolePolicyDocument"]
    document = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    if any(_lets(statement, service) for statement in _listed(document["Statement"])):
        yield ok(f"role {name} trusts {service}")
    else:
        yield error(
            f"the trust policy of role {name} does not let {service} assume it",
            f"Allow sts:AssumeRole to the principal {service} in its trust policy.",
        )


def _lets(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal", {})
    services = _listed(principal.get("Service", [])) if isinstance(principal, Mapping) else []
    return (
        statement["Effect"] == "Allow"
        and service in services
        and "sts:AssumeRole" in _listed(statement["Action"])
    )


def _permissions(patient: Patient, role_arn: str, needs: list[Need]) -> Iterator[Finding]:
    iam, name = patient.client("iam"), role_arn.rpartition("/")[2]
    refused = []
    for need in needs:
        context = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in need.context.items()
        ]
        try:
            answer = iam.simulate_principal_policy(
                PolicySourceArn=role_arn,
                ActionNames=[*need.actions],
                ResourceArns=[need.resource],
                ContextEntries=context,
            )
        except ClientError as gone:
            if gone.response["Error"]["Code"] not in ("NoSuchEntity", "NoSuchEntityException"):
                raise
            return  # the line of its trust policy says so
        for result in answer["EvaluationResults"]:
            if result["EvalDecision"] != "allowed":
                refused.append(f"{result['EvalActionName']} on {need.resource} ({result['EvalDecision']})")
    if refused:
        yield error(f"role {name} may not do {'; '.join(refused)}", REMEDY)
    else:
        yield ok(f"role {name} may do what it needs")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
