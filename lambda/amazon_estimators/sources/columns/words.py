"""Words and ids as numbers: the place of a word among those that are listed, or its hash."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from amazon_estimators.sources.arrow_values import truths, values_of
from amazon_estimators.sources.columns.hashing import murmur3
from amazon_estimators.sources.columns.rules import WHOLE_WITH_POINT, plain_word
from amazon_estimators.sources.columns.table import Column
from amazon_estimators.sources.numbers import NUMBER, spellings

UNKNOWN, GAP = -1, -2
"""Stand for a value that is not listed, and for none."""
WHOLE = 2**53
"""Up to here a float holds every whole number."""


def column_of(array: Any) -> Column:
    """Return an Arrow array of words or numbers as a column. Raises TypeError for another type,
    ValueError for one that is damaged.
    """
    types = pa.types
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if types.is_null(array.type):
        return Column(np.zeros(len(array)), np.ones(len(array), bool))
    if types.is_dictionary(array.type) and not holds_words(array.type):
        array = array.dictionary_decode()
    if holds_words(array.type):
        if types.is_dictionary(array.type):
            _check_indices(array)
        return Column(array)
    if not is_numeric(array.type):
        raise TypeError(f"its type is {array.type}")
    if not array.null_count:
        return Column(values_of(array))
    filled = array.fill_null(False if types.is_boolean(array.type) else 0)
    return Column(values_of(filled), truths(array.is_null()))


def _check_indices(words: Any) -> None:
    """Raise ValueError for an index beyond the dictionary: the table reader takes those of a damaged file."""
    indices = values_of(words.indices.drop_null())
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < len(words.dictionary):
        raise ValueError(f"word {int(indices.max())} of {len(words.dictionary)}")


def is_numeric(kind: Any) -> bool:
    """Return True for integers, floats and truth values."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def holds_words(kind: Any) -> bool:
    """Return True for strings and bytes, and for categories of them."""
    types = pa.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    words = (
        *(types.is_string, types.is_large_string, types.is_string_view),
        *(types.is_binary, types.is_large_binary),
    )
    return any(is_kind(kind) for is_kind in words)


def places(column: Column, categories: Sequence[str]) -> np.ndarray:
    """Return the place of each value among ``categories``, UNKNOWN or GAP; int64, shape (rows,)."""
    if isinstance(column.values, np.ndarray):
        return _places_of_numbers(column, categories)
    listed = pa.array([plain_word(category).encode() for category in categories], pa.binary())

    def find(words: Any) -> np.ndarray:
        at = compute.index_in(words, value_set=listed)
        return values_of(at.fill_null(UNKNOWN)).astype(np.int64)

    return _by_word(column, find, listed=True)


def buckets(column: Column, count: int) -> np.ndarray:
    """Return each value's hash modulo ``count``, UNKNOWN for a fraction, or GAP; int64, shape (rows,)."""
    if not isinstance(column.values, np.ndarray):
        return _by_word(column, lambda words: _hashes(words) % count, listed=False)
    numbers, gaps = column.values, _gaps(column)
    if numbers.dtype.kind == "f":
        whole = (np.abs(numbers) <= WHOLE) & (numbers == np.floor(numbers))
        numbers = np.where(whole, numbers, 0).astype(np.int64)
    else:
        whole = np.ones(len(numbers), bool)
        numbers = numbers.astype(np.uint8) if numbers.dtype.kind == "b" else numbers
    texts = compute.cast(pa.array(np.ascontiguousarray(numbers)), pa.string()).view(pa.binary())
    codes = np.where(whole, _hashes(texts) % count, UNKNOWN)
    codes[gaps] = GAP
    return codes


def word_at(column: Column, row: int) -> str:
    """Return a value as an error shows it."""
    value = column.values[row] if column.word is None else column.word(row)
    value = value.as_py() if isinstance(value, pa.Scalar) else value
    if isinstance(value, bytes):
        return repr(value[:80].decode("utf-8", "replace").strip())
    return repr(value[:80]) if isinstance(value, str) else f"{value!s}"


def words_of(column: Column, rows: np.ndarray, most: int) -> list[str] | None:
    """Return the different values of some rows, sorted; None for more than ``most``, or if nobody knows."""
    if column.word is not None:
        return None
    if isinstance(column.values, np.ndarray):
        values = np.unique(column.values[rows])
        return [f"{value:g}" for value in values.tolist()] if len(values) <= most else None
    different = plain_words(column.values.take(pa.array(rows))).unique()
    if len(different) > most:
        return None
    return sorted(word.decode("utf-8", "replace") for word in different.to_pylist() if word is not None)


def _gaps(column: Column) -> np.ndarray:
    gaps = np.isnan(column.values) if column.values.dtype.kind == "f" else np.zeros(len(column.values), bool)
    return gaps if column.gaps is None else gaps | column.gaps


def _places_of_numbers(column: Column, categories: Sequence[str]) -> np.ndarray:
    # A word that is no number is none of them; a file or frame of words may have numbers alone in a part.
    known = np.array(
        [float(word) if NUMBER.fullmatch(word.encode()) else np.nan for word in categories], np.float64
    )
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known[order], column.values), len(known) - 1)
    codes = np.where(known[order][at] == column.values, order[at], UNKNOWN).astype(np.int64)
    codes[_gaps(column)] = GAP
    return codes


def _by_word(column: Column, code: Any, *, listed: bool) -> np.ndarray:
    """Return what ``code`` makes of the words, of a dictionary's once each, and GAP for gaps."""
    words: Any = column.values
    if pa.types.is_dictionary(words.type):
        codes = _coded(words.dictionary, column, code, listed)
        indices = values_of(words.indices.fill_null(0)).astype(np.int64)
        if not len(codes):
            return np.full(len(words), GAP, np.int64)
        codes = codes[indices]
    else:
        codes = _coded(words, column, code, listed)
    if words.null_count:
        codes[truths(words.is_null())] = GAP
    return codes


def _coded(words: Any, column: Column, code: Any, listed: bool) -> np.ndarray:
    words = plain_words(words)
    codes: np.ndarray = code(words)
    if column.marks:
        is_mark = truths(compute.is_in(words, value_set=marks()))
        if listed:
            is_mark = is_mark & (codes == UNKNOWN)  # a word that is listed is no mark, whatever it looks like
        codes[is_mark] = GAP
    return codes


def _as_bytes(words: Any) -> Any:
    """Return an Arrow array of words as one of bytes, without a copy where that is possible."""
    if pa.types.is_dictionary(words.type):
        words = words.dictionary_decode()
    if words.type == pa.string():
        return words.view(pa.binary())
    return words if words.type == pa.binary() else words.cast(pa.binary())


def plain_words(words: Any) -> Any:
    """Return words without blanks around them, and whole numbers as their digits: see ``plain_word``."""
    words = _as_bytes(words)
    if compute.any(compute.ends_with(words, ".0")).as_py():
        words = compute.replace_substring_regex(words.view(pa.string()), WHOLE_WITH_POINT, r"\1").view(
            pa.binary()
        )
    _, _, data = words.buffers()
    text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    if not ((text == ord(" ")) | ((text >= ord("\t")) & (text <= ord("\r")))).any():
        return words
    return compute.ascii_trim(words.view(pa.string()), " \t\r\n").view(pa.binary())


def _hashes(words: Any) -> np.ndarray:
    """Return the hash of each word, int64; of null that of nothing."""
    _, offsets, data = words.buffers()
    ends = np.frombuffer(offsets, np.int32)[words.offset : words.offset + len(words) + 1].astype(np.int64)
    text = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return murmur3(text[ends[0] : ends[-1]], ends[:-1] - ends[0], np.diff(ends)).astype(np.int64)


@cache
def marks() -> Any:
    """Return all spellings of the marks of a missing value, as an Arrow array of bytes."""
    return pa.array(sorted(spellings()), pa.binary())
