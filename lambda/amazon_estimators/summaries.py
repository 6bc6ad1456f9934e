"""Summaries of labels and tokens that add up over blocks and over shards."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Labels:
    """Summarise the labels of a channel: enough to tell classes from real values.

    Attributes:
        minimum: The smallest label.
        maximum: The largest label.
        integral: True if every label is a whole number.
    """

    minimum: float
    maximum: float
    integral: bool

    @staticmethod
    def merge(parts: Iterable[Labels | None]) -> Labels | None:
        """Return the summary of all parts together, or None if no part has labels.

        Example:
            >>> Labels.merge([Labels(0, 1, True), None, Labels(-2, 0.5, False)])
            Labels(minimum=-2, maximum=1, integral=False)
        """
        labels = [part for part in parts if part is not None]
        if not labels:
            return None
        return Labels(
            min(part.minimum for part in labels),
            max(part.maximum for part in labels),
            all(part.integral for part in labels),
        )


@dataclass(frozen=True)
class Tokens:
    """Summarise the token lists on one side of Object2Vec's pairs, ``in0`` or ``in1``.

    Attributes:
        highest: The highest token id. Ids count from 0, so the vocabulary has at least one more.
        longest: The number of tokens in the longest list.
    """

    highest: int
    longest: int

    @staticmethod
    def merge(parts: Iterable[tuple[Tokens, Tokens] | None]) -> tuple[Tokens, Tokens] | None:
        """Return the summaries of both sides over all parts, or None if no part has tokens."""
        pairs = [part for part in parts if part is not None]
        if not pairs:
            return None

        def side(number: int) -> Tokens:
            return Tokens(
                max(pair[number].highest for pair in pairs), max(pair[number].longest for pair in pairs)
            )

        return side(0), side(1)


class LabelRange:
    """Add up the labels of one block after the other."""

    def __init__(self) -> None:
        self._minimum, self._maximum, self._integral = math.inf, -math.inf, True

    def add(self, labels: np.ndarray[Any, Any]) -> None:
        """Add the labels of a block, shape (rows,); an empty block is fine."""
        import numpy as np  # noqa: PLC0415 - a RecordSet is made at synth time, without numpy

        if labels.size:
            self._minimum = min(self._minimum, float(labels.min()))
            self._maximum = max(self._maximum, float(labels.max()))
            self._integral = self._integral and bool((labels == np.floor(labels)).all())

    @property
    def empty(self) -> bool:
        """True if no label, or only NaN, has been added."""
        return self._minimum > self._maximum

    def summary(self) -> Labels:
        """Return the summary. Without labels the minimum is infinity and the maximum minus infinity."""
        return Labels(self._minimum, self._maximum, self._integral)
