"""A program: reads a table of every kind with nothing but code, layer and the standard library on its path.

``python -I -S -B read_alone.py CODE LAYER`` runs it; it is done if it ends with status 0.
"""
# ruff: noqa: E402 - the path comes before what is found on it

from __future__ import annotations

import io
import sys
from types import ModuleType
from typing import Any

CODE, LAYER = sys.argv[1:]
sys.path += [CODE, f"{LAYER}/python"]
# The runtime brings boto3; what reads here names its errors and calls nothing of it.
exceptions = ModuleType("botocore.exceptions")
for name in (
    "BotoCoreError",
    "ClientError",
    "HTTPClientError",
    "IncompleteReadError",
    "ResponseStreamingError",
):
    setattr(exceptions, name, type(name, (Exception,), {}))
sys.modules.update({"botocore": ModuleType("botocore"), "botocore.exceptions": exceptions})

import numpy as np
import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as arrow_parquet

from amazon_estimators.errors import InputError
from amazon_estimators.sources import Piece, Source, format_of
from amazon_estimators.storage.s3 import InputObject

assert np.__file__.startswith(CODE), np.__file__
assert pa.__file__.startswith(LAYER), pa.__file__


class OneObject:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def get_object(self, *, Range: str, **_: object) -> dict[str, io.BytesIO]:
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self.body[first : last + 1])}


def parquet(table: pa.Table, compression: str = "none") -> bytes:
    file = io.BytesIO()
    arrow_parquet.write_table(table, file, compression=compression)
    return file.getvalue()


def rows(key: str, body: bytes) -> list[list[float]]:
    found, s3, source = InputObject("bucket", key, len(body), "etag"), OneObject(body), Source()
    _, module = format_of(found, source)
    layout = module.look(s3, found, source)
    blocks = module.read(s3, Piece(found, layout.start, layout.stop, 0), source, layout.schema)
    features: list[Any] = [block.features for block in blocks]
    if layout.schema.sparse:
        return [one.data.tolist() for one in features]
    return np.concatenate(features).tolist()


TEXT = b"a,b\n1,2\n3,4\n"
EXPECTED = [[1.0, 2.0], [3.0, 4.0]]
assert rows("a.csv", TEXT) == EXPECTED
assert rows("a.csv.zst", pa.Codec("zstd").compress(TEXT, asbytes=True)) == EXPECTED
assert rows("a.libsvm", b"1 1:5 2:6\n") == [[5.0, 6.0]]
table = csv.read_csv(io.BytesIO(TEXT))
for compression in ("none", "snappy", "gzip", "brotli", "lz4", "zstd"):
    body = parquet(table, compression)
    written = arrow_parquet.ParquetFile(io.BytesIO(body)).metadata.row_group(0).column(0)
    assert written.compression == {"none": "UNCOMPRESSED"}.get(compression, compression.upper())
    assert rows("a.parquet", body) == EXPECTED
try:
    rows("a.parquet", parquet(pa.table({"a": [1.0, None]})))
except InputError as error:
    assert "row 1" in str(error), error
else:
    raise AssertionError("a missing value was read")
damaged = bytearray(parquet(table))
damaged[4:40] = bytes(36)  # the header of a page: an exception of C++ crosses three libraries
try:
    rows("a.parquet", bytes(damaged))
except InputError as error:
    assert "a.parquet" in str(error), error
else:
    raise AssertionError("a damaged page was read")
