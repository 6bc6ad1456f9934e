"""A standard state machine with a log, traces and a role that may do what its tasks need."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Names, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.access.key_policies import allow_logs
from cdk_amazon_estimators.access.service_role import service_role


def logged_state_machine(
    scope: Construct,
    construct_id: str,
    *,
    definition: sfn.IChainable,
    description: str,
    statements: Sequence[iam.PolicyStatement],
    timeout: Duration,
    log_retention: logs.RetentionDays,
    encryption_key: kms.IKey | None = None,
) -> sfn.StateMachine:
    """Create a state machine that logs every event, without data, and traces.

    Args:
        scope: Where it is; its name in the name of the log group.
        construct_id: Its id, and the beginning of those of log group and role.
        definition: Its states.
        description: What its role is for.
        statements: What its tasks need.
        timeout: The most time an execution may take.
        log_retention: How long the log is kept.
        encryption_key: KMS key of the state machine and its log. Default: keys of the services.
    """
    name = Names.unique_resource_name(scope, max_length=100, separator="-")
    log_group = logs.LogGroup(
        scope,
        f"{construct_id}Logs",
        # Under this prefix the account's resource policy, which has room for few, need not name it.
        log_group_name=f"/aws/vendedlogs/states/{name}",
        retention=log_retention,
        encryption_key=encryption_key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    if encryption_key is not None:
        allow_logs(encryption_key, scope)
    role = service_role(scope, f"{construct_id}Role", "states.amazonaws.com", description)
    for statement in statements:
        role.add_to_policy(statement)
    machine = sfn.StateMachine(
        scope,
        construct_id,
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        role=role,
        timeout=timeout,
        logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        tracing_enabled=True,
        encryption_configuration=(
            sfn.CustomerManagedEncryptionConfiguration(encryption_key) if encryption_key else None
        ),
    )
    if encryption_key is not None:
        _allow_executions(encryption_key, machine, role)
    return machine


def _allow_executions(key: kms.IKey, machine: sfn.StateMachine, role: iam.Role) -> None:
    """Allow the role to use the key for the data of the machine's executions.

    CDK's own statement names the machine before CloudFormation has: its condition ends with
    ``:stateMachine:`` and never holds. A policy of its own can name it, as the machine does not wait for it.
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    """
    context = {"kms:EncryptionContext:aws:states:stateMachineArn": machine.state_machine_arn}
    statement = iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[key.key_arn],
        conditions={"StringEquals": context},
    )
    iam.Policy(machine, "Key", statements=[statement], roles=[role])
