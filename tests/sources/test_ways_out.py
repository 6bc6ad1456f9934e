"""The way out that an error names, taken to the letter, leads to a table that is read."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.local_encoding import plan_files
from amazon_estimators.errors import InputError
from amazon_estimators.sources import Source
from sources.encoded import encoded

HEADERS = {
    "names": lambda column: f"c{column}",
    "no names after the first": lambda column: "" if column else "c0",
    "one name for all": lambda column: "c",
    "no header": None,
}
ROWS = 3


def numbers(texts: set[int], width: int) -> np.ndarray:
    return np.array(
        [[row + column / 4 for column in range(width) if column not in texts] for row in range(ROWS)]
    )


@settings(max_examples=60)
@given(
    width=st.integers(2, 12),
    data=st.data(),
    header=st.sampled_from(list(HEADERS)),
    options=st.sampled_from(["", "features", "exclude"]),
)
def test_columns_of_text_are_left_out_as_told(
    tmp_path_factory: pytest.TempPathFactory, width: int, data: st.DataObject, header: str, options: str
) -> None:
    texts = data.draw(st.sets(st.integers(0, width - 1), min_size=1, max_size=min(8, width - 1)))
    path, name = tmp_path_factory.mktemp("table") / "a.csv", HEADERS[header]
    lines = [[name(column) for column in range(width)]] if name else []
    lines += [
        ["x y" if column in texts else str(row + column / 4) for column in range(width)]
        for row in range(ROWS)
    ]
    path.write_text("".join(",".join(line) + "\n" for line in lines))
    given_options: dict = {"header": "present" if name else "absent"}
    if options == "features":
        given_options["features"] = list(range(width))
    elif options == "exclude":
        given_options["exclude"] = [min(texts)]
    if options == "exclude" and len(texts) == 1:
        return
    with pytest.raises(InputError) as caught:
        encoded(path, KMeans, **given_options)
    (told,) = re.findall(r"(?:exclude(?:=|: )|out of features: )\[?(.*?)\]?\.(?: |$)", caught.value.remedy)
    columns = list(ast.literal_eval(f"[{told}]"))
    if options == "features":
        names = lines[0] if name else []
        left = [
            column
            for column in range(width)
            if column not in columns
            and column not in [names.index(one) for one in columns if isinstance(one, str)]
        ]
        given_options["features"] = left
    else:
        given_options["exclude"] = [*given_options.get("exclude", []), *columns]
    np.testing.assert_array_equal(encoded(path, KMeans, **given_options)[0], numbers(texts, width))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_no_way_out_leaves_the_label_or_all_features_out(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"a": [1.5, 2], "b": ["u", "v"], "y": ["no", "yes"]})
    path = tmp_path / name
    frame.to_csv(path, index=False) if name == "a.csv" else frame.to_parquet(path)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"label": "y"}, "exclude=['b']"),
        ({"label": "y", "exclude": ["b"]}, ""),
        ({"label": "a"}, ""),
        ({"label": "a", "features": ["b"]}, ""),
        ({"label": "y", "features": ["a", "b"]}, "out of features: 'b'"),
    ]
    for options, told in cases:
        with pytest.raises(InputError) as caught:
            encoded(path, **options)
        assert told in caught.value.remedy, options
        assert told or not re.search("exclude|out of features", caught.value.remedy), options


@pytest.mark.parametrize("empty", [1, 2, 5])
@pytest.mark.parametrize("header", ["a,b", None])
def test_empty_columns_at_the_end_are_left_out_as_told(
    tmp_path: Path, empty: int, header: str | None
) -> None:
    end = "," * empty + "\n"
    path = tmp_path / "a.csv"
    path.write_text("".join(line + end for line in ([header] if header else []) + ["1.5,2", "3,4"]))
    with pytest.raises(InputError, match="it is empty") as caught:
        encoded(path, KMeans)
    (told,) = re.findall(r"exclude=(\[.*?\])", caught.value.remedy)
    np.testing.assert_array_equal(
        encoded(path, KMeans, exclude=ast.literal_eval(told))[0], [[1.5, 2], [3, 4]]
    )


@pytest.mark.parametrize(
    ("body", "options", "in_doubt"),
    [
        ('a,b\n"1,234",1\n"6,000",2\n', {}, True),
        ('a,b\n"1,234,567",1\n"6,000",2\n', {}, True),
        ("a;b\n1,234;1\n6,000;2\n", {"delimiter": ";"}, True),
        ("a;b\n1,234;1\n6,000;2\n", {}, True),
        ("a;b\n1.234;2,5\n6.000;2,5\n", {"delimiter": ";", "decimal": ","}, True),
        ("a;b\n1,234;1\n0,123;2\n", {"delimiter": ";"}, False),
        ("a;b\n1,234;1\n6,5;2\n", {"delimiter": ";"}, False),
    ],
)
def test_marks_that_may_part_thousands_are_told_apart_by_the_user(
    tmp_path: Path, body: str, options: dict, in_doubt: bool
) -> None:
    """Read with a decimal comma, 1,234 would be a number a thousand times too small."""
    path = tmp_path / "a.csv"
    path.write_text(body)
    with pytest.raises(InputError) as caught:
        encoded(path, KMeans, **options)
    assert ("thousands" in caught.value.remedy) == in_doubt
    assert ("without" in caught.value.remedy) == in_doubt


@pytest.mark.parametrize(
    ("body", "options", "told", "mended"),
    [
        ("# a b\n1 2\n3 4\n", {"delimiter": " "}, "take the # off", "a b\n1 2\n3 4\n"),
        ("# by hand\n1,2\n3,4\n", {}, "take the line off", "1,2\n3,4\n"),
        ("a,b\n1,2\n# gap\n3,4\n", {}, "Remove comment lines", "a,b\n1,2\n3,4\n"),
        ("a,b\n1,2\r3,4\n", {}, "carriage return", "a,b\n1,2\n3,4\n"),
        ("a,b\n1,2\na,b\n3,4\n", {}, "Remove it", "a,b\n1,2\n3,4\n"),
        ('"a","b"\n"r",1,2\n"s",3,4\n', {}, "first column a name", '"","a","b"\n"r",1,2\n"s",3,4\n'),
    ],
)
def test_a_line_that_is_no_row_is_told_by_its_cause(
    tmp_path: Path, body: str, options: dict, told: str, mended: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(body.encode())
    with pytest.raises(InputError) as caught:
        encoded(path, KMeans, **options)
    assert told in caught.value.remedy
    path.write_bytes(mended.encode())
    np.testing.assert_array_equal(encoded(path, KMeans, **options)[0], [[1, 2], [3, 4]])


def test_rows_of_another_width_alone_are_not_said_to_have_names(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3,4,5\n")
    with pytest.raises(InputError, match="row 1, a column too many") as caught:
        encoded(path, KMeans)
    assert "row.names" not in caught.value.remedy


FRAME = pd.DataFrame({"a": [1.5, 2.5, 3.5, 4.5], "b": [4, 6, 5, 7]})


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_unnamed_levels_of_an_index_are_no_features(tmp_path: Path, levels: int) -> None:
    path = tmp_path / "a.csv"
    FRAME.set_index([pd.Index([row % 2 + level for row in range(4)]) for level in range(levels)]).to_csv(path)
    np.testing.assert_array_equal(encoded(path, KMeans)[0], FRAME)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_an_index_read_back_as_a_column_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = FRAME.assign(**{"Unnamed: 0": range(4)})
    frame.to_csv(path, index=False) if name == "a.csv" else frame.to_parquet(path)

    def notes(**options: object) -> list[str]:
        read_as, _ = plan_files(
            [path],
            KMeans,
            channel="train",
            source=Source(**options),  # type: ignore[arg-type]
            instance_count=1,
            target_shard_bytes=2**20,
        )
        return [line for line in read_as.lines if line.startswith("note:")]

    (note,) = notes()
    assert "set exclude=['Unnamed: 0']" in note
    assert not notes(exclude=["Unnamed: 0"]) and not notes(features=["a", "Unnamed: 0"])


@pytest.mark.parametrize("label", ["y", "y[0]"])
def test_labels_may_be_a_matrix_of_one_column(tmp_path: Path, label: str) -> None:
    np.savez(tmp_path / "a.npz", x=FRAME, y=np.arange(4)[:, np.newaxis])
    features, labels = encoded(tmp_path / "a.npz", label=label)
    np.testing.assert_array_equal(features, FRAME)
    np.testing.assert_array_equal(labels.ravel(), np.arange(4))
