"""The header of delimited files: told by the whole first rows of all files, or refused."""

from __future__ import annotations

import csv
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.errors import AmazonEstimatorsError, InputError, SchemaError
from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.delimited import reader as delimited
from sources.header_shapes import SHAPES, Shape
from sources.in_memory_s3 import InMemoryS3


def resolved(s3: InMemoryS3, files: dict[str, str], **options: Any) -> str:
    objects = [s3.put(key, text.encode()) for key, text in files.items()]
    return delimited.resolve(s3, objects, Source(**options)).header


def test_there_are_fifty_tables_and_more() -> None:
    assert len(SHAPES) >= 70 and len({shape.name for shape in SHAPES}) == len(SHAPES)
    assert sum(shape.rows is not None for shape in SHAPES) >= 50


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table(shape: Shape, end: str) -> None:
    s3 = InMemoryS3()
    source, body = Source(**shape.options), shape.text.replace("\n", end).encode()
    found = s3.put(shape.key, body)
    if shape.rows is None:
        with pytest.raises(InputError, match=shape.refused) as caught:
            delimited.look(s3, found, source)
        ways = re.findall(r'header="(\w+)"', caught.value.remedy)
        assert ways == ["present", "absent"]
        rows = [delimited.look(s3, found, Source(**shape.options, header=way)).records for way in ways]
        assert rows[0] is not None
        assert rows[1] == rows[0] + 1 == len(shape.text.splitlines())
        return
    layout = delimited.look(s3, found, source)
    assert layout.records == shape.rows
    piece = Piece(found, layout.start, layout.stop, first_row=0)
    try:
        blocks = list(delimited.read(s3, piece, source, layout.schema))
    except AmazonEstimatorsError as error:
        # A first row with a gap or a word is a row: it is named, and never taken for a header.
        assert shape.name in (
            "a gap in the first row",
            "an empty cell in the first row",
            "a mark of Hadoop in the first row",
            "words in a column that is read",
            "a header alone above gaps",
        ), error
        assert "row 0, column" in str(error)
    else:
        assert sum(block.rows_read for block in blocks) == shape.rows


FILES = {
    "a header in every file": ({"a.csv": "0,1,2\n0,3,1\n", "b.csv": "0,1,2\n7,8,2\n"}, "present"),
    "parts of which one begins with 0,1,2": (
        {"a.csv": "0,1,2\n0,3,1\n", "b.csv": "5,8,2\n7,8,2\n"},
        "absent",
    ),
    "a header alone in one part": ({"a.csv": "a,b\n", "b.csv": "a,b\n7,8\n"}, "present"),
    "an empty part": ({"a.csv": "\n", "b.csv": "3,4\n7,8\n"}, "absent"),
    "a part of one row": ({"a.csv": "0,1,2\n", "b.csv": "3,4,6\n7,8,1\n"}, "absent"),
    "copies of one file": ({"a.csv": "1,7,3\n4,2,6\n", "b.csv": "1,7,3\n4,2,6\n"}, "absent"),
    "the same binary row first": ({"a.csv": "0,1,1\n1,1,0\n", "b.csv": "0,1,1\n1,0,0\n"}, "absent"),
}


@pytest.mark.parametrize("name", FILES)
def test_all_files_tell_together(name: str) -> None:
    files, expected = FILES[name]
    assert resolved(InMemoryS3(), files) == expected


def test_the_same_numbers_first_in_every_file_are_no_accident() -> None:
    files = {"a.csv": "17,4,99\n4,2,6\n", "b.csv": "17,4,99\n5,9,1\n"}
    with pytest.raises(InputError, match="every file begins with it"):
        resolved(InMemoryS3(), files)


def test_files_with_and_without_a_header_are_refused() -> None:
    with pytest.raises(
        SchemaError, match=r"a\.csv and s3://bucket/b\.csv disagree: one has a header, the other none"
    ):
        resolved(InMemoryS3(), {"a.csv": "a,b\n1,2\n", "b.csv": "1,2\n3,4\n"})


@settings(max_examples=200)
@given(st.data())
def test_a_table_of_numbers_whose_first_row_is_like_the_others_has_no_header(data: st.DataObject) -> None:
    """Whole numbers, decimals and mixtures, shuffled: every row is as likely to be the first."""
    width, height = data.draw(st.integers(1, 9)), data.draw(st.integers(8, 40))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kinds = data.draw(
        st.lists(st.sampled_from(["count", "decimal", "mark", "label"]), min_size=width, max_size=width)
    )
    cells = {
        "count": lambda: [str(value) for value in random.poisson(4, height)],
        "decimal": lambda: [f"{value:.3f}" for value in random.normal(size=height)],
        "mark": lambda: [f"{value:g}" for value in random.choice([0, 0.5, 1, 10], height)],
        "label": lambda: [str(value) for value in random.integers(0, 3, height)],
    }
    columns = [cells[kind]() for kind in kinds]
    rows = [",".join(row) for row in zip(*columns, strict=True)]
    try:
        answer = resolved(InMemoryS3(), {"a.csv": "\n".join(rows) + "\n"})
    except InputError as error:
        # By chance a first row may count columns, or be whole above decimals: that is told, not guessed.
        assert 'header="present"' in str(error)
        head = [float(cell) for cell in rows[0].split(",")]
        assert all(value == int(value) for value in head)
        return
    assert answer == "absent"


@settings(max_examples=100)
@given(st.data())
def test_a_header_of_pandas_is_never_a_row(data: st.DataObject) -> None:
    """Frames without names of their own, as pandas writes them: present, or refused."""
    width, height = data.draw(st.integers(2, 12)), data.draw(st.integers(2, 30))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    frame = pd.DataFrame(
        random.poisson(5, (height, width))
        if data.draw(st.booleans())
        else random.normal(size=(height, width))
    )
    if data.draw(st.booleans()):
        frame.columns = [f"c{number}" for number in range(width)]
    text = frame.to_csv(index=data.draw(st.booleans()))
    try:
        assert resolved(InMemoryS3(), {"a.csv": text}) == "present"
    except InputError as error:
        assert 'header="present"' in str(error)


@settings(max_examples=40)
@given(
    names=st.lists(st.integers(0, 3000), min_size=2, max_size=6),
    rows=st.integers(1, 12),
    whole=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_numbers_are_a_header_if_they_alone_have_quotes(
    names: list[int], rows: int, whole: bool, seed: int
) -> None:
    """As csv.QUOTE_NONNUMERIC and R write names that are numbers."""
    chance = np.random.default_rng(seed)
    shape = (rows, len(names))
    values = chance.integers(0, 3000, shape) if whole else chance.normal(size=shape)
    frame = pd.DataFrame(values, columns=list(map(str, names)))
    text = frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    assert resolved(InMemoryS3(), {"a.csv": text}) == "present"


def test_shares_above_whole_numbers_are_in_doubt() -> None:
    rows = "1,2,3\n3,4,5\n7,7,8\n4,5,6\n"
    with pytest.raises(InputError, match="its numbers have decimals, and all others are whole"):
        resolved(InMemoryS3(), {"a.csv": f"0.1,0.5,0.9\n{rows}"})
    assert resolved(InMemoryS3(), {"a.csv": f"0.1,0.5,9\n{rows}"}) == "absent"


@pytest.mark.parametrize(
    ("cells", "in_doubt"),
    [
        ((2019, 3, 4, 5), True),
        ((2019, 2020, 2021, 2022), False),
        ((2019, 3, 4, 5000), False),
        ((2500, 3, 4, 5), False),
    ],
)
def test_a_year_above_one_column_of_other_numbers_is_in_doubt(cells: tuple[int, ...], in_doubt: bool) -> None:
    files = {"a.csv": "".join(f"country,{cell}\n" for cell in cells)}
    if in_doubt:
        with pytest.raises(InputError, match="it is a year, and no other is"):
            resolved(InMemoryS3(), files, features=[1])
    else:
        assert resolved(InMemoryS3(), files, features=[1]) == "absent"


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize(
    ("rows", "is_row"),
    [
        ([[3, 9, 5], [5, 6, 7], [4, 2, 6]], False),
        ([[1, 2, 3], [2, 3, 4], [3, 4, 5]], True),
        ([[2, 1, 0], [0, 1, 2], [1, 1, 1]], True),
    ],
    ids=["one row counts by chance", "all rows count", "the same row again"],
)
def test_one_row_that_counts_by_chance_makes_no_row_of_a_header(
    rows: list[list[int]], is_row: bool, index: bool
) -> None:
    lines = [[0, 1, 2], *rows]
    text = "".join(",".join(map(str, [9, *line] if index else line)) + "\n" for line in lines)
    files, options = {"a.csv": text}, {"exclude": [0]} if index else {}
    if index:
        files["a.csv"] = "," + text.removeprefix("9,")
    if is_row:
        assert resolved(InMemoryS3(), files, **options) == "absent"
    else:
        assert resolved(InMemoryS3(), files, **options) == "present"


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (",0,1\n0,0,1\n1,1,0\n2,0,1\n", "present"),
        (",0,1\n7,0,1\n5,1,0\n6,0,1\n", "absent"),
        (",0,5\n0,0,1\n1,1,0\n2,0,5\n", "absent"),
    ],
    ids=["rows and columns are counted", "rows are not", "columns are not"],
)
def test_a_frame_of_pandas_without_names_has_a_header_though_a_row_is_the_same(
    text: str, header: str
) -> None:
    assert resolved(InMemoryS3(), {"a.csv": text}, exclude=[0]) == header
    assert resolved(InMemoryS3(), {"a.csv": text}, features=[1, 2]) == header
