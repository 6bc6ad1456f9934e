"""Upload a second batch in many files, deliver one event twice, and count the trainings that follow."""

from __future__ import annotations

import json
import time
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import uuid4

from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.client.starter import PipelineStarter
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.triggers.messages import GROUP
from amazon_estimators_rehearsal.follow import Ended, executions, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.view import View

FILES = 20
SETTLED = 2.0
"""Seconds with an empty queue and nothing running after which no further training is expected."""


def retrain(
    platform: Platform, view: View, pipeline: PipelineEstimator, *, sample: Path, timeout: float
) -> tuple[Ended, int]:
    """Upload ``sample`` as FILES more objects of the train channel and follow the training that this starts.

    Args:
        platform: The account.
        view: Shows the execution.
        pipeline: The pipeline.
        sample: The file to upload.
        timeout: Seconds to wait for the execution's end.

    Returns:
        The end of the execution, and the number of trainings that started.
    """
    s3, states = platform.client("s3"), platform.client("stepfunctions")
    machine = pipeline.state_machine_arn
    place = Place.prefix(pipeline.data_locations["train"], what="channel")
    bucket, prefix = place.bucket, place.key
    known = executions(states, machine)
    for number in range(FILES):
        s3.upload_file(str(sample), bucket, f"{prefix}second-batch/{number:02}-{sample.name}")
    s3.put_object(Bucket=bucket, Key=f"{prefix}second-batch/_SUCCESS")
    uploaded = time.monotonic()
    marker = s3.head_object(Bucket=bucket, Key=f"{prefix}second-batch/_SUCCESS")
    queue = PipelineStarter(machine, session=platform.session).queue_url
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
