"""Keep what the last trainings of a pipeline came to, for the page about the next one.

It is for people: no step decides anything by it. A damaged list is begun anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline.keys import trainings_key
from amazon_estimators.storage.documents import get_document, put_document
from amazon_estimators.storage.s3 import is_there

SCHEMA = "trainings/1"
MOST = 50
MEMBERS = ("job", "execution", "data_set", "record_set", "metrics", "seconds", "billable_seconds", "cost")
"""Members of the announcement that are kept of a training."""


def trainings(s3: Any, bucket: str, prefix: str) -> list[dict[str, Any]]:
    """Return the last trainings, oldest first, each with MEMBERS, ``at`` and ``good``.

    Raises:
        ServiceError: S3 does not answer.
    """
    key = trainings_key(prefix)
    if not is_there(s3, bucket, key):
        return []
    try:
        listed = get_document(s3, bucket, key, SCHEMA, remedy="")["trainings"]
        return [dict(one) for one in listed if isinstance(one["at"], str) and isinstance(one["job"], str)]
    except (DamagedFileError, KeyError, TypeError, ValueError):
        return []


def add_training(
    s3: Any, bucket: str, prefix: str, detail: Mapping[str, Any], *, at: str, good: bool
) -> Sequence[Mapping[str, Any]]:
    """Add a training and write the list. A training that is announced again replaces itself.

    Args:
        s3: A client.
        bucket: The data bucket.
        prefix: The pipeline's prefix.
        detail: The detail of its announcement.
        at: When the execution ended, in UTC.
        good: True if the model passed the gate.

    Raises:
        ServiceError: S3 does not answer.
    """
    others = [one for one in trainings(s3, bucket, prefix) if one["job"] != detail["job"]]
    entry = {name: detail.get(name) for name in MEMBERS} | {"at": at, "good": good}
    listed = sorted([*others, entry], key=lambda one: str(one["at"]))[-MOST:]
    put_document(s3, bucket, trainings_key(prefix), SCHEMA, {"trainings": listed})
    return listed
