"""key=value directories as columns: named or by the option, for every format; as Arrow reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from pyarrow import dataset

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import InputError, RequestError, SchemaError
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.pipeline.input_scan import find
from amazon_estimators.sources import Source
from amazon_estimators.storage.object_list import ObjectList
from sources.encoded import encoded
from sources.in_memory_s3 import InMemoryS3

FRAME = pd.DataFrame({"a": [1.5, 2.5], "b": [3.0, 4.0]})


def write(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "csv":
            FRAME.to_csv(path, index=False)
        case "csv without a header":
            FRAME.to_csv(path, index=False, header=False)
        case "parquet":
            FRAME.to_parquet(path, index=False)
        case "npy":
            np.save(path, FRAME.to_numpy())
        case "npz":
            np.savez(path, **{name: FRAME[name].to_numpy() for name in FRAME})
        case "sparse":
            sp.save_npz(path, sp.csr_matrix(FRAME.to_numpy()))
        case "libsvm":
            path.write_text("9 1:1.5 2:3\n9 1:2.5 2:4\n")


SUFFIXES = {"csv without a header": "csv", "sparse": "npz"}
KINDS = ["csv", "csv without a header", "parquet", "npy", "npz", "sparse", "libsvm"]
DENSE = KINDS[:5]


def table(directory: Path, kind: str) -> Path:
    for year, label in ((2023, 0), (2024, 1)):
        write(directory / f"year={year}" / f"y={label}" / f"part.{SUFFIXES.get(kind, kind)}", kind)
    return directory


ROWS = [[1.5, 3], [2.5, 4]] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_is_the_label(tmp_path: Path, kind: str) -> None:
    features, labels = encoded(table(tmp_path, kind), label="y")
    np.testing.assert_array_equal(features, ROWS)
    np.testing.assert_array_equal(labels, [0, 0, 1, 1])


@pytest.mark.parametrize("kind", DENSE)
def test_all_directories_by_the_option(tmp_path: Path, kind: str) -> None:
    features, _ = encoded(table(tmp_path, kind), KMeans, partitions=True)
    np.testing.assert_array_equal(features, [[*row, 2023 + at // 2, at // 2] for at, row in enumerate(ROWS)])
    features, labels = encoded(tmp_path, partitions=True, label="y")
    np.testing.assert_array_equal(features, [[*row, 2023 + at // 2] for at, row in enumerate(ROWS)])
    np.testing.assert_array_equal(labels, [0, 0, 1, 1])


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_columns_in_the_order_they_are_named(tmp_path: Path, kind: str) -> None:
    features, labels = encoded(table(tmp_path, kind), label="a", features=["year", "b"])
    np.testing.assert_array_equal(features, [[2023 + at // 2, row[1]] for at, row in enumerate(ROWS)])
    np.testing.assert_array_equal(labels, [1.5, 2.5] * 2)
    np.testing.assert_array_equal(encoded(tmp_path, KMeans, exclude=["year"])[0], ROWS)
    np.testing.assert_array_equal(encoded(tmp_path, KMeans)[0], ROWS)


@pytest.mark.parametrize("kind", DENSE)
@pytest.mark.parametrize("position", [-1, -2, -3, -4])
def test_positions_from_the_end_count_directories_too(tmp_path: Path, kind: str, position: int) -> None:
    full = np.array([[*row, 2023 + at // 2, at // 2] for at, row in enumerate(ROWS)])
    others, column = np.delete(full, position, axis=1), full[:, position]
    path = table(tmp_path, kind)
    features, labels = encoded(path, partitions=True, label=position)
    np.testing.assert_array_equal(features, others)
    np.testing.assert_array_equal(labels, column)
    np.testing.assert_array_equal(encoded(path, KMeans, partitions=True, exclude=[position])[0], others)
    two = sorted({position, -3})
    np.testing.assert_array_equal(encoded(path, KMeans, partitions=True, features=two)[0], full[:, two])


def test_a_label_from_the_end_that_is_a_directory_left_out_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "csv")
    with pytest.raises(RequestError, match="label is -1, which is the directory year=, and exclude holds it"):
        encoded(path, label=-1, exclude=["year"])
    np.testing.assert_array_equal(encoded(path, label=1, exclude=["year"])[1], [3, 4] * 2)


def test_a_directory_that_float32_would_round_is_no_label(tmp_path: Path) -> None:
    for label in (16_777_216, 16_777_217):
        write(tmp_path / f"y={label}" / "a.csv", "csv")
    with pytest.raises(InputError, match="16777217 has no exact float32"):
        encoded(tmp_path, label="y")


def test_as_arrow_reads_them(tmp_path: Path) -> None:
    table(tmp_path, "parquet")
    expected = (
        dataset.dataset(tmp_path, partitioning="hive")
        .to_table()
        .sort_by([("year", "ascending"), ("a", "ascending")])
    )
    features, _ = encoded(tmp_path, KMeans, partitions=True)
    np.testing.assert_array_equal(features, pa.Table.to_pandas(expected)[["a", "b", "year", "y"]])


def test_a_directory_that_is_no_number_is_named(tmp_path: Path) -> None:
    for city in ("Berlin", "__HIVE_DEFAULT_PARTITION__"):
        write(tmp_path / f"city={city}" / "a.csv", "csv")
    with pytest.raises(InputError, match="its directory city=Berlin is not a number") as caught:
        encoded(tmp_path, KMeans, partitions=True)
    assert "exclude=['city']" in caught.value.remedy
    np.testing.assert_array_equal(encoded(tmp_path, KMeans, partitions=True, exclude=["city"])[0], ROWS)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a=1" / "a.csv", "csv")
    with pytest.raises(SchemaError, match="a is a column of the file and a directory too"):
        encoded(tmp_path, KMeans, partitions=True)
    write(tmp_path / "sparse" / "k=1" / "a.npz", "sparse")
    with pytest.raises(SchemaError, match="is sparse, and of its directories k only one can be"):
        encoded(tmp_path / "sparse", KMeans, partitions=True)


def test_the_prefix_s_own_directories_are_no_columns() -> None:
    s3 = InMemoryS3()
    found = s3.put("data/year=2024/month=1/a.csv", b"1.5,2\n2.5,3\n")
    sources = {"train": Source(prefix="data/year=2024/", partitions=True, label=0)}
    channel = channels_of(LinearLearner, sources, {}, instance_count=1, prefix="")["train"]
    objects = ObjectList.of("bucket", "train", [found])
    assert find(s3, "bucket", channel, objects).schema.directories == ("month",)
