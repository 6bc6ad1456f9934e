"""The states of one scoring: Model, Plan, the Map of Encode, Seal, the Map of Score, Publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.function_task import invoke, invoke_statement
from cdk_amazon_estimators.predictions.transform import Transform, transform_statements, transform_states
from cdk_amazon_estimators.retries import of_announcements, of_functions
from cdk_amazon_estimators.shared_states import announce_by, explain_failure, map_shards, pipeline_step
from cdk_amazon_estimators.state_machine import workflow_statements

SCORES = (
    "{}-{}",
    sfn.JsonPath.string_at("$.plan.attempt"),
    sfn.JsonPath.string_at("$$.Execution.RedriveCount"),
)
"""Names one run of the Map that scores: it may run again in an attempt, once redriven."""


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The functions of a prediction pipeline besides the encoder's."""

    model: lambda_.Function
    score: lambda_.Function


def scoring_workflow(
    scope: Construct,
    *,
    encoder: RecordSetEncoder,
    functions: Functions,
    settings: Mapping[str, Any],
    transform: Transform | None,
    max_concurrency: int,
) -> tuple[sfn.IChainable, Sequence[iam.PolicyStatement]]:
    """Make the definition, and what the state machine's role needs for it.

    State between steps: ``{"input", "model", "plan", "sealed", "transform", "predictions"}``, each with the
    result of its step. What fails after a transform job is redriven without another job.

    Args:
        scope: The pipeline.
        encoder: The Lambda functions of encoding.
        functions: Those of scoring.
        settings: The pipeline's settings, which the functions read.
        transform: The settings of transform jobs; None to predict in the functions.
        max_concurrency: The most shards at a time.
    """
    start = sfn.Pass(scope, "Start", parameters={"input.$": "$", "plan": {}})

    def step(
        construct_id: str, function: lambda_.IFunction, leaves: str, *told: str, **more: Any
    ) -> sfn.CustomState:
        return pipeline_step(scope, construct_id, function, settings, *told, leaves=leaves, **more)

    model = step("Model", functions.model, "model", "input")
    concurrency = encoder.concurrency(max_concurrency)
    plan = step("Plan", encoder.plan, "plan", "input", "model", concurrency=concurrency)
    shards = map_shards(
        scope,
        "Shards",
        task=invoke(scope, "Encode", encoder.encode),
        encoder=encoder,
        items_key="$.plan.shards_key",
        numbers=("shard", "offset", "length"),
        item={"pipeline": settings["pipeline"]},
    )
    seal = step("Seal", encoder.seal, "sealed", "plan", "model")
    scores = map_shards(
        scope,
        "Scores",
        task=invoke(scope, "Score", functions.score),
        encoder=encoder,
        items_key="$.sealed.parts_key",
        numbers=("shard", "rows", "offset", "length"),
        item={"pipeline": settings, "plan.$": "$.plan", "model.$": "$.model"},
        suffix="OfScores",
        attempt=sfn.JsonPath.format(*SCORES),
    )
    publish = step("Publish", functions.score, "predictions", "plan", "sealed", "model")
    explain = explain_failure(scope, encoder, settings, again=model)
    for state in (model, plan, shards, seal):
        state.add_catch(explain, result_path="$.error")
    told = ["plan", "model", "predictions"]
    first: sfn.State = scores
    if transform is None:
        again: sfn.State = model
        kept: tuple[str, ...] = ()
    else:
        waiting = announce_by(
            scope,
            "AnnounceWaiting",
            encoder.announce,
            settings,
            retries=of_functions(),
            **{"plan.$": "$.plan", "waiting.$": "$.error"},
        )
        made = transform_states(scope, transform, explain=explain, announce_waiting=waiting)
        first, again, kept = made.first, made.delete, ("plan", "model", "sealed", "transform")
        told.append("transform")
    explain_scores = explain_failure(
        scope,
        encoder,
        settings,
        again=again,
        suffix="OfScores",
        kept=kept,
        plan={
            "plan": {
                "bucket.$": "$.plan.bucket",
                "prefix.$": "$.plan.prefix",
                "attempt.$": sfn.JsonPath.format(*SCORES),
            }
        },
    )
    for state in (scores, publish):
        state.add_catch(explain_scores, result_path="$.error")
    if transform is not None:
        made.lead(scores, failed=explain_scores)
    announce = announce_by(
        scope,
        "Announce",
        encoder.announce,
        settings,
        retries=of_announcements(),
        **{f"{name}.$": f"$.{name}" for name in told},
    )
    done = sfn.Succeed(scope, "Done")
    announce.add_catch(done, result_path="$.announced")
    announce.next(done)
    is_complete = (
        sfn.Choice(scope, "IsComplete", comment="Did an earlier execution encode these rows?")
        .when(sfn.Condition.boolean_equals("$.plan.complete", True), seal)
        .otherwise(shards)
    )
    shards.next(seal)
    seal.next(first)
    scores.next(publish)
    publish.next(announce)
    statements = [
        *workflow_statements(encoder),
        *(invoke_statement(function) for function in (functions.model, functions.score)),
        *(transform_statements(scope, transform) if transform else ()),
    ]
    return start.next(model).next(plan).next(is_complete), statements
