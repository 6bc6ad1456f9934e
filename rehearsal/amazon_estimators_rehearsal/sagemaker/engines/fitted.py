"""What an engine hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_ENGINE = "none"


@dataclass(frozen=True)
class Fitted:
    """``engine`` names what fitted the model; ``metrics`` go by the algorithm's own metric names;
    ``model`` is what was learnt, as JSON.

    ``wording`` is, by metric, what the log line says where the metric's published expression leaves it open,
    such as the beta of an F score.
    """

    engine: str
    metrics: Mapping[str, float]
    model: Mapping[str, Any]
    wording: Mapping[str, str] = field(default_factory=dict)


def verified() -> Fitted:
    """Of an algorithm that has no honest stand-in: everything is checked, nothing fitted, nothing claimed."""
    return Fitted(engine=NO_ENGINE, metrics={}, model={})
