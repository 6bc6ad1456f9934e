"""Data in memory whose columns become features by the rules of a Source, as rows to encode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from amazon_estimators.client.matrix import FRAME_BYTES, dense_rows, labels_of
from amazon_estimators.errors import RequestError
from amazon_estimators.sources import Block, Source
from amazon_estimators.sources.in_memory import ColumnsInMemory


class Ruled:
    """Rows whose columns become features by the rules of a Source."""

    def __init__(self, rows: Any, source: Source, *, first_row: int = 0) -> None:
        self._columns = ColumnsInMemory.of(rows, source, numbered=first_row)
        self.schema = self._columns.schema
        kept = self._columns.kept
        self.rows = self._columns.rows if kept is None else len(kept)
        self.dropped = self._columns.rows - self.rows
        self.columns, self.names = self.schema.feature_dim, self.schema.feature_names
        self.sparse = self.schema.recipe.rules.sparse
        values = 2 * self.schema.feature_columns if self.sparse else self.columns
        self.record_bytes = 4 * values + FRAME_BYTES
        self.block_rows = dense_rows(values)

    def labels(self, written_value: Any) -> np.ndarray | None:
        """Return the labels of the rows that are kept: those that are given, or those of the source."""
        kept = self._columns.kept
        if self.schema.label is None:
            values = labels_of(written_value, self._columns.rows)
            return values if values is None or kept is None else values[kept]
        if written_value is not None:
            raise RequestError(
                "labels are given, and the Source names a label too", remedy="Leave one of them out."
            )
        parts = [
            self._columns.block(start, min(start + self.block_rows, self.rows)).labels
            for start in range(0, self.rows, self.block_rows)
        ]
        return np.concatenate([part for part in parts if part is not None]) if parts else np.zeros(0)

    def block(self, start: int, stop: int, labels: np.ndarray | None) -> Block:
        """Return rows ``[start, stop)`` of those that are kept, with their labels."""
        block, kept = self._columns.block(start, stop), self._columns.kept
        places = None if kept is None else kept[start:stop] - start
        return replace(block, labels=labels, places=places, written_value=self._with_labels(block, labels))

    @staticmethod
    def _with_labels(block: Block, labels: np.ndarray | None) -> Callable[[int, int | None], Any] | None:
        written_value = block.written_value

        def value(row: int, feature: int | None) -> Any:
            if feature is None:
                return None if labels is None else labels[row]
            return None if written_value is None else written_value(row, feature)

        return value
