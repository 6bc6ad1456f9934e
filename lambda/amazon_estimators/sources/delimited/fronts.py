"""Read the first records of delimited files and choose the dialect that fits them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.prefetch import ahead
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.quoting import walk
from amazon_estimators.sources.files.compression import bare_key, compression_of, decompressed
from amazon_estimators.sources.files.first_bytes import refuse_other_kind
from amazon_estimators.sources.files.text_lines import BOM
from amazon_estimators.sources.numbers import is_missing, number_pattern, parts_thousands
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source
from amazon_estimators.storage.s3 import InputObject, read_range

FRONT_BYTES = 64 * 2**10
MOST_ROWS = 200
MOST_FILES = 64
"""Files whose fronts are compared, sampled evenly."""
AT_ONCE = 16
OTHER_DELIMITERS = (b",", b";", b"\t", b"|", b" ", b"\x01")
"""The last one is that of Hive's text files."""


@dataclass(frozen=True)
class Front:
    """The text an object begins with. ``complete`` is True if that is the whole object."""

    input_object: InputObject
    text: bytes
    whole: bool

    def rows(self, dialect: Dialect) -> list[list[bytes]]:
        """Return the fields of the first whole records, or of the only record."""
        rows: list[list[bytes]] = []
        for record in walk(self.text, dialect):
            if record.problem or len(rows) == MOST_ROWS or not (record.ended or self.whole or not rows):
                break
            rows.append(record.fields)
        return rows

    def misfits(self, dialect: Dialect) -> int:
        """Count the first records that do not fit: their width differs, or a quote is never closed."""
        widths: list[int] = []
        bad = 0
        for record in walk(self.text, dialect):
            if len(widths) == MOST_ROWS:
                break
            if not record.ended and not self.whole and not record.problem:
                # An unfinished record may span lines; the more lines, the less likely.
                return bad + (b"\n" in self.text[record.start :].rstrip(b"\n") and record.unclosed)
            bad += bool(record.problem or record.unclosed)
            widths.append(len(record.fields))
        most, times = Counter(widths).most_common(1)[0] if widths else (0, 0)
        return bad + len(widths) - times + (len(widths) * (most == 0))


def fronts_of(s3: Any, objects: Sequence[InputObject], source: Source) -> list[Front]:
    """Read the fronts of the objects, or of an even sample if there are many. Skips empty objects.

    Raises InputError for an object that is not text.
    """
    if len(objects) > MOST_FILES:
        step = (len(objects) - 1) / (MOST_FILES - 1)
        objects = [objects[round(index * step)] for index in range(MOST_FILES)]
    fronts = ahead(lambda input_object: _front(s3, input_object, source), objects, width=AT_ONCE)
    return [front for front in fronts if front.text.strip()]


def dialect_of(input_object: InputObject, source: Source) -> Dialect:
    """Return the dialect that options and extension define. ``quoting="auto"`` reads quotes."""
    tabbed = bare_key(input_object).endswith(".tsv")
    return Dialect(
        (source.delimiter or ("\t" if tabbed else ",")).encode(),
        source.quoted_newlines,
        quotes=source.quoting != "none",
        escape=(source.escape or "").encode(),
        decimal=source.decimal.encode(),
    )


def with_dialect(fronts: Sequence[Front], source: Source) -> Source:
    """Return the source with quoting and escape detected from the first records of all files.

    If several readings fit, quotes enclose fields in CSV and are plain text in TSV, which defines no quoting;
    but if a TSV file quotes every text, they enclose fields there too.
    """
    if not fronts or (source.quoting != "auto" and source.escape is not None):
        return source
    candidates = list(_candidates(source, tabs=all(_is_tabbed(front, source) for front in fronts)))
    if len(candidates) == 1:
        return candidates[0]
    if candidates[0].quoting == "none" and all(_quotes_texts(front, source) for front in fronts):
        candidates.append(candidates.pop(0))

    def misfits(candidate: Source) -> int:
        return sum(front.misfits(dialect_of(front.input_object, candidate)) for front in fronts) + sum(
            _quoted_numbers(front, candidate) for front in fronts
        )

    default = next(candidate for candidate in candidates if candidate.quoting == "minimal")
    fitting = [candidate for candidate in candidates if not misfits(candidate)] or [default]
    alike = [candidate for candidate in fitting if candidate.quoting == fitting[0].quoting]
    return min(alike, key=lambda candidate: sum(_open_words(front, candidate) for front in fronts))


def check_delimiter(fronts: Sequence[Front], source: Source) -> None:
    """Raise InputError if another delimiter yields numbers where this one yields text."""
    for front in fronts:
        text = front.text.removeprefix(BOM)
        if text[:4].lower() == b"sep=" and text[4:5] and text[5:7].startswith((b"\n", b"\r\n")):
            mark = text[4:5].decode("latin-1")
            raise InputError(
                f"{front.input_object.uri}: its first line, sep={shown_mark(mark)}, is a note for Excel",
                remedy=f'Remove that line and set delimiter="{shown_mark(mark)}" in the Source.',
            )
        dialect = dialect_of(front.input_object, source)
        rows = front.rows(dialect)
        used = number_columns(rows, source, front.input_object.uri)
        share, width = _numbers(rows, dialect, used if used is not None else set(range(len(rows[0]))))
        if not width:
            share = 0.0  # rows of different widths are not a table, whatever they hold
        others = [
            (*_numbers(front.rows(other), other), other)
            for mark in dict.fromkeys((dialect.delimiter, *OTHER_DELIMITERS))
            for decimal in (b".", b",")
            if (other := replace(dialect, delimiter=mark, decimal=decimal)) != dialect and mark != decimal
        ]
        best, columns, other = max(others, key=lambda candidate: candidate[:2])
        # Text may be in excluded columns: the evidence is numbers everywhere, or far more of them than now.
        if columns < 2 or not (share < best == 1.0 or (best >= 0.5 > 2 * share)):
            continue
        mark, ways = other.delimiter.decode(), []
        if other.delimiter != dialect.delimiter:
            ways.append(f'delimiter="{shown_mark(mark)}"')
        if other.decimal != dialect.decimal:
            ways.append(f'decimal="{other.decimal.decode()}"')
            if _is_in_doubt(front, other, dialect.decimal):
                raise InputError(
                    f"{front.input_object.uri}: its numbers have marks that may separate thousands or "
                    "decimals",
                    remedy="Write numbers without marks between thousands. If they are decimal marks, set "
                    f"{' and '.join(ways)} in the Source.",
                )
        cause = (
            f"its fields are separated by {mark!r}, not {dialect.delimiter.decode()!r}"
            if other.delimiter != dialect.delimiter
            else f"its numbers have {'a decimal comma' if other.decimal == b',' else 'a decimal point'}"
        )
        raise InputError(
            f"{front.input_object.uri}: {cause}", remedy=f"Set {' and '.join(ways)} in the Source."
        )


def shown_mark(mark: str) -> str:
    """Return a delimiter as Python writes it between quotes.

    Example:
        >>> shown_mark(chr(9)) == chr(92) + "t", shown_mark(";")
        (True, ';')
    """
    return repr(mark)[1:-1]


def _is_in_doubt(front: Front, other: Dialect, decimal: bytes) -> bool:
    """Return True if every decimal mark of ``other`` may be a thousands separator."""
    cells = [cell for row in front.rows(other)[1:] for cell in row]
    numbers = [
        cell for cell in cells if other.decimal in cell and number_pattern(other.decimal).fullmatch(cell)
    ]
    return bool(numbers) and parts_thousands(numbers, decimal)


def _front(s3: Any, input_object: InputObject, source: Source) -> Front:
    compression = compression_of(input_object, source.compression)
    if compression == "none":
        text = read_range(s3, input_object, 0, min(input_object.size, FRONT_BYTES))
        whole = len(text) == input_object.size
    else:
        text, whole = _first_bytes(decompressed(s3, input_object, compression))
    refuse_other_kind(text, input_object, "text of fields", inside=compression)
    return Front(input_object, text.removeprefix(BOM), whole)


def _first_bytes(steps: Iterator[bytes]) -> tuple[bytes, bool]:
    text = b""
    for step in steps:
        text += step
        if len(text) > FRONT_BYTES:
            return text[:FRONT_BYTES], False
    return text, True


def _is_tabbed(front: Front, source: Source) -> bool:
    return dialect_of(front.input_object, source).delimiter == b"\t"


def _candidates(source: Source, *, tabs: bool) -> Iterator[Source]:
    """Return the ways to read quotes that the options leave open, likeliest first."""
    quotings = (
        (("none", "minimal") if tabs else ("minimal", "none"))
        if source.quoting == "auto"
        else (source.quoting,)
    )
    for quoting in quotings:
        escapes = ("", "\\") if source.escape is None and quoting == "minimal" else (source.escape or "",)
        for escape in escapes:
            yield replace(source, quoting=quoting, escape=escape)


def _quotes_texts(front: Front, source: Source) -> bool:
    """Return True if a file has texts and quotes every one of them."""
    dialect = dialect_of(front.input_object, replace(source, quoting="none"))
    number = number_pattern(dialect.decimal)
    texts = [field for row in front.rows(dialect) for field in row if field and not number.fullmatch(field)]
    return bool(texts) and all(len(text) > 1 and text[:1] == text[-1:] == b'"' for text in texts)


def _quoted_numbers(front: Front, source: Source) -> int:
    """Count the cells that contradict reading quotes as text.

    They are quoted numbers, quotes in columns that are read, and rows with a quote that lack a number where
    one is read: such a row is the rest of a text with a newline.
    """
    if source.quoting != "none":
        return 0
    dialect = dialect_of(front.input_object, source)
    number, rows = number_pattern(dialect.decimal), front.rows(dialect)
    used = number_columns(rows, source, front.input_object.uri)
    if used is None:
        return 1
    rests = sum(
        any(b'"' in field for field in row)
        and any(not number.fullmatch(field) for column, field in enumerate(row) if column in used)
        for row in rows[1:]
    )
    return rests + sum(
        b'"' in field and (column in used or number.fullmatch(field.strip(b'"')) is not None)
        for row in rows
        for column, field in enumerate(row)
    )


def _open_words(front: Front, source: Source) -> int:
    """Count the words that begin with a quote which encloses nothing: an escape may be at work."""
    rows = front.rows(dialect_of(front.input_object, source))
    schema = (
        _schema_of(rows, source, front.input_object.uri) if source.rules.words or source.classes else None
    )
    words = schema.words if schema is not None else ()
    return sum(row[column].startswith(b'"') for row in rows for column in words if column < len(row))


def number_columns(rows: list[list[bytes]], source: Source, where: str) -> set[int] | None:
    """Return the columns read as numbers, judging by the first row; None if it does not have them."""
    if not rows:
        return set()
    schema = _schema_of(rows, source, where)
    return None if schema is None else set(schema.numbers)


def _schema_of(rows: list[list[bytes]], source: Source, where: str) -> Schema | None:
    """Return the columns, judging by the first row; None if it does not have those of the source."""
    names = tuple(field.decode("utf-8", "replace").strip() for field in rows[0]) if rows else ()
    try:
        return Schema.of(source, width=len(names), names=names if source.names_columns else None, where=where)
    except SchemaError:
        return None


def _numbers(rows: list[list[bytes]], dialect: Dialect, columns: set[int] | None = None) -> tuple[float, int]:
    """Return the share of numbers among the cells below the first row, and the width, or 0 if it varies."""
    widths = {len(row) for row in rows}
    number = number_pattern(dialect.decimal)
    cells = [
        cell
        for row in rows[1:] or rows
        for column, cell in enumerate(row)
        if (columns is None or column in columns) and not is_missing(cell)
    ]
    share = sum(number.fullmatch(cell) is not None for cell in cells) / len(cells) if cells else 0.0
    return share, widths.pop() if len(widths) == 1 else 0
