"""What an engine hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fitted:
    """``engine`` names the library that fitted the model; ``metrics`` go by the algorithm's own metric names;
    ``model`` is what was learnt, as JSON."""

    engine: str
    metrics: Mapping[str, float]
    model: Mapping[str, Any]
