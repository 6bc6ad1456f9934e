"""Which format an object is in, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from amazon_estimators.errors import InputError, SchemaError
from amazon_estimators.sources import Schema, Source, format_of
from amazon_estimators.sources.formats import FORMATS, vector_formats
from amazon_estimators.sources.source import ALWAYS
from amazon_estimators.storage.s3 import InputObject


@pytest.mark.parametrize(
    ("key", "option", "name"),
    [
        ("a/b.NPY", "auto", "npy"),
        ("a.csv", "auto", "csv"),
        ("a.tsv.zst", "auto", "csv"),
        ("a.csv.GZ", "auto", "csv"),
        ("part-0000.snappy.parquet", "auto", "parquet"),
        ("a.libsvm.gz", "auto", "libsvm"),
        ("a.pbr", "auto", "recordio"),
        ("a.npz", "auto", "npz"),
        ("part-00000", "csv", "csv"),
    ],
)
def test_by_extension_or_by_option(key, option, name):
    assert format_of(InputObject("b", key, 1, "e"), Source(format=option))[0] == name


@pytest.mark.parametrize(
    ("key", "option", "message"),
    [
        ("a.txt", "auto", "is not a known format; known: .npy"),
        ("a", "auto", "is not a known format"),
        ("a.gz", "auto", "is not a known format"),
        ("a.csv", "jsonlines", "format is 'jsonlines'; allowed: auto, npy"),
        ("a.npy.gz", "auto", "only csv and libsvm may be"),
    ],
)
def test_an_object_of_no_format_is_refused(key, option, message):
    with pytest.raises(InputError, match=message):
        format_of(InputObject("b", key, 1, "e"), Source(format=option))


def test_the_table_and_source_tell_of_the_same():
    for name in FORMATS:
        assert f'``"{name}"``' in str(Source.__doc__), name
    options = {option for one in FORMATS.values() for option in one.options}
    assert options | {*ALWAYS} == {one.name for one in fields(Source)}
    extensions = [extension for one in FORMATS.values() for extension in one.extensions]
    assert len(extensions) == len(set(extensions))


@pytest.mark.parametrize("name", vector_formats())
def test_the_module_of_a_format_looks_and_reads(name: str) -> None:
    _, reader = format_of(InputObject("b", "a", 1, "e"), Source(format=name))
    assert callable(reader.look) and callable(reader.read)


def test_the_table_reader_is_loaded_only_where_it_reads():
    code = (
        "import sys; from amazon_estimators.sources import Source, format_of;"
        "from amazon_estimators.sources.delimited import reader;"
        "from amazon_estimators.sources.numpy_files import npy, npz;"
        "from amazon_estimators.sources.files import text_lines;"
        "from amazon_estimators.pipeline import sharding; print('pyarrow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("features", [(0, 1), (-2,)])
def test_the_label_is_no_feature(features: tuple[int | str, ...]) -> None:
    source = Source(label="y", features=features)
    with pytest.raises(SchemaError, match="both the label and a feature"):
        Schema.of(source, width=2, names=("y", "x"), where="s3://bucket/a.csv")
