"""Look through the rows of local tables: what each column holds, before rules make features of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from amazon_estimators.client.local_encoding import BUCKET, local_errors, local_files
from amazon_estimators.client.local_s3 import Directory
from amazon_estimators.errors import InputError, NoInputError
from amazon_estimators.sources import Layout, Piece, Source, format_of
from amazon_estimators.sources.arrow_values import truths, values_of
from amazon_estimators.sources.columns.table import Column, Table
from amazon_estimators.sources.columns.words import holds_words, is_numeric, plain_words
from amazon_estimators.sources.formats import FORMATS
from amazon_estimators.sources.numbers import spellings
from amazon_estimators.sources.parquet.footer import read_footer
from amazon_estimators.sources.readers import resolve
from amazon_estimators.storage.input_files import InputFiles

MOST_WORDS = 100_000
"""Different values of a column that are remembered; of more it is only known that they are many."""
SAMPLE = 100_000
"""Numbers of a column whose median is taken."""
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
DATE = r"^\d{4}-\d{2}-\d{2}([ T].*)?$"
ROWS = 1_000_000


@dataclass
class ColumnSurvey:
    """The content of one column in all rows.

    Attributes:
        name: The column's name, or its position where it has none.
        rows: The rows that were read.
        gaps: Those without a value.
        words: Those with a value that is not a number.
        dates: Those of them that are dates.
        beyond: The numbers that float32 does not hold.
        first_word: The first of them.
        whole: True if all numbers are whole.
        different: The different values as text; None if they are too many to remember.
        numbers: The first numbers, a sample.
        text: True if a column of a type is one of text, whatever stands in it.
        unreadable: Why a column cannot be a feature, such as its type; "" if it can.
    """

    name: int | str
    rows: int = 0
    gaps: int = 0
    words: int = 0
    dates: int = 0
    beyond: int = 0
    first_word: str = ""
    whole: bool = True
    different: set[bytes] | None = field(default_factory=set)
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(0))
    text: bool = False
    unreadable: str = ""

    def add(self, column: Column, rows: int) -> None:
        """Add rows of the column."""
        self.rows += rows
        if isinstance(column.values, np.ndarray):
            values = column.values.astype(np.float64)
            gaps = np.isnan(values) if column.gaps is None else column.gaps | np.isnan(values)
            self.gaps += int(gaps.sum())
            self._add_numbers(values[~gaps])
            self._remember(f"{value:.17g}".encode() for value in np.unique(values[~gaps])[: MOST_WORDS + 1])
            return
        self.text = self.text or not column.marks
        words = plain_words(column.values)
        gaps = truths(words.is_null().fill_null(True))
        if column.marks:
            gaps = gaps | truths(compute.is_in(words, value_set=pa.array(sorted(spellings()), pa.binary())))
        self.gaps += int(gaps.sum())
        words = words.filter(pa.array(~gaps))
        text = words.view(pa.string())
        numbers = compute.match_substring_regex(text, NUMBER)
        others = words.filter(compute.invert(numbers))
        self.words += len(others)
        if len(others):
            self.first_word = self.first_word or others[0].as_py().decode("utf-8", "replace")
            self.dates += compute.sum(compute.match_substring_regex(others.view(pa.string()), DATE)).as_py()
        self._add_numbers(values_of(text.filter(numbers).cast(pa.float64())))
        self._remember(word for word in words.unique().to_pylist())

    def _add_numbers(self, values: np.ndarray) -> None:
        with np.errstate(over="ignore"):
            self.beyond += int((~np.isfinite(values.astype(np.float32))).sum())
        self.whole = self.whole and bool((values == np.floor(values)).all())
        if len(self.numbers) < SAMPLE:
            self.numbers = np.concatenate((self.numbers, values[: SAMPLE - len(self.numbers)]))

    def _remember(self, values: Iterator[bytes]) -> None:
        if self.different is not None:
            self.different.update(values)
            if len(self.different) > MOST_WORDS:
                self.different = None


@dataclass(frozen=True)
class Survey:
    """The content of tables: their columns, and if all rows were read. ``source`` is how they are read."""

    columns: list[ColumnSurvey]
    rows: int
    complete: bool
    source: Source


def survey(files: Sequence[Path], source: Source, *, most_rows: int = ROWS) -> Survey:
    """Look through tables of one kind.

    Args:
        files: Files and directories.
        source: How they are read: delimiter, header and their like, and columns to exclude.
        most_rows: The rows to read.

    Raises:
        InputError: A file cannot be read, or has no columns.
    """
    named, _ = local_files(files, InputFiles("", source.include, source.skip))
    if missing := [str(path) for path in named if not path.is_file()]:
        raise InputError(f"there is no file {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as work, local_errors():
        s3 = Directory(Path(work), {str(path): path for path in named})
        objects = s3.input_objects(BUCKET, "train")
        source = resolve(s3, objects, replace(source, include=(), skip=()))
        columns: dict[int | str, ColumnSurvey] = {}
        rows, complete = 0, True
        for found in objects:
            if rows >= most_rows:
                complete = False
                break
            try:
                for table, names in _tables(s3, found, source, columns):
                    for position, column in table.columns.items():
                        columns.setdefault(names[position], ColumnSurvey(names[position])).add(
                            column, table.rows_read
                        )
                    rows += table.rows_read
                    if rows >= most_rows:
                        complete = False
                        break
            except NoInputError:
                continue
    if not rows:
        raise NoInputError("the files have no rows", remedy="Name files with at least one row.")
    return Survey(list(columns.values()), rows, complete, source)


def _tables(
    s3: Any, found: Any, source: Source, columns: dict[int | str, ColumnSurvey]
) -> Iterator[tuple[Table, dict[int, int | str]]]:
    """Yield the rows of a file as they are, and the name of each column by position."""
    name, _ = format_of(found, source)
    if "fill" not in FORMATS[name].options:
        raise InputError(
            f"{found.uri}: format {name!r} has no columns to profile",
            remedy="Name tables: CSV, Parquet, .npz or .npy.",
        )
    reader: Any = FORMATS[name].load()
    chosen = replace(source, label=None, features=None)
    hashed: tuple[int, ...] = ()
    if name == "parquet":
        footer = read_footer(s3, found)
        kinds = {column: footer.types[at] for column, (at, _) in enumerate(footer.places)}
        hashed = tuple(at for at, kind in kinds.items() if holds_words(kind))
        readable = {at for at, kind in kinds.items() if at in hashed or _is_number(kind)}
        for at in kinds.keys() - readable:
            told = ColumnSurvey(footer.flat_names[at], unreadable=f"its type is {kinds[at]}")
            columns.setdefault(told.name, told)
        out = {footer.flat_names.index(one) if isinstance(one, str) else one for one in source.exclude}
        chosen = replace(chosen, exclude=tuple(sorted((kinds.keys() - readable) | out)))
        hashed = tuple(at for at in hashed if at not in out)
    elif name == "csv":
        hashed = reader.look(s3, found, chosen).schema.used
    chosen = replace(chosen, hashed=dict.fromkeys(hashed, 1), drop_incomplete=True)
    layout: Layout = reader.look(s3, found, chosen)
    names = {position: layout.schema.key(position) for position in layout.schema.used}
    for table in reader.read(s3, Piece(found, layout.start, layout.stop), chosen, layout.schema):
        yield table, names


def _is_number(kind: Any) -> bool:
    return is_numeric(kind.value_type if pa.types.is_fixed_size_list(kind) else kind)
