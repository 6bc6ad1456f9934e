"""Find the earlier plan of a data set version without opening its objects, which may be gone by now.

A fingerprint depends on what Plan sees in the objects. Once computed, it is stored under a digest of the
request: the data set version and the settings that a RecordSet depends on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.storage.documents import fields_of, get_document, put_document
from amazon_estimators.storage.s3 import is_there

SCHEMA = "known-plan/1"


def asked_for(settings: list[Any], channels: Mapping[str, Channel], data_set: str) -> str:
    """Return 24 hexadecimal digits that identify a request for a RecordSet.

    ``settings`` are those that do not belong to a channel.
    """
    identities = [channels[name].identity() for name in sorted(channels)]
    text = json.dumps([settings, identities, data_set], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def note_plan(s3: Any, plan: Plan, prefix: str, asked: str) -> None:
    """Record that ``plan`` answers the request ``asked``."""
    values = {"fingerprint": plan.fingerprint}
    put_document(s3, plan.bucket, keys.known_plan_key(prefix, asked), SCHEMA, values)


def known_plan(s3: Any, bucket: str, prefix: str, asked: str, data_set: str) -> Plan | None:
    """Return the plan that answers the request ``asked``; None if there is none, or it was edited."""
    key = keys.known_plan_key(prefix, asked)
    if not is_there(s3, bucket, key):
        return None
    try:
        document = get_document(s3, bucket, key, SCHEMA, remedy="")
        with fields_of(key, remedy=""):
            root = keys.record_set_root(prefix, document["fingerprint"])
        if not is_there(s3, bucket, keys.plan_key(root)):
            return None
        plan = Plan.load(s3, bucket, root)
    except DamagedFileError:
        return None  # Plan then writes both again
    return plan if plan.data_set == data_set else None
