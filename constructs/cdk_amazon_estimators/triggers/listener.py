"""Define the part of a starter that a trigger is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from aws_cdk import aws_events as events

from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout


class Listener(Protocol):
    """Receives the messages of triggers; a TrainingStarter is one."""

    layout: PipelineLayout

    def on_event(
        self, construct_id: str, pattern: events.EventPattern, message: Mapping[str, Any], *, description: str
    ) -> None:
        """Send ``message``, which may hold fields of the event, for every event that matches."""

    def on_schedule(
        self,
        construct_id: str,
        *,
        expression: str,
        time_zone: str,
        window_minutes: int | None,
        message: Mapping[str, Any],
    ) -> None:
        """Send ``message`` at the times of a schedule expression."""
