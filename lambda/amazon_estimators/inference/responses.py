"""Read the body of an inference response into arrays and records, by the algorithm's documented format."""

from __future__ import annotations

import csv
import io
import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.algorithms.inference import CONTENT_TYPES, Field
from amazon_estimators.errors import RecordIOError, RequestError, ResponseError
from amazon_estimators.inference.requests import InferenceWarning
from amazon_estimators.recordio import read_records
from amazon_estimators.text import shown

Array = npt.NDArray[Any]
LABEL, CLASS = "predicted_label", "predicted_class"
"""The field of a predicted class's number, and the one of its word."""
TENSORS = ("float32_tensor", "float64_tensor", "int32_tensor")


class Predictions(Mapping[str, Array]):
    """Predictions for some rows, a column for each field.

    A field of one number per row is an array of (rows,), int64 or float64; a field of a list per row one of
    (rows, values). ``len`` counts fields, as of any mapping; ``rows`` counts rows.

    Example:
        >>> predictions = Predictions({"closest_cluster": np.array([1, 0])})
        >>> predictions["closest_cluster"]
        array([1, 0])
        >>> predictions.records()
        [{'closest_cluster': 1}, {'closest_cluster': 0}]
    """

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self._columns = dict(columns)
        self.rows = len(next(iter(self._columns.values()), ()))

    def __getitem__(self, name: str) -> Array:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Predictions({self._columns!r})"

    def with_classes(self, classes: Sequence[str]) -> Predictions:
        """Return the predictions with the word of each label, ``predicted_class``, beside its number.

        Args:
            classes: The words, in the order of the ``Source`` that the model was trained with. Without words,
                or if the model predicts no labels, the predictions are returned as they are.

        A number that is none of a word, which a model of more classes may predict, has an empty word.

        Example:
            >>> Predictions({"predicted_label": np.array([1, 0])}).with_classes(["B", "M"]).records()
            [{'predicted_label': 1, 'predicted_class': 'M'}, {'predicted_label': 0, 'predicted_class': 'B'}]
        """
        if not classes or LABEL not in self:
            return self
        words, labels = np.array([*classes, ""]), self[LABEL]
        known = (labels >= 0) & (labels < len(classes)) & (labels == np.floor(labels))
        places = np.where(known, labels, len(classes)).astype(np.int64)
        return Predictions({**self, CLASS: words[places]})

    def records(self) -> list[dict[str, Any]]:
        """Return a dictionary per row, of Python numbers and lists."""
        values = [column.tolist() for column in self._columns.values()]
        return [dict(zip(self._columns, row, strict=True)) for row in zip(*values, strict=True)]


def accept_for(algorithm: type[Algorithm], content_type: str | None = None, *, verbose: bool = False) -> str:
    """Return the Accept header of a request, checked; by default the algorithm's preferred content type.

    Args:
        algorithm: The algorithm's class.
        content_type: One of ``algorithm.inference.returns``.
        verbose: Ask for the optional fields as well: the neighbours of KNN, the embeddings of IPInsights.

    Raises:
        RequestError: The algorithm has no such response. An undocumented one is an InferenceWarning.
    """
    facts = algorithm.inference
    chosen = facts.returns[0] if content_type is None else content_type
    allowed = ", ".join(facts.returns)
    if chosen not in CONTENT_TYPES or chosen in facts.excluded or (chosen == CSV and not facts.csv_columns):
        raise RequestError(
            f"accept is {chosen!r}; {algorithm.__name__} answers {allowed} ({facts.source})",
            remedy=f"Use {allowed}.",
        )
    if chosen not in facts.returns:
        warnings.warn(
            f"{chosen} is not among the response formats that AWS documents for {algorithm.__name__}: "
            f"{allowed} ({facts.source})",
            InferenceWarning,
            stacklevel=2,
        )
    if verbose and not facts.verbose:
        raise RequestError(
            f"{algorithm.__name__} has no verbose response; KNN and IPInsights have", remedy="Leave it out."
        )
    return f"{chosen}; verbose={facts.verbose}" if verbose else chosen


def read_response(algorithm: type[Algorithm], body: bytes, content_type: str) -> Predictions:
    """Read a response of an endpoint, or an output object of a transform job.

    Args:
        algorithm: The algorithm's class.
        body: The whole response.
        content_type: Its content type; parameters such as ``verbose=true`` are ignored.

    Raises:
        ResponseError: The response is not in the algorithm's documented format.

    Example:
        >>> from amazon_estimators.algorithms import PCA
        >>> body = b'{"projections": [{"projection": [1.0, 2.5]}]}'
        >>> read_response(PCA, body, "application/json")["projection"]
        array([[1. , 2.5]])
    """
    bare = content_type.partition(";")[0].strip().lower()
    name = algorithm.__name__
    if bare == JSON:
        records = _json_records(body, algorithm)
    elif bare == JSON_LINES:
        records = _json_lines(body, name)
    elif bare == RECORDIO:
        records = _protobuf_records(body, algorithm)
    elif bare == CSV and algorithm.inference.csv_columns:
        records = _csv_records(body, algorithm.inference.csv_columns)
    else:
        raise ResponseError(
            f"the response is {content_type!r}, which {name} does not answer with",
            remedy=f"Ask for {', '.join(algorithm.inference.returns)}.",
        )
    return _columns(records, algorithm)


def with_padding(body: bytes) -> bytes:
    """Return RecordIO with its last record padded to four bytes, as all the others are.

    The SageMaker SDK reads a last record without padding, so responses may come without it.
    """
    return body + bytes(-len(body) % 4)


def _json_records(body: bytes, algorithm: type[Algorithm]) -> list[Any]:
    key, name = algorithm.inference.list_key, algorithm.__name__
    answer = _parsed(body, "the response")
    listed = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise ResponseError(
            f"the response of {name} has no list {key!r}: {shown(answer)}",
            remedy=f"{name} answers {{{key!r}: [...]}}; is it an endpoint of another algorithm?",
        )
    return listed


def _json_lines(body: bytes, name: str) -> list[Any]:
    # AWS's page on RandomCutForest shows lines that end in a comma.
    lines = [line.strip().removesuffix(b",") for line in body.splitlines()]
    return [_parsed(line, f"line {number}") for number, line in enumerate(lines, start=1) if line]


def _parsed(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResponseError(f"{what} is not JSON: {error}; it is {shown(bytes(text[:80]))}") from error


def _csv_records(body: bytes, columns: tuple[str, ...]) -> list[dict[str, float]]:
    records = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(body.decode())), start=1):
            if row and len(row) != len(columns):
                raise ResponseError(f"line {number} has {len(row)} values; expecting {', '.join(columns)}")
            if row:
                records.append(dict(zip(columns, map(float, row), strict=True)))
    except (ValueError, csv.Error) as error:
        if isinstance(error, ResponseError):
            raise
        raise ResponseError(f"the response is not CSV of {', '.join(columns)}: {error}") from error
    return records


def _protobuf_records(body: bytes, algorithm: type[Algorithm]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    try:
        for message in read_records(io.BytesIO(with_padding(body))):
            fields = {name: _tensor(name, value) for name, value in message.label.items()}
            records += _rows_of_record(fields, algorithm)
    except RecordIOError as error:
        raise ResponseError(f"the response is not RecordIO-protobuf: {error.message}") from error
    except UnicodeDecodeError as error:
        raise ResponseError("the response holds a field whose name is not UTF-8") from error
    return records


def _tensor(name: str, value: Any) -> list[Any]:
    kind = value.WhichOneof("value")
    if kind not in TENSORS:
        raise ResponseError(f"field {shown(name)} of the response is {kind or 'empty'}, not a tensor")
    return list(getattr(value, kind).values)


def _rows_of_record(fields: dict[str, list[Any]], algorithm: type[Algorithm]) -> list[dict[str, Any]]:
    """Return the predictions of one Record. AWS's page on KMeans shows several of them in one."""
    known = {name: algorithm.inference.field_named(name) for name in fields}
    counts = {len(values) for values in fields.values()}
    numbers = all(field is not None and field.shape == "number" for field in known.values())
    if numbers and len(counts) == 1 and counts != {1}:
        return [dict(zip(fields, row, strict=True)) for row in zip(*fields.values(), strict=True)]
    record: dict[str, Any] = {}
    for name, values in fields.items():
        field = known[name]
        single = field is not None and field.shape != "vector" and len(values) == 1
        record[name] = values[0] if single else values
    return [record]


def _columns(records: Sequence[Any], algorithm: type[Algorithm]) -> Predictions:
    name = algorithm.__name__
    if not records:
        return Predictions({})
    first = records[0]
    if not isinstance(first, dict):
        raise ResponseError(f"prediction 0 of {name} is {shown(first)}; expecting an object with fields")
    fields = [field for field in algorithm.inference.fields if field.name in first]
    missing = [
        field.name for field in algorithm.inference.fields if not field.optional and field not in fields
    ]
    if missing or not fields:
        expected = ", ".join(field.name for field in algorithm.inference.fields)
        raise ResponseError(
            f"prediction 0 has no {', '.join(missing) or 'known field'}: {shown(first)}; "
            f"{name} answers {expected}",
            remedy="Is it an endpoint of another algorithm?",
        )
    return Predictions({field.name: _column(records, field) for field in fields})


def _column(records: Sequence[Any], field: Field) -> Array:
    values = []
    for number, record in enumerate(records):
        if not isinstance(record, dict) or field.name not in record:
            raise ResponseError(f"prediction {number} has no {field.name}: {shown(record)}")
        values.append(record[field.name])
    vector = field.shape == "vector" or (field.shape == "either" and isinstance(values[0], list))
    width = len(values[0]) if vector and isinstance(values[0], list) else 0
    for number, value in enumerate(values):
        items = value if vector and isinstance(value, list) else [value]
        fits = isinstance(value, list) is vector and (not vector or len(value) == width)
        if not fits or not all(_is_number(item, field) for item in items):
            form = (
                f"a list of {width} numbers" if vector else "a whole number" if field.integer else "a number"
            )
            raise ResponseError(f"prediction {number}: {field.name} is {shown(value)}; expecting {form}")
    column = np.array(values, np.float64)
    return column.astype(np.int64) if field.integer else column


def _is_number(value: Any, field: Field) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if field.integer:
        return math.isfinite(value) and float(value).is_integer() and abs(value) < 2**53
    return isinstance(value, float) or abs(value) < 2**1000
