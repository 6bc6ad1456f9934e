"""One-time schedules: messages that a starter sends to itself later, without polling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_estimators.storage.faults import naming
from amazon_estimators.triggers.messages import GROUP

SLACK = timedelta(seconds=5)
"""How much later than needed a schedule is set: a burst moves it a few times, not once per object."""


class Wakeups:
    """One-time schedules of one group. They send to ``queue`` as ``role`` (ARNs) and delete themselves.

    Messages that cannot be sent go to the queue ``undelivered`` (an ARN).
    """

    def __init__(self, client: Any, *, group: str, role: str, queue: str, undelivered: str) -> None:
        self._client = client
        self._group = group
        self._role = role
        self._queue = queue
        self._undelivered = undelivered

    def set(self, name: str, at: datetime, message: Mapping[str, Any]) -> None:
        """Send ``message`` at ``at``. Moves a schedule of that name that has not fired yet."""
        schedule = {
            "Name": name,
            "GroupName": self._group,
            "ScheduleExpression": f"at({at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self._queue,
                "RoleArn": self._role,
                "Input": json.dumps(message),
                "SqsParameters": {"MessageGroupId": GROUP},
                "DeadLetterConfig": {"Arn": self._undelivered},
            },
        }
        with naming("UpdateSchedule", f"{self._group}/{name}"):
            try:
                self._client.update_schedule(**schedule)
                return
            except self._client.exceptions.ResourceNotFoundException:
                pass
        with naming("CreateSchedule", f"{self._group}/{name}"):
            try:
                self._client.create_schedule(**schedule)
            except self._client.exceptions.ConflictException:
                # The answer to this very call was lost, and the client repeated it.
                self._client.update_schedule(**schedule)


def slack(period: timedelta) -> timedelta:
    """Return how much later than needed a quiet period may end: at most a tenth of it."""
    return min(SLACK, period / 10)


def whole(moment: datetime) -> datetime:
    """Round up to a second: schedules take no fractions."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
