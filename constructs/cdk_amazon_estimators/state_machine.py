"""Create the states of an execution: Plan, the Distributed Map of Encode, Seal, Train. Every error is
explained.

A redriven execution returns to Plan, which finds what is already done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline.keys import ANY, items_key
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.after_training.step import AfterTraining, Context
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.function_task import invoke, invoke_statement
from cdk_amazon_estimators.logged_state_machine import logged_state_machine
from cdk_amazon_estimators.report import report, report_function
from cdk_amazon_estimators.retries import of_announcements, of_functions
from cdk_amazon_estimators.shared_states import announce_by, explain_failure, map_shards, pipeline_step
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.capacity import Training, TrainingStates, Waits, train_with_capacity

STATE_MACHINE_ID = "StateMachine"
"""The ID of a pipeline's state machine, below the pipeline."""


def pipeline_state_machine(
    scope: Construct,
    construct_id: str,
    *,
    definition: sfn.IChainable,
    layout: PipelineLayout,
    statements: Sequence[iam.PolicyStatement],
    timeout: Duration,
    log_retention: logs.RetentionDays,
    encryption_key: kms.IKey | None = None,
    lists: Sequence[str] = (),
) -> sfn.StateMachine:
    """Create a pipeline's state machine, whose role may also read the items of its Maps.

    ``lists`` are the keys of items other than shards to encode.
    """
    machine = logged_state_machine(
        scope,
        construct_id,
        definition=definition,
        description="Runs one training pipeline",
        statements=statements,
        timeout=timeout,
        log_retention=log_retention,
        encryption_key=encryption_key,
    )
    items = items_key(layout.record_set(ANY), ANY)
    S3Access(machine.role, layout.data_bucket, layout.encryption_key).read([items, *lists])
    return machine


@dataclass(frozen=True)
class Workflow:
    """The definition of a state machine, and the permissions for its steps after training."""

    definition: sfn.IChainable
    statements: Sequence[iam.PolicyStatement]


def workflow(
    scope: Construct,
    *,
    encoder: RecordSetEncoder,
    settings: Mapping[str, Any],
    training: Training,
    after: Sequence[AfterTraining],
    context: Context,
    max_concurrency: int,
    waits: Waits,
) -> Workflow:
    """Make the definition.

    State between steps: ``{"input": <execution input>, "plan": <Plan's result>, "request": <Seal's>}``, then
    ``job`` and what each step after training leaves under its own name.

    Args:
        scope: The pipeline.
        encoder: The Lambda functions.
        settings: The pipeline's settings, which the functions read.
        training: The states that train.
        after: The steps after training, in order.
        context: The context of these steps.
        max_concurrency: The most shards that are encoded at a time.
        waits: How long a training waits for instances, and how long an execution takes.
    """
    # Set the input aside, and begin with a plan: Explain needs one, whichever state fails.
    start = sfn.Pass(scope, "Start", parameters={"input.$": "$", "plan": {}})
    concurrency = encoder.concurrency(max_concurrency)
    plan = pipeline_step(
        scope, "Plan", encoder.plan, settings, "input", leaves="plan", concurrency=concurrency
    )
    shards = map_shards(
        scope,
        "Shards",
        task=invoke(scope, "Encode", encoder.encode),
        encoder=encoder,
        items_key="$.plan.shards_key",
        numbers=("shard", "offset", "length"),
        item={"pipeline": settings["pipeline"]},
    )
    seal = pipeline_step(scope, "Seal", encoder.seal, settings, "plan", leaves="request")
    reuse = sfn.Pass(scope, "Reuse", input_path="$.plan.request", result_path="$.request")
    explain = explain_failure(scope, encoder, settings, again=plan)
    for state in (plan, shards, seal):
        state.add_catch(explain, result_path="$.error")
    trained = train_with_capacity(
        scope,
        training=training,
        explain=explain,
        announce_waiting=announce_by(
            scope,
            "AnnounceWaiting",
            encoder.announce,
            settings,
            retries=of_functions(),
            **{"plan.$": "$.plan", "waiting.$": "$.error"},
        ),
        waits=waits,
    )
    statements = _end(context, training, trained, after)
    is_complete = (
        sfn.Choice(scope, "IsComplete", comment="Did an earlier execution seal this RecordSet?")
        .when(sfn.Condition.boolean_equals("$.plan.complete", True), reuse.next(trained.begin))
        .otherwise(shards.next(seal).next(trained.begin))
    )
    return Workflow(start.next(plan).next(is_complete), statements)


def _end(
    context: Context, training: Training, trained: TrainingStates, after: Sequence[AfterTraining]
) -> list[iam.PolicyStatement]:
    """Connect the end of training through the steps after it to Done; return the permissions they need.

    A failure after training is explained like any other. A redriven execution continues with the first step
    after training, so nothing is trained twice.
    """
    scope, encoder, settings = context.scope, context.encoder, context.settings
    done = sfn.Succeed(scope, "Done")

    def announce(construct_id: str, *steps: AfterTraining) -> sfn.CustomState:
        """Announce the model, and the results of ``steps``."""
        told = ("plan", "job", *training.leaves, *(step.leaves for step in steps))
        state = {f"{name}.$": f"$.{name}" for name in told} | {"warnings.$": "$.request.warnings"}
        made = announce_by(
            scope,
            construct_id,
            encoder.announce,
            settings,
            retries=of_announcements(),
            **state,
            **{"report.$": "$.report"},
        )
        made.add_catch(done, result_path="$.announced")
        made.next(done)
        suffix = construct_id.removeprefix("Announce")
        return report(
            scope, f"Report{suffix}", encoder, layout=context.layout, settings=settings, told=state, then=made
        )

    first: sfn.State = announce("Announce", *after)
    tasks: list[sfn.CustomState] = [*training.conclude]
    statements = [invoke_statement(report_function(encoder))]
    for number, step in reversed([*enumerate(after, start=1)]):
        bound = step.bind(context, then=first, reject=partial(announce, "AnnounceRejection", *after[:number]))
        first = bound.first
        tasks += bound.tasks
        statements += bound.statements
    for conclusion in reversed(training.conclude):
        conclusion.next(first)
        first = conclusion
    trained.lead(first)
    if tasks:
        kept = ("plan", "request", *(("prepared", *training.leaves) if training.conclude else ("job",)))
        explain = explain_failure(scope, encoder, settings, again=first, suffix="AfterTraining", kept=kept)
        for task in tasks:
            task.add_catch(explain, result_path="$.error")
    return statements


def workflow_statements(encoder: RecordSetEncoder) -> list[iam.PolicyStatement]:
    """Return the role's statements for the Lambda functions, only at these versions."""
    functions = [function.function_arn for function in encoder.functions]
    return [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=functions)]
