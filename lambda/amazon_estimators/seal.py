"""Seal: verify every shard, then write ``record_set.json`` and, last of all, the manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.errors import RecordSetError, SchemaError
from amazon_estimators.plan import Plan
from amazon_estimators.receipts import Receipt, read_receipts
from amazon_estimators.record_set import MANIFEST_NAME, Labels, RecordSet
from amazon_estimators.s3 import get_json, put_json, put_text


def seal(s3: Any, plan: Plan, algorithm: Algorithm) -> dict[str, RecordSet]:
    """The RecordSets of a plan by channel, complete and readable by ``algorithm``'s training container.

    Raises RecordSetError if a shard is missing or is not what its encoder recorded.
    """
    sealed = {name: _verified(s3, plan, name, algorithm) for name in plan.channels}
    for name, (record_set, shards) in sealed.items():
        facts = {**record_set.to_dict(), "fingerprint": plan.fingerprint, "shards": shards}
        put_json(s3, plan.bucket, f"{plan.prefix}{name}/record_set.json", facts)
    return {name: record_set for name, (record_set, _) in sealed.items()}


def publish(s3: Any, plan: Plan, record_sets: Mapping[str, RecordSet]) -> None:
    """Write the manifests: from here on the RecordSets count as complete."""
    for name in record_sets:
        root = f"{plan.prefix}{name}/"
        keys = [plan.shard_key(name, index).removeprefix(root) for index in range(plan.channels[name].shards)]
        manifest = [{"prefix": f"s3://{plan.bucket}/{root}"}, *keys]
        put_text(s3, plan.bucket, root + MANIFEST_NAME, json.dumps(manifest), "application/json")


def complete_record_sets(s3: Any, plan: Plan) -> dict[str, RecordSet] | None:
    """The RecordSets of a plan that an earlier execution completed; None if any manifest is missing."""
    found = {}
    for name in plan.channels:
        root = f"{plan.prefix}{name}/"
        listed = s3.list_objects_v2(Bucket=plan.bucket, Prefix=root + MANIFEST_NAME, MaxKeys=1)
        if not listed.get("Contents"):
            return None
        facts = get_json(s3, plan.bucket, root + "record_set.json")
        found[name] = RecordSet.from_dict(
            {key: value for key, value in facts.items() if key not in ("fingerprint", "shards")}
        )
    return found


def _verified(s3: Any, plan: Plan, name: str, algorithm: Algorithm) -> tuple[RecordSet, list[dict[str, Any]]]:
    receipts = _receipts_of_shards(s3, plan, name)
    first = receipts[0]
    for receipt in receipts:
        same = (receipt.feature_dim, receipt.dtype, receipt.sparse, receipt.labels is None)
        if same != (first.feature_dim, first.dtype, first.sparse, first.labels is None):
            raise SchemaError(f"channel {name}: shards 0 and {receipt.shard} disagree: {first} against {receipt}")
        if not receipt.records:
            raise RecordSetError(
                f"channel {name}: shard {receipt.shard} of {len(receipts)} has no record",
                remedy="Every training instance needs at least one record: add data or lower instance_count.",
            )
    ranges = [receipt.labels for receipt in receipts if receipt.labels]
    rule = algorithm.channels[name]
    record_set = RecordSet(
        s3_data=f"s3://{plan.bucket}/{plan.prefix}{name}/{MANIFEST_NAME}",
        num_records=sum(receipt.records for receipt in receipts),
        feature_dim=first.feature_dim,
        channel=name,
        distribution=rule.distribution,
        content_type=rule.content_type,
        labels=_merged(ranges) if ranges else None,
        dtype=first.dtype,
        sparse=first.sparse,
        num_bytes=sum(receipt.num_bytes for receipt in receipts),
        num_shards=len(receipts),
    )
    shards = [
        {
            "key": plan.shard_key(name, receipt.shard),
            "records": receipt.records,
            "bytes": receipt.num_bytes,
            "sha256": receipt.sha256,
        }
        for receipt in receipts
    ]
    return record_set, shards


def _merged(ranges: list[Labels]) -> Labels:
    return Labels(
        min(one.minimum for one in ranges),
        max(one.maximum for one in ranges),
        all(one.integral for one in ranges),
    )


def _receipts_of_shards(s3: Any, plan: Plan, name: str) -> list[Receipt]:
    """One receipt for each shard, in order, matching the object that lies there by ETag and size."""
    root = f"{plan.prefix}{name}/"
    stored = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=plan.bucket, Prefix=root):
        stored.update({one["Key"]: (one["ETag"].strip('"'), one["Size"]) for one in page.get("Contents", ())})
    verified: dict[int, Receipt] = {}
    for receipt in read_receipts(s3, plan.bucket, plan.prefix, name):
        if stored.get(plan.shard_key(name, receipt.shard)) == (receipt.etag, receipt.num_bytes):
            verified[receipt.shard] = receipt
    missing = [index for index in range(plan.channels[name].shards) if index not in verified]
    if missing:
        raise RecordSetError(
            f"channel {name}: {len(missing)} of {plan.channels[name].shards} shards are missing or are not what "
            f"their encoder recorded, first {plan.shard_key(name, missing[0])}"
        )
    return [verified[index] for index in range(plan.channels[name].shards)]
