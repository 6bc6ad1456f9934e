"""The JSON files that the library keeps: RecordSets, manifests, plans, receipts, data sets, records, state.

An input is a byte that names the kind of file, and its values. The digest is made to fit, as somebody would
who edits such a file on purpose; other targets' inputs, and a flag, leave it out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np

from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.current_model import read_current_model
from amazon_estimators.pipeline.data_set import DataSet, _Version
from amazon_estimators.pipeline.explain import MAP_FAILED, explain
from amazon_estimators.pipeline.known_plans import known_plan
from amazon_estimators.pipeline.receipts import CHECK_DIGITS, read_receipts
from amazon_estimators.pipeline.settings import with_columns
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.trainings import model_age, trainings
from amazon_estimators.record_sets.manifest import StoredRecordSet, manifest_entries
from amazon_estimators.record_sets.profiles.comparison import compare
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Schema, Source
from amazon_estimators.storage.documents import ANYWHERE, DIGEST, SCHEMA, digest_of, seal_document
from amazon_estimators.storage.s3 import InputObject
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.summaries import Labels, Tokens
from amazon_estimators.triggers.state import State
from fuzz.mutations import json_lines, json_value, raw
from fuzz.target import Target
from sources.in_memory_s3 import InMemoryS3

BUCKET, PREFIX = "bucket", "p/"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FINGERPRINT = DATA_SET = "0123456789abcdef01234567"


class Bucket(InMemoryS3):
    """S3 that lists, too."""

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix)]
        return {"Contents": [{"Key": key, "Size": len(self.objects[key]), "ETag": '"e"'} for key in keys]}

    def get_paginator(self, operation: str) -> Bucket:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        yield self.list_objects_v2(**request)


def at(key: str, body: bytes) -> Bucket:
    """Return a bucket that holds one object."""
    bucket = Bucket()
    bucket.put(key, body)
    return bucket


def record_set(body: bytes) -> None:
    """Read record_set.json as a notebook does that looks at its RecordSet."""
    stored = StoredRecordSet.from_json(body, "s3://bucket/train/record_set.json", RecordSet)
    stored.record_set.data_channel()
    RecordSet.from_dict({**stored.record_set.to_dict(), "channel": "test"})
    stored.record_set.describe()
    _ = stored.root
    if stored.shards:
        stored.manifest()
    stored.to_json()


def manifest(body: bytes) -> None:
    prefix, names = manifest_entries(body, "s3://bucket/train/m.manifest")
    for name in names:
        Place.of(prefix + name, what="shard")


def profile(body: bytes) -> None:
    document = ProfileDocument.from_json(body, "s3://bucket/train/profile.json")
    compare(document, document)
    document.to_json()


def plan(body: bytes) -> None:
    loaded = Plan.load(at(keys.plan_key(PREFIX), body), BUCKET, PREFIX)
    for name, channel in loaded.channels.items():
        if channel.encoding != "files":  # which have their own names
            loaded.shard_key(name, 0)
        channel.to_dict()
    _ = loaded.shards


def pieces(body: bytes) -> None:
    loaded = Plan(BUCKET, PREFIX, FINGERPRINT, DATA_SET, {})
    if not body:
        return
    _, _, parts = loaded.read_shard(at(keys.pieces_key(PREFIX), body), 0, len(body))
    for part in parts:
        part.row(1)
        part.source.identity()


def receipts(body: bytes) -> None:
    """Read a receipt, whose content is in its key. What is none is left out."""
    check = hashlib.sha256(body).hexdigest()[:CHECK_DIGITS].encode()
    name = base64.urlsafe_b64encode(check + body).decode()
    key = f"{keys.receipts_prefix(PREFIX, 'train', 0)}{name}"
    for receipt in read_receipts(at(key, b""), BUCKET, PREFIX, "train"):
        assert receipt.shard + receipt.num_bytes + receipt.facts.records is not None


def known(body: bytes) -> None:
    known_plan(at(keys.known_plan_key(PREFIX, "a" * 24), body), BUCKET, PREFIX, "a" * 24, DATA_SET)


def data_set(body: bytes) -> None:
    """Read the list of a data set, whose name is made of what it lists if that can be told."""
    head, _, lines = body.partition(b"\n")
    version = _Version()
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        for line in map(json.loads, lines.splitlines()):
            name = line.pop("channel")
            version.add(name, InputObject(bucket=BUCKET, **line))
    key = keys.data_set_key(PREFIX, str(version))
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        values = {name: value for name, value in json.loads(head).items() if name not in (SCHEMA, DIGEST)}
        head = json.dumps(seal_document("data-set/1", values, place=uri(key))).encode()
    packed = gzip.compress(head + b"\n" + lines, 1)
    loaded = DataSet.load(at(key, packed), BUCKET, PREFIX, str(version))
    for objects in loaded.channels.values():
        list(objects)


def current_model(body: bytes) -> None:
    read_current_model(at(keys.current_model_key(PREFIX), body), BUCKET, PREFIX)


def last_trainings(body: bytes) -> None:
    listed = trainings(at(keys.trainings_key(PREFIX), body), BUCKET, PREFIX)
    model_age(listed, at="2026-03-01T13:00:00+00:00")


def state(body: bytes) -> None:
    uri = f"s3://{BUCKET}/{keys.state_key(PREFIX)}"
    loaded = State.from_text(body, uri=uri)
    loaded.forget(NOW)
    loaded.to_text(uri=uri)


def failure(body: bytes) -> None:
    place = {"bucket": BUCKET, "prefix": PREFIX, "attempt": "a-0"}
    explain(at(keys.failure_key(PREFIX, "a-0", 0), body), {"Error": MAP_FAILED}, place)


def columns(body: bytes) -> None:
    with_columns(at("columns.json", body), {"train": Source()}, {"bucket": BUCKET, "key": "columns.json"})


def uri(key: str) -> str:
    return f"s3://{BUCKET}/{key}"


KINDS: tuple[tuple[str, Callable[[bytes], None], str | None, str], ...] = (
    ("record_set", record_set, None, ANYWHERE),
    ("manifest", manifest, None, ""),
    ("profile", profile, "feature_profile/1", ANYWHERE),
    ("plan", plan, "plan/1", uri(keys.plan_key(PREFIX))),
    ("pieces", pieces, "pieces/1", uri(keys.pieces_key(PREFIX))),
    ("receipt", receipts, None, ""),
    ("known_plan", known, "known-plan/1", uri(keys.known_plan_key(PREFIX, "a" * 24))),
    ("data_set", data_set, None, ""),
    ("current_model", current_model, "current_model/1", uri(keys.current_model_key(PREFIX))),
    ("trainings", last_trainings, "trainings/1", uri(keys.trainings_key(PREFIX))),
    ("state", state, "starter-state/3", uri(keys.state_key(PREFIX))),
    ("failure", failure, "failure/1", uri(keys.failure_key(PREFIX, "a-0", 0))),
    ("columns", columns, None, ""),
)
RECORD_SET = 0
"""What a byte names: the kind, its reader, its schema, and the place that its digest is of."""
AS_IT_IS = 0x80
"""The flag that leaves an input unsealed."""


def sealed(number: int, body: bytes) -> bytes:
    """Return the text of a document with these values, with the digest it needs to be looked at."""
    _, _, schema, place = KINDS[number]
    if schema is None and number != RECORD_SET:
        return body
    head, newline, rest = body.partition(b"\n")
    try:
        values = json.loads(head)
        if number == RECORD_SET:
            facts = {"version": 1, **values}
            return json.dumps({**facts, DIGEST: digest_of(facts, place=place)}).encode()
        values = {name: value for name, value in values.items() if name not in (SCHEMA, DIGEST)}
        return json.dumps(seal_document(str(schema), values, place=place)).encode() + newline + rest
    except (ValueError, TypeError, AttributeError, RecursionError):
        return body


def use(data: bytes) -> None:
    """Read a document: the first byte names its kind."""
    number, body = (data[0] if data else 0), data[1:]
    kind = (number & ~AS_IT_IS) % len(KINDS)
    KINDS[kind][1](body if number & AS_IT_IS else sealed(kind, body))


def seeds() -> Mapping[str, bytes]:
    """Return the values of a document of each kind."""
    shard = {"key": "p/train/matrix_00000.pbr", "records": 2, "bytes": 80, "sha256": "0" * 64, "etag": "e"}
    facts = RecordSet(
        "s3://bucket/p/train/m.manifest",
        2,
        3,
        labels=Labels(0.0, 1.0, True),
        num_shards=1,
        num_bytes=80,
        tokens=(Tokens(3, 4), Tokens(5, 6)),
        dropped=1,
    ).to_dict()
    read_as = {
        "source": Source().to_dict(),
        "features": ["a", "b"],
        "label": "y",
        "lines": ["1 file"],
        "columns": ["a"],
    }
    builder = ProfileBuilder()
    builder.add_dense(np.arange(12, dtype=np.float32).reshape(4, 3))
    profiled = builder.profile()
    assert profiled is not None
    schema = Schema(width=2, names=("y", "a"), features=None, label=0)
    channel = PlannedChannel(
        Source(),
        schema,
        1,
        "recordio",
        "application/x-recordio-protobuf",
        "ShardedByS3Key",
        "s3://bucket/a.csv",
    ).to_dict()
    source = {"bucket": BUCKET, "key": "a.csv", "size": 9, "etag": "e", "version_id": None}
    told = {
        "labels": {"minimum": 0, "maximum": 1, "integral": True},
        "tokens": [{"highest": 1, "longest": 2}] * 2,
    }
    receipt_facts = {
        "records": 2,
        "feature_dim": 3,
        "dtype": "float32",
        "sparse": False,
        "dropped": 0,
        **told,
    }
    head = {
        "data_set": DATA_SET,
        "as_of": NOW.isoformat(),
        "channels": ["train"],
        "left_out": {"train": [{"why": "x", "count": 1, "first": "f"}]},
    }
    line = {"channel": "train", "key": "a.csv", "size": 9, "etag": "e", "version_id": "v"}
    training = {"job": "j", "at": NOW.isoformat(), "good": True, "metrics": {"a": 1.0}}
    start = {
        "name": f"{DATA_SET}-5e771265-1",
        "data_set": DATA_SET,
        "settings": "5e771265",
        "reason": "r",
        "at": NOW.isoformat(),
        "status": "RUNNING",
    }
    values: dict[str, Any] = {
        "record_set": {
            **facts,
            "read_as": read_as,
            "fingerprint": FINGERPRINT,
            "data_set": DATA_SET,
            "shards": [shard],
        },
        "manifest": [{"prefix": "s3://bucket/p/train/"}, "matrix_00000.pbr"],
        "profile": json.loads(ProfileDocument(profiled, ("a", "b", "c")).to_json()),
        "plan": {"fingerprint": FINGERPRINT, "data_set": DATA_SET, "channels": {"train": channel}},
        "pieces": {
            "channel": "train",
            "index": 0,
            "pieces": [{"source": source, "start": 0, "stop": 9, "first_row": 0}],
        },
        "receipt": {"shard": 0, "num_bytes": 80, "sha256": "0" * 64, "etag": "e", "facts": receipt_facts},
        "known_plan": {"fingerprint": FINGERPRINT},
        "data_set": head,
        "current_model": {
            "job": "j",
            "model": "s3://b/m",
            "data_set": DATA_SET,
            "metrics": {"a": 1.0},
            "test_data": {},
            "model_package": None,
            "at": NOW.isoformat(),
        },
        "trainings": {"trainings": [training]},
        "state": {
            **State().to_dict(),
            "starts": [start],
            "quiet": {"q": [NOW.isoformat(), 1]},
            "ended": {"n": ["FAILED", NOW.isoformat(), 0]},
        },
        "failure": {"error": "InputError", "cause": "c\nr", "remedy": "r"},
        "columns": {"train": {"features": ["a", "b"]}},
    }
    more = {"data_set": "\n" + json.dumps(line) + "\n"}
    return {
        name: bytes([number]) + (json.dumps(values[name]) + more.get(name, "")).encode()
        for number, (name, *_) in enumerate(KINDS)
    }


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Change values, seldom the kind."""
    head, body = data[:1] or b"\0", data[1:]
    if not dice.randrange(20):
        head = bytes([dice.choice((head[0] ^ AS_IT_IS, dice.randrange(len(KINDS))))])
    inner = (
        dice.choice((json_value, json_value, json_value, json_value, raw))
        if b"\n" not in body
        else json_lines
    )
    return head + inner(body, dice)


DOCUMENTS = (Target(name="documents", use=use, seeds=seeds, mutate=mutate),)
