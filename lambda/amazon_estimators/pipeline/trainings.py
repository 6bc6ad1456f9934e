"""Keep what the last trainings of a pipeline came to, for the page about the next one.

It is for people: no step decides anything by it. A damaged list is begun anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
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
        return [dict(entry) for entry in listed if _is_training(entry)]
    except (DamagedFileError, KeyError, TypeError, ValueError):
        return []


def model_age(listed: Iterable[Mapping[str, Any]], *, at: str) -> int | None:
    """Return the seconds from the newest good training before ``at`` until then; None if there was none.

    Args:
        listed: Trainings, as :func:`trainings` returns them.
        at: A time in UTC, as those of the trainings.

    Example:
        >>> listed = [{"at": "2026-03-01T12:00:00.000+00:00", "good": True}]
        >>> model_age(listed, at="2026-03-01T13:00:00.000+00:00")
        3600
    """
    good = [str(training["at"]) for training in listed if training.get("good") and str(training["at"]) < at]
    return (
        round((datetime.fromisoformat(at) - datetime.fromisoformat(max(good))).total_seconds())
        if good
        else None
    )


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
    others = [entry for entry in trainings(s3, bucket, prefix) if entry["job"] != detail["job"]]
    entry = {name: detail.get(name) for name in MEMBERS} | {"at": at, "good": good}
    listed = sorted([*others, entry], key=lambda training: str(training["at"]))[-MOST:]
    put_document(s3, bucket, trainings_key(prefix), SCHEMA, {"trainings": listed})
    return listed


def _is_training(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry["job"], str) and bool(datetime.fromisoformat(entry["at"]).tzinfo)
