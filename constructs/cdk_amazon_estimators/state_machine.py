"""The states of one execution: Plan, the Distributed Map of Encode, Seal, Train; every error is explained.

An execution that failed can be redriven. Step Functions goes on with the state that failed, and a Fail state
would only fail again. So the last state of a failure is a task: it raises what was explained, and once
redriven it succeeds, and leads back to Plan, which finds what is done already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Names, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline.keys import ANY, items_key
from cdk_amazon_estimators.access.key_policies import allow_logs
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.access.service_role import service_role
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.retries import NOT_RUN, of_announcements, of_functions
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.capacity import train_with_capacity

REDRIVE = {"redrive.$": "$$.Execution.RedriveCount"}
EXECUTION = {
    "name.$": "$$.Execution.Name",
    "start_time.$": "$$.Execution.StartTime",
    "state_machine.$": "$$.StateMachine.Id",
    **REDRIVE,
}


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
        encryption_key=encryption_key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    if encryption_key is not None:
        allow_logs(encryption_key, scope)
    role = service_role(scope, f"{construct_id}Role", "states.amazonaws.com", "Runs one training pipeline")
    items = items_key(layout.record_set(ANY), ANY)
    S3Access(role, layout.data_bucket, layout.encryption_key).read([items])
    for statement in statements:
        role.add_to_policy(statement)
    return sfn.StateMachine(
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


def workflow(
    scope: Construct,
    *,
    encoder: RecordSetEncoder,
    settings: Mapping[str, Any],
    train: sfn.CustomState,
    max_concurrency: int,
    capacity_wait: Duration,
) -> sfn.IChainable:
    """The definition. ``settings`` are the pipeline's, ``train`` the state made by ``training_job``.

    State between steps: ``{"input": <execution input>, "plan": <Plan's result>, "request": <Seal's>}``.
    """
    # The input is set aside, and there is a plan from the start: Explain needs one whatever failed.
    start = sfn.Pass(scope, "Start", parameters={"input": sfn.JsonPath.object_at("$"), "plan": {}})
    plan = _invoke(
        scope,
        "Plan",
        encoder.plan,
        event={"pipeline": settings, "input.$": "$.input", "execution": EXECUTION},
        result_path="$.plan",
    )
    shards = _shards(scope, encoder, settings, max_concurrency)
    seal = _invoke(
        scope,
        "Seal",
        encoder.seal,
        event={"pipeline": settings, "plan.$": "$.plan", "execution": EXECUTION},
        result_path="$.request",
    )
    reuse = sfn.Pass(scope, "Reuse", input_path="$.plan.request", result_path="$.request")
    explain = _explain(scope, encoder, settings, again=plan)
    for state in (plan, shards, seal):
        state.add_catch(explain, result_path="$.error")
    begin_training = train_with_capacity(
        scope,
        train=train,
        explain=explain,
        announce_waiting=_announce(
            scope,
            "AnnounceWaiting",
            encoder.announce,
            settings,
            retries=of_functions(),
            **{"plan.$": "$.plan", "waiting.$": "$.error"},
        ),
        capacity_wait=capacity_wait,
    )

    done = sfn.Succeed(scope, "Done")
    announce = _announce(
        scope,
        "Announce",
        encoder.announce,
        settings,
        retries=of_announcements(),
        **{"plan.$": "$.plan", "job.$": "$.job"},
    )
    announce.add_catch(done, result_path="$.announced")
    announce.next(done)
    train.next(announce)
    is_complete = (
        sfn.Choice(scope, "IsComplete", comment="Did an earlier execution seal this RecordSet?")
        .when(sfn.Condition.boolean_equals("$.plan.complete", True), reuse.next(begin_training))
        .otherwise(shards.next(seal).next(begin_training))
    )
    return start.next(plan).next(is_complete)


def workflow_statements(encoder: RecordSetEncoder) -> list[iam.PolicyStatement]:
    """Return the role's statements for the Lambda functions, at these versions only."""
    functions = [function.function_arn for function in encoder.functions]
    return [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=functions)]


def _explain(
    scope: Construct, encoder: RecordSetEncoder, settings: Mapping[str, Any], *, again: sfn.CustomState
) -> sfn.CustomState:
    """Explain, tell, then Failed, and from there ``again`` if the execution is redriven.

    Should Lambda not run Explain or Failed, the error that there was to explain is not lost.
    """
    name = settings["pipeline"]
    event: dict[str, Any] = {"pipeline": name, "explained.$": "$.explained", "execution": EXECUTION}
    failed = _invoke(scope, "Failed", encoder.fail, event=event, result_path=sfn.JsonPath.DISCARD)
    failed.add_catch(
        sfn.Fail(scope, "FailedAnyway", error_path="$.explained.error", cause_path="$.explained.cause"),
        errors=NOT_RUN,
        result_path="$.failed",
    )
    # Of the failure before nothing is kept: neither its error nor a plan that may not be the next one.
    redriven = sfn.Pass(scope, "Redriven", parameters={"input.$": "$.input", "plan": {}})
    failed.next(redriven.next(again))
    announce = _announce(
        scope,
        "AnnounceFailure",
        encoder.announce,
        settings,
        retries=of_announcements(),
        **{"plan.$": "$.plan", "explained.$": "$.explained", "error.$": "$.error"},
    )
    announce.add_catch(failed, result_path="$.announced")
    announce.next(failed)
    unexplained = sfn.Pass(
        scope,
        "Unexplained",
        parameters={"error.$": "$.error.Error", "cause.$": "$.error.Cause", **REDRIVE},
        result_path="$.explained",
    )
    event = {"pipeline": name, "error.$": "$.error", "plan.$": "$.plan", "execution": EXECUTION}
    explain = _invoke(scope, "Explain", encoder.explain, event=event, result_path="$.explained")
    explain.add_catch(unexplained.next(announce), result_path="$.explained")
    explain.next(announce)
    return explain


def _announce(
    scope: Construct,
    construct_id: str,
    function: lambda_.IFunction,
    settings: Mapping[str, Any],
    *,
    retries: list[dict[str, Any]],
    **state: str,
) -> sfn.CustomState:
    """Tell of the end, if need be after some minutes.

    Should the telling fail all the same, the execution ends as it would: what it did is done. The starter
    finds the error in its output, and tells of the model.
    """
    event = {"pipeline": settings, "execution": EXECUTION, "input.$": "$.input", **state}
    return _invoke(scope, construct_id, function, event=event, result_path="$.announced", retries=retries)


def _shards(
    scope: Construct, encoder: RecordSetEncoder, settings: Mapping[str, Any], max_concurrency: int
) -> sfn.DistributedMap:
    """Encode of every shard. A Map Run hides what its items failed of: each is explained where it failed."""
    names = ("shard", "offset", "length")
    item = {name: sfn.JsonPath.number_at(f"$$.Map.Item.Value.{name}") for name in names}
    shards = sfn.DistributedMap(
        scope,
        "Shards",
        label="Shards",
        max_concurrency=max_concurrency,
        # The bucket by path: were it given as a construct, CDK would let the role read all of it.
        item_reader=sfn.S3JsonLItemReader(
            bucket_name_path=sfn.JsonPath.string_at("$.plan.bucket"),
            key=sfn.JsonPath.string_at("$.plan.shards_key"),
        ),
        item_selector={
            "bucket": sfn.JsonPath.string_at("$.plan.bucket"),
            "prefix": sfn.JsonPath.string_at("$.plan.prefix"),
            "attempt": sfn.JsonPath.string_at("$.plan.attempt"),
            # Whose work it is, for the logs.
            "pipeline": settings["pipeline"],
            "execution": sfn.JsonPath.string_at("$$.Execution.Name"),
            **item,
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    explain = _invoke(
        scope,
        "ExplainShard",
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
        sfn.Fail(scope, "ShardFailed", error_path="$.explained.error", cause_path="$.explained.cause")
    )
    encode = _invoke(scope, "Encode", encoder.encode)
    encode.add_catch(explain, result_path="$.error")
    return shards.item_processor(encode)


def _invoke(
    scope: Construct,
    construct_id: str,
    function: lambda_.IFunction,
    *,
    event: Mapping[str, Any] | None = None,
    result_path: str | None = None,
    retries: list[dict[str, Any]] | None = None,
) -> sfn.CustomState:
    """Invoke ``function`` with ``event`` (default: the state's input) and take what it returns as it is.

    ``retries`` is the state's Retry list; by default that of functions. CDK's LambdaInvoke would let the
    role invoke every version of the function too.
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
