"""Make the benchmarks' input files, as bytes."""

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
    """Return a stored .npz with a matrix in Fortran order and a vector."""
    file = io.BytesIO()
    np.savez(file, x=np.asfortranarray(table), y=np.arange(len(table)))
    return file.getvalue()


def parquet(table: np.ndarray, columns: int = 50, **options: Any) -> bytes:
    """Return Parquet: the table's columns, repeated, as doubles in pyarrow's default row groups."""
    import pyarrow as pa  # noqa: PLC0415 - only Parquet needs it
    from pyarrow.parquet import write_table  # noqa: PLC0415

    doubles = [table[:, column].astype(np.float64) for column in range(table.shape[1])]
    wide = pa.table({f"c{column}": doubles[column % len(doubles)] for column in range(columns)})
    file = io.BytesIO()
    write_table(wide, file, **options)
    return file.getvalue()


def libsvm(table: np.ndarray, size: int) -> bytes:
    """Return lines with a label and a value for each column, about ``size`` bytes."""
    lines = [
        "1 " + " ".join(f"{column + 1}:{value:.6g}" for column, value in enumerate(row))
        for row in table[:5_000].tolist()
    ]
    return _repeated(lines, size)


def quoted_csv(table: np.ndarray, size: int) -> bytes:
    """Return CSV with numbers and a column of text that contains newlines."""
    lines = [",".join(f"{value:.6g}" for value in row) + ',"said,\nhe"' for row in table[:5_000].tolist()]
    return _repeated(lines, size)


def csv_text(table: np.ndarray, size: int) -> bytes:
    """Return about ``size`` bytes of CSV: a few thousand lines of seven-digit numbers, repeated."""
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
