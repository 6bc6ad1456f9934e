"""Plan an execution from metadata alone: decide what every shard is made of, before anything is paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.errors import InputError
from amazon_estimators.logs import note
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.pipeline.data_set import DataSet, check_version
from amazon_estimators.pipeline.fingerprint import ENCODING_VERSION, fingerprint_of
from amazon_estimators.pipeline.input_scan import Found, find, widest
from amazon_estimators.pipeline.known_plans import asked_for, known_plan, note_plan
from amazon_estimators.pipeline.output_size import output_bytes
from amazon_estimators.pipeline.seal import complete_record_sets, verified
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.shard_plan import JSON_LINES, Plan, Shard
from amazon_estimators.pipeline.sharding import most_shards, pieces_of_shards, shard_count
from amazon_estimators.pipeline.training_request import training_request
from amazon_estimators.pipeline.understood import shortened, understood
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Piece
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import put_text

Pieces = Iterable[Iterable[Piece]]


def plan_step(
    s3: Any, settings: Settings, execution_input: Mapping[str, Any], execution: Mapping[str, Any]
) -> dict[str, Any]:
    """Plan the RecordSet and list the shards still to encode, unless it exists complete and verified.

    For a complete RecordSet no input object is opened: it may have expired by now. ``execution`` has
    ``name``, ``start_time`` and ``redrive``, the number of redrives so far: each is a new attempt.
    """
    algorithm = settings.algorithm_for(execution_input)
    algorithm.check_instances(settings.instance_type, settings.instance_count)
    planned = plan_record_sets(
        s3, settings, settings.channels_for(type(algorithm)), execution_input.get("data_set"), execution
    )
    request = None
    if planned.record_sets is not None:
        request = training_request(
            settings,
            algorithm,
            planned.record_sets,
            fingerprint=planned.plan.fingerprint,
            data_set=planned.plan.data_set,
            execution=execution["name"],
            started=execution["start_time"],
        )
    return {**planned.state, "hyperparameters": algorithm.hyperparameters(), "request": request}


class Planner(Protocol):
    """The settings of a pipeline that a plan depends on."""

    @property
    def algorithm(self) -> str: ...
    @property
    def data_bucket(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def target_shard_bytes(self) -> int: ...


@dataclass(frozen=True)
class Planned:
    """A plan whose missing shards are listed.

    Attributes:
        plan: The plan.
        record_sets: Its RecordSets if all of them are complete, else None.
        state: What the state of an execution holds of it.
    """

    plan: Plan
    record_sets: Mapping[str, RecordSet] | None
    state: dict[str, Any]


def plan_record_sets(
    s3: Any,
    settings: Planner,
    channels: Mapping[str, Channel],
    version: object,
    execution: Mapping[str, Any],
) -> Planned:
    """Plan the RecordSets of ``channels`` and list the shards still to encode: none if all are complete.

    ``version`` names the data set; None is what lies there now.
    """
    data_set = None
    if version is None:
        data_set = _frozen(s3, settings, channels)
        version = data_set.version
    check_version(version)
    asked = asked_for(
        [ENCODING_VERSION, settings.algorithm, settings.target_shard_bytes], channels, str(version)
    )
    shards: list[Shard] = []
    plan = known_plan(s3, settings.data_bucket, settings.prefix, asked, str(version))
    record_sets = complete_record_sets(s3, plan) if plan else None
    if plan is None or record_sets is None:
        plan, shards = make_plan(
            s3,
            channels,
            data_set or DataSet.load(s3, settings.data_bucket, settings.prefix, version),
            bucket=settings.data_bucket,
            prefix=settings.prefix,
            target_shard_bytes=settings.target_shard_bytes,
        )
        note_plan(s3, plan, settings.prefix, asked)
        record_sets = complete_record_sets(s3, plan)
    missing = [] if record_sets is not None else _missing(s3, plan, shards)
    attempt = f"{execution['name']}-{execution['redrive']}"
    key = keys.items_key(plan.prefix, attempt)
    note(
        record_set=plan.fingerprint, data_set=plan.data_set, shards=plan.shards, shards_to_encode=len(missing)
    )
    if missing:
        put_text(s3, plan.bucket, key, "".join(shard.item() for shard in missing), JSON_LINES)
    state = {
        "bucket": plan.bucket,
        "prefix": plan.prefix,
        "fingerprint": plan.fingerprint,
        "data_set": plan.data_set,
        "shards": plan.shards,
        "attempt": attempt,
        "shards_key": key,
        "understood": {
            name: shortened(channel.read_as) for name, channel in plan.channels.items() if channel.read_as
        },
        "complete": record_sets is not None,
        "shards_to_encode": len(missing),
    }
    return Planned(plan, record_sets, state)


def _frozen(s3: Any, settings: Planner, channels: Mapping[str, Channel]) -> DataSet:
    """Freeze the current input as a data set version."""
    files = {name: channel.files for name, channel in channels.items()}
    data_set = DataSet.take(s3, settings.data_bucket, files)
    data_set.freeze(s3, settings.data_bucket, settings.prefix)
    return data_set


def _missing(s3: Any, plan: Plan, shards: list[Shard]) -> list[Shard]:
    """Return the shards that earlier executions did not finish; at least one.

    All may exist without a manifest, if Seal refused the hyperparameters. Then the last one is encoded again,
    to the same bytes: AWS does not document what a Map Run does without items.
    """
    done = {name: verified(s3, plan, name) for name in plan.channels}
    return [shard for shard in shards if shard.index not in done[shard.channel]] or shards[-1:]


def make_plan(
    s3: Any,
    channels: Mapping[str, Channel],
    data_set: DataSet,
    *,
    bucket: str,
    prefix: str,
    target_shard_bytes: int,
) -> tuple[Plan, list[Shard]]:
    """Inspect the data set, cut it into shards and save the plan under ``<prefix>recordsets/``.

    Raises NoInputError for an empty channel, InputError or SchemaError for objects that cannot be encoded.
    """
    plan, pieces = prepare(
        s3, channels, data_set, bucket=bucket, prefix=prefix, target_shard_bytes=target_shard_bytes
    )
    return plan, plan.save(s3, pieces)


def prepare(
    s3: Any,
    channels: Mapping[str, Channel],
    data_set: DataSet,
    *,
    bucket: str,
    prefix: str,
    target_shard_bytes: int,
) -> tuple[Plan, dict[str, Pieces]]:
    """Return the plan and the pieces of each channel's shards. Writes nothing.

    Raises the same errors as :func:`make_plan`.
    """
    found = {
        name: find(
            s3,
            bucket,
            channel,
            data_set.channels.get(name, ObjectList(bucket, name)),
            data_set.left_out.get(name, ()),
        )
        for name, channel in channels.items()
    }
    sizes = [one.sizes for one in found.values()]
    note(objects=sum(map(len, sizes)), bytes=sum(map(sum, sizes)))
    found = widest(found)
    fingerprint = fingerprint_of(channels, found, target_shard_bytes)
    planned: dict[str, PlannedChannel] = {}
    pieces: dict[str, Pieces] = {}
    for name, channel in channels.items():
        planned[name], pieces[name] = _planned(s3, channel, found[name], target_shard_bytes)
    plan = Plan(bucket, keys.record_set_root(prefix, fingerprint), fingerprint, data_set.version, planned)
    return plan, pieces


def _planned(
    s3: Any, channel: Channel, found: Found, target_shard_bytes: int
) -> tuple[PlannedChannel, Pieces]:
    names: tuple[str, ...] | None = None
    pieces: Pieces
    if channel.encoding == "files":
        names = _file_names(channel, found)
        pieces = ([Piece(one, 0, one.size)] for one, _ in found.objects)
        shards = len(names)
    else:
        shards = _shard_count(s3, channel, found, target_shard_bytes)
        pieces = pieces_of_shards(found.objects, shards)
    planned = PlannedChannel(
        source=found.source,
        schema=found.schema,
        shards=shards,
        encoding=channel.encoding,
        content_type=channel.rule.content_type,
        distribution=channel.distribution,
        example=found.objects[0][0].uri,
        looked=found.looked,
        names=names,
        read_as=understood(channel, found),
    )
    return planned, pieces


def _shard_count(s3: Any, channel: Channel, found: Found, target_shard_bytes: int) -> int:
    most, instances = most_shards(found.objects), channel.instances
    if most is not None and most < instances:
        unit = "files that are one unit each" if found.records is None else "records"
        raise InputError(
            f"channel {channel.name}: {most} {unit} for {instances} instances",
            remedy="Every training instance needs some records of its own: add data or lower instance_count.",
        )
    count = shard_count(
        output_bytes=output_bytes(s3, found, found.source, channel.encoding),
        target_bytes=target_shard_bytes,
        instance_count=instances,
    )
    return count if most is None else min(count, most // instances * instances)


def _file_names(channel: Channel, found: Found) -> tuple[str, ...]:
    names = [one.key.rpartition("/")[2] for one, _ in found.objects]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputError(
            f"channel {channel.name}: several files are called {', '.join(twice)}, and a training "
            "container sees their names alone",
            remedy="Rename or remove all but one of them.",
        )
    return tuple(names)
