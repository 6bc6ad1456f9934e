"""States that every state machine of the library shares: the Map over shards, and what follows an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.failure import explained_failure
from cdk_amazon_estimators.function_task import EXECUTION, invoke
from cdk_amazon_estimators.retries import of_announcements

PLAN: Mapping[str, Any] = {"plan.$": "$.plan"}


def explain_failure(
    scope: Construct,
    encoder: RecordSetEncoder,
    settings: Mapping[str, Any],
    *,
    again: sfn.IChainable,
    suffix: str = "",
    kept: Sequence[str] = (),
    plan: Mapping[str, Any] = PLAN,
) -> sfn.CustomState:
    """Create Explain, the announcement and Failed, which leads to ``again`` if the execution is redriven.

    A redriven execution keeps ``kept`` of the state besides the input; without it, there is no plan yet.
    ``plan`` is Explain's view of the plan.
    """
    # Keep nothing of the earlier failure: neither its error nor a plan that may not be the next one.
    going_on: dict[str, Any] = {f"{name}.$": f"$.{name}" for name in kept} if kept else {"plan": {}}
    announce = announce_by(
        scope,
        f"AnnounceFailure{suffix}",
        encoder.announce,
        settings,
        retries=of_announcements(),
        **{"plan.$": "$.plan", "explained.$": "$.explained", "error.$": "$.error"},
    )
    return explained_failure(
        scope,
        encoder,
        name=settings["pipeline"],
        plan=plan,
        announce=announce,
        going_on={"input.$": "$.input", **going_on},
        again=again,
        suffix=suffix,
    )


def pipeline_step(
    scope: Construct,
    construct_id: str,
    function: lambda_.IFunction,
    settings: Mapping[str, Any],
    *told: str,
    leaves: str,
    **more: Any,
) -> sfn.CustomState:
    """Create a state that invokes a function of the pipeline.

    Args:
        scope: The pipeline.
        construct_id: The id of the state.
        function: The function.
        settings: The pipeline's settings, the first member of its event.
        told: The members of the state that the event has too.
        leaves: The member of the state that its result becomes.
        more: Further members of the event.
    """
    state = {f"{name}.$": f"$.{name}" for name in told}
    event = {"pipeline": settings, **state, "execution": EXECUTION, **more}
    return invoke(scope, construct_id, function, event=event, result_path=f"$.{leaves}")


def announce_by(
    scope: Construct,
    construct_id: str,
    function: lambda_.IFunction,
    settings: Mapping[str, Any],
    *,
    retries: list[dict[str, Any]],
    **state: str,
) -> sfn.CustomState:
    """Announce the end, if necessary after some minutes of retries.

    If that fails nevertheless, the execution ends as it would otherwise, because its work is done. The
    starter finds the error in its output, and announces the model.
    """
    event = {"pipeline": settings, "execution": EXECUTION, "input.$": "$.input", **state}
    return invoke(scope, construct_id, function, event=event, result_path="$.announced", retries=retries)


def map_shards(
    scope: Construct,
    construct_id: str,
    *,
    task: sfn.CustomState,
    encoder: RecordSetEncoder,
    items_key: str,
    numbers: Sequence[str],
    item: Mapping[str, Any],
    at_once: str = "$.plan.at_once",
    suffix: str = "",
    attempt: str | None = None,
) -> sfn.DistributedMap:
    """Run ``task`` for every shard.

    A Map Run hides the errors of its items, so each item explains its own.

    Args:
        scope: The pipeline.
        construct_id: The id of the state, and the label of its Map Run.
        task: What runs for a shard.
        encoder: The Lambda functions.
        items_key: The path in the state of the key of the list of items, in ``$.plan.bucket``.
        numbers: The members of an item, including ``shard``.
        item: Further members of the task's event, at least ``pipeline``.
        at_once: The path in the state of the most shards at a time. Default: what Plan says.
        suffix: The end of the ids of the states of a failure.
        attempt: The attempt that failures are kept under. Default: that of the plan.
    """
    shards = sfn.DistributedMap(
        scope,
        construct_id,
        label=construct_id,
        max_concurrency_path=at_once,
        # The bucket by path: for a construct, CDK would let the role read all of the bucket.
        item_reader=sfn.S3JsonLItemReader(
            bucket_name_path=sfn.JsonPath.string_at("$.plan.bucket"),
            key=sfn.JsonPath.string_at(items_key),
        ),
        item_selector={
            "bucket.$": "$.plan.bucket",
            "prefix.$": "$.plan.prefix",
            "attempt": attempt or sfn.JsonPath.string_at("$.plan.attempt"),
            # The pipeline and execution, for the logs, and the task's further members.
            **item,
            "execution.$": "$$.Execution.Name",
            **{f"{name}.$": f"$$.Map.Item.Value.{name}" for name in numbers},
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    explain = invoke(
        scope,
        f"ExplainShard{suffix}",
        encoder.explain,
        event={
            "pipeline.$": "$.pipeline",
            "execution": {"name.$": "$.execution"},
            "error.$": "$.error",
            "plan": {"bucket.$": "$.bucket", "prefix.$": "$.prefix", "attempt.$": "$.attempt"},
            "shard.$": "$.shard",
        },
        result_path="$.explained",
    )
    explain.next(
        sfn.Fail(
            scope, f"ShardFailed{suffix}", error_path="$.explained.error", cause_path="$.explained.cause"
        )
    )
    task.add_catch(explain, result_path="$.error")
    return shards.item_processor(task)
