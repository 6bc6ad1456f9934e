"""Upload a second batch in many files, deliver one event twice, and count the trainings that follow."""

from __future__ import annotations

import json
import time
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import uuid4

from amazon_estimators.triggers.messages import GROUP
from amazon_estimators_rehearsal.follow import Ended, executions, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.view import View

FILES = 20
SETTLED = 2.0
"""Seconds with an empty queue and nothing running after which no further training is expected."""


def retrain(
    platform: Platform, view: View, *, sample: Path, bucket: str, prefix: str, machine: str, timeout: float
) -> tuple[Ended, int]:
    """Upload ``sample`` as FILES more objects under ``prefix`` and follow the training that this starts.

    Args:
        platform: The account.
        view: Shows the execution.
        sample: The file to upload.
        bucket: The data bucket.
        prefix: Key prefix of the channel.
        machine: ARN of the pipeline's state machine.
        timeout: Seconds to wait for the execution's end.

    Returns:
        The end of the execution, and the number of trainings that started.
    """
    s3, states = platform.client("s3"), platform.client("stepfunctions")
    known = executions(states, machine)
    for number in range(FILES):
        s3.upload_file(str(sample), bucket, f"{prefix}second-batch/{number:02}-{sample.name}")
    s3.put_object(Bucket=bucket, Key=f"{prefix}second-batch/_SUCCESS")
    uploaded = time.monotonic()
    marker = s3.head_object(Bucket=bucket, Key=f"{prefix}second-batch/_SUCCESS")
    queue = _queue_of(platform, machine)
    # EventBridge delivers at least once: an event may arrive twice.
    duplicate = {
        "trigger": "marker",
        "time": marker["LastModified"].astimezone(UTC).isoformat(),
        "event": "again",
    }
    platform.client("sqs").send_message(
        QueueUrl=queue,
        MessageBody=json.dumps(duplicate),
        MessageGroupId=GROUP,
        MessageDeduplicationId=uuid4().hex,
    )
    ended = view.follow(follow(states, machine, known=known, timeout=timeout), since=uploaded)
    _settle(platform, queue, machine, timeout)
    return ended, len(executions(states, machine) - known)


def _queue_of(platform: Platform, machine: str) -> str:
    """Return the URL of the starter's queue. The starter's settings name its state machine and its queue."""
    functions = platform.client("lambda").get_paginator("list_functions").paginate()
    for function in (function for page in functions for function in page["Functions"]):
        settings = json.loads(function.get("Environment", {}).get("Variables", {}).get("STARTER", "{}"))
        if settings.get("state_machine") == machine:
            queue: str = settings["queue_url"]
            return queue
    raise LookupError(f"{machine} has no starter: give its TrainingPipeline a trigger")


def _settle(platform: Platform, queue: str, machine: str, timeout: float) -> None:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    end = time.monotonic() + timeout
    since = time.monotonic()
    while time.monotonic() < min(end, since + SETTLED):
        answer: dict[str, Any] = platform.client("sqs").get_queue_attributes(
            QueueUrl=queue, AttributeNames=names
        )
        running = platform.client("stepfunctions").list_executions(
            stateMachineArn=machine, statusFilter="RUNNING"
        )
        if any(int(count) for count in answer["Attributes"].values()) or running["executions"]:
            since = time.monotonic()
        time.sleep(0.25)
