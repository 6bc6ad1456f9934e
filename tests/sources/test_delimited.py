"""CSV and TSV: every row exactly once and exactly as written, wherever a file is cut; faults named."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from amazon_estimators.errors import InputError, ObjectChangedError, RequestError, SchemaError
from amazon_estimators.sources import Piece, Schema, Source
from amazon_estimators.sources.delimited import reader as delimited
from amazon_estimators.sources.files.text_lines import BOM, LINE_LIMIT
from sources.in_memory_s3 import InMemoryS3


def written(rows, *, end="\n", delimiter=",", last="", header=None, bom=False) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, delimiter=delimiter)
    if header:
        writer.writerow(header)
    writer.writerows(rows)
    return (BOM if bom else b"") + out.getvalue().encode() + last.encode()


def table(s3, pieces, source, schema) -> np.ndarray:
    blocks: list[Any] = [block for piece in pieces for block in delimited.read(s3, piece, source, schema)]
    columns = [
        [block.features] if block.labels is None else [block.features, block.labels] for block in blocks
    ]
    if not columns:
        return np.empty((0, schema.feature_dim), np.float32)
    return np.concatenate([np.column_stack(one) for one in columns])


def pieces_of(found, cuts):
    return [Piece(found, start, stop) for start, stop in itertools.pairwise(cuts) if start < stop]


NUMBERS = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(-(10**12), 10**12)
)
TEXT = st.text(st.sampled_from('ab,1"\n\r 2;\t'), max_size=9)


@st.composite
def files(draw):
    """(rows, body, Source): numbers, and perhaps a column of text, which may hold newlines too."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=12))
    place = draw(st.one_of(st.none(), st.integers(0, width)))
    source = Source(header="absent")
    full = rows
    if place is not None:
        # A lone carriage return ends a line for some readers and not for others: it is refused, tested below.
        texts = [draw(TEXT).replace("\r", "") for _ in rows]
        full = [[*row[:place], text, *row[place:]] for row, text in zip(rows, texts, strict=True)]
        source = replace(source, exclude=(place,))
    header = draw(st.booleans())
    names = [f"c{number}" for number in range(len(full[0]))]
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    source = replace(source, delimiter=delimiter)
    body = written(
        full,
        delimiter=delimiter,
        end=draw(st.sampled_from(["\n", "\r\n"])),
        last=draw(st.sampled_from(["", "\n", "\r\n\n"])),
        header=names if header else None,
        bom=draw(st.booleans()),
    )
    return (
        np.array(rows, np.float64).astype(np.float32),
        body,
        replace(source, header="present") if header else source,
    )


@settings(max_examples=300)
@given(files(), st.data())
def test_every_row_once_wherever_a_file_is_cut(file, data):
    rows, body, source = file
    s3 = InMemoryS3()
    found = s3.put("a.csv", body)
    layout = delimited.look(s3, found, source)
    assert layout.records == len(rows)
    whole = table(s3, [Piece(found, layout.start, layout.stop, first_row=0)], source, layout.schema)
    np.testing.assert_array_equal(whole, rows)
    inner = data.draw(st.lists(st.integers(layout.start, len(body)), max_size=4).map(sorted))
    np.testing.assert_array_equal(
        table(s3, pieces_of(found, [layout.start, *inner, len(body)]), source, layout.schema), rows
    )
    by_row = [layout.cut(row) for row in range(len(rows) + 1)]
    parts = [Piece(found, *ends, first_row=row) for row, ends in enumerate(itertools.pairwise(by_row))]
    assert [len(table(s3, [part], source, layout.schema)) for part in parts] == [1] * len(rows)


@settings(max_examples=400)
@given(files(), st.data())
def test_a_cut_between_quotes_is_found_out_or_refused_but_never_guessed(file, data):
    rows, body, source = file
    s3 = InMemoryS3()
    found = s3.put("a.csv", body)
    layout = delimited.look(s3, found, source)
    cut = data.draw(st.integers(layout.start, len(body)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            delimited, "LOOKBACK", 4
        )  # so that the file's start, where all is known, is out of reach
        try:
            read = table(s3, pieces_of(found, [layout.start, cut, len(body)]), source, layout.schema)
        except InputError as error:
            assert "cannot tell from the next" in str(error)
            event("refused")
            return
    event("told")
    np.testing.assert_array_equal(read, rows)


@settings(max_examples=500)
@given(files(), st.data())
def test_a_stray_quote_costs_no_row_and_repeats_none(file, data):
    """Whatever the shards are read as, all of them together are what the whole file is read as."""
    _, body, source = file
    s3 = InMemoryS3()
    schema = delimited.look(s3, s3.put("good.csv", body), source).schema
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + data.draw(st.sampled_from([b'"', b' "', b'""', b'x"\n"'])) + body[at:]
    found = s3.put("a.csv", body)
    cuts = data.draw(st.lists(st.integers(1, len(body)), min_size=1, max_size=4).map(sorted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "LOOKBACK", 4)
        try:
            parts = table(s3, pieces_of(found, [0, *cuts, len(body)]), source, schema)
        except (InputError, SchemaError):
            event("refused")
            return
    event("read")
    np.testing.assert_array_equal(parts, table(s3, [Piece(found, 0, len(body))], source, schema))


def test_a_stray_quote_after_a_cut_is_text_wherever_the_file_is_cut(monkeypatch):
    """A quote within a field is text for pandas and csv; counting quotes would lose or merge rows here."""
    monkeypatch.setattr(delimited, "COUNTED_BYTES", 0)
    rows = [[number, 'say "yes"\nor no', -number] for number in range(2000)]
    lines = [written([row]) for row in rows]
    lines[1000] = b'1000,5 in",-1000\n'
    body, s3 = b"".join(lines), InMemoryS3()
    found = s3.put("a.csv", body)
    source = delimited.resolve(s3, [found], Source(exclude=(1,), header="absent"))
    schema = delimited.look(s3, found, source).schema
    middle = len(b"".join(lines[:1000]))
    expected = [[number, -number] for number in range(2000)]
    for cut in range(middle - 60, middle + 60):
        read = table(s3, pieces_of(found, [0, cut, len(body)]), source, schema)
        np.testing.assert_array_equal(read, expected)


def test_quotes_around_nothing_are_no_riddle(monkeypatch):
    """From between two quotes such a file is one field without an end: no record is as long as that."""
    monkeypatch.setattr(delimited, "COUNTED_BYTES", 0)
    monkeypatch.setattr(delimited, "LINE_LIMIT", 200_000)
    lines = [b"a name of its own for the number of the row,double,empty\n"]
    lines += [b'%d,%d,""\n' % (number, 2 * number) for number in range(40_000)]
    body, s3 = b"".join(lines), InMemoryS3()
    found, source = s3.put("a.csv", body), Source(exclude=("empty",))
    layout = delimited.look(s3, found, source)
    for cut in (60, 100_000, 100_003, len(body) - 3):
        read = table(s3, pieces_of(found, [layout.start, cut, len(body)]), source, layout.schema)
        np.testing.assert_array_equal(read[:, 0], np.arange(40_000))


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_MINIMAL])
def test_tabs_between_quoted_fields(monkeypatch, quoting):
    monkeypatch.setattr(delimited, "COUNTED_BYTES", 0)
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=quoting)
    writer.writerows([["id", "text", "x"], *([n, "a\tb" if n % 3 else "a\nb", n / 2] for n in range(3000))])
    body, s3 = out.getvalue().encode(), InMemoryS3()
    found, source = s3.put("a.tsv", body), Source(exclude=("text",))
    layout = delimited.look(s3, found, source)
    cuts = [layout.start, *range(1000, len(body), 3001), len(body)]
    read = table(s3, pieces_of(found, cuts), source, layout.schema)
    np.testing.assert_array_equal(read, [[n, n / 2] for n in range(3000)])


@pytest.mark.parametrize(
    "texts",
    [
        ["plain", 'a "quoted"\nnewline', "1,2,3\n4,5,6\n", '",\n"', ""],
        [",a,"],  # fits between quotes as well as outside, but for the number of fields
        [",\n,"],  # and this but for the numbers
    ],
)
def test_cuts_of_a_file_with_quoted_newlines_are_told_from_what_follows(monkeypatch, texts):
    monkeypatch.setattr(delimited, "COUNTED_BYTES", 1000)
    monkeypatch.setattr(delimited, "LINE_LIMIT", 1500)  # or the end of so small a file would tell
    rows = [[number, texts[number % len(texts)], -number] for number in range(400)]
    body = written(rows, header=["a", "text", "b"])
    s3 = InMemoryS3()
    found = s3.put("a.csv", body)
    source = delimited.resolve(s3, [found], Source(exclude=("text",)))  # once for all cuts, as Plan does
    layout = delimited.look(s3, found, source)
    assert layout.records is None
    expected = np.array([[row[0], row[2]] for row in rows], np.float32)
    for cut in range(layout.start + 100, len(body) - 200, 19):
        read = table(s3, pieces_of(found, [layout.start, cut, len(body)]), source, layout.schema)
        assert read.shape == expected.shape, cut
        assert (read == expected).all(), cut


def test_text_that_fits_both_ways_is_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr(delimited, "LINE_LIMIT", 20_000)
    # A record takes two lines, and it may begin with either: 1,"<newline>1,"
    body = b'1,"\n' * 20_000
    s3 = InMemoryS3()
    found, schema = s3.put("a.csv", body), Schema(2, None, (0,), None)
    with pytest.raises(InputError, match="quoted_newlines=False"):
        table(s3, [Piece(found, 40_001, len(body))], Source(), schema)


def test_without_quoted_newlines_every_newline_ends_a_record():
    body = b'1,"a"\n2,"b"\n' * 20_000
    s3 = InMemoryS3()
    found, source = s3.put("a.csv", body), Source(exclude=(1,), quoted_newlines=False, header="absent")
    schema = delimited.look(s3, found, source).schema
    read = table(s3, pieces_of(found, [0, 100_003, len(body)]), source, schema)
    np.testing.assert_array_equal(read[:, 0], [1, 2] * 20_000)


@pytest.mark.parametrize("key", ["a.csv.gz", "a.csv.zst", "a.tsv.gz"])
def test_compressed_files_are_one_unit(key):
    import pyarrow as pa

    rows = [[number, number / 7] for number in range(5000)]
    body = written(rows, header=["a", "b"], delimiter="\t" if ".tsv" in key else ",")
    packed = gzip.compress(body) if key.endswith("gz") else pa.compress(body, "zstd", asbytes=True)
    s3 = InMemoryS3()
    found = s3.put(key, packed)
    layout = delimited.look(s3, found, Source())
    assert (layout.records, layout.schema.names) == (5000, ("a", "b"))
    parts = [Piece(found, start, stop, first_row=start) for start, stop in [(0, 1), (1, 4999), (4999, 5000)]]
    expected = np.array(rows).astype(np.float32)
    np.testing.assert_array_equal(table(s3, parts, Source(), layout.schema), expected)
    np.testing.assert_array_equal(table(s3, [Piece(found, 0, found.size)], Source(), layout.schema), expected)


def test_a_large_compressed_file_is_whole_and_a_bomb_is_bounded(monkeypatch):
    monkeypatch.setattr(delimited, "COUNTED_BYTES", 1000)
    s3 = InMemoryS3()
    found = s3.put("a.csv.gz", gzip.compress(b"1,2\n" * 10_000))
    layout = delimited.look(s3, found, Source())
    assert (layout.records, layout.whole) == (None, True)
    bomb = s3.put("b.csv.gz", gzip.compress(b"1" * (64 * 2**20)))
    with pytest.raises(InputError, match="longer than 8 MiB"):
        delimited.look(s3, bomb, Source())
    with pytest.raises(InputError, match="longer than 8 MiB"):
        next(delimited.read(s3, Piece(bomb, 0, bomb.size), Source(), layout.schema))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2\n3,x\n", "row 1, column 1: 'x' is not a number"),
        (b"a,b\n1,2\n3,\n", r"row 1, column 1 \('b'\): it is empty"),
        (b'a,b\n1,2\n3," "\n', r"row 1, column 1 \('b'\): it is empty"),
        (b"1,2\n3\n", "row 1, column 1 is missing: 1 fields where the first row has 2"),
        (b"a,b\n1,2\n3\n", r"row 1, column 1 \('b'\) is missing: 1 fields where the first row has 2"),
        (b"1,2\n\n3,4,5\n", "row 1, a column too many: 3 fields where the first row has 2"),
        (b'1,2\n3, "4,\n5",6\n', "row 1: a blank before a quote, after which readers differ"),
        (b'1,2\n3,4"5"\n', """row 1, column 1: '4"5"' is not a number"""),
        (b'1,2\n3,"4"5\n', """row 1, column 1: '"4"5' is not a number"""),
        (b'1,2\n3,"4\n', "row 1: a quote that is never closed"),
        (b"1,2\n1,2\r3,4\n", "row 1, a column too many: 3 fields"),
        (b"1\n1\r3\n", "row 1, column 0"),
        (b"1,2\n1_0,2\n", "row 1, column 0: '1_0' is not a number"),
        (b"1,2\n3,\x0b4\n", r"row 1, column 1: '\\x0b4' is not a number"),
        (b"1,2\n0x1,2\n", "row 1, column 0: '0x1' is not a number"),
        (b"1,2\n\xff,2\n", "row 1, column 0"),
        (b"1,2\n\0,2\n", "row 1, column 0"),
        (b"1,2\ntrue,2\n", "row 1, column 0: 'true'"),
        (b"1,2\nNULL,2\n", "row 1, column 0: 'NULL'"),
    ],
)
def test_the_first_fault_is_named(body, message):
    s3 = InMemoryS3()
    found = s3.put("a.csv", body)
    with pytest.raises(InputError, match=message):
        layout = delimited.look(s3, found, Source())
        list(
            delimited.read(s3, Piece(found, layout.start, layout.stop, first_row=0), Source(), layout.schema)
        )


def test_a_fault_of_a_part_is_named_by_its_text_too():
    s3 = InMemoryS3()
    found = s3.put("a.csv", b"1,2\n" * 100 + b"7,x\n" + b"1,2\n" * 100)
    with pytest.raises(
        InputError, match=r"row 25 of the part from byte 300, which begins '7,x', column 1: 'x'"
    ):
        list(delimited.read(s3, Piece(found, 300, found.size), Source(), Schema(2, None, None, None)))


@given(st.lists(st.one_of(st.floats(allow_nan=False), st.floats(width=32)), min_size=1, max_size=20))
def test_numbers_are_rounded_once_to_the_nearest_float32(values):
    from fractions import Fraction

    s3 = InMemoryS3()
    found = s3.put("a.csv", "\n".join(map(repr, values)).encode())
    with np.errstate(over="ignore"):
        read = table(s3, [Piece(found, 0, found.size, first_row=0)], Source(), Schema(1, None, None, None))[
            :, 0
        ]
        for value, got in zip(values, read, strict=True):
            if not np.isfinite(value) or not np.isfinite(got):
                assert np.float32(value) == got or (np.isnan(value) and np.isnan(got))
                continue
            error = abs(Fraction(value) - Fraction(float(got)))
            for neighbour in (np.nextafter(got, np.float32(-np.inf)), np.nextafter(got, np.float32(np.inf))):
                assert not np.isfinite(neighbour) or error <= abs(
                    Fraction(value) - Fraction(float(neighbour))
                )


@pytest.mark.parametrize(
    ("source", "features", "label"),
    [
        (Source(label="y"), [0, 1], 2),
        (Source(label=-1, features=(1,)), [1], 2),
        (Source(features=("b", "a")), [1, 0], None),
        (Source(exclude=("a",), label="y"), [1], 2),
        (Source(exclude=(0, 2)), [1], None),
    ],
)
def test_columns_by_position_by_name_or_all_but(source, features, label):
    s3 = InMemoryS3()
    found = s3.put("a.csv", b"a,b,y\n1,2,3\n4,5,6\n")
    layout = delimited.look(s3, found, source)
    (block,) = delimited.read(s3, Piece(found, layout.start, layout.stop, first_row=0), source, layout.schema)
    rows = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    np.testing.assert_array_equal(block.features, rows[:, features])
    assert block.labels is None if label is None else (block.labels == rows[:, label]).all()


def test_columns_that_are_not_read_may_be_words_without_making_a_header():
    s3 = InMemoryS3()
    found = s3.put("a.csv", b"red,1\nblue,2\n")
    layout = delimited.look(s3, found, Source(features=(1,)))
    assert (layout.schema.names, layout.records) == (None, 2)


def test_a_header_that_is_not_the_schema_of_the_others_is_refused():
    s3 = InMemoryS3()
    schema = delimited.look(s3, s3.put("a.csv", b"a,b\n1,2\n"), Source()).schema
    other = s3.put("b.csv", b"b,a\n1,2\n")
    with pytest.raises(SchemaError, match=r"b\.csv has columns b, a; expected a, b"):
        list(delimited.read(s3, Piece(other, 0, other.size), Source(), schema))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"1," * 2**16 + b"1\n", "has 65537 columns; allowed in CSV: 65536"),
        (b"a,b\n", "header and no rows"),
        (b"a,b\r1,2\r3,4\r", "lines end in carriage returns alone"),
        (gzip.compress(b"1,2\n", mtime=0), 'compression="gzip"'),
        (b"1" * (LINE_LIMIT + 2**20), "longer than 8 MiB"),
        (b'"' + b"1,2\n" * 2**22, "longer than 8 MiB"),
    ],
)
def test_a_look_refuses_what_is_no_table(body, message):
    s3 = InMemoryS3()
    with pytest.raises(InputError, match=message):
        delimited.look(s3, s3.put("a.csv", body), Source())
    assert s3.served <= 2 * LINE_LIMIT + 2**20


def test_a_long_line_in_the_middle_is_refused_in_bounded_memory():
    s3 = InMemoryS3()
    found = s3.put("a.csv", b"1,2\n" + b"1" * (10 * 2**20) + b",2\n3,4\n")
    for piece in (Piece(found, 0, found.size), Piece(found, 2**20, found.size), Piece(found, 0, 5)):
        with pytest.raises(InputError, match="longer than 8 MiB"):
            list(delimited.read(s3, piece, Source(header="absent"), Schema(2, None, None, None)))


def test_damaged_compressed_data_is_refused():
    s3 = InMemoryS3()
    packed = gzip.compress(b"1,2\n" * 10_000)
    for body in (packed[:-30], packed[:20] + b"\xff" * 9 + packed[29:], b"1,2\n3,4\n"):
        with pytest.raises(InputError, match="gzip"):
            delimited.look(s3, s3.put("a.csv.gz", body), Source())


def test_a_changed_object_is_refused():
    s3 = InMemoryS3()
    found = s3.put("a.csv", b"1,2\n", versioned=True)
    s3.put("a.csv", b"3,4\n")
    with pytest.raises(ObjectChangedError):
        list(delimited.read(s3, Piece(found, 0, found.size), Source(), Schema(2, None, None, None)))


def test_settings_of_a_source_are_checked_together():
    with pytest.raises(RequestError, match="delimiter is '1'") as caught:
        Source(delimiter="1", compression="rar", features=(0,), exclude=(1,), first_index=2)
    for part in ("compression is 'rar'", "features and exclude", "first_index is 2"):
        assert part in str(caught.value)


@pytest.mark.parametrize("first", [b'"x\ny",1\n', b'"a, b",1\n', b'"",1\n', b'"""",1\n', b'"1\n2",1\n'])
def test_a_byte_order_mark_hides_no_quote_after_it(monkeypatch, first):
    """A place just after the mark is one of which all is known, however little is looked back."""
    monkeypatch.setattr(delimited, "LOOKBACK", 4)
    body, s3 = BOM + first + b'"x\ny",2\nz,3\n', InMemoryS3()
    found = s3.put("a.csv", body)
    source = Source(exclude=(0,), header="absent", quoting="minimal", escape="")
    for cut in range(1, len(BOM) + 5):
        read = table(s3, pieces_of(found, [0, cut, len(body)]), source, Schema(2, None, (1,), None))
        np.testing.assert_array_equal(read[:, 0], [1, 2, 3])
