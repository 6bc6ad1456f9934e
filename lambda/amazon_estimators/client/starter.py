"""Use the starter of a deployed pipeline: request a training, list its dead letters and move them back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from amazon_estimators.errors import RequestError
from amazon_estimators.storage.sessions import client_of

GROUP = "starter"
"""The message group of all messages to a starter: they are handled in order."""
MOST_LISTED = 100


@dataclass(frozen=True)
class DeadLetter:
    """A message that the starter failed to handle: its body, the error, the reason and the time.

    ``error`` is ``""`` if SQS itself set the message aside, because the starter crashed on it.
    """

    body: str
    error: str
    reason: str
    failed_at: str


class PipelineStarter:
    """The starter of the pipeline with the state machine ``state_machine_arn``.

    Raises RequestError if the pipeline has none.
    """

    def __init__(self, state_machine_arn: str, *, session: Any = None) -> None:
        settings = starter_of(state_machine_arn, session=session)
        if settings is None:
            raise RequestError(
                f"no function of this region starts {state_machine_arn}",
                remedy="Give its TrainingPipeline a trigger, or start an execution yourself.",
            )
        self._sqs = client_of(session, "sqs")
        self.queue_url: str = settings["queue_url"]
        self.queue_arn: str = settings["queue"]
        self.dead_letters_url: str = settings["dead_letters"]

    def request(self, *, reason: str = "", retrain: str = "") -> None:
        """Request a training of the current input, unless it has been trained with the same settings.

        Args:
            reason: Appears in the execution's input and in events. Default: none.
            retrain: Train even unchanged data, once for each distinct text. Default: do not.

        Each message has its own deduplication ID, so two equal requests are two messages.
        """
        message = {"trigger": "request", "reason": reason, "retrain": retrain}
        self._sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=json.dumps({name: value for name, value in message.items() if value}),
            MessageGroupId=GROUP,
            MessageDeduplicationId=uuid4().hex,
        )

    def dead_letters(self) -> Iterator[DeadLetter]:
        """Yield up to 100 dead letters, oldest first, without removing them."""
        shown: list[Any] = []
        try:
            while len(shown) < MOST_LISTED:
                answer = self._sqs.receive_message(
                    QueueUrl=self.dead_letters_url,
                    MaxNumberOfMessages=10,
                    MessageAttributeNames=["All"],
                    VisibilityTimeout=60,
                )
                messages = answer.get("Messages", [])
                if not messages:
                    return
                shown += messages
                yield from map(_dead_letter, messages)
        finally:
            for message in shown:
                self._sqs.change_message_visibility(
                    QueueUrl=self.dead_letters_url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=0,
                )

    def redrive(self, *, poll_seconds: float = 2) -> int:
        """Move all dead letters back to the queue, wait for it to complete, and return their number.

        The call names the destination: for messages that the starter itself put there, SQS does not know the
        origin. Raises RequestError if SQS could not move them.
        """
        source = self._arn(self.dead_letters_url)
        self._sqs.start_message_move_task(SourceArn=source, DestinationArn=self.queue_arn)
        while True:
            (task,) = self._sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"]
            if task["Status"] == "COMPLETED":
                return int(task.get("ApproximateNumberOfMessagesMoved", 0))
            if task["Status"] != "RUNNING":
                raise RequestError(
                    f"the dead letters were not all moved: {task['Status']}, {task.get('FailureReason')}",
                    remedy="Fix the cause that FailureReason names, then redrive the dead letters again.",
                )
            time.sleep(poll_seconds)

    def _arn(self, queue_url: str) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = {
        name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()
    }
    said = (attributes.get(name, "") for name in ("error", "reason", "failed_at"))
    return DeadLetter(message["Body"], *said)


def starter_of(state_machine_arn: str, *, session: Any = None) -> dict[str, Any] | None:
    """Return the settings of the function that starts a state machine; None if there is none."""
    of_machine = (one for one in starters(session=session) if one["state_machine"] == state_machine_arn)
    return next(of_machine, None)


def starters(*, session: Any = None) -> Iterator[dict[str, Any]]:
    """Yield the settings of every starter of the account and region, with the ``FunctionArn``.

    The settings are in the function's environment.
    """
    for page in client_of(session, "lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            settings = function.get("Environment", {}).get("Variables", {}).get("STARTER")
            if settings:
                yield {**json.loads(settings), "FunctionArn": function["FunctionArn"]}
