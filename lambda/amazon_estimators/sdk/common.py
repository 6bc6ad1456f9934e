"""The codec under its old names: ``sagemaker.amazon.common``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from amazon_estimators import recordio
from amazon_estimators.recordio import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor

CONTENT_TYPE = "application/x-recordio-protobuf"

__all__ = [
    "RecordDeserializer",
    "RecordSerializer",
    "read_recordio",
    "read_records",
    "write_numpy_to_dense_tensor",
    "write_spmatrix_to_sparse_tensor",
]


def read_records(file: BinaryIO) -> list[Any]:
    """All records of a file, as protobuf messages in a list. :mod:`..recordio` reads lazily."""
    return list(recordio.read_records(file))


def read_recordio(file: BinaryIO) -> Iterator[bytes]:
    """The payload of each record."""
    for record in recordio.read_records(file):
        yield record.SerializeToString()


class RecordSerializer:
    """Rows for an endpoint: an array of shape (rows, features), or (features,) for one."""

    CONTENT_TYPE = CONTENT_TYPE

    def serialize(self, data: Any) -> BinaryIO:
        """A file of records, at its start."""
        array = np.asarray(data)
        file = io.BytesIO()
        write_numpy_to_dense_tensor(file, array.reshape(1, -1) if array.ndim == 1 else array)
        file.seek(0)
        return file


class RecordDeserializer:
    """What an endpoint answers."""

    ACCEPT = (CONTENT_TYPE,)

    def deserialize(self, data: BinaryIO, content_type: str = CONTENT_TYPE) -> list[Any]:
        """The records of an answer; closes it."""
        try:
            return read_records(data)
        finally:
            data.close()
