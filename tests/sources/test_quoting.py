"""Quotes, escapes and blanks: what pandas and csv read is what is read here, wherever the file is cut."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.errors import InputError
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.recordio import read_matrix
from amazon_estimators.sources import Piece, Schema, Source, format_of
from amazon_estimators.sources.delimited import reader as delimited
from amazon_estimators.sources.delimited.dialect import Dialect
from amazon_estimators.sources.delimited.quoting import last_record_end, record_starts, walk
from sources.in_memory_s3 import InMemoryS3

RAW = st.text(st.sampled_from('ab1"\\ ,'), max_size=6)


def read(body: bytes, source: Source, *, key: str = "a.csv", cuts: tuple[int, ...] = ()) -> np.ndarray:
    s3 = InMemoryS3()
    found = s3.put(key, body)
    source = delimited.resolve(s3, [found], source)
    layout = delimited.look(s3, found, source)
    ends = [layout.start, *cuts, found.size]
    first_row = None if cuts else 0
    pieces = [Piece(found, *pair, first_row) for pair in itertools.pairwise(ends)]
    blocks = [block for piece in pieces for block in delimited.read(s3, piece, source, layout.schema)]
    return np.concatenate([block.features for block in blocks])


@settings(max_examples=500)
@given(st.lists(st.lists(RAW, min_size=1, max_size=4), min_size=1, max_size=6), st.booleans())
@example([['5" pipe', '="001"', '"a"b']], False)
@example([['"say ""x"""', '"a', 'b"']], False)
def test_records_are_those_of_python(rows: list[list[str]], escaped: bool) -> None:
    """Fields in any state: only a blank before a quote, where readers differ, is left out."""
    text = "".join(",".join(row) + "\n" for row in rows)
    escape: dict[str, Any] = {"escapechar": "\\"} if escaped else {}
    dialect = Dialect(b",", escape=b"\\" if escaped else b"")
    if ' "' in text or (escaped and "\\\n" in text):
        return
    records = list(walk(text.encode(), dialect))
    expected = [row for row in csv.reader(io.StringIO(text), **escape) if row]
    if any(record.unclosed for record in records):
        event("unclosed")
        assert len(records) == len(expected)
        return
    assert [len(record.fields) for record in records] == [len(row) for row in expected]
    for record, row in zip(records, expected, strict=True):
        for field, value in zip(record.fields, row, strict=True):
            if field.decode().strip(" ") != value.strip(" "):
                assert '"' in field.decode() or "\\" in field.decode()  # no number for either
    data = text.encode()
    starts = [record.start for record in records]
    assert [start for start in record_starts(data, dialect).tolist() if start < len(data)] == starts
    assert last_record_end(data, dialect)[0] == len(data)


TEXTS = st.one_of(
    st.sampled_from(
        [
            '5" pipe',
            '="001"',
            '"a, b"',
            '"say ""hi"""',
            '""',
            'x"y"z',
            '"a"b',
            "",
            '"two\nlines"',
            "'",
            '"a\n""b"",\n1,2"',
        ]
    ),
    st.text(st.sampled_from("ab \t;'"), max_size=8),
)


@settings(max_examples=300)
@given(st.lists(TEXTS, min_size=1, max_size=40), st.data())
def test_numbers_beside_any_text_are_those_of_pandas(texts: list[str], data: st.DataObject) -> None:
    quote = data.draw(st.booleans())
    lines = [
        f'{row},{text},"{row / 4}"\n' if quote else f"{row},{text},{row / 4}\n"
        for row, text in enumerate(texts)
    ]
    body = "".join(lines).encode()
    frame = pd.read_csv(io.BytesIO(body), header=None, usecols=[0, 2], dtype="float64", names=[0, 1, 2])
    expected = frame.to_numpy().astype(np.float32)
    source = Source(exclude=(1,), header="absent", quoting="minimal", escape="")
    np.testing.assert_array_equal(read(body, source), expected)
    cuts = tuple(data.draw(st.lists(st.integers(1, len(body)), max_size=3).map(sorted)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "LOOKBACK", 4)
        try:
            np.testing.assert_array_equal(read(body, source, cuts=cuts), expected)
            event("told")
        except InputError as error:
            assert "cannot tell" in str(error) or "never closed" in str(error)
            event("refused")


@pytest.mark.parametrize(
    ("name", "body", "options", "expected"),
    [
        ("an inch mark", b'1,5" pipe,2\n3,6" pipe,4\n', {"exclude": [1]}, [[1, 2], [3, 4]]),
        ("Excel's text", b'1,="001",2\n3,="002",4\n', {"exclude": [1]}, [[1, 2], [3, 4]]),
        ("Spark's escape", b'1,"say \\"hi, you\\"",2\n3,"b",4\n', {"exclude": [1]}, [[1, 2], [3, 4]]),
        (
            "an escape that is given",
            b"1,a\\,b,2\n3,c,4\n",
            {"exclude": [1], "escape": "\\"},
            [[1, 2], [3, 4]],
        ),
        ("a path that ends in a backslash", b'1,"C:\\",2\n3,"D:\\",4\n', {"exclude": [1]}, [[1, 2], [3, 4]]),
        ("no quoting", b'1,"a,2\n3,b",4\n', {"exclude": [1], "quoting": "none"}, [[1, 2], [3, 4]]),
        ("quotes nobody closes", b'1,"a,2\n3,b,4\n5,c,6\n', {"exclude": [1]}, [[1, 2], [3, 4], [5, 6]]),
        ("blanks before quotes", b'1, "2"\n3,  "4"\n', {}, [[1, 2], [3, 4]]),
        ("blanks after quotes", b'"1" ,2\n"3","4" \n', {}, [[1, 2], [3, 4]]),
        ("decimal commas", b"1,5;2\n-3;0,25\n", {"delimiter": ";", "decimal": ","}, [[1.5, 2], [-3, 0.25]]),
        ("decimal commas between commas", b'"1,5",2\n-3,"0,25"\n', {"decimal": ","}, [[1.5, 2], [-3, 0.25]]),
        (
            "and beside stray quotes",
            b'"1,5",5" x,2\n-3,b,"0,25"\n',
            {"decimal": ",", "exclude": [1]},
            [[1.5, 2], [-3, 0.25]],
        ),
        ("runs of blanks", b"  1   2\t3 \n4 5 6\n", {"delimiter": " "}, [[1, 2, 3], [4, 5, 6]]),
        (
            "quoted texts between blanks",
            b'1 "a b" 2\n3 "c" 4\n',
            {"delimiter": " ", "exclude": [1]},
            [[1, 2], [3, 4]],
        ),
        ("lines of blanks between blanks", b"1 2\n  \n3 4\n", {"delimiter": " "}, [[1, 2], [3, 4]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_dialect(name: str, body: bytes, options: dict, expected: list) -> None:
    np.testing.assert_array_equal(
        read(body, Source(header="absent", **options)), np.array(expected, np.float32)
    )


def test_texts_of_tsv_that_begin_and_end_with_a_quote_merge_no_rows() -> None:
    texts = ["a", "b", '"Hello', "c", "d", "e", 'world"', "f", "g", "h", "i", "j"]
    body = "".join(f"{row}\t{text}\t{row / 2}\n" for row, text in enumerate(texts)).encode()
    rows = read(body, Source(exclude=(1,)), key="a.tsv")
    np.testing.assert_array_equal(rows, [[row, row / 2] for row in range(12)])
    frame = pd.read_csv(io.BytesIO(body), sep="\t", header=None, quoting=csv.QUOTE_NONE)
    assert len(frame) == 12


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_text_of_newline_and_tabs_is_no_row(place: int) -> None:
    """Read as text, its quotes make another row of the right width, without numbers."""
    out = io.StringIO()
    texts = ["", "", "\n".join(["\t" * (2 - place), "\t" * place]), ""]
    lines: list[list[object]] = [[row, row / 2] for row in range(4)]
    for line, text in zip(lines, texts, strict=True):
        line.insert(place, text)
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(lines)
    assert len({line.count("\t") for line in out.getvalue().splitlines()}) == 1
    rows = read(out.getvalue().encode(), Source(exclude=(place,), header="absent"), key="a.tsv")
    np.testing.assert_array_equal(rows, [[row, row / 2] for row in range(4)])


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("texts", [["a\tb", "c"], ["a\nb", "c"], ["a", "b"], ['say "x"', "b"]])
def test_tsv_that_is_quoted_is_read_so(texts: list[str], quoting: Any) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n", quoting=quoting).writerows(
        [row, texts[row % 2], row / 2] for row in range(20)
    )
    rows = read(out.getvalue().encode(), Source(exclude=(1,), header="absent"), key="a.tsv")
    np.testing.assert_array_equal(rows, [[row, row / 2] for row in range(20)])


ONE_COLUMN = {
    "a blank line in the middle": (b"1\n\n2\n3\n", "row 1, column 0: it is empty"),
    "a blank line first": (b"x\n\n2\n3\n", r"row 0, column 0 \('x'\): it is empty"),
    "an empty quote": (b'1\n""\n2\n', "row 1, column 0: it is empty"),
    "several": (b"1\n\n\n2\n\n", r"row 1, column 0: it is empty \(2 empty of 4 rows\)"),
    "with carriage returns": (b"1\r\n\r\n2\r\n", "row 1, column 0: it is empty"),
    "only blanks": (b"1\n  \n2\n", "row 1, column 0: it is empty"),
}


@pytest.mark.parametrize("name", ONE_COLUMN)
def test_a_blank_line_of_one_column_is_a_missing_value(name: str) -> None:
    body, message = ONE_COLUMN[name]
    with pytest.raises(InputError, match=message):
        read(body, Source())


@pytest.mark.parametrize("blank", [b"", b"  ", b" \t"])
def test_a_line_of_blanks_is_told_from_a_row_where_blanks_part_fields(blank: bytes) -> None:
    source = Source(delimiter=" ", header="absent")
    with pytest.raises(InputError, match="row 1, column 0: it is empty"):
        read(b"1\n%b\n2\n3\n" % blank, source)
    with pytest.raises(InputError, match="row 1, column 1: 'x' is not a number"):
        read(b"1 2\n%b\n3 x\n" % blank, source)
    s3 = InMemoryS3()
    words = replace(source, one_hot={1: ["a", "b"]}, quoting="minimal", escape="")
    found = s3.put("a.csv", b'1 "a"\n%b\n3 "b"\n' % blank)
    _, reader = format_of(found, words)
    layout = reader.look(s3, found, words)
    piece = Piece(found, 0, found.size)
    (block,) = reader.read(s3, piece, words, layout.schema)
    np.testing.assert_array_equal(block.features, [[1, 1, 0], [3, 0, 1]])


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_blank_line_is_missing_wherever_the_file_is_cut(cut: int) -> None:
    s3 = InMemoryS3()
    found, source = s3.put("a.csv", b"1\n2\n\n3\n"), Source(header="absent", quoting="minimal", escape="")
    schema = Schema(1, None, None, None)
    with pytest.raises(InputError, match="it is empty"):
        for piece in (Piece(found, 0, cut), Piece(found, cut, found.size)):
            list(delimited.read(s3, piece, source, schema))
    found = s3.put("b.csv", b"1\n2\n3\n\n\r\n")
    rows = [
        row
        for piece in (Piece(found, 0, cut), Piece(found, cut, found.size))
        for block in delimited.read(s3, piece, source, schema)
        for row in block.features[:, 0]
    ]
    assert rows == [1, 2, 3]


@pytest.mark.parametrize("instances", range(1, 16))
def test_no_cut_is_lost_at_a_blank_before_a_quote(tmp_path: Path, monkeypatch, instances: int) -> None:
    """Whatever the number of shards, one cut or the other falls right after `, "`."""
    monkeypatch.setattr(delimited, "COUNTED_BYTES", 0)
    data = tmp_path / "a.csv"
    data.write_text("".join(f'{row}, "{row / 4}"\n' for row in range(500)))
    record_set: RecordSet = encode_files(
        [data],
        tmp_path / "out",
        KMeans,
        channel="train",
        source=Source(),
        instance_count=instances,
        target_shard_bytes=2**20,
        prefix="s3://b/p/",
        progress=lambda *_: None,
    )
    assert record_set.num_records == 500
    shards = sorted((tmp_path / "out").glob("*.pbr"))
    rows = np.concatenate([read_matrix(shard.open("rb"))[0] for shard in shards])
    np.testing.assert_array_equal(rows, [[row, row / 4] for row in range(500)])


@pytest.mark.parametrize(
    ("body", "options", "cause", "way_out"),
    [
        (b"a;b;c\n1;2;3\n4;5;6\n", {}, "separated by ';', not ','", {"delimiter": ";"}),
        (b"1|2\n3|4\n", {}, r"separated by '\|'", {"delimiter": "|"}),
        (b"1\t2\n3\t4\n", {}, r"separated by '\\t'", {"delimiter": "\t"}),
        (b" 1  2.5\n 3  4\n", {}, "separated by ' '", {"delimiter": " "}),
        (b"1,5;2,5\n3,5;4,5\n", {}, "separated by ';'", {"delimiter": ";", "decimal": ","}),
        (b"1,5;2,5\n3,5;4,5\n", {"delimiter": ";"}, r'decimal=","', {"delimiter": ";", "decimal": ","}),
        (b"1.5;2\n3;4.5\n", {"delimiter": ";", "decimal": ","}, 'decimal="."', {"delimiter": ";"}),
        (b"1,2,\n3,4,\n", {}, r"exclude=\[-1\]", {"exclude": [-1]}),
        (b'1,2\n3,"a\\"b"\n', {"quoting": "minimal", "escape": ""}, r"exclude=\[1\]", {"exclude": [1]}),
    ],
)
def test_a_remedy_fits_its_cause_and_works(body: bytes, options: dict, cause: str, way_out: dict) -> None:
    with pytest.raises(InputError, match=cause) as caught:
        read(body, Source(**options))
    for name, value in way_out.items():
        written = "\\t" if value == "\t" else value
        assert (
            f'{name}="{written}"' in str(caught.value)
            or f"{name}={value}" in str(caught.value)
            or name in options
        )
    assert read(body, Source(**way_out)).size


def test_a_note_for_excel_is_named() -> None:
    with pytest.raises(InputError, match="sep=;, is a note for Excel") as caught:
        read(b"sep=;\r\n1;2\r\n", Source())
    assert 'delimiter=";"' in caught.value.remedy
    assert read(b"1;2\r\n", Source(delimiter=";")).tolist() == [[1, 2]]


def test_all_faults_are_told_at_once() -> None:
    rows = [
        f"{row},{'' if row % 25 == 24 else row},{'Berlin' if row % 2 == 0 else 'Rome'},?\n"
        for row in range(100)
    ]
    body = ("id,income,city,note\n" + "".join(rows)).encode()
    with pytest.raises(InputError) as caught:
        read(body, Source())
    assert caught.value.message == (
        "s3://bucket/a.csv, row 0, column 2 ('city'): 'Berlin' is not a number (100 text of 100 rows); "
        "column 3 ('note'): 100 marked as missing of 100, first '?' in row 0; "
        "column 1 ('income'): 4 empty of 100, first in row 24"
    )
    assert (
        "exclude=['income', 'city', 'note']" in caught.value.remedy
        and "docs/tables.md" in caught.value.remedy
    )
    assert read(body, Source(exclude=("income", "city", "note"))).shape == (100, 1)


@pytest.mark.parametrize("line", ['7,5" x,8\n', '7,"a"b"c,8\n', '7,"5" x,8\n'])
def test_one_odd_quote_does_not_hold_up_the_rest(monkeypatch, line: str) -> None:
    """After it the number of quotes is odd at every newline: a reader that counts them never finds an end."""
    monkeypatch.setattr(delimited, "LINE_LIMIT", 5000)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1000)
    body = "".join(line if row == 100 else f"{row},a,{row}\n" for row in range(2000)).encode()
    rows = read(body, Source(exclude=(1,), header="absent"))
    assert len(rows) == 2000 and rows[100].tolist() == [7, 8]
