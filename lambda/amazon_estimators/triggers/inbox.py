"""Handle the queue's messages one at a time: a failed message comes back later, and at last is set aside with
its reason."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.triggers.attempts import Attempts
from amazon_estimators.triggers.messages import GROUP, UnknownMessageError, parse
from amazon_estimators.triggers.settings import RETRY_FACTOR, StarterSettings
from amazon_estimators.triggers.starter import Starter

LOG = logging.getLogger(__name__)

CRASHES = 5
"""Attempts beyond those of the settings after which a message that ends the process is set aside."""
REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that SQS takes in no message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
LONGEST_REASON = 1_000
"""Characters of the reason in a dead letter."""


class RepeatedCrashError(RuntimeError):
    """Raised for a message at which the function's process ended again and again."""


def work_on(
    record: Mapping[str, Any], starter: Starter, sqs: Any, attempts: Attempts, settings: StarterSettings
) -> bool:
    """Handle one record of an SQS event. Returns False if the message must come back."""
    attempt = attempts.begin(record)
    try:
        if attempt > settings.attempts + CRASHES:
            raise RepeatedCrashError(
                f"the function ended before it had handled the message, in {attempt - 1} attempts: its log "
                "says how, for example out of memory or after 15 minutes"
            )
        starter.handle(parse(record["body"]))
    except Exception as error:
        LOG.exception("Message %s failed, attempt %s of %s", record["messageId"], attempt, settings.attempts)
        if isinstance(error, UnknownMessageError) or attempt >= settings.attempts:
            _set_aside(record, error, sqs, settings)
            return True
        attempts.failed(record, attempt)
        sqs.change_message_visibility(
            QueueUrl=settings.queue_url,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=settings.retry_seconds * RETRY_FACTOR ** (attempt - 1),
        )
        return False
    return True


def _set_aside(record: Mapping[str, Any], error: Exception, sqs: Any, settings: StarterSettings) -> None:
    """Send the message unchanged to the dead-letter queue. Moved back, it is handled like a new message."""
    attributes = {
        "error": type(error).__name__,
        "reason": str(error)[:LONGEST_REASON] or "none given",
        "pipeline": settings.pipeline,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    sqs.send_message(
        QueueUrl=settings.dead_letters,
        MessageBody=record["body"],
        MessageGroupId=GROUP,
        MessageDeduplicationId=f"{record['messageId']}-{record['attributes']['ApproximateReceiveCount']}",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": REFUSED.sub("?", value)}
            for name, value in attributes.items()
        },
    )
