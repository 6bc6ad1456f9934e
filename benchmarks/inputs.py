"""Input files of the benchmarks, as bytes."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np


def npy(table: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, table)
    return file.getvalue()


def fortran_npz(table: np.ndarray) -> bytes:
    """A matrix in Fortran order and a vector beside it, stored."""
    file = io.BytesIO()
    np.savez(file, x=np.asfortranarray(table), y=np.arange(len(table)))
    return file.getvalue()


def parquet(table: np.ndarray, columns: int = 50, **options: Any) -> bytes:
    """Doubles in row groups of a million rows, as pyarrow writes by itself; the table's columns, repeated."""
    import pyarrow as pa  # noqa: PLC0415 - only Parquet needs it
    from pyarrow.parquet import write_table  # noqa: PLC0415

    doubles = [table[:, column].astype(np.float64) for column in range(table.shape[1])]
    wide = pa.table({f"c{column}": doubles[column % len(doubles)] for column in range(columns)})
    file = io.BytesIO()
    write_table(wide, file, **options)
    return file.getvalue()


def libsvm(table: np.ndarray, size: int) -> bytes:
    """Lines of a label and a value for each column, about ``size`` bytes."""
    lines = [
        "1 " + " ".join(f"{column + 1}:{value:.6g}" for column, value in enumerate(row))
        for row in table[:5_000].tolist()
    ]
    return _repeated(lines, size)


def quoted_csv(table: np.ndarray, size: int) -> bytes:
    """Numbers, and a column of text with newlines in it."""
    lines = [",".join(f"{value:.6g}" for value in row) + ',"said,\nhe"' for row in table[:5_000].tolist()]
    return _repeated(lines, size)


def csv_text(table: np.ndarray, size: int) -> bytes:
    """Lines of seven digits a number, about ``size`` bytes; a few thousand different ones, repeated."""
    lines = [",".join(f"{value:.6g}" for value in row) for row in table[:5_000].tolist()]
    return _repeated(lines, size)


def pairs(size: int) -> bytes:
    random = np.random.default_rng(2)
    lines = [
        json.dumps(
            {
                "label": int(random.integers(2)),
                "in0": random.integers(0, 100_000, 20).tolist(),
                "in1": random.integers(0, 100_000, 20).tolist(),
            }
        )
        for _ in range(5_000)
    ]
    return _repeated(lines, size)


def addresses(size: int) -> bytes:
    octets = np.random.default_rng(3).integers(0, 256, (5_000, 4)).tolist()
    return _repeated([f"user_{at},{a}.{b}.{c}.{d}" for at, (a, b, c, d) in enumerate(octets)], size)


def _repeated(lines: list[str], size: int) -> bytes:
    block = ("\n".join(lines) + "\n").encode()
    return block * max(1, size // len(block))
