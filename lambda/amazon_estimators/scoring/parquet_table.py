"""Write predictions as Parquet: every column has its type."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.inference import Predictions
from amazon_estimators.scoring.tables import Kept

ROW_GROUP_BYTES = 32 * 2**20
"""The bytes of a row group before compression. Fewer make readers slow, more are held in memory."""


class ParquetWriter:
    """A Parquet file. A field that is a list is a list of one length."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._writer: parquet.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = 0

    def block(self, kept: Mapping[str, Kept], predictions: Predictions) -> bytes:
        """Take some rows; return what is complete of the file."""
        arrays = [*kept.values(), *(_array(column) for column in predictions.values())]
        batch = pa.record_batch(arrays, names=[*kept, *predictions])
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, batch.schema)
        self._waiting.append(batch.cast(self._writer.schema))
        self._bytes += batch.nbytes
        return self._group() if self._bytes >= ROW_GROUP_BYTES else b""

    def end(self) -> bytes:
        """Return the rest of the file."""
        text = self._group()
        if self._writer is not None:
            self._writer.close()
        return text + self._written()

    def _group(self) -> bytes:
        """Write the rows that wait as a row group."""
        if self._writer is not None and self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=None)
        self._waiting, self._bytes = [], 0
        return self._written()

    def _written(self) -> bytes:
        written = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        return written


def _array(column: np.ndarray) -> Any:
    if column.ndim == 1:
        return pa.array(column.tolist(), pa.string()) if column.dtype.kind == "U" else pa.array(column)
    values = pa.array(np.ascontiguousarray(column).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(values, column.shape[1])
