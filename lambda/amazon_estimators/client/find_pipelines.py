"""Find the deployed training pipelines of a stack, or of an account and region."""

from __future__ import annotations

import json
from typing import Any

from amazon_estimators.client.definitions import objects_with
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.errors import RequestError
from amazon_estimators.storage.sessions import client_of, region_of

SETTINGS = {"pipeline", "algorithm", "hyperparameters", "data_bucket", "channels"}
"""Keys that identify the pipeline's settings in the definition of its state machine."""
STATE_MACHINE = "AWS::StepFunctions::StateMachine"


def find_pipeline(
    *, stack_name: str | None, state_machine_arn: str | None, session: Any
) -> PipelineEstimator:
    """Find a pipeline, as :meth:`Estimator.from_pipeline` describes."""
    if (stack_name is None) == (state_machine_arn is None):
        raise RequestError("pass either stack_name or state_machine_arn")
    if state_machine_arn is not None:
        settings = _settings(session, state_machine_arn)
        if settings is None:
            raise RequestError(f"{state_machine_arn} is not a training pipeline of this library")
        return PipelineEstimator(state_machine_arn, settings, session=session)
    found = pipelines_of_stack(str(stack_name), session)
    if len(found) != 1:
        listed = "".join(
            f"\n  {one.name} ({one.settings['algorithm']}): {one.state_machine_arn}" for one in found
        )
        raise RequestError(
            f"stack {stack_name} holds {len(found)} training pipelines{':' if found else ''}{listed}",
            remedy="Name one by state_machine_arn." if found else "Deploy a TrainingPipeline in it first.",
        )
    return found[0]


def find_pipelines(stack_name: str | None = None, *, session: Any = None) -> list[PipelineEstimator]:
    """Return all training pipelines of a stack, or of the account and region, by name.

    Args:
        stack_name: The stack. Default: all that the caller can see.
        session: A boto3 session. Default: from the environment.

    Raises:
        RequestError: There is none.
    """
    if stack_name is not None:
        found = pipelines_of_stack(stack_name, session)
    else:
        pages = client_of(session, "stepfunctions").get_paginator("list_state_machines").paginate()
        found = _pipelines(
            session, [one["stateMachineArn"] for page in pages for one in page["stateMachines"]]
        )
    if not found:
        where = f"stack {stack_name}" if stack_name else f"region {region_of(session)} of this account"
        raise RequestError(
            f"there is no training pipeline in {where}",
            remedy="Deploy a TrainingPipeline there, or name another --region, --profile or --stack.",
        )
    return sorted(found, key=lambda pipeline: pipeline.name)


def pipelines_of_stack(stack_name: str, session: Any) -> list[PipelineEstimator]:
    """Return all training pipelines of a stack."""
    return _pipelines(session, _state_machines(session, stack_name))


def _pipelines(session: Any, machines: list[str]) -> list[PipelineEstimator]:
    return [
        PipelineEstimator(arn, settings, session=session)
        for arn in machines
        if (settings := _settings(session, arn))
    ]


def _state_machines(session: Any, stack_name: str) -> list[str]:
    pages = (
        client_of(session, "cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=stack_name)
    )
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == STATE_MACHINE
    ]


def _settings(session: Any, state_machine_arn: str) -> dict[str, Any] | None:
    """Return the pipeline's settings, which its definition passes to Plan and Seal; None if it has none."""
    described = client_of(session, "stepfunctions").describe_state_machine(stateMachineArn=state_machine_arn)
    return next(objects_with(json.loads(described["definition"]), SETTINGS), None)
