"""Blocks of rows, dense and sparse: readers yield them and encodings take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class SparseRows:
    """Consecutive rows as CSR: ``data`` and ``indices`` of shape (nnz,), ``indptr`` of shape (rows + 1,)."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1


@dataclass(frozen=True)
class Block:
    """Consecutive rows: ``features`` of shape (rows, feature_dim), ``labels`` of shape (rows,) or None.

    A cast to float32 turns a value beyond its range into infinity. A reader that casts sets
    ``written_value``, with which an error shows the input's own value: ``written_value(row, feature)``;
    ``written_value(row, None)`` for the label.

    Where rows of the input are left out, ``read`` counts the rows of input that the block stands for, and
    ``places`` are its rows' places among those.
    """

    features: np.ndarray | SparseRows
    labels: np.ndarray | None
    written_value: Callable[[int, int | None], Any] | None = None
    read: int | None = None
    places: np.ndarray | None = None

    @property
    def rows_read(self) -> int:
        """The rows of input that the block stands for."""
        return len(self.features) if self.read is None else self.read

    def row(self, at: int) -> int:
        """Return the place of a row among the rows of input."""
        return at if self.places is None else int(self.places[at])
