"""Explain why delimited text is not a table of numbers, for all columns at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from amazon_estimators.errors import InputError
from amazon_estimators.sources.columns.faults import (
    MOST_COLUMNS,
    MOST_WORDS,
    PAGE,
    ways_with_classes,
    ways_with_gaps,
    ways_with_words,
    with_words,
)
from amazon_estimators.sources.columns.rules import ColumnRules, Key
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.quoting import walk
from amazon_estimators.sources.delimited.written_numbers import numbers_of_dates, without_marks
from amazon_estimators.sources.files.text_lines import BOM
from amazon_estimators.sources.float32 import COUNTED_BELOW_HEADER as COUNTED
from amazon_estimators.sources.layout import Piece
from amazon_estimators.sources.numbers import is_missing, number_pattern, parts_thousands
from amazon_estimators.sources.schema import Schema, without
from amazon_estimators.sources.source import LONGEST_SHOWN, Source
from amazon_estimators.text import listed, shown

THOUSANDS = (
    "If commas or points separate thousands, write numbers without them; if they are decimal marks, "
    "set decimal in the Source."
)


@dataclass
class Fault:
    """Collects the faults of one column: the first bad cell, and a count of each kind."""

    row: int
    text: bytes
    value: bytes
    empty: int = 0
    missing: int = 0
    words: int = 0
    different: set[str] | None = field(default_factory=set)
    """The words, while they are few."""
    first_words: list[str] = field(default_factory=list)
    """The first of the words."""

    def add(self, value: bytes) -> None:
        """Count a cell."""
        if not value.strip():
            self.empty += 1
        elif is_missing(value):
            self.missing += 1
        else:
            self.words += 1
            word = value[:LONGEST_SHOWN].decode("utf-8", "replace").strip()
            if len(self.first_words) < MOST_WORDS:
                self.first_words.append(word)
            self.different = with_word(self.different, word)

    def numbers(self, rows: int) -> int:
        """Return how many of the column's cells are numbers."""
        return rows - self.empty - self.missing - self.words


def with_word(different: set[str] | None, word: str) -> set[str] | None:
    """Return the words and another one; None once they are too many to list."""
    if different is None:
        return None
    return words if len(words := {*different, word}) <= MOST_WORDS else None


def fault_of(  # noqa: PLR0917 - the reader's own arguments
    text: bytes, dialect: Dialect, schema: Schema, source: Source, piece: Piece, row: int
) -> InputError:
    """Return the error for the faults in ``text``, whose first row is number ``row``."""
    number, rows = number_pattern(dialect.decimal), 0
    faults: dict[int, Fault] = {}
    for record in walk(text, dialect):
        raw = text[record.start : record.stop]
        where = f"{piece.source.uri}, {piece.row(row + rows, raw)}"
        problem = record.problem or (record.unclosed and "a quote that is never closed")
        if dialect.newline_ends and any(b"\n" in field for field in record.fields):
            problem = "a newline between quotes, which quoted_newlines=False rules out"
        wrong = None
        if problem:
            wrong = InputError(f"{where}: {problem}", remedy=f"{COUNTED} {_quote_remedy(raw, dialect)}")
        elif schema.names and tuple(name.lstrip("\ufeff") for name in _texts(record.fields)) == schema.names:
            wrong = InputError(
                f"{where}: it is the header again",
                remedy=f"{COUNTED} Remove it: when you concatenate files, keep only the first header.",
            )
        elif len(record.fields) != schema.width:
            wrong = _wrong_width(where, record.fields, schema, dialect, first=row + rows == 0, raw=raw)
        if wrong is not None:
            if faults and not (schema.width == 1 < len(record.fields)):
                break
            return wrong  # above a table, a line of one field is a title, whatever its own faults are
        for position in schema.numbers:
            value = record.fields[position]
            gap = bool(schema.rules) and is_missing(value)
            if not (schema.may_lack(position) if gap else number.fullmatch(value)):
                faults.setdefault(position, Fault(rows, raw, value)).add(value)
        rows += 1
    if not faults:
        return InputError(
            f"{piece.source.uri}, rows up to {piece.row(row + rows - 1)}: not readable as a table of numbers",
            remedy=f"{COUNTED} End lines with a newline, or carriage return and newline, and nowhere else.",
        )
    _add_numbers(faults, rows, text, dialect)
    first = min(faults, key=lambda position: (faults[position].row, position))
    fault = faults[first]
    where = f"{piece.source.uri}, {piece.row(row + fault.row, fault.text)}"
    remedy = f"{COUNTED} {_remedy(faults, rows, dialect, schema, source)} {PAGE}"
    return InputError(f"{where}, {_cells(faults, rows, schema, row)}", remedy=remedy)


def _add_numbers(faults: dict[int, Fault], rows: int, text: bytes, dialect: Dialect) -> None:
    """Add to the words of a column the numbers among them: in a column that is mostly words they are some."""
    mixed = {at: fault for at, fault in faults.items() if 0 < fault.numbers(rows) < fault.words}
    for record in islice(walk(text, dialect), rows) if mixed else ():
        for position, fault in mixed.items():
            value = record.fields[position]
            if not is_missing(value):
                word = value[:LONGEST_SHOWN].decode("utf-8", "replace").strip()
                fault.different = with_word(fault.different, word)


def _cells(faults: dict[int, Fault], rows: int, schema: Schema, row: int) -> str:
    """Describe the cells that are not numbers: the first one, then those of other columns."""
    first, *others = sorted(faults, key=lambda position: (faults[position].row, position))
    fault = faults[first]
    what = f"{_value(fault.value)} is not a number" if fault.value.strip() else "it is empty"
    message = f"{schema.column(first)}: {what}{_more(fault, rows)}"
    for position in others[:MOST_COLUMNS]:
        fault = faults[position]
        cell = f"first {_value(fault.value)} in row" if fault.value.strip() else "first in row"
        message += f"; {schema.column(position)}: {_kinds(fault)} of {rows:,}, {cell} {row + fault.row:,}"
    if len(others) > MOST_COLUMNS:
        message += f"; and {len(others) - MOST_COLUMNS:,} more columns"
    return message


def _value(value: bytes) -> str:
    return repr(value[:80].decode("utf-8", "replace"))


def _kinds(fault: Fault) -> str:
    kinds = {"empty": fault.empty, "marked as missing": fault.missing, "text": fault.words}
    return " and ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)


def _more(fault: Fault, rows: int) -> str:
    count = fault.empty + fault.missing + fault.words
    return f" ({_kinds(fault)} of {rows:,} rows)" if count > 1 else ""


def _remedy(faults: dict[int, Fault], rows: int, dialect: Dialect, schema: Schema, source: Source) -> str:
    """Return the fix for each cause present."""
    values = [fault.value for fault in faults.values() if fault.words]
    comma, point = number_pattern(b","), number_pattern(b".")
    if _at_the_end(faults, rows, schema) and not source.columns:
        mark, columns = shown(dialect.delimiter.decode()), list(range(-len(faults), 0))
        what = "column" if len(columns) == 1 else "columns"
        return f"Every line ends in {mark}: leave the empty {what} out, exclude={columns}."
    if values and all(number_pattern(dialect.decimal).fullmatch(value.removeprefix(BOM)) for value in values):
        return "A byte order mark stands inside the file, as when files are concatenated: take it out."
    if values and parts_thousands(values, dialect.decimal):
        return THOUSANDS
    if dialect.decimal == b"." and values and all(comma.fullmatch(value) for value in values):
        return 'Numbers have a decimal comma: set decimal="," in the Source.'
    if dialect.decimal == b"," and values and all(point.fullmatch(value) for value in values):
        return 'Numbers have a decimal point: leave decimal="," out of the Source.'
    rules = schema.rules or ColumnRules()
    gaps = [position for position in sorted(faults) if faults[position].empty or faults[position].missing]
    texts = [position for position in sorted(faults) if faults[position].words and position != schema.label]
    told = {position: _not_words(faults[position], schema.key(position)) for position in texts}
    wrong = [at for at in texts if not told[at] and faults[at].numbers(rows) >= faults[at].words]
    words = {at: faults[at].different for at in texts if not told[at] and at not in wrong}
    ways = [
        *ways_with_gaps(gaps, with_words(rules, words), schema.key, schema.label),
        *ways_with_words(words, rules, schema.key),
        *dict.fromkeys(way for way in told.values() if way),
    ]
    if wrong:
        names = listed([schema.key(at) for at in wrong[:MOST_COLUMNS]])
        ways.append(f"Correct such texts among the numbers of {names}, or take their rows out of the file.")
    if schema.label in faults and faults[schema.label].words:
        label = faults[schema.label]
        way = _not_words(label, schema.key(schema.label))
        ways += [way] if way else _ways_of_label(label, rows, rules)
    ways.append(without(schema, source, sorted(faults)))
    return " ".join(filter(None, ways))


def _not_words(fault: Fault, key: Key) -> str:
    """Return the fix for texts of a column that are not words: dates, and numbers with units; or ""."""
    if advice := numbers_of_dates(fault.first_words):
        return advice.format(key)
    code = without_marks(fault.first_words)
    if code is not None:
        return f"Take marks and units off the numbers: frame[{key!r}] = {code.format(key)}."
    return ""


def _ways_of_label(fault: Fault, rows: int, rules: ColumnRules) -> list[str]:
    """Return the fix for words in the label: they are classes if every row has one, else errors."""
    if fault.words + fault.empty + fault.missing == rows:
        return ways_with_classes(rules, fault.different)
    return ["The label has numbers too: correct its words, or number the classes from 0."]


def _at_the_end(faults: dict[int, Fault], rows: int, schema: Schema) -> bool:
    """Return True if only the last columns are at fault, and they are empty in every row."""
    last = range(schema.width - len(faults), schema.width)
    return faults.keys() == set(last) and all(fault.empty == rows for fault in faults.values())


def _texts(fields: list[bytes]) -> tuple[str, ...]:
    return tuple(field.decode("utf-8", "replace").strip() for field in fields)


def _wrong_width(
    where: str, fields: list[bytes], schema: Schema, dialect: Dialect, *, first: bool, raw: bytes
) -> InputError:
    """Return the error for a row of a different width; ``first`` is True for the file's first row."""
    count, remedy = len(fields), "Give every row the same fields."
    number = number_pattern(dialect.decimal)
    titled = schema.names and count > schema.width and not any(map(number.fullmatch, fields))
    column = f"{schema.column(count)} is missing" if count < schema.width else "a column too many"
    if schema.names and schema.names[0].startswith("#"):
        remedy = (
            "The first line begins with # and was read as the header: take the # off if it is one, as "
            'numpy.savetxt(comments="") writes it, or else take the line off, and others that begin with #.'
        )
    elif titled and (first or schema.width == 1):
        remedy = "The first line is not the header: take the lines above the header off."
    elif any(field.startswith(b"'") and not field.endswith(b"'") for field in fields):
        remedy = "Texts are enclosed in single quotes: enclose them in double quotes."
    elif fields and fields[0].startswith(b"#"):
        remedy = "Remove comment lines."
    elif b"\r" in raw.rstrip(b"\r\n"):
        remedy = "A carriage return in the row ends no line: end all lines with newlines."
    elif count == schema.width + 1 and not fields[-1]:
        remedy = (
            f"Lines end in {shown(dialect.delimiter.decode())}, and the first one does not: end it so too, "
            "or take the last mark off the others."
        )
    elif count == schema.width + 1 and schema.names and first:
        remedy = (
            "Rows have a name that the header does not count, as R's write.table makes them: write the file "
            "with row.names=FALSE, or give the first column a name in the header."
        )
    elif count < schema.width and not number.fullmatch(fields[0]):
        remedy = f"{remedy} If the line is not a row, such as a total, take it off."
    return InputError(
        f"{where}, {column}: {count} fields where the first row has {schema.width}",
        remedy=f"{COUNTED} {remedy}",
    )


def _quote_remedy(raw: bytes, dialect: Dialect) -> str:
    if b'\\"' in raw and not dialect.escape:
        return 'Quotes are escaped by a backslash: set escape="\\\\" in the Source.'
    return (
        'Quote the whole field and write a quote in it twice, "say ""yes""". If quotes are characters like '
        'others, set quoting="none" in the Source.'
    )
