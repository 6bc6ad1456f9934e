"""The state machine of a pipeline: its definition, its role, its log and its traces."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Names, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.s3_access import S3Access
from cdk_amazon_estimators.service_role import service_role


def pipeline_state_machine(
    scope: Construct,
    construct_id: str,
    *,
    definition: sfn.IChainable,
    layout: PipelineLayout,
    statements: Sequence[iam.PolicyStatement],
    log_retention: logs.RetentionDays,
) -> sfn.StateMachine:
    """A standard state machine that logs every event, without data, and traces.

    Its role may read the items of the Map and do what ``statements`` allow, which its tasks need.
    """
    name = Names.unique_resource_name(scope, max_length=100, separator="-")
    log_group = logs.LogGroup(
        scope,
        f"{construct_id}Logs",
        # Under this prefix the account's resource policy, which has room for few, need not name it.
        log_group_name=f"/aws/vendedlogs/states/{name}",
        retention=log_retention,
        removal_policy=RemovalPolicy.DESTROY,
    )
    role = service_role(scope, f"{construct_id}Role", "states.amazonaws.com", "Runs one training pipeline")
    S3Access(role, layout.data_bucket, layout.encryption_key).read([f"{layout.recordsets}*/shards.jsonl"])
    for statement in statements:
        role.add_to_policy(statement)
    return sfn.StateMachine(
        scope,
        construct_id,
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        role=role,
        logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        tracing_enabled=True,
    )
