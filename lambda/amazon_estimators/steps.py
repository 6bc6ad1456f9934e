"""Plan and Seal as steps of an execution: settings in, what docs/contracts.md says out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.channels import Channel
from amazon_estimators.data_set import DataSet
from amazon_estimators.plan import JSON_LINES, Plan, Shard, shards_key
from amazon_estimators.planning import make_plan
from amazon_estimators.s3 import put_text
from amazon_estimators.seal import complete_record_sets, publish, seal, verified
from amazon_estimators.settings import Settings
from amazon_estimators.training_request import training_request


def plan_step(
    s3: Any, settings: Settings, execution_input: Mapping[str, Any], execution: str, redrive: int = 0
) -> dict[str, Any]:
    """Plan the RecordSet and list the shards still to encode, unless it is there whole and verified.

    ``redrive`` counts the redrives of the execution so far; each is an attempt of its own.
    """
    algorithm = settings.algorithm_for(execution_input)
    algorithm.check_instances(settings.instance_type, settings.instance_count)
    channels = settings.channels_for(type(algorithm))
    plan, shards = make_plan(
        s3,
        channels,
        _data_set(s3, settings, channels, execution_input.get("data_set")),
        bucket=settings.data_bucket,
        prefix=settings.prefix,
        target_shard_bytes=settings.target_shard_bytes,
    )
    attempt = f"{execution}-{redrive}"
    key = shards_key(plan.prefix, attempt)
    planned = {
        "bucket": plan.bucket,
        "prefix": plan.prefix,
        "fingerprint": plan.fingerprint,
        "data_set": plan.data_set,
        "shards": plan.shards,
        "attempt": attempt,
        "shards_key": key,
        "hyperparameters": algorithm.hyperparameters(),
    }
    record_sets = complete_record_sets(s3, plan)
    if record_sets is not None:
        request = training_request(
            settings,
            algorithm,
            record_sets,
            fingerprint=plan.fingerprint,
            data_set=plan.data_set,
            execution=execution,
        )
        return {**planned, "complete": True, "shards_to_encode": 0, "request": request}
    missing = _missing(s3, plan, shards)
    items = "".join(shard.item() for shard in missing)
    put_text(s3, plan.bucket, key, items, JSON_LINES)
    return {**planned, "complete": False, "shards_to_encode": len(missing), "request": None}


def _data_set(s3: Any, settings: Settings, channels: Mapping[str, Channel], version: str | None) -> DataSet:
    """The version asked for, or what lies there now, which is then a version too."""
    if version is not None:
        return DataSet.load(s3, settings.data_bucket, settings.prefix, version)
    prefixes = {name: channel.prefix for name, channel in channels.items()}
    data_set = DataSet.take(s3, settings.data_bucket, prefixes)
    data_set.freeze(s3, settings.data_bucket, settings.prefix)
    return data_set


def _missing(s3: Any, plan: Plan, shards: list[Shard]) -> list[Shard]:
    """The shards that an earlier execution did not finish; never none.

    All may be there without a manifest, when Seal refused the hyperparameters. The last one is then encoded
    again, to the same bytes: what a Map Run does with no items at all is nowhere promised.
    """
    done = {name: verified(s3, plan, name) for name in plan.channels}
    return [shard for shard in shards if shard.index not in done[shard.channel]] or shards[-1:]


def seal_step(s3: Any, settings: Settings, planned: Mapping[str, Any], execution: str) -> dict[str, Any]:
    """Verify all shards, check hyperparameters against the data, then publish: errors leave no manifest."""
    algorithm = algorithm_named(settings.algorithm).from_hyperparameters(planned["hyperparameters"])
    plan = Plan.load(s3, planned["bucket"], planned["prefix"])
    sealed = seal(s3, plan, instance_count=settings.instance_count)
    record_sets = {name: one.record_set for name, one in sealed.items()}
    request = training_request(
        settings,
        algorithm,
        record_sets,
        fingerprint=plan.fingerprint,
        data_set=plan.data_set,
        execution=execution,
    )
    publish(s3, plan, sealed)
    return request
