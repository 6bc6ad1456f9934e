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

    A cast to float32 turns a value beyond its range into infinity. A reader that casts sets ``given``, with
    which an error shows the input's own value: ``given(row, feature)``; ``given(row, None)`` for the label.
    """

    features: np.ndarray | SparseRows
    labels: np.ndarray | None
    given: Callable[[int, int | None], Any] | None = None
