"""Find uploads without an event: in the first minutes of a new bucket S3 sends none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from amazon_estimators.storage.versions import newest_upload
from amazon_estimators.triggers.messages import DAY, label, number, text, texts

SILENCE = timedelta(minutes=10)
"""How long after a deployment the starter looks. According to AWS, it takes about five minutes until S3 sends
events."""


def missed_upload(s3: Any, bucket: str, message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the message for the newest upload that a trigger listens to; None if there is no upload.

    ``message`` describes an UploadTrigger: its ``prefixes`` and either its ``marker`` or the ``name`` and
    ``quiet_seconds`` of its quiet period.
    """
    prefixes = texts(message, "prefixes")
    if "marker" not in message:
        times = [newest_upload(s3, bucket, prefix) for prefix in prefixes]
        answer = {
            "trigger": "upload",
            "name": label(message, "name"),
            "quiet_seconds": number(message, "quiet_seconds", DAY),
        }
    else:
        marker = text(message, "marker")
        times = [
            newest_upload(s3, bucket, prefix, lambda path: f"/{path}".endswith(f"/{marker}"))
            for prefix in prefixes
        ]
        answer = {"trigger": "marker"}
    newest = max((at for at in times if at is not None), default=None)
    return None if newest is None else {**answer, "time": newest.isoformat()}
