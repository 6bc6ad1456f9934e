"""What an engine hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from amazon_estimators.inference.models import LocalModel

NO_ENGINE = "none"


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes:
        engine: What fitted the model.
        metrics: Values by the algorithm's own metric names.
        model: A description of what was learnt, as JSON.
        wording: By metric, the text of the log line where the metric's published expression leaves it open,
            such as the beta of an F score.
        layout: The model in Amazon's documented file layout; None where none is documented.
        arrays: What the engine predicts from, where no layout is documented.
    """

    engine: str
    metrics: Mapping[str, float]
    model: Mapping[str, Any]
    wording: Mapping[str, str] = field(default_factory=dict)
    layout: LocalModel | None = None
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def verified() -> Fitted:
    """Of an algorithm that has no honest stand-in: everything is checked, nothing fitted, nothing claimed."""
    return Fitted(engine=NO_ENGINE, metrics={}, model={})
