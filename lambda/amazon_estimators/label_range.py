"""What labels are like, block by block: the running answer that ends as a RecordSet's ``labels``."""

from __future__ import annotations

from typing import Any

import numpy as np

from amazon_estimators.record_set import Labels


class LabelRange:
    """Minimum, maximum and wholeness of the labels seen so far."""

    def __init__(self) -> None:
        self._minimum, self._maximum, self._integral = np.inf, -np.inf, True

    def add(self, labels: np.ndarray[Any, Any]) -> None:
        """Take in the labels of a block, shape (rows,); none is fine."""
        if labels.size:
            self._minimum = min(self._minimum, float(labels.min()))
            self._maximum = max(self._maximum, float(labels.max()))
            self._integral = self._integral and bool((labels == np.floor(labels)).all())

    @property
    def empty(self) -> bool:
        """True if no label, or none but NaN, has been seen."""
        return self._minimum > self._maximum

    def summary(self) -> Labels:
        """As they are; of no labels the minimum is infinity and the maximum minus infinity."""
        return Labels(float(self._minimum), float(self._maximum), self._integral)
