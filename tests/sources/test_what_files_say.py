"""What a file says of itself counts: its index, its labels, its width, its kind, and that it is empty."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from numpy.lib.recfunctions import structured_to_unstructured
from pyarrow import parquet

from amazon_estimators.algorithms import FactorizationMachines, KMeans, LinearLearner
from amazon_estimators.errors import InputError, NoInputError, RequestError, SchemaError
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.pipeline.input_scan import find, widest
from amazon_estimators.sources import Source
from amazon_estimators.sources.files.first_bytes import kind_of
from amazon_estimators.sources.readers import format_of
from amazon_estimators.storage.object_list import ObjectList
from sources.encoded import encoded
from sources.in_memory_s3 import InMemoryS3

FRAME = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [4, 5, 6], "y": [0, 1, 0]})


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.iloc[::-1],
        FRAME.iloc[[2, 0, 1]],
        FRAME.set_index(pd.Index([7, 9, 8], name="id")),
        FRAME.set_index([pd.Index([7, 9, 8], name="id"), pd.Index(["u", "v", "w"], name="city")]),
        FRAME.set_index(pd.date_range("2024-01-01", periods=3)),
    ],
    ids=["range", "reversed", "shuffled", "named", "several", "dates"],
)
def test_an_index_of_pandas_is_no_feature(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_parquet(tmp_path / "a.parquet")
    features, labels = encoded(tmp_path / "a.parquet", label="y")
    np.testing.assert_array_equal(features, frame[["a", "b"]])
    np.testing.assert_array_equal(labels, frame["y"])


def test_an_index_is_a_feature_or_a_label_if_asked_for(tmp_path: Path) -> None:
    frame = FRAME.set_index(pd.Index([7, 9, 8], name="id"))
    frame.to_parquet(tmp_path / "a.parquet")
    features, _ = encoded(tmp_path / "a.parquet", label="y", features=["id", "a"])
    np.testing.assert_array_equal(features, [[7, 1.5], [9, 2.5], [8, 3.5]])
    features, labels = encoded(tmp_path / "a.parquet", label="id")
    np.testing.assert_array_equal(features, frame)
    np.testing.assert_array_equal(labels, [7, 9, 8])


@pytest.mark.parametrize("header", [",a,b,y", '"","a","b","y"'], ids=["pandas", "R"])
def test_an_unnamed_first_column_is_an_index(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'{header}\n"1",1.5,4,0\n"2",2.5,5,1\n"3",3.5,6,0\n')
    features, labels = encoded(path, label="y")
    np.testing.assert_array_equal(features, FRAME[["a", "b"]])
    np.testing.assert_array_equal(labels, FRAME["y"])
    np.testing.assert_array_equal(encoded(path, label="y", features=[0, 2])[0], [[1, 4], [2, 5], [3, 6]])


def test_a_column_that_counts_rows_is_told() -> None:
    s3 = InMemoryS3()
    found = s3.put("a.csv", ("id,x\n" + "".join(f"{row},{row / 2}\n" for row in range(12))).encode())
    reader = format_of(found, Source())[1]
    (note,) = reader.look(s3, found, Source()).notes
    assert note == "column 0 ('id') counts rows from 0: if it is an index, set exclude=[0]"
    assert not reader.look(s3, found, Source(exclude=(0,))).notes
    assert not reader.look(s3, found, Source(label="id")).notes


def parts(directory: Path) -> Path:
    (directory / "part-1.csv").write_text("a,b\n1.5,2\n3,4\n")
    FRAME.iloc[:0].to_csv(directory / "part-2.csv", columns=["a", "b"], index=False)
    (directory / "part-3.csv").write_bytes(b"")
    (directory / "part-4.csv").write_bytes(b"\xef\xbb\xbf\n")
    (directory / "part-5.csv.gz").write_bytes(gzip.compress(b""))
    (directory / "out_$folder$").write_bytes(b"")
    return directory


def test_text_where_numbers_are_read_is_told_before_it_is_encoded() -> None:
    from amazon_estimators.sources.delimited import reader

    s3 = InMemoryS3()
    found = s3.put("a.csv", b"city,n,y\nBerlin,1,no\n,?,yes\n")
    (note,) = reader.look(s3, found, Source(label="y", classes=["no", "yes"])).notes
    assert note == "column 0 ('city') holds text where numbers are read, such as 'Berlin'"
    assert not reader.look(s3, found, Source(exclude=("city", "y"))).notes
    assert len(reader.look(s3, found, Source(header="absent")).notes) == 3


def test_empty_parts_add_no_rows(tmp_path: Path) -> None:
    np.testing.assert_array_equal(encoded(parts(tmp_path), KMeans)[0], [[1.5, 2], [3, 4]])


def test_empty_parts_alone_are_refused(tmp_path: Path) -> None:
    (parts(tmp_path) / "part-1.csv").unlink()
    with pytest.raises(NoInputError, match=r"part-2\.csv has a header and no rows"):
        encoded(tmp_path, KMeans)


def test_empty_parts_of_other_formats_add_no_rows(tmp_path: Path) -> None:
    empty = FRAME.iloc[:0].astype(object)  # an empty frame has no types of its own
    for number, frame in enumerate([FRAME, empty, FRAME]):
        frame.to_parquet(tmp_path / f"{number}.parquet", index=False)
    assert encoded(tmp_path, label="y")[0].shape == (6, 2)
    for number, text in enumerate(["1 1:2 2:3\n", "", "# nothing\n", "0 2:1\n"]):
        (tmp_path / f"{number}.parquet").unlink(missing_ok=True)
        (tmp_path / f"{number}.libsvm").write_text(text)
    np.testing.assert_array_equal(encoded(tmp_path)[0], [[2, 3], [0, 1]])


MATRIX = sp.random_array((40, 30), density=0.1, rng=np.random.default_rng(1), format="csr", dtype=np.float32)


def test_labels_lie_beside_a_sparse_matrix(tmp_path: Path) -> None:
    path, labels = tmp_path / "x.npz", np.arange(40) % 3
    sp.save_npz(path, MATRIX)
    with pytest.raises(RequestError, match=r"the sparse matrix .* has none") as caught:
        encoded(path, FactorizationMachines)
    assert "numpy.savez(path, **numpy.load(path), y=labels)" in caught.value.remedy
    np.savez(path, **np.load(path), y=labels)  # the way out, to the letter
    features, read = encoded(path, FactorizationMachines, label="y")
    np.testing.assert_array_equal(features, MATRIX.toarray())
    np.testing.assert_array_equal(read, labels)
    np.testing.assert_array_equal(encoded(path, KMeans)[0], MATRIX.toarray())
    with pytest.raises(SchemaError, match="no array 'z'; there are: y"):
        encoded(path, FactorizationMachines, label="z")
    np.savez(path, **{**np.load(path), "y": labels[:-1]})
    with pytest.raises(InputError, match=r"its shape is \(39,\), of 40 rows"):
        encoded(path, FactorizationMachines, label="y")


@pytest.mark.parametrize("kind", ["coo", "dia", "csc", "bsr"])
def test_a_sparse_matrix_of_another_kind_is_named(tmp_path: Path, kind: str) -> None:
    sp.save_npz(tmp_path / "x.npz", MATRIX.asformat(kind))
    with pytest.raises(InputError, match=f"sparse matrix in '{kind}' format") as caught:
        encoded(tmp_path / "x.npz", KMeans)
    assert "m.tocsr()" in caught.value.remedy
    sp.save_npz(tmp_path / "x.npz", sp.load_npz(tmp_path / "x.npz").tocsr())
    np.testing.assert_array_equal(encoded(tmp_path / "x.npz", KMeans)[0], MATRIX.toarray())


def test_a_structured_array_is_named(tmp_path: Path) -> None:
    array = np.array([(1.5, 2), (3.5, 4)], [("a", "f4"), ("b", "i4")])
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match="structured array") as caught:
        encoded(tmp_path / "x.npy", KMeans)
    assert "structured_to_unstructured(array)" in caught.value.remedy
    np.save(tmp_path / "x.npy", structured_to_unstructured(array))
    np.testing.assert_array_equal(encoded(tmp_path / "x.npy", KMeans)[0], [[1.5, 2], [3.5, 4]])


def channels(**sources: Source):
    return channels_of(LinearLearner, sources, {}, instance_count=1, prefix="")


@pytest.mark.parametrize(("train", "test"), [(123, 122), (122, 123), (5, 900)])
def test_the_widest_channel_tells_the_number_of_features(train: int, test: int) -> None:
    s3, given = InMemoryS3(), channels(train=Source(), test=Source())
    objects = {
        name: [s3.put(f"{name}/{number}.libsvm", f"1 {width - number}:2\n".encode()) for number in range(2)]
        for name, width in {"train": train, "test": test}.items()
    }
    listed = {name: ObjectList.of("bucket", name, held) for name, held in objects.items()}
    found = widest({name: find(s3, "bucket", channel, listed[name]) for name, channel in given.items()})
    assert {name: one.schema.width for name, one in found.items()} == dict.fromkeys(given, max(train, test))
    fixed = channels(train=Source(feature_count=1000), test=Source())
    found = widest({name: find(s3, "bucket", channel, listed[name]) for name, channel in fixed.items()})
    assert {one.schema.width for one in found.values()} == {1000}


def test_a_libsvm_file_beyond_the_count_names_feature_count(tmp_path: Path) -> None:
    (tmp_path / "a.libsvm").write_text("1 3:2\n")
    with pytest.raises(InputError, match="column 2; allowed: 0 to 1") as caught:
        encoded(tmp_path / "a.libsvm", feature_count=2)
    assert "feature_count" in caught.value.remedy
    assert encoded(tmp_path / "a.libsvm", feature_count=3)[0].tolist() == [[0, 0, 2]]


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if name:
            archive.writestr(name, b"1,2\n")
    return out.getvalue()


def arrow(write) -> bytes:
    out = io.BytesIO()
    table = pa.table({"a": [1.0]})
    write(table, out)
    return out.getvalue()


def stream(table: pa.Table, out: io.BytesIO) -> None:
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def feather(table: pa.Table, out: io.BytesIO) -> None:
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


CSV = b"1,2\n3,4\n"
KINDS = {
    "a zip archive": zipped("a.csv"),
    "an Excel file": zipped("xl/workbook.xml"),
    "an Excel or other Office file": zipped("[Content_Types].xml"),
    "a NumPy archive": zipped("x.npy"),
    "a gzip file": gzip.compress(CSV),
    "a zstd file": pa.compress(CSV, "zstd", asbytes=True),
    "a bzip2 file": bz2.compress(CSV),
    "an xz file": lzma.compress(CSV),
    "a Parquet file": arrow(parquet.write_table),
    "an Arrow file": arrow(feather),
    "an ORC file": b"ORC\x0a\x0b\x12",
    "an Avro file": b"Obj\x01\x04\x14avro.codec",
    "text in UTF-16": "a,b\n1,2\n".encode("utf-16"),
    "an HTML page": b"\n<!DOCTYPE html><html>",
    "JSON": b'{"a": 1}\n{"a": 2}\n',
    "XML": b'<?xml version="1.0"?><Error>',
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\n",
    "an ARFF file": b"% by hand\n@RELATION iris\n",
    "an LZMA file": lzma.compress(CSV, format=lzma.FORMAT_ALONE),
    "a zlib stream": zlib.compress(CSV),
    "an empty zip archive": zipped(""),
    "an Arrow stream": arrow(stream),
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "a file of R": b"RDX3\nX\n",
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64",
    "a SAS file": b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf",
    "binary data": b"\x7fELF\x02\x01\x01\0\0\0",
    "an error in XML": b"<Error><Code>AccessDenied</Code></Error>",
}
MORE_KINDS = [
    ("JSON", json.dumps([{"a": 1, "b": 2}, {"a": 3, "b": 4}], indent=1).encode()),
    ("JSON", json.dumps([[1, 2], [3, 4]]).encode()),
    ("JSON", b"[1,2]\n[3,4]\n"),
    ("XML", b"<rows>\n<row>1</row></rows>"),
    ("an error in XML", b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>'),
    ("text in UTF-16", "\u0438\u043c\u044f,\u0446\u0435\u043d\u0430\n1,2\n3,4\n".encode("utf-16-le")),
    ("libsvm", b"1 1:2 3:4\n0 2:1\n"),
    *(("a Python pickle", pickle.dumps(list(range(99)), protocol)) for protocol in (2, 3, 4, 5)),
]
"""Further files of a kind: kind and content."""


@pytest.mark.parametrize(("what", "content"), MORE_KINDS)
def test_other_files_of_a_kind_say_what_they_are(tmp_path: Path, what: str, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"is {what}, not")):
        encoded(path, KMeans)


@pytest.mark.parametrize(
    ("suffix", "what"), [("npy", "a NumPy array"), ("npz", "a NumPy archive"), ("parquet", "Parquet")]
)
def test_text_where_a_binary_format_is_named(tmp_path: Path, suffix: str, what: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(CSV)
    with pytest.raises(InputError, match=f"is text, not {what}") as caught:
        encoded(path, KMeans)
    assert 'format="csv"' in caught.value.remedy
    assert encoded(path, KMeans, format="csv")[0].tolist() == [[1, 2], [3, 4]]


def test_a_parquet_file_that_is_cut_off_is_not_told_to_be_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(arrow(parquet.write_table)[:-20])
    with pytest.raises(InputError, match="is not a complete Parquet file"):
        encoded(path, KMeans)


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "libsvm"])
def test_a_file_of_another_kind_says_what_it_is(tmp_path: Path, what: str, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(KINDS[what])
    with pytest.raises(InputError, match=re.escape(f"is {what}, not")) as caught:
        encoded(path, LinearLearner if suffix == "libsvm" else KMeans)
    assert caught.value.remedy
    if suffix == "csv":
        packed = tmp_path / "b.csv.gz"
        packed.write_bytes(gzip.compress(KINDS[what]))
        with pytest.raises(InputError, match=re.escape(f"is {what} inside gzip, not")):
            encoded(packed, KMeans)


def test_utf_16_without_a_mark_says_what_it_is() -> None:
    assert (
        kind_of("id,price\n".encode("utf-16-le"))[0]
        == kind_of("id,price\n".encode("utf-16-be"))[0]
        == "text in UTF-16"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<DATE>,<TIME>\n",
        "<DATE>\t<TIME>\n2024.01.01\t10:00\n",
        "<CLOSE>\n1.5\n",
        "5 10:30\n6 11:20\n",
        "2020-01-01 10:30\n2020-01-02 11:00\n",
        "[0;1\n",
        "5 10:30\n",
        "1,2\n",
        "a,b\n",
        '"x",1\n',
        "0.5;1\n",
        "label 1:2\n",
        "-1,2\n",
        " 1\n",
        "PK,1\n",
        "ORCA,1\n"[:1],
    ],
)
def test_text_is_of_no_kind(text: str) -> None:
    assert kind_of(text.encode()) is None


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet", "pbr"])
@pytest.mark.parametrize("what", ["a gzip file", "a zip archive", "a Parquet file", "JSON"])
def test_a_binary_format_says_what_it_got_instead(tmp_path: Path, suffix: str, what: str) -> None:
    if (suffix, what) in {("parquet", "a Parquet file"), ("npz", "a zip archive")}:
        return
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(KINDS[what])
    with pytest.raises(InputError, match=re.escape(f"is {what}, not")):
        encoded(path, KMeans)


def test_the_not_a_number_of_windows_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,-nan(ind)\n")
    with pytest.raises(InputError, match="row 1, column 1: nan is not a finite number"):
        encoded(tmp_path / "a.csv", KMeans)
    (tmp_path / "a.libsvm").write_text("1 1:2\n0 1:-nan(ind)\n")
    with pytest.raises(InputError, match="row 1, column 0: nan is not a finite number"):
        encoded(tmp_path / "a.libsvm")


def test_all_columns_of_parquet_that_are_no_numbers_are_told_at_once(tmp_path: Path) -> None:
    rows = 3
    table = pa.table(
        {
            "x": [1.5, 2.5, 3.5],
            "city": ["Berlin", "Rome", "Rome"],
            "day": pa.array([1, 2, 3], pa.date32()),
            "price": pa.array([1, 2, 3], pa.decimal128(9, 2)),
            "vector": pa.array([[1.0, 2.0]] * rows, pa.list_(pa.float32())),
            "spark": pa.array([{"values": [1.0]}] * rows),
            "nothing": pa.nulls(rows),
        }
    )
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path)
    with pytest.raises(InputError) as caught:
        encoded(path, KMeans)
    for name in table.column_names[1:]:
        assert f"({name!r}): its type is " in caught.value.message
    for way in ("numpy.stack", "vector_to_array", "weekday", "Cast decimals to double", "docs/tables.md"):
        assert way in caught.value.remedy
    assert f"exclude={table.column_names[1:]}" in caught.value.remedy
    np.testing.assert_array_equal(
        encoded(path, KMeans, exclude=table.column_names[1:])[0], [[1.5], [2.5], [3.5]]
    )
    frame = table.select(["x", "vector"]).to_pandas()
    np.savez(tmp_path / "b.npz", x=np.stack(frame["vector"]), y=frame["x"])  # the way out of the vector
    features, labels = encoded(tmp_path / "b.npz", label="y")
    np.testing.assert_array_equal(features, [[1, 2]] * rows)
    np.testing.assert_array_equal(labels, frame["x"])
