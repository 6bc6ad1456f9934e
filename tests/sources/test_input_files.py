"""Which files are input: the rule of Spark, Hive and Arrow, patterns, and tables with a log of their own."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import dataset

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.errors import InputError, NoInputError, RequestError
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.pipeline.input_scan import find
from amazon_estimators.sources import Source
from amazon_estimators.storage import input_files
from amazon_estimators.storage.input_files import InputFiles, LeftOut, data_files
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject
from sources.in_memory_s3 import InMemoryS3


def objects_of(objects: list[InputObject]) -> ObjectList:
    return ObjectList.of("bucket", "train", objects)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a.csv", ""),
        ("a/b/c.csv", ""),
        ("_part=1/a.csv", ""),
        ("year=2024/_month=1/a.csv", ""),
        ("_temporary/0/part-00001.csv", input_files.HIDDEN),
        ("out/_temporary/0/_temporary/attempt_1/part-00001.csv", input_files.HIDDEN),
        (".ipynb_checkpoints/a-checkpoint.csv", input_files.HIDDEN),
        (".hive-staging_hive_2024-01-01/a.csv", input_files.HIDDEN),
        ("_impala_insert_staging/a.parq", input_files.HIDDEN),
        (".part=1/a.csv", input_files.HIDDEN),
        ("a/.part-00000.csv.crc", input_files.HIDDEN),
        ("a/_SUCCESS", input_files.HIDDEN),
        ("__MACOSX/a.csv", input_files.HIDDEN),
        ("sub/", input_files.MARKER),
        ("sub_$folder$", input_files.MARKER),
        ("a.csv._COPYING_", input_files.MARKER),
        ("0a1b2c3d-0000-1111-2222-333344445555.csv", ""),
        ("0a1b2c3d-0000-1111-2222-333344445555.csv.metadata", input_files.WRITTEN_BESIDE),
        ("0a1b2c3d-0000-1111-2222-333344445555.metadata", input_files.WRITTEN_BESIDE),
        ("q/0a1b2c3d-0000-1111-2222-333344445555-manifest.csv", input_files.WRITTEN_BESIDE),
        ("_delta_log/00000000000000000000.json", input_files.DELTA),
        ("t/.hoodie/hoodie.properties", input_files.HUDI),
        ("t/metadata/v1.metadata.json", input_files.ICEBERG),
    ],
)
@pytest.mark.parametrize("prefix", ["", "in/train/", "_mine/"])
def test_why_a_file_is_no_input(prefix: str, path: str, why: str) -> None:
    assert InputFiles(prefix).why_left_out(prefix + path) == why


def test_what_the_prefix_names_itself_is_not_hidden() -> None:
    assert not InputFiles("in/_batch").why_left_out("in/_batch7.csv")
    assert not InputFiles("in/_batch").why_left_out("in/_batch7/a.csv")
    assert InputFiles("in/_batch").why_left_out("in/_batch7/_SUCCESS") == input_files.HIDDEN
    assert InputFiles("in/").why_left_out("in/") == input_files.MARKER


PARTS = st.sampled_from(["a", "_a", ".a", "k=1", "b_c", "x.y"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=3), min_size=1, max_size=6))
def test_as_arrow_hides_paths(tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]) -> None:
    """Arrow, unlike Spark, hides a partition whose name begins with an underscore: none is drawn here."""
    root = tmp_path_factory.mktemp("table")
    table = pa.table({"x": [1]})
    for parts in paths:
        file = root.joinpath(*parts, "f.arrow")
        file.parent.mkdir(parents=True, exist_ok=True)
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write(table)
    expected = sorted(Path(file) for file in dataset.dataset(root, format="ipc").files)
    assert data_files(root)[0] == expected


def test_patterns_are_of_names_or_of_paths() -> None:
    keys = ["in/a.csv", "in/b.txt", "in/old/a.csv", "in/_tmp/a.csv", "in/old/x-manifest"]
    assert InputFiles("in/", include=("*.csv",)).choose(keys) == (
        ["in/a.csv", "in/old/a.csv"],
        (
            LeftOut(input_files.NOT_INCLUDED, 2, "b.txt"),
            LeftOut(input_files.HIDDEN, 1, "_tmp/a.csv"),
        ),
    )
    assert InputFiles("in/", skip=("old/*", "*.txt", "_tmp/*")).choose(keys) == (
        ["in/a.csv"],
        (LeftOut(input_files.SKIPPED, 4, "b.txt"),),
    )


def channel(**options: Any):
    return channels_of(KMeans, {"train": Source(prefix="in/", **options)}, {}, instance_count=1, prefix="")[
        "train"
    ]


@pytest.mark.parametrize(
    ("log", "way_out"),
    [
        ("_delta_log/00000000000000000000.json", "_delta_log/*"),
        (".hoodie/hoodie.properties", ".hoodie/*"),
        ("metadata/00000-1-2-3.metadata.json", "metadata/*"),
        ("snapshot/snapshot-12", "snapshot/*"),
        ("_spark_metadata/0", "_spark_metadata/*"),
    ],
)
@pytest.mark.parametrize("root", ["", "sales/"])
def test_a_table_whose_log_says_what_counts_is_refused_and_its_way_out_works(
    root: str, log: str, way_out: str
) -> None:
    s3 = InMemoryS3()
    keys = [f"in/{root}data/a.csv", f"in/{root}data/b.csv", f"in/{root}{log}"]
    objects = {key: s3.put(key, b"1,2\n3,4\n") for key in keys}
    taken, left_out = channel().files.choose(keys)
    with pytest.raises(InputError, match="lists its valid files") as caught:
        find(s3, "bucket", channel(), objects_of([objects[key] for key in taken]), left_out)
    skip = f"{root}{way_out}"
    assert f"skip=['{skip}']" in caught.value.remedy
    taken, left_out = channel(skip=[skip]).files.choose(keys)
    rest = objects_of([objects[key] for key in taken])
    assert find(s3, "bucket", channel(skip=[skip]), rest, left_out).records == 4
    # Other files of the prefix, which are not of the table, are read.
    if root:
        s3.put("in/own.csv", b"1,2\n")
        taken, left_out = channel(include=["own.csv"]).files.choose([*keys, "in/own.csv"])
        assert taken == ["in/own.csv"]
        own = objects_of([s3.put("in/own.csv", b"1,2\n")])
        found = find(s3, "bucket", channel(include=["own.csv"]), own, left_out)
        assert found.records == 1


@pytest.mark.parametrize("count", [1, 3, 20])
def test_files_of_other_kinds_are_skipped_all_at_once(count: int) -> None:
    s3 = InMemoryS3()
    others = [f"in/{name}" for name in ("LICENSE", "README.md", *(f"log{at}.txt" for at in range(18)))][
        :count
    ]
    keys = ["in/a.csv", *others]
    objects = objects_of([s3.put(key, b"1,2\n3,4\n") for key in keys])
    with pytest.raises(InputError, match="its extension is not a known format") as caught:
        find(s3, "bucket", channel(), objects, ())
    assert (f", and {count - 1} more" in caught.value.message) == (count > 1)
    skip = ast.literal_eval(re.search(r"skip=(\[.*?\])", caught.value.remedy).group(1))
    assert find(s3, "bucket", channel(skip=skip), objects, ()).records == 2


def test_nothing_left_is_told_with_what_was_left_out() -> None:
    _, left_out = channel().files.choose(["in/_temporary/a.csv", "in/_temporary/b.csv", "in/"])
    with pytest.raises(NoInputError, match=r"left out: 2 hidden by .*, first _temporary/a\.csv; 1 markers"):
        find(InMemoryS3(), "bucket", channel(), objects_of([]), left_out)


def test_patterns_are_checked() -> None:
    made: Any = Source
    with pytest.raises(
        RequestError, match=r"include is '\*.csv'; allowed: a list of patterns, such as \['\*.csv'\]"
    ):
        made(include="*.csv")
    with pytest.raises(RequestError, match="skip holds 7; allowed: patterns such as"):
        made(skip=[7])
    assert Source.from_dict(made(include=["*.csv"], skip=["b/*"]).to_dict()) == Source(
        include=("*.csv",), skip=("b/*",)
    )


def test_a_local_directory_goes_by_the_same_rule(tmp_path: Path) -> None:
    data = tmp_path / ".hidden" / "data"  # what is named itself is not hidden
    for name in ("a.csv", "_temporary/0/a.csv", "_part=1/b.csv", "c.csv-manifest"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("1.5,2\n3,4\n")
    settings: dict[str, Any] = {
        "channel": "train",
        "instance_count": 1,
        "target_shard_bytes": 2**20,
        "prefix": "s3://b/p/",
    }

    def encode(out: str, **options: Any) -> int:
        return encode_files(
            [data], tmp_path / out, KMeans, source=Source(**options), progress=lambda *_: None, **settings
        ).num_records

    with pytest.raises(InputError, match=r"(?s)extension is not a known format.*skip=\[.c\.csv-manifest"):
        encode("one")
    assert encode("two", skip=["*-manifest"]) == 4
    (data / "_delta_log").mkdir()
    (data / "_delta_log" / "0.json").write_text("{}")
    with pytest.raises(InputError, match="log of a Delta table"):
        encode("three", skip=["*-manifest"])
    assert encode("four", skip=["*-manifest", "_delta_log/*"]) == 4
