"""Damaged Parquet ends in errors of ours, small and soon, and never ends the process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as arrow_parquet

from amazon_estimators.errors import InputError
from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.parquet import footer as parquet_footer
from amazon_estimators.sources.parquet import pages as parquet_pages
from amazon_estimators.sources.parquet import reader as parquet
from amazon_estimators.sources.parquet import thrift
from sources import damaged_parquet
from sources.in_memory_s3 import InMemoryS3

MIB = 2**20


def read(body: bytes) -> int:
    s3 = InMemoryS3()
    found = s3.put("a.parquet", body)
    layout = parquet.look(s3, found, Source())
    piece = Piece(found, 0, layout.stop, 0)
    return sum(block.rows_read for block in parquet.read(s3, piece, Source(), layout.schema))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells VmHWM")
def test_no_change_of_a_file_ends_the_process():
    path = os.pathsep.join(sys.path)
    answer = subprocess.run(
        [sys.executable, damaged_parquet.__file__],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": path},
    )
    result = json.loads(answer.stdout)
    assert result["ends"].keys() == {"read", "refused"}
    assert min(result["ends"].values()) > 700
    assert result["peak"] < 300 * MIB


def lying(changes: dict[int, tuple[int, bytes]], *, dictionary: bool = False) -> bytes:
    """A file whose first page header has other fields; what follows it is as it was."""
    table = pa.table({"a": np.arange(600.0) % 50})
    out = io.BytesIO()
    arrow_parquet.write_table(table, out, compression="none", use_dictionary=dictionary)
    body = out.getvalue()
    _, length = parquet_pages._header(body[4:200], 0, thrift.STRUCT)
    header = {
        1: thrift.of_integer(2 if dictionary else 0, thrift.I32),
        2: thrift.of_integer(400 if dictionary else 4800, thrift.I32),
        3: thrift.of_integer(400 if dictionary else 4800, thrift.I32),
        **changes,
    }
    footer = body[damaged_parquet.footer_start(body) :]
    return b"PAR1" + thrift.written(header) + body[4 + length : -len(footer)] + footer


@pytest.mark.parametrize("page", [2, 3])
def test_a_page_that_claims_more_than_its_column_has_is_refused(page):
    with pytest.raises(InputError, match=r"column 'a': the page at byte \d+ claims .*2147483593"):
        read(lying({page: thrift.of_integer(2_147_483_593, thrift.I32)}))


@pytest.mark.parametrize(("field", "dictionary", "most"), [(5, False, 600), (7, True, 50)])
def test_a_page_that_claims_more_values_than_it_has_room_for_is_refused(field, dictionary, most):
    header = thrift.of_struct({1: thrift.of_integer(2_000_000_000, thrift.I32)})
    with pytest.raises(InputError, match=f"claims 2000000000 values of {most}"):
        read(lying({field: header}, dictionary=dictionary))


def test_a_page_too_large_for_memory_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(parquet_pages, "PAGE_LIMIT", 10_000)
    out = io.BytesIO()
    table = pa.table({"small": np.arange(2000) % 3, "large": np.arange(2000.0)})
    arrow_parquet.write_table(table, out, use_dictionary=["small"])
    with pytest.raises(InputError, match=r"column 'large': the page .* allowed: 10000\n.*data_page_size"):
        read(out.getvalue())


def test_more_columns_than_memory_allows_are_refused(monkeypatch):
    monkeypatch.setattr(parquet_footer, "COLUMN_LIMIT", 4)
    body = damaged_parquet.written(pa.table({name: [1.0] for name in "abcd"}))
    with pytest.raises(InputError, match="has 4 columns; allowed: 3"):
        read(body)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a" * 10_000: [1.0]}),
        pa.table({"a": [1.0]}).replace_schema_metadata({"note": "n" * 10_000}),
    ],
    ids=["names", "ARROW:schema"],
)
def test_a_schema_too_large_for_memory_is_refused(table, monkeypatch):
    monkeypatch.setattr(parquet_footer, "SCHEMA_LIMIT", 5000)
    with pytest.raises(InputError, match=r"schema takes \d+ bytes; allowed: 5000\n.*shorter names"):
        read(damaged_parquet.written(table))


def test_a_schema_nested_too_deep_is_refused_before_the_table_reader_follows_it():
    leaf = thrift.written({1: thrift.of_integer(5, thrift.I32), 4: thrift.of_binary(b"a")})
    node = thrift.written({4: thrift.of_binary(b"a"), 5: thrift.of_integer(1, thrift.I32)})
    footer = thrift.written(
        {2: thrift.of_list([node] * 60_000 + [leaf]), 3: thrift.of_integer(0), 4: thrift.of_list([])}
    )
    with pytest.raises(InputError, match="a schema of 65 levels"):
        read(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize("kind", range(1, 13))
def test_a_count_that_is_not_there_is_not_counted_to(kind):
    endless = (thrift.LIST, bytes([240 | kind]) + b"\xff" * 8 + b"\x0f")
    footer = thrift.written({2: thrift.of_list([]), 3: thrift.of_integer(0), 9: endless})
    with pytest.raises(InputError, match="footer cannot be read"):
        read(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def test_a_footer_of_the_table_reader_is_made_of_nothing_but_what_was_checked():
    """Statistics, indexes, encodings and paths are where damage ended the process."""
    s3 = InMemoryS3()
    table = pa.table({"s": ["x"] * 9, "a": np.arange(9.0), "b": np.arange(9)})
    found = s3.put("a.parquet", damaged_parquet.written(table, write_page_index=True))
    footer = parquet_footer.read_footer(s3, found)
    chunks = footer.chunks(0, (1, 2))
    made = parquet_footer.footer_of([chunks[2], chunks[1]], 9)
    assert (made.num_rows, made.num_row_groups, made.schema.names) == (9, 1, ["b", "a"])
    for number in range(2):
        column = made.row_group(0).column(number)
        assert not column.is_stats_set
        assert not column.has_column_index
        assert not column.has_offset_index
        assert column.encodings == ()


def test_nested_columns_are_passed_over():
    table = pa.table(
        {
            "l": [[1.0, 2.0]] * 3,
            "m": pa.array([[("k", 1)]] * 3, pa.map_(pa.string(), pa.int64())),
            "st": [{"a": 1.0, "b": {"c": 2}}] * 3,
            "a": [1.0, 2.0, 3.0],
            "st.a": [4.0, 5.0, 6.0],
        }
    )
    s3 = InMemoryS3()
    found, source = s3.put("a.parquet", damaged_parquet.written(table)), Source(features=("st.a", "a"))
    schema = parquet.look(s3, found, source).schema
    (block,) = parquet.read(s3, Piece(found, 0, 3, 0), source, schema)
    assert block.features.tolist() == [[4.0, 1.0], [5.0, 2.0], [6.0, 3.0]]
