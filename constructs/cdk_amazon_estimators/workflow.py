"""The states of one execution: Plan, the Distributed Map of Encode, Seal, Train; every error is explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cdk_amazon_estimators.encoder import RecordSetEncoder

EXECUTION = {
    "name": sfn.JsonPath.string_at("$$.Execution.Name"),
    "start_time": sfn.JsonPath.string_at("$$.Execution.StartTime"),
}
TRANSIENT = [
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
]
"""Faults of the service and throttling. What the library raises is a user's to mend, and never repeated."""


def workflow(
    scope: Construct,
    *,
    encoder: RecordSetEncoder,
    settings: Mapping[str, Any],
    train: sfn.CustomState,
    max_concurrency: int,
) -> sfn.IChainable:
    """The definition. ``settings`` are the pipeline's, ``train`` the state made by ``training_job``.

    State between steps: ``{"input": <execution input>, "plan": <Plan's result>, "request": <Seal's>}``.
    """
    explain = _invoke(
        scope,
        "Explain",
        encoder.explain,
        payload={
            "error": sfn.JsonPath.object_at("$.error"),
            "plan": sfn.JsonPath.object_at("$.plan"),
            "execution": EXECUTION,
            "pipeline": settings,
        },
        result_path="$.explained",
    )
    failed = sfn.Fail(scope, "Failed", error_path="$.explained.error", cause_path="$.explained.cause")
    # Explain itself can fail, and the error it was to explain must not be lost by that.
    unexplained = sfn.Fail(scope, "Unexplained", error_path="$.error.Error", cause_path="$.error.Cause")
    explain.add_catch(unexplained, result_path="$.explain_error").next(failed)

    # The input is set aside, and the plan is there from the start: Explain needs one whatever failed.
    start = sfn.Pass(scope, "Start", parameters={"input": sfn.JsonPath.object_at("$"), "plan": {}})
    plan = _invoke(
        scope,
        "Plan",
        encoder.plan,
        payload={"pipeline": settings, "input": sfn.JsonPath.object_at("$.input"), "execution": EXECUTION},
        result_path="$.plan",
    )
    shards = _shards(scope, encoder.encode, max_concurrency)
    seal = _invoke(
        scope,
        "Seal",
        encoder.seal,
        payload={"pipeline": settings, "plan": sfn.JsonPath.object_at("$.plan"), "execution": EXECUTION},
        result_path="$.request",
    )
    reuse = sfn.Pass(scope, "Reuse", input_path="$.plan.request", result_path="$.request")
    for state in (plan, shards, seal, train):
        state.add_catch(explain, result_path="$.error")

    train.next(sfn.Succeed(scope, "Done"))
    encode = shards.next(seal).next(train)
    is_complete = (
        sfn.Choice(scope, "IsComplete", comment="Was this RecordSet sealed by an earlier execution?")
        .when(sfn.Condition.boolean_equals("$.plan.complete", True), reuse.next(train))
        .otherwise(encode)
    )
    return start.next(plan).next(is_complete)


def _shards(scope: Construct, encode: lambda_.IFunction, max_concurrency: int) -> sfn.DistributedMap:
    shards = sfn.DistributedMap(
        scope,
        "Shards",
        label="Shards",
        max_concurrency=max_concurrency,
        # The bucket by path: by construct, CDK would let the role read all of it.
        item_reader=sfn.S3JsonLItemReader(
            bucket_name_path=sfn.JsonPath.string_at("$.plan.bucket"),
            key=sfn.JsonPath.string_at("$.plan.shards_key"),
        ),
        item_selector={
            "bucket": sfn.JsonPath.string_at("$.plan.bucket"),
            "prefix": sfn.JsonPath.string_at("$.plan.prefix"),
            "execution": sfn.JsonPath.string_at("$$.Execution.Name"),
            **{
                name: sfn.JsonPath.number_at(f"$$.Map.Item.Value.{name}")
                for name in ("shard", "offset", "length")
            },
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    return shards.item_processor(
        _invoke(scope, "Encode", encode, payload=sfn.JsonPath.entire_payload, result_path=None)
    )


def _invoke(
    scope: Construct,
    construct_id: str,
    function: lambda_.IFunction,
    *,
    payload: Mapping[str, Any] | str,
    result_path: str | None,
) -> tasks.LambdaInvoke:
    body = (
        sfn.TaskInput.from_json_path_at(payload)
        if isinstance(payload, str)
        else sfn.TaskInput.from_object(dict(payload))
    )
    state = tasks.LambdaInvoke(
        scope,
        construct_id,
        lambda_function=function,
        payload=body,
        payload_response_only=True,
        result_path=result_path,
        retry_on_service_exceptions=False,
    )
    state.add_retry(
        errors=TRANSIENT,
        interval=Duration.seconds(2),
        max_attempts=8,
        backoff_rate=2,
        max_delay=Duration.minutes(1),
        jitter_strategy=sfn.JitterType.FULL,
    )
    return state
