"""Write predictions as CSV or JSON Lines: the kept columns of each row, then the fields of its prediction."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from amazon_estimators.inference import Predictions

CONTENT_TYPES = {
    "csv": "text/csv",
    "jsonlines": "application/jsonlines",
    "parquet": "application/vnd.apache.parquet",
}
"""The content type of a part, by format; the format is its extension too."""

Kept = Any
"""The values of a kept column: a list of texts, numbers and truth values, None for a gap; or, for Parquet, an
Arrow array."""


@dataclass(frozen=True)
class Column:
    """A column of the predictions.

    ``type`` is ``"text"``, ``"boolean"``, ``"integer"``, ``"number"`` or ``"numbers"``; of a kept column of
    Parquet it is Arrow's, such as ``"timestamp[us]"``.
    """

    name: str
    type: str


class Writer(Protocol):
    """Turns blocks of rows into the bytes of a part."""

    def block(self, kept: Mapping[str, Kept], predictions: Predictions) -> bytes:
        """Return the bytes of some rows: kept columns by name, and the predictions."""
        ...

    def end(self) -> bytes:
        """Return what stands after the last row."""
        ...


def columns_of(kept: Mapping[str, Kept], predictions: Predictions) -> list[Column]:
    """Return the columns of rows like these, in their order."""
    found = [
        Column(name, _type(values) if isinstance(values, list) else str(values.type))
        for name, values in kept.items()
    ]
    for name, values in predictions.items():
        one = {"i": "integer", "u": "integer", "U": "text"}.get(values.dtype.kind, "number")
        found.append(Column(name, "numbers" if values.ndim == 2 else one))
    return found


class CsvWriter:
    """CSV with a header. A field that is a list takes a column for each of its values: ``projection_0``."""

    def __init__(self) -> None:
        self._has_header = False

    def block(self, kept: Mapping[str, Kept], predictions: Predictions) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._has_header:
            writer.writerow([*kept, *_flat_names(predictions)])
            self._has_header = True
        columns: list[Sequence[Any]] = [*map(_with_truths, kept.values()), *_flat_texts(predictions)]
        writer.writerows(zip(*columns, strict=True))
        return text.getvalue().encode()

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class JsonLinesWriter:
    """A JSON object per row. A field that is a list is a list; a number that is not finite is null."""

    def block(self, kept: Mapping[str, Kept], predictions: Predictions) -> bytes:
        values = [_plain(column) for column in predictions.values()]
        names = [*kept, *predictions]
        rows = zip(*kept.values(), *values, strict=True)
        return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()

    def end(self) -> bytes:
        """Return nothing."""
        return b""


def _with_truths(values: Sequence[Any]) -> Sequence[Any]:
    """Return the values with the truth values among them as SQL and JSON write them."""
    return [str(value).lower() if isinstance(value, bool) else value for value in values]


def _type(values: Kept) -> str:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return "boolean"
    return "text" if str in kinds or not kinds else "integer" if kinds == {int} else "number"


def _flat_names(predictions: Predictions) -> Iterator[str]:
    for name, column in predictions.items():
        if column.ndim == 1:
            yield name
        else:
            yield from (f"{name}_{number}" for number in range(column.shape[1]))


def _flat_texts(predictions: Predictions) -> Iterator[Sequence[str]]:
    """Yield columns of text: of a float32 the digits that tell it from all others, and no more."""
    for column in predictions.values():
        texts = column.astype(np.str_)
        yield from [texts.tolist()] if column.ndim == 1 else texts.T.tolist()


def _plain(column: np.ndarray) -> list[Any]:
    """Return Python numbers and lists, written with the digits of the column's own type."""
    if column.dtype.kind != "f":
        plain: list[Any] = column.tolist()
        return plain
    exact = column.astype(np.str_).astype(np.float64).astype(object)
    exact[~np.isfinite(column)] = None
    values: list[Any] = exact.tolist()
    return values
