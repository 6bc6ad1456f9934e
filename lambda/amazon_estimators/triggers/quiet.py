"""The end of a quiet period: a one-time schedule that every upload moves forward, and no polling."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

SLACK = timedelta(seconds=5)
"""How much later than needed a schedule is set: a burst moves it a few times, not for every object."""


class QuietPeriods:
    """One-time schedules of one group, that send to ``queue`` as ``role`` (ARNs) and delete themselves."""

    def __init__(self, client: Any, *, group: str, role: str, queue: str) -> None:
        self._client = client
        self._group = group
        self._role = role
        self._queue = queue

    def set(self, name: str, number: int, end: datetime) -> None:
        """Let the quiet period ``name`` end at ``end``; after one has ended, the next needs a new number."""
        schedule = {
            "Name": f"{name}-{number}",
            "GroupName": self._group,
            "ScheduleExpression": f"at({end.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self._queue,
                "RoleArn": self._role,
                "Input": json.dumps(
                    {"trigger": "quiet", "name": name, "number": number, "end": end.isoformat()}
                ),
                "SqsParameters": {"MessageGroupId": "starter"},
            },
        }
        try:
            self._client.update_schedule(**schedule)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_schedule(**schedule)


def slack(period: timedelta) -> timedelta:
    """At most a tenth of the period."""
    return min(SLACK, period / 10)
