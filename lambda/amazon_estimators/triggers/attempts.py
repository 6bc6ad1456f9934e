"""Count how often the starter itself has begun on a message.

SQS counts deliveries, also those that never reach the function because the account's concurrent executions
are all in use: the message becomes visible again later, and its receive count has grown
(https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html). Waiting for room is not a failed attempt. So
from a message's second delivery on, its attempts are counted on S3.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from amazon_estimators.pipeline.keys import attempts_key
from amazon_estimators.storage.s3 import put_text, read_object, stored_size

LOG = logging.getLogger(__name__)

LARGEST = 4_096
"""Bytes of a record that is read: one takes about 100."""


class Attempts:
    """The attempts at the message in hand. The queue is one FIFO group, so there is only one at a time."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._key = s3, bucket, attempts_key(prefix)

    def begin(self, record: Mapping[str, Any]) -> int:
        """Return the number of the attempt that begins now, 1 or more.

        An attempt that ended the process counts too, but for the first. If S3 does not answer, or its record
        is damaged, every delivery counts as an attempt, so that no message is tried for ever.
        """
        deliveries = int(record["attributes"]["ApproximateReceiveCount"])
        if deliveries == 1:
            return 1
        try:
            attempt = self._kept(record["messageId"]) + 1
            self._keep(record["messageId"], attempt)
        except Exception:
            LOG.exception("The attempts at message %s are not known", record["messageId"])
            return deliveries
        return min(attempt, deliveries)

    def failed(self, record: Mapping[str, Any], attempt: int) -> None:
        """Keep the number of an attempt that failed, so that the next one is counted from it."""
        try:
            self._keep(record["messageId"], attempt)
        except Exception:
            LOG.exception("Attempt %s at message %s was not recorded", attempt, record["messageId"])

    def _kept(self, message_id: str) -> int:
        size = stored_size(self._s3, self._bucket, self._key)
        if size is None:
            return 0
        if size > LARGEST:
            raise ValueError(f"s3://{self._bucket}/{self._key} has {size:,} bytes; expecting about 100")
        kept = json.loads(read_object(self._s3, self._bucket, self._key))
        return int(kept["attempts"]) if kept["message_id"] == message_id else 0

    def _keep(self, message_id: str, attempt: int) -> None:
        text = json.dumps({"message_id": message_id, "attempts": attempt})
        put_text(self._s3, self._bucket, self._key, text, "application/json")
