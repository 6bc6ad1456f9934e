"""Summarise records for ``inspect`` in one pass, in memory that does not grow with their number."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import numpy as np

from amazon_estimators.recordio.consistency import Channel
from amazon_estimators.recordio.record_blocks import Block, read_blocks

CLASSES = 1000
"""Most distinct labels to count one by one. More are real values, shown as a histogram of the first ones."""

SAMPLE = 1_000_000

SHOWN = 8
"""Most features of a record to show."""


class RecordSummary:
    """Summary, first records, labels and feature ranges of one channel's files."""

    def __init__(self, *, first: int) -> None:
        self._channel = Channel(allow_nonfinite=True)
        self._wanted = first
        self._first: list[dict[str, Any]] = []
        self._records = self._bytes = 0
        self._classes: Counter[float] = Counter()
        self._sample: list[np.ndarray] = []
        self._sampled = 0
        self._least = self._most = self._sum = self._nonzero = np.zeros(0)

    def add(self, file: Any, name: str) -> None:
        """Read one file. NaN and infinities are allowed.

        Raises:
            RecordIOError: A record breaks another rule.
        """
        for block in read_blocks(file, name):
            self._channel.admit(block, name)
            if not self._records:
                self._start(self._channel.feature_dim)
            self._add_first(block)
            self._add_features(block)
            self._add_labels(block.labels)
            self._records += len(block.offsets)
            self._bytes += block.size

    def facts(self, *, bins: int, features: int) -> dict[str, Any]:
        """Return the whole profile as JSON-ready values."""
        kind = self._channel.kind
        return {
            "records": self._records,
            "feature_dim": self._channel.feature_dim,
            "dtype": kind.tensor.name if kind else None,
            "sparse": kind.sparse if kind else None,
            "bytes": self._bytes,
            "first": self._first,
            "labels": self._label_counts(bins),
            "ranges": list(islice(self._ranges(), features)) if self._records else [],
        }

    def _start(self, columns: int) -> None:
        self._least, self._most = np.full(columns, np.inf), np.full(columns, -np.inf)
        self._sum, self._nonzero = np.zeros(columns), np.zeros(columns)

    def _add_first(self, block: Block) -> None:
        shown = min(self._wanted - len(self._first), len(block.offsets))
        if not shown:
            return
        values_of_block = block.flat_values()
        # If all records are alike, one count stands for all of them.
        counts, labels = (
            np.broadcast_to(count, len(block.offsets)) for count in (block.counts, block.label_counts)
        )
        ends, label_ends = np.cumsum(counts), np.cumsum(labels)
        for row in range(shown):
            span = slice(int(ends[row] - counts[row]), int(ends[row]))
            values = [_number(value) for value in values_of_block[span][:SHOWN]]
            label = block.labels[int(label_ends[row] - labels[row]) : int(label_ends[row])]
            self._first.append(
                {
                    "features": dict(zip(map(int, block.keys[span]), values, strict=False))
                    if block.kind.sparse
                    else values,
                    "features_not_shown": int(counts[row]) - len(values),
                    "label": _number(label[0]) if len(label) else None,
                }
            )

    def _add_features(self, block: Block) -> None:
        values = block.flat_values().astype(np.float64)
        if block.kind.sparse:
            keys = block.keys.view(np.int64)
            np.minimum.at(self._least, keys, values)
            np.maximum.at(self._most, keys, values)
            np.add.at(self._sum, keys, values)
            np.add.at(self._nonzero, keys, values != 0)
            return
        table = values.reshape(len(block.offsets), -1)
        self._least = np.minimum(self._least, table.min(axis=0))
        self._most = np.maximum(self._most, table.max(axis=0))
        self._sum += table.sum(axis=0)
        self._nonzero += (table != 0).sum(axis=0)

    def _add_labels(self, labels: np.ndarray) -> None:
        if len(self._classes) <= CLASSES:
            values, counts = np.unique(labels, return_counts=True)
            self._classes.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        if self._sampled < SAMPLE:
            part = labels[: SAMPLE - self._sampled].astype(np.float64)
            self._sample.append(part)
            self._sampled += len(part)

    def _label_counts(self, bins: int) -> list[dict[str, Any]]:
        if not self._sampled:
            return []
        whole = all(float(label).is_integer() for label in self._classes)
        if len(self._classes) <= max(bins, 20) or (
            whole and len(self._classes) <= CLASSES and bins >= len(self._classes)
        ):
            return [{"label": label, "records": self._classes[label]} for label in sorted(self._classes)]
        finite = np.concatenate(self._sample)
        counts, edges = np.histogram(finite[np.isfinite(finite)], bins)
        spans = zip(edges, edges[1:], counts.tolist(), strict=False)
        return [{"from": float(low), "to": float(high), "records": count} for low, high, count in spans]

    def _ranges(self) -> Any:
        sparse = self._channel.kind is not None and self._channel.kind.sparse
        for feature in range(self._channel.feature_dim):
            least, most = float(self._least[feature]), float(self._most[feature])
            if sparse and self._nonzero[feature] < self._records:
                least, most = min(least, 0.0), max(most, 0.0)
            yield {
                "feature": feature,
                "least": least,
                "mean": float(self._sum[feature]) / self._records,
                "most": most,
                "zeros": 1 - float(self._nonzero[feature]) / self._records,
            }


def _number(value: Any) -> float:
    """Return a value with the digits that its own type has: 0.1 of float32 is 0.1."""
    return float(str(value))
