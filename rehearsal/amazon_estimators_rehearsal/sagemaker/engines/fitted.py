"""Define the result of an engine."""

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
        engine: Name of the library that fitted the model; NO_ENGINE if nothing was fitted.
        metrics: Values by the algorithm's own metric names.
        model: A description of the learnt model, as JSON.
        wording: By metric, the part of the log line that the metric's published expression leaves open, such
            as the beta of an F score.
        layout: The model in Amazon's documented file layout; None if none is documented.
        arrays: The arrays to predict from, if no layout is documented.
    """

    engine: str
    metrics: Mapping[str, float]
    model: Mapping[str, Any]
    wording: Mapping[str, str] = field(default_factory=dict)
    layout: LocalModel | None = None
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def verified() -> Fitted:
    """Return the result for an algorithm without an honest stand-in: data checked, no model, no metric."""
    return Fitted(engine=NO_ENGINE, metrics={}, model={})
