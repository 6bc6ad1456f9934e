"""The codec under its old names: ``sagemaker.amazon.common``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from amazon_estimators import recordio
from amazon_estimators.inference.responses import with_padding
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
    """Return all records of a file, as protobuf messages in a list. :mod:`..recordio` reads lazily."""
    return list(recordio.read_records(file))


def read_recordio(file: BinaryIO) -> Iterator[bytes]:
    """Return the payload of each record."""
    for record in recordio.read_records(file):
        yield record.SerializeToString()


class RecordSerializer:
    """Write rows as the body of a request to an endpoint.

    Args:
        content_type: The content type to send. Default: RecordIO-protobuf.
        allow_nonfinite: True writes NaN and infinities, like the SageMaker SDK. Default: refuse them.
    """

    def __init__(self, content_type: str = CONTENT_TYPE, *, allow_nonfinite: bool = False) -> None:
        self.content_type = content_type
        self._allow_nonfinite = allow_nonfinite

    @property
    def CONTENT_TYPE(self) -> str:  # noqa: N802 - the SageMaker SDK's name
        """The content type of the request."""
        return self.content_type

    def serialize(self, data: Any) -> BinaryIO:
        """Return a file of records, at its start.

        Args:
            data: An array of shape (rows, features), or (features,) for one row; or a SciPy sparse matrix.

        Raises:
            InputError: A wrong shape or dtype, or a value that is not finite.
        """
        sparse = hasattr(data, "tocsr")
        array = data if sparse else np.asarray(data)
        write = write_spmatrix_to_sparse_tensor if sparse else write_numpy_to_dense_tensor
        file = io.BytesIO()
        write(file, array.reshape(1, -1) if array.ndim == 1 else array, allow_nonfinite=self._allow_nonfinite)
        file.seek(0)
        return file


class RecordDeserializer:
    """Read the body of an endpoint's response.

    Args:
        accept: The content type, or content types, to ask for. Default: RecordIO-protobuf.
    """

    def __init__(self, accept: str | tuple[str, ...] = CONTENT_TYPE) -> None:
        self.accept = accept

    @property
    def ACCEPT(self) -> tuple[str, ...]:  # noqa: N802 - the SageMaker SDK's name
        """The content types to ask for."""
        return (self.accept,) if isinstance(self.accept, str) else self.accept

    def deserialize(self, data: BinaryIO, content_type: str = CONTENT_TYPE) -> list[Any]:
        """Return the records of a response as protobuf messages, and close it.

        The last record may lack its padding. Raises RecordIOError for bytes that are not records.
        """
        try:
            return read_records(io.BytesIO(with_padding(data.read())))
        finally:
            data.close()
