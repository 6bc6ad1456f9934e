"""Create the states that invoke the Lambda functions, with the execution in their events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.retries import of_functions

REDRIVE = {"redrive.$": "$$.Execution.RedriveCount"}
EXECUTION = {
    "name.$": "$$.Execution.Name",
    "start_time.$": "$$.Execution.StartTime",
    "state_machine.$": "$$.StateMachine.Id",
    **REDRIVE,
}


def invoke(
    scope: Construct,
    construct_id: str,
    function: lambda_.IFunction,
    *,
    event: Mapping[str, Any] | None = None,
    result_path: str | None = None,
    retries: list[dict[str, Any]] | None = None,
) -> sfn.CustomState:
    """Invoke ``function`` with ``event`` (default: the state's input), and return its result unchanged.

    ``retries`` is the state's Retry list; by default that of functions. CDK's LambdaInvoke would also let the
    role invoke every version of the function.
    """
    task: dict[str, Any] = {
        "Type": "Task",
        "Resource": function.function_arn,
        "Retry": of_functions() if retries is None else retries,
    }
    if event is not None:
        task["Parameters"] = event
    if result_path is not None:
        task["ResultPath"] = result_path
    return sfn.CustomState(scope, construct_id, state_json=task)


def invoke_statement(function: lambda_.IFunction) -> iam.PolicyStatement:
    """Return the permission to invoke a function, and no other version of it."""
    return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
