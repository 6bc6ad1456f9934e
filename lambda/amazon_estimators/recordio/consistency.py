"""Check that all records of a channel agree with the first, across records and files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from amazon_estimators.errors import RecordIOError
from amazon_estimators.recordio.record_blocks import Block, Kind
from amazon_estimators.recordio.values import is_finite
from amazon_estimators.recordio.wire import Array


class Channel:
    """The properties that a channel's first record sets and every other record must have."""

    def __init__(self, *, allow_nonfinite: bool) -> None:
        self.allow_nonfinite = allow_nonfinite
        self.kind: Kind | None = None
        self.feature_dim = 0
        self.label_dim = 0

    def admit(self, block: Block, name: str) -> None:
        """Raise :class:`RecordIOError` for the first record of ``block`` that breaks a rule."""
        if self.kind is None:
            self.kind = block.kind
            self.feature_dim = int(block.shapes[0] if block.kind.sparse else block.counts[0])
            self.label_dim = int(block.label_counts[0])
        faults = [
            fault
            for fault in (
                self._kind_fault(block),
                self._sparse_fault(block) if block.kind.sparse else self._dense_fault(block),
                self._label_fault(block),
                None if self.allow_nonfinite else _nonfinite(block),
            )
            if fault
        ]
        if faults:
            index, reason = min(faults, key=lambda fault: fault[0])
            raise RecordIOError(
                reason, file=name, record=block.number + index, offset=int(block.offsets[index])
            )

    def _kind_fault(self, block: Block) -> tuple[int, str] | None:
        kind, first = block.kind, self.kind
        if first is None or kind == first:
            return None
        if kind.sparse != first.sparse:
            forms = ("dense", "sparse")
            return 0, f"it is {forms[kind.sparse]}, the channel's first record {forms[first.sparse]}"
        if kind.tensor != first.tensor:
            return (
                0,
                f"its features are {kind.tensor.name}, the channel's first record's {first.tensor.name}",
            )
        has = [tensor.name if tensor else "absent" for tensor in (kind.label_tensor, first.label_tensor)]
        return 0, f"its label is {has[0]}, that of the channel's first record {has[1]}"

    def _dense_fault(self, block: Block) -> tuple[int, str] | None:
        shaped = (block.shapes >= 0) & (block.shapes != block.counts)
        return _first(
            shaped,
            lambda row: f"its shape says {block.shapes[row]} features, but it has {block.counts[row]} values",
        ) or _first(
            block.counts != self.feature_dim,
            lambda row: f"it has {block.counts[row]} features, the channel's first record {self.feature_dim}",
        )

    def _sparse_fault(self, block: Block) -> tuple[int, str] | None:
        rows = np.repeat(np.arange(len(block.counts)), block.key_counts)
        faults = [
            _first(block.shapes < 0, lambda row: "it is sparse, or empty, and has no shape"),
            _first(block.shapes == 0, lambda row: "its shape says 0 features"),
            _first(
                block.shapes != self.feature_dim,
                lambda row: (
                    f"it has {block.shapes[row]} features, the channel's first record {self.feature_dim}"
                ),
            ),
            _first(
                block.key_counts != block.counts,
                lambda row: f"it has {block.key_counts[row]} keys for {block.counts[row]} values",
            ),
            _first_of(
                rows,
                block.keys >= np.uint64(max(self.feature_dim, 0)),
                lambda at: f"key {block.keys[at]} is beyond its {self.feature_dim} features",
            ),
        ]
        falls = np.zeros(len(rows), bool)
        falls[1:] = (block.keys[1:] <= block.keys[:-1]) & (rows[1:] == rows[:-1])
        faults.append(
            _first_of(
                rows, falls, lambda at: f"key {block.keys[at]} follows {block.keys[at - 1]}; keys ascend"
            )
        )
        return min((fault for fault in faults if fault), default=None, key=lambda fault: fault[0])

    def _label_fault(self, block: Block) -> tuple[int, str] | None:
        return _first(
            block.label_counts != self.label_dim,
            lambda row: (
                f"its label has {block.label_counts[row]} values, that of the first record {self.label_dim}"
            ),
        )


def _first(bad: Array, reason: Callable[[int], str]) -> tuple[int, str] | None:
    """Return the first bad record and the reason."""
    if not bad.any():
        return None
    row = int(np.argmax(bad))
    return row, reason(row)


def _first_of(rows: Array, bad: Array, reason: Callable[[int], str]) -> tuple[int, str] | None:
    """Return the same as :func:`_first` for values or keys; ``rows`` holds the record of each."""
    fault = _first(bad, reason)
    return fault and (int(rows[fault[0]]), fault[1])


def _nonfinite(block: Block) -> tuple[int, str] | None:
    for what, values, counts in (
        ("value", block.flat_values(), block.counts),
        ("label", block.labels, block.label_counts),
    ):
        if values.dtype.kind == "f" and not is_finite(values):
            at = int(np.argmax(~np.isfinite(values)))
            starts = np.cumsum(np.broadcast_to(counts, len(block.offsets)))
            starts = np.concatenate([[0], starts])
            row = int(np.searchsorted(starts, at, side="right")) - 1
            index = at - int(starts[row])
            return row, f"{what} {index} is {values[at]}; the algorithms need finite numbers"
    return None
