"""Values that rules make too large, directories of words and arrays of no numbers: told, with a way out."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import InputError, RequestError, SchemaError
from amazon_estimators.sources import Source
from sources.encoded import encoded


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def options_in(remedy: str, name: str) -> Any:
    """Return the value that an advice gives an option."""
    return ast.literal_eval(re.search(rf"{name}=(\{{.*?\]\}}|\{{.*?\}}|\[.*?\])[,. ]", remedy).group(1))


def test_a_scaled_value_beyond_float32_is_shown_scaled(tmp_path: Path) -> None:
    path = put(tmp_path, {"a.csv": "a,b\n1,2\n8,3\n"}) / "a.csv"
    with pytest.raises(InputError, match=r"row 0, column 0 \('a'\): 1e\+40 is beyond float32"):
        encoded(path, KMeans, scale={"a": (0, 1e-40)})


def test_a_fill_beyond_float32_is_refused_when_it_is_written() -> None:
    with pytest.raises(RequestError, match=r"fill of 'a' is 1e\+300, beyond float32"):
        Source(fill={"a": 1e300})
    assert Source(fill={"a": 1e300}, scale={"a": (1e300, 1)})


def test_words_of_a_column_that_was_to_be_scaled_are_listed_as_told(tmp_path: Path) -> None:
    path = put(tmp_path, {"a.csv": "a,b\nx,2\ny,3\n"}) / "a.csv"
    with pytest.raises(InputError) as caught:
        encoded(path, KMeans, scale={"a": (0, 1)})
    assert "Leave 'a' out of scale" in caught.value.remedy
    one_hot = options_in(caught.value.remedy, "one_hot")
    assert encoded(path, KMeans, one_hot=one_hot)[0].tolist() == [[1, 0, 2], [0, 1, 3]]


@pytest.mark.parametrize("role", ["label", "feature"])
def test_words_of_all_directories_are_listed_at_once(tmp_path: Path, role: str) -> None:
    root = put(
        tmp_path, {f"kind={word}/a.csv": f"a\n{at}\n" for at, word in enumerate(("cat", "cow", "dog"))}
    )
    options: dict[str, Any] = {"label": "kind"} if role == "label" else {"partitions": True}
    algorithm = LinearLearner if role == "label" else KMeans
    with pytest.raises(InputError, match="its directory kind=cat is not a number") as caught:
        encoded(root, algorithm, **options)
    name = "classes" if role == "label" else "one_hot"
    features, labels = encoded(root, algorithm, **options, **{name: options_in(caught.value.remedy, name)})
    if role == "label":
        assert labels.tolist() == [0, 1, 2]
    else:
        assert features.tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [2, 0, 0, 1]]


@pytest.mark.parametrize("text", ["__HIVE_DEFAULT_PARTITION__", "", "NA"])
def test_a_directory_without_a_value_is_a_gap_as_told(tmp_path: Path, text: str) -> None:
    root = put(tmp_path, {"y=1/a.csv": "a\n1\n", f"y={text}/b.csv": "a\n2\n"})
    with pytest.raises(InputError, match=f"its directory y={text} stands for no value") as caught:
        encoded(root, KMeans, partitions=True)
    fill = options_in(caught.value.remedy, "fill")
    assert sorted(encoded(root, KMeans, partitions=True, fill=fill)[0].tolist()) == [[1, 1], [2, 0]]
    assert encoded(root, KMeans, partitions=True, drop_incomplete=True)[0].tolist() == [[1, 1]]


def test_files_in_and_beside_directories_are_told(tmp_path: Path) -> None:
    root = put(tmp_path, {"y=1/a.csv": "a\n1\n", "b.csv": "a\n2\n"})
    with pytest.raises(SchemaError) as caught:
        encoded(root, KMeans, partitions=True)
    assert "below the same key=value directories" in caught.value.remedy


def test_a_double_in_a_directory_is_shown_as_it_is(tmp_path: Path) -> None:
    root = put(tmp_path, {"y=1/a.csv": "a,b\n1,1\n2,1e300\n"})
    with pytest.raises(InputError, match=r"row 1, column 1 \('b'\): 1e\+300 is beyond float32"):
        encoded(root, KMeans, partitions=True)


def test_sparse_and_dense_files_are_told_apart_as_told(tmp_path: Path) -> None:
    root = put(tmp_path, {"a.libsvm": "1 1:2\n", "b.csv": "1,2\n3,4\n"})
    with pytest.raises(SchemaError, match="one is sparse, the other dense") as caught:
        encoded(root, LinearLearner)
    assert "by include or skip" in caught.value.remedy
    assert encoded(root, LinearLearner, include=["*.libsvm"])[0].tolist() == [[2]]


@pytest.mark.parametrize("kind", ["libsvm", "csr label"])
def test_gaps_of_sparse_rows_are_not_told_to_be_filled_by_a_source(tmp_path: Path, kind: str) -> None:
    """A Source fills gaps of columns, which sparse rows do not have."""
    path = tmp_path / ("a.libsvm" if kind == "libsvm" else "a.npz")
    if kind == "libsvm":
        path.write_text("1 1:nan\n")
    else:
        file = io.BytesIO()
        sparse.save_npz(file, sparse.csr_matrix(np.eye(2)))
        file.seek(0)
        np.savez(path, **np.load(file), y=[0, np.nan])
    with pytest.raises(InputError, match="nan is not a finite number") as caught:
        encoded(path, LinearLearner, **({} if kind == "libsvm" else {"label": "y"}))
    assert "Source" not in caught.value.remedy


ARRAYS = {
    "words": np.array(["b", "a", "b"]),
    "bytes": np.array([b"b", b"a", b"b"]),
    "dates": np.array(["2024-01-02", "2024-01-03", "2024-01-05"], "M8[D]"),
    "spans": np.array([1, 2, 3], "m8[h]"),
    "complex": np.array([1 + 2j, 3, 4]),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_that_are_no_numbers_become_numbers_as_told(tmp_path: Path, kind: str) -> None:
    path, array = tmp_path / "a.npz", ARRAYS[kind]
    np.savez(path, x=np.eye(3), c=array)
    with pytest.raises(InputError, match=r"c is not a usable \.npy file: dtype .* is not numeric") as caught:
        encoded(path, KMeans)
    code = caught.value.remedy.rpartition(": ")[2].removesuffix(".")
    np.savez(path, x=np.eye(3), c=eval(code, {"numpy": np, "array": array}))
    assert encoded(path, KMeans)[0].shape == (3, 5 if kind == "complex" else 4)
