"""Define the base of all triggers: a check of their settings, and the rule or schedule they create."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.triggers.listener import Listener


class Trigger(Protocol):
    """Yours may be one too: in ``bind`` send messages to ``starter``, as its methods do."""

    def check(self, problems: Problems, outputs: Sequence[str]) -> None:
        """Note what is wrong with the settings. ``outputs`` are the prefixes that the pipeline writes to."""

    def bind(self, starter: Listener, construct_id: str) -> None:
        """Make what sends to ``starter``, under it as ``construct_id``."""
