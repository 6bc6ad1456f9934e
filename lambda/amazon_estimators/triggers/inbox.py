"""Handle the queue's messages one at a time: a failed message comes back later, and at last is set aside with
its reason."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.triggers.messages import GROUP, UnknownMessageError, parse
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.starter import Starter

LOG = logging.getLogger(__name__)

FACTOR = 4
REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that SQS takes in no message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"""
LONGEST_REASON = 1_000
"""Characters of the reason in a dead letter."""


def work_on(record: Mapping[str, Any], starter: Starter, sqs: Any, settings: StarterSettings) -> bool:
    """Handle one record of an SQS event. Returns False if the message must come back.

    The queue delivers one message at a time, so the receive count is the number of attempts.
    """
    tries = int(record["attributes"]["ApproximateReceiveCount"])
    try:
        starter.handle(parse(record["body"]))
    except Exception as error:
        LOG.exception("Message %s failed, try %s of %s", record["messageId"], tries, settings.attempts)
        if isinstance(error, UnknownMessageError) or tries >= settings.attempts:
            _set_aside(record, error, sqs, settings)
            return True
        sqs.change_message_visibility(
            QueueUrl=settings.queue_url,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=settings.retry_seconds * FACTOR ** (tries - 1),
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
