"""A batch from the queue, in order: what fails is tried again, then set aside with its reason."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.starter import Starter, UnknownMessageError

LOG = logging.getLogger(__name__)

FACTOR = 4
LONGEST_REASON = 1_000
"""Characters of the reason a dead letter carries."""


def work_through(
    records: Sequence[Mapping[str, Any]], starter: Starter, sqs: Any, settings: StarterSettings
) -> list[dict[str, str]]:
    """Handle the records of an SQS event. Returns those that are to come back, as Lambda wants them named.

    The order must hold: behind one that is tried again, all of the batch come back.
    """
    for index, record in enumerate(records):
        tries = int(record["attributes"]["ApproximateReceiveCount"])
        try:
            starter.handle(_message(record["body"]))
        except Exception as error:
            LOG.exception("Message %s failed, try %s of %s", record["messageId"], tries, settings.attempts)
            if isinstance(error, UnknownMessageError) or tries >= settings.attempts:
                _set_aside(record, error, sqs, settings)
                continue
            back = records[index:]
            _delay(back, settings.retry_seconds * FACTOR ** (tries - 1), sqs, settings)
            return [{"itemIdentifier": one["messageId"]} for one in back]
    return []


def _message(body: str) -> Mapping[str, Any]:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise UnknownMessageError(f"the message is no JSON: {error}") from None
    if not isinstance(message, Mapping):
        raise UnknownMessageError(f"the message is {body[:100]!r}; allowed: a JSON object")
    return message


def _set_aside(record: Mapping[str, Any], error: Exception, sqs: Any, settings: StarterSettings) -> None:
    """Into the dead-letter queue, unchanged: moved back it is handled as if it came for the first time."""
    attributes = {
        "error": type(error).__name__,
        "reason": str(error)[:LONGEST_REASON] or "none given",
        "pipeline": settings.pipeline,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    sqs.send_message(
        QueueUrl=settings.dead_letters,
        MessageBody=record["body"],
        MessageGroupId="starter",
        MessageDeduplicationId=f"{record['messageId']}-{record['attributes']['ApproximateReceiveCount']}",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )


def _delay(records: Sequence[Mapping[str, Any]], seconds: int, sqs: Any, settings: StarterSettings) -> None:
    """All of them together: a message that is invisible longer would hold up the queue for as long."""
    for record in records:
        sqs.change_message_visibility(
            QueueUrl=settings.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=seconds
        )
