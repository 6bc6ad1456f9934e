"""Checks of a pipeline's props. Each notes all problems and leaves unresolved tokens alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aws_cdk import Annotations, Duration, RemovalPolicy, Size, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.pipeline.settings import LONGEST_PREFIX
from amazon_estimators.sources import Source
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known, known_seconds
from cdk_amazon_estimators.state_machine_events import StateMachineEvents
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.triggers import AlarmTrigger, Trigger, UploadTrigger

DAY = 86_400
OUTSIDE_CHANNELS = "cdk-amazon-estimators:triggerOutsideChannels"
"""The ID for acknowledging the warning."""
PREFIX = re.compile(r"(?:[^/]+/)*")
PATTERN = re.compile(r"[*?]|\$\{")
"""Characters that IAM reads as a pattern. In a prefix they would widen every grant on the prefix."""


def check_algorithm(problems: Problems, algorithm: object) -> None:
    """Raise at once if ``algorithm`` is not an instance: without it nothing else can be checked."""
    if not isinstance(algorithm, Algorithm):
        problems.unless(
            False,
            f"algorithm is {algorithm!r}; allowed: an algorithm with its hyperparameters, such as "
            "KMeans(k=10)",
        )
        problems.raise_any()


def required_channels(algorithm: Algorithm) -> list[str]:
    """Return the channels that the algorithm requires."""
    return [name for name, rule in algorithm.channels.items() if rule.required]


def check_prefix(problems: Problems, prefix: str) -> None:
    """Note a prefix that does not name folders, or leaves no room for the keys below it."""
    if known("prefix", prefix) is None:
        return
    problems.unless(
        len(prefix.encode()) <= LONGEST_PREFIX,
        f"prefix has {len(prefix.encode())} bytes; allowed: up to {LONGEST_PREFIX}",
    )
    problems.unless(
        PREFIX.fullmatch(prefix) is not None,
        f"prefix is {prefix!r}; allowed: empty, or folders that each end with '/', such as 'digits/'",
    )


def check_patterns(problems: Problems, prefix: str, sources: Mapping[str, Source]) -> None:
    """Note prefixes that a policy would read as a pattern."""
    given = {"prefix": prefix} | {
        f"prefix of channel {name}": one.prefix or "" for name, one in sources.items()
    }
    for name, value in given.items():
        problems.unless(
            known("prefix", value) is None or PATTERN.search(value) is None,
            f"{name} is {value!r}; allowed: names without '*', '?' and '${{', which permissions would read "
            "as a pattern",
        )


def check_echoes(problems: Problems, sources: Mapping[str, Source], outputs: Sequence[str]) -> None:
    """Note output that is also input: each execution would start the next."""
    for channel, source in sources.items():
        prefix = source.prefix or ""
        for output in outputs:
            problems.unless(
                not _overlap(prefix, output) or Token.is_unresolved(prefix),
                f"channel {channel} reads input from {prefix!r}, and the pipeline writes to {output!r} in "
                "the same bucket: its output would start it again. Give the channel a prefix of its own.",
            )


def check_neighbours(
    problems: Problems,
    pipeline: Construct,
    data_bucket: s3.IBucket | None,
    sources: Mapping[str, Source],
    outputs: Sequence[str],
) -> None:
    """Note prefixes in a shared bucket that two pipelines write, or that one writes and another reads."""
    if data_bucket is None:
        return
    inputs = [source.prefix or "" for source in sources.values()]
    for path, layout in _layouts_beside(pipeline, data_bucket).items():
        pairs = [(our, their) for our in (*inputs, *outputs) for their in layout.outputs]
        pairs += [(our, their) for our in outputs for their in layout.inputs]
        # Tokens are looked for last: each question is a call to Node.
        overlaps = [pair for pair in pairs if _overlap(*pair) and not any(map(Token.is_unresolved, pair))]
        for our, their in overlaps[:1]:
            problems.unless(
                False,
                f"{our!r} and {their!r} of {path} overlap in the same bucket: the two would take each "
                "other's RecordSets and state for their own. Give each pipeline its own prefix.",
            )


def _layouts_beside(pipeline: Construct, data_bucket: s3.IBucket) -> dict[str, PipelineLayout]:
    """Return the layouts of the app's other pipelines in this bucket, by path."""
    layouts = {
        node.node.path: getattr(node, "layout", None)
        for node in pipeline.node.root.node.find_all()
        if isinstance(node, StateMachineEvents) and node is not pipeline
    }
    return {
        path: layout
        for path, layout in layouts.items()
        if isinstance(layout, PipelineLayout) and layout.data_bucket.bucket_name == data_bucket.bucket_name
    }


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def check_encoding(problems: Problems, max_concurrency: int, target_shard_size: Size) -> None:
    """Note numbers outside the limits of Step Functions or S3."""
    most, size = known("max_concurrency", max_concurrency), known("target_shard_size", target_shard_size)
    problems.unless(
        most is None or 1 <= most <= 10_000,
        f"max_concurrency is {most}; allowed: 1 to 10,000, within the account's Lambda quota",
    )
    problems.unless(
        size is None or 2**20 <= size.to_bytes() <= 100 * 2**30,
        f"target_shard_size is {size and size.to_human_string()}; allowed: 1 MiB to 100 GiB",
    )


def check_encoder(problems: Problems, pipeline: Construct, encoder: Construct | None) -> None:
    """Note functions of another stack: assets and a role's permissions belong to one stack."""
    if encoder is None:
        return
    theirs, ours = (Stack.of(one).node.path for one in (encoder, pipeline))
    problems.unless(
        theirs == ours,
        f"encoder is {encoder.node.path}, of stack {theirs}; allowed: one of {ours}, or none: the pipelines "
        "of a stack share one",
    )


def check_removal(
    problems: Problems, buckets: Sequence[object], removal_policy: object, auto_delete_objects: bool
) -> None:
    """Note removal settings without new buckets, and emptying buckets without deleting them."""
    problems.unless(
        None in buckets or (removal_policy is None and not auto_delete_objects),
        "removal_policy and auto_delete_objects are for new buckets, of which there is none. Leave them out.",
    )
    problems.unless(
        removal_policy != RemovalPolicy.SNAPSHOT,
        "removal_policy is RemovalPolicy.SNAPSHOT; allowed: RETAIN, RETAIN_ON_UPDATE_OR_DELETE or DESTROY, "
        "because CloudFormation takes no snapshots of buckets",
    )
    problems.unless(
        not known("auto_delete_objects", auto_delete_objects) or removal_policy == RemovalPolicy.DESTROY,
        f"auto_delete_objects is True, removal_policy {removal_policy}; allowed: RemovalPolicy.DESTROY",
    )


def check_expiration(
    problems: Problems, expiration: Duration | None, max_runtime: Duration | None, bucket: s3.IBucket | None
) -> None:
    """Note an expiration that could delete the RecordSet of a running job, and buckets that cannot get a
    rule."""
    after, runtime = (
        known_seconds("record_set_expiration", expiration),
        known_seconds("max_runtime", max_runtime),
    )
    if after is None:
        return
    problems.unless(
        after > (runtime or 0),
        f"record_set_expiration is {after / DAY:.0f} days; allowed: more than max_runtime, for "
        "a training job may read its RecordSet as long as that",
    )
    problems.unless(
        bucket is None or isinstance(bucket, s3.Bucket),
        f"record_set_expiration is {after / DAY:.0f} days, but data_bucket is not of this app; allowed: a "
        "bucket such as new_data_bucket(self, 'Data'). Give yours the rule where it is made",
    )


def check_version_expiration(
    problems: Problems, expiration: Duration | None, bucket: s3.IBucket | None
) -> None:
    """Note an expiration of versions for a bucket that cannot get a rule."""
    after = known_seconds("input_version_expiration", expiration)
    problems.unless(
        after is None or bucket is None or isinstance(bucket, s3.Bucket),
        "input_version_expiration is given, but data_bucket is not of this app; allowed: a bucket such as "
        "new_data_bucket(self, 'Data'). Give yours the rule where it is made",
    )
    problems.unless(
        after is None or after >= DAY, f"input_version_expiration is {after} seconds; allowed: 1 day or more"
    )


def check_triggers(
    problems: Problems, triggers: Sequence[Trigger], outputs: Sequence[str], max_concurrent_trainings: int
) -> None:
    """Note triggers with invalid settings, and a limit that allows no training."""
    for trigger in triggers:
        trigger.check(problems, outputs)
    most = known("max_concurrent_trainings", max_concurrent_trainings)
    problems.unless(most is None or most >= 1, f"max_concurrent_trainings is {most}; allowed: 1 or more")


def check_trigger_prefixes(
    problems: Problems,
    pipeline: Construct,
    triggers: Sequence[Trigger],
    sources: Mapping[str, Source],
    prefix: str,
) -> None:
    """Note a trigger's prefix outside the pipeline's, and warn of one outside all channels."""
    inputs = [source.prefix or "" for source in sources.values()]
    for trigger in triggers:
        heard = known("prefix", trigger.prefix) if isinstance(trigger, UploadTrigger) else None
        if heard is None or any(Token.is_unresolved(one) or _overlap(one, heard) for one in inputs):
            continue
        meant = f"{prefix}{heard}"
        if any(_overlap(one, meant) for one in inputs):
            problems.unless(
                False,
                f"UploadTrigger(prefix={heard!r}) lies under no channel; allowed: whole key prefixes, which "
                f"begin with the pipeline's, such as prefix={meant!r}",
            )
            continue
        Annotations.of(pipeline).add_warning_v2(
            OUTSIDE_CHANNELS,
            f"UploadTrigger(prefix={heard!r}) lies under no channel: an upload there starts a training, and "
            f"an upload of input does not. The channels read {', '.join(map(repr, inputs))}. If that is "
            "meant, acknowledge this warning.",
        )


def check_regions(
    problems: Problems,
    pipeline: Construct,
    buckets: Mapping[str, s3.IBucket | None],
    triggers: Sequence[Trigger],
    arns: Mapping[str, str],
) -> None:
    """Note buckets, alarms, keys and topics in another region: AWS services cannot use them here.

    ``arns`` are those of keys and of the topic, by prop.
    """
    ours = Stack.of(pipeline).region
    regions = {
        f"{name} {bucket.node.path}": bucket.env.region
        for name, bucket in buckets.items()
        if known(name, bucket) is not None and bucket is not None
    }
    for trigger in triggers:
        if isinstance(trigger, AlarmTrigger) and known("alarm", trigger.alarm) is not None:
            regions[f"AlarmTrigger's {trigger.alarm.node.path}"] = _region_of(trigger.alarm)
    regions |= {
        f"{name} {arn}": arn.split(":")[3] for name, arn in arns.items() if not Token.is_unresolved(arn)
    }
    for name, theirs in regions.items():
        problems.unless(
            Token.is_unresolved(theirs) or Token.is_unresolved(ours) or theirs == ours,
            f"{name} is in {theirs}, the pipeline in {ours}; allowed: one region, because training jobs take "
            "buckets and keys, and EventBridge alarms and topics, of their own region alone",
        )


def _region_of(alarm: cloudwatch.IAlarm) -> str:
    """Return the region in the alarm's ARN, or that of its stack if the ARN is not known yet."""
    arn = alarm.alarm_arn
    return str(alarm.env.region) if Token.is_unresolved(arn) else arn.split(":")[3]


def check_timeout(problems: Problems, timeout: Duration | None, max_runtime: Duration | None) -> None:
    """Note an execution timeout that could end a running training."""
    longest, runtime = known_seconds("timeout", timeout), known_seconds("max_runtime", max_runtime)
    problems.unless(
        longest is None or runtime is None or runtime < longest <= 365 * 86_400,
        f"timeout is {longest} seconds; allowed: more than max_runtime, {runtime}, and up to a year",
    )
