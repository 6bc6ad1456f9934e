"""Labels in words: ``classes`` numbers them as pandas does, and errors name the option that works."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from amazon_estimators.client.matrix import split_frame
from amazon_estimators.errors import InputError, RequestError, SchemaError
from amazon_estimators.sources import Source
from amazon_estimators.sources.in_memory import features_of, of_memory
from amazon_estimators.sources.parquet import row_group
from sources.encoded import encoded

WORDS = ["no", "yes", "maybe", "São Paulo", "it's", 'say "yes"', "a,b", "7", "NA", "true"]
KINDS = ["csv", "tsv", "parquet", "categories", "memory", "directory"]


def read(directory: Path, frame: pd.DataFrame, kind: str, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Encode a frame as a file of a kind; return features and labels."""
    path = directory / "a"
    if kind == "memory":
        block = features_of(frame, Source(**options))
        assert isinstance(block.features, np.ndarray)
        return block.features, np.asarray(block.labels)
    if kind == "directory":
        for word, part in frame.groupby("y"):
            where = path / f"y={word}"
            where.mkdir(parents=True)
            part.drop(columns="y").to_csv(where / "p.csv", index=False)
        return encoded(path, **options)
    path = path.with_suffix({"categories": ".parquet"}.get(kind, f".{kind}"))
    if kind in ("csv", "tsv"):
        frame.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    else:
        words = frame.astype({"y": "category"}) if kind == "categories" else frame
        parquet.write_table(pa.Table.from_pandas(words, preserve_index=False), path, row_group_size=7)
    return encoded(path, **options)


def by_row(features: np.ndarray, labels: np.ndarray) -> list[tuple[float, float]]:
    return sorted(zip(features[:, 0].tolist(), labels.tolist(), strict=True))


@settings(max_examples=30)
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=25),
    order=st.permutations(WORDS),
    kind=st.sampled_from([kind for kind in KINDS if kind != "directory"]),
)
def test_labels_are_the_places_of_their_words(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], order: list[str], kind: str
) -> None:
    frame = pd.DataFrame({"x": np.arange(len(words), dtype=np.float32), "y": words})
    quoting = {"quoting": "minimal"} if kind == "tsv" else {}  # in doubt, quotes of TSV are plain characters
    features, labels = read(tmp_path_factory.mktemp("t"), frame, kind, label="y", classes=order, **quoting)
    codes = pd.Categorical(frame["y"], categories=order).codes
    np.testing.assert_array_equal(labels, codes)
    np.testing.assert_array_equal(features[:, 0], frame["x"])


def followed(error: InputError) -> list[str]:
    (classes,) = re.findall(r"classes=(\[.*?\])(?=[.)])", error.remedy)
    return list(ast.literal_eval(classes))


@pytest.mark.parametrize("kind", ["csv", "tsv", "memory", "directory"])
def test_a_label_of_text_is_refused_with_the_classes_that_it_has(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["M", "B", "M"]})
    options: dict[str, Any] = {"label": "y"}
    for attempt in range(4):
        where = tmp_path / str(attempt)
        where.mkdir()
        try:
            features, labels = read(where, frame, kind, **options)
            break
        except InputError as error:
            assert "'y'" in error.message or "y=" in error.message
            options["classes"] = followed(error)
    assert options["classes"] == ["B", "M"]
    assert by_row(features, labels) == [(1.5, 1), (2.5, 0), (3.5, 1)]


def test_parquet_tells_the_option_from_the_type_alone(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5], "y": ["no", "yes"]})
    with pytest.raises(InputError, match=r"'y'\): its type is") as caught:
        read(tmp_path, frame, "parquet", label="y")
    assert "classes=" in caught.value.remedy


def test_a_frame_without_source_is_told_the_call_that_works() -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.0], "y": ["M", "B", "M"]})
    with pytest.raises(InputError, match="'M' is not a number") as caught:
        split_frame(frame, "y")
    (source,) = re.findall(r"source=(Source\(.*\))\)\.", caught.value.remedy)
    assert eval(source, {"Source": Source}) == Source(label="y", classes=["B", "M"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_that_is_no_class_is_named_with_its_row_and_a_list_that_works(
    tmp_path: Path, kind: str
) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["no", "yes", "maybe"]})
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=r"'maybe' is not listed in classes") as caught:
        read(tmp_path / "first", frame, kind, label="y", classes=["yes", "no"])
    assert "row 0" in caught.value.message if kind == "directory" else "row 2" in caught.value.message
    assert followed(caught.value) == ["yes", "no", "maybe"]
    features, labels = read(tmp_path / "second", frame, kind, label="y", classes=followed(caught.value))
    assert by_row(features, labels) == [(1.5, 1), (2.5, 0), (3.5, 2)]


@pytest.mark.parametrize("kind", ["csv", "parquet", "memory"])
def test_a_row_without_a_class_is_an_error_or_left_out(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "y": pd.Series(["no", None, "yes"], dtype="string")})
    with pytest.raises(InputError, match=r"row 1, column 1 \('y'\): no value") as caught:
        read(tmp_path, frame, kind, label="y", classes=["no", "yes"])
    assert "drop_incomplete=True" in caught.value.remedy
    (tmp_path / "again").mkdir()
    features, labels = read(
        tmp_path / "again", frame, kind, label="y", classes=["no", "yes"], drop_incomplete=True
    )
    assert by_row(features, labels) == [(1.5, 0), (3.5, 1)]


def test_numbers_that_do_not_count_from_0_are_classes_too(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([[1.5, 3], [2.5, 1], [3.5, 2]]))
    _, labels = encoded(path, label=1, classes=[1, 2, 3])
    assert labels.tolist() == [2, 0, 1]
    with pytest.raises(SchemaError, match="it holds numbers, and classes lists 'no', 'yes'"):
        encoded(path, label=1, classes=["no", "yes"])


def test_columns_too_many_to_read_at_once_keep_their_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 1)
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(chance.random((40, 3), np.float32), columns=["a", "b", "c"])
    frame["y"] = chance.choice(["no", "yes"], 40)
    features, labels = read(tmp_path, frame, "parquet", label="y", classes=["yes", "no"])
    np.testing.assert_array_equal(features, frame[["a", "b", "c"]])
    np.testing.assert_array_equal(labels, (frame["y"] == "no"))
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match=r"'no' is not listed in classes"):
        read(tmp_path / "b", frame, "parquet", label="y", classes=["yes"])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"classes": ["no", "yes"]}, "there is no label"),
        ({"label": "y", "classes": "yes"}, "allowed: a list of words"),
        ({"label": "y", "classes": ["yes", "yes"]}, "different words"),
        ({"label": "y", "classes": [1, "1"]}, "different words"),
        ({"label": "y", "classes": [0.5]}, "different words"),
        ({"label": "y", "classes": ["no"], "fill": {"y": 0}}, "fill names 'y', which has classes"),
        ({"label": "y", "classes": ["no"], "format": "libsvm"}, "has no such option"),
    ],
)
def test_what_cannot_be_is_refused_at_synth_time(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        Source(**options)


def test_they_are_kept_as_the_source_is_and_go_with_the_label() -> None:
    source = Source(label="y", classes=["no", "yes"], fill={"x": 0})
    assert Source.from_dict(json.loads(json.dumps(source.to_dict()))) == source
    assert of_memory(source) == source
    without = source.with_columns(lambda column: () if column == "y" else (column,), None)
    assert (without.label, without.classes, without.fill) == (None, (), (("x", 0),))
