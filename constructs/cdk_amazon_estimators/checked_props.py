"""Check the props of a pipeline together: return the choices, or raise one error with all problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, Size, Token
from aws_cdk import aws_s3 as s3
from constructs import Construct

from amazon_estimators.algorithms.instances import types_of
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import Cost
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from amazon_estimators.sources import Source
from cdk_amazon_estimators.pipeline_checks import (
    check_algorithm,
    check_echoes,
    check_encoder,
    check_encoding,
    check_expiration,
    check_neighbours,
    check_patterns,
    check_prefix,
    check_regions,
    check_removal,
    check_timeout,
    check_trigger_prefixes,
    check_triggers,
    check_version_expiration,
    required_channels,
)
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known
from cdk_amazon_estimators.storage.pipeline_layout import outputs_of, with_prefixes
from cdk_amazon_estimators.training.capacity import Waits, check_capacity_wait
from cdk_amazon_estimators.training.cost import check_most, own_prices, training_cost
from cdk_amazon_estimators.training.image import TrainingImage
from cdk_amazon_estimators.training.instance_preferences import check_preferences
from cdk_amazon_estimators.training.job import JobSettings
from cdk_amazon_estimators.triggers import Trigger, UploadTrigger


@dataclass(frozen=True, kw_only=True)
class CheckedProps:
    """The props of a pipeline after all checks, with defaults filled in.

    ``sources`` are the channels, each with the prefix of its input. ``hyperparameters`` are those of the
    algorithm as the service takes them. ``own_prices`` are those of a file that was given; ``prices`` have
    those of the package besides. ``cost`` is the most that one training can cost.
    """

    job: JobSettings
    image: TrainingImage
    hyperparameters: Mapping[str, str]
    sources: Mapping[str, Source]
    target_shard_size: Size
    waits: Waits
    triggers: Sequence[Trigger]
    own_prices: PriceTable | None
    prices: PriceTable
    cost: Cost


def checked(
    pipeline: Construct,
    init: Callable[..., None],
    props: Mapping[str, Any],
) -> CheckedProps:
    """Check ``props``, the arguments of the constructor ``init`` of ``pipeline``.

    Args:
        pipeline: The construct that the error names.
        init: The constructor; a subclass may have one with other arguments.
        props: The arguments by name, ``None`` for those left out.

    Raises:
        PipelineError: Invalid props, or problems of several kinds. InstanceError, RegionError,
        HyperparameterError, RequestError: If all problems are of this kind.
    """
    problems = Problems(pipeline)
    check_types(problems, init, props)
    algorithm, prefix = props["algorithm"], props["prefix"]
    check_algorithm(problems, algorithm)
    job = JobSettings.of(props)
    job.check(problems)
    check_preferences(
        problems,
        job.instance_type,
        on_spot=job.spot_max_wait is not None,
        has_key=job.encryption_key is not None,
        is_tuned=props["tuning"] is not None,
    )
    check_capacity_wait(problems, props["capacity_wait"])
    tuning = known("tuning", props["tuning"])
    runtime = job.max_runtime if tuning is None else tuning.longest(job.max_runtime)
    check_timeout(problems, props["timeout"], runtime)
    channels = known("channels", props["channels"])
    sources = with_prefixes(
        dict.fromkeys(required_channels(algorithm), Source()) if channels is None else channels, prefix
    )
    with problems.collected():
        if (
            known("instance_type", job.instance_type) is not None
            and known("instance_count", job.instance_count) is not None
        ):
            known_types = [one for one in types_of(job.instance_type) if not Token.is_unresolved(one)]
            algorithm.check_instances(known_types or job.instance_type, job.instance_count)
    with problems.collected():
        hyperparameters = algorithm.hyperparameters()
    with problems.collected():
        given = props["training_image"]
        image = TrainingImage(pipeline, algorithm, given if isinstance(given, str) else None)
    with problems.collected():
        channels_of(
            type(algorithm),
            sources,
            known("distributions", props["distributions"]) or {},
            instance_count=job.instance_count,
            prefix=prefix,
        )
    for name in ("tuning", "gate", "registration"):
        if (step := known(name, props[name])) is not None:
            step.check(problems, algorithm, [*sources])
    if (monitoring := known("monitoring", props["monitoring"])) is not None:
        monitoring.check(problems, pipeline)
    shard_size = props["target_shard_size"] or Size.bytes(DEFAULT_SHARD_BYTES)
    triggers = known("triggers", props["triggers"])
    if triggers is None:
        triggers = [UploadTrigger(quiet_period=Duration.minutes(5))]
    _check_storage(problems, pipeline, props, sources, runtime)
    check_encoding(problems, props["max_concurrency"], shard_size)
    check_triggers(problems, triggers, _outputs(props), props["max_concurrent_trainings"])
    check_trigger_prefixes(problems, pipeline, triggers, sources, prefix)
    buckets = {name: props[name] for name in ("data_bucket", "model_bucket")}
    check_regions(problems, pipeline, buckets, triggers, _arns(props))
    check_encoder(problems, pipeline, known("encoder", props["encoder"]))
    own = None
    with problems.collected():
        own = own_prices(pipeline, known("prices", props["prices"]))
    package = PriceTable.of_package()
    prices = package if own is None else own.over(package)
    jobs = 1 if tuning is None else tuning.most_jobs(algorithm)
    cost = training_cost(pipeline, prices, job, jobs=jobs)
    check_most(problems, cost, known("max_cost_per_training", props["max_cost_per_training"]))
    problems.raise_any()
    return CheckedProps(
        job=job,
        image=image,
        hyperparameters=hyperparameters,
        sources=sources,
        target_shard_size=shard_size,
        waits=Waits.of(props["capacity_wait"], props["timeout"], runtime),
        triggers=triggers,
        own_prices=own,
        prices=prices,
        cost=cost,
    )


def _check_storage(
    problems: Problems,
    pipeline: Construct,
    props: Mapping[str, Any],
    sources: Mapping[str, Source],
    longest_training: Duration,
) -> None:
    """Note prefixes that conflict with permissions or neighbours, and buckets that do not fit other props."""
    prefix, data_bucket = props["prefix"], known("data_bucket", props["data_bucket"])
    outputs = _outputs(props)
    check_prefix(problems, prefix)
    check_patterns(problems, prefix, sources)
    check_echoes(problems, sources, outputs)
    check_neighbours(problems, pipeline, data_bucket, sources, outputs)
    check_expiration(problems, props["record_set_expiration"], longest_training, data_bucket)
    check_version_expiration(problems, props["input_version_expiration"], data_bucket)
    buckets = (props["data_bucket"], props["model_bucket"])
    check_removal(problems, buckets, props["removal_policy"], props["auto_delete_objects"])


def _arns(props: Mapping[str, Any]) -> dict[str, str]:
    """Return the ARNs of the keys and of the topic, by prop."""
    attributes = {
        "encryption_key": "key_arn",
        "service_encryption_key": "key_arn",
        "notification_topic": "topic_arn",
    }
    given = {name: known(name, props[name]) for name in attributes}
    return {name: str(getattr(one, attributes[name])) for name, one in given.items() if one is not None}


def _outputs(props: Mapping[str, Any]) -> list[str]:
    buckets: list[s3.IBucket | None] = [known(name, props[name]) for name in ("data_bucket", "model_bucket")]
    return outputs_of(props["prefix"], *buckets)
