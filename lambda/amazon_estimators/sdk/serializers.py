"""The SageMaker SDK's serializers and deserializers, as far as the first-party algorithms need them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

JSON, CSV, JSON_LINES, BYTES = (
    "application/json",
    "text/csv",
    "application/jsonlines",
    "application/octet-stream",
)


class _Serializer:
    """Writes data as the body of a request with content type ``CONTENT_TYPE``."""

    CONTENT_TYPE = BYTES

    def __init__(self, content_type: str | None = None) -> None:
        if content_type is not None:
            self.CONTENT_TYPE = content_type

    @property
    def content_type(self) -> str:
        """The content type of the request."""
        return self.CONTENT_TYPE


class IdentitySerializer(_Serializer):
    """Sends bytes unchanged."""

    def serialize(self, data: Any) -> Any:
        """Return the data."""
        return data


class CSVSerializer(_Serializer):
    """Writes rows of numbers or texts as CSV."""

    CONTENT_TYPE = CSV

    def serialize(self, data: Any) -> str:
        """Return rows as lines, without a newline after the last; a text or a file's text unchanged.

        Args:
            data: An array or list of rows, or one row; a data frame; a text; a file.
        """
        if hasattr(data, "read"):
            return str(data.read())
        if hasattr(data, "to_numpy"):
            data = data.to_numpy()
        if isinstance(data, str):
            return data
        nested = isinstance(data, Iterable) and any(
            isinstance(row, list | tuple | np.ndarray) for row in data
        )
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(data if nested else [data])
        return out.getvalue().removesuffix("\n")


class JSONSerializer(_Serializer):
    """Writes anything JSON has, and arrays, as JSON."""

    CONTENT_TYPE = JSON

    def serialize(self, data: Any) -> str:
        """Return the data as JSON."""
        return json.dumps(_plain(data))


class JSONLinesSerializer(_Serializer):
    """Writes a JSON document per item."""

    CONTENT_TYPE = JSON_LINES

    def serialize(self, data: Any) -> str:
        """Return a line per item; a text unchanged."""
        if isinstance(data, str):
            return data
        return "\n".join(json.dumps(_plain(item)) for item in data)


class _Deserializer:
    """Reads the body of a response and closes it; asks for ``ACCEPT``."""

    ACCEPT: tuple[str, ...] = ("*/*",)

    def __init__(self, accept: str | tuple[str, ...] | None = None) -> None:
        if accept is not None:
            self.ACCEPT = (accept,) if isinstance(accept, str) else accept


class BytesDeserializer(_Deserializer):
    """Returns the bytes."""

    def deserialize(self, stream: Any, content_type: str) -> bytes:
        """Return the bytes of a response."""
        return _body(stream)


class StringDeserializer(_Deserializer):
    """Returns the text."""

    def deserialize(self, stream: Any, content_type: str) -> str:
        """Return the text of a response."""
        return _body(stream).decode()


class CSVDeserializer(_Deserializer):
    """Reads CSV into lists of texts."""

    ACCEPT = (CSV,)

    def deserialize(self, stream: Any, content_type: str) -> list[list[str]]:
        """Return the rows of a response."""
        return list(csv.reader(_body(stream).decode().splitlines()))


class JSONDeserializer(_Deserializer):
    """Reads a JSON document."""

    ACCEPT = (JSON,)

    def deserialize(self, stream: Any, content_type: str) -> Any:
        """Return the document of a response."""
        return json.loads(_body(stream))


class JSONLinesDeserializer(_Deserializer):
    """Reads a JSON document per line."""

    ACCEPT = (JSON_LINES,)

    def deserialize(self, stream: Any, content_type: str) -> list[Any]:
        """Return the documents of a response."""
        return [json.loads(line) for line in _body(stream).decode().splitlines() if line.strip()]


csv_serializer, json_serializer = CSVSerializer(), JSONSerializer()
csv_deserializer, json_deserializer = CSVDeserializer(), JSONDeserializer()
"""The names of SDK 1."""


def _body(stream: Any) -> bytes:
    try:
        return bytes(stream.read())
    finally:
        stream.close()


def _plain(data: Any) -> Any:
    if isinstance(data, np.ndarray | np.generic):
        return data.tolist()
    if isinstance(data, dict):
        return {name: _plain(value) for name, value in data.items()}
    return [_plain(item) for item in data] if isinstance(data, list | tuple) else data
