"""Read Parquet files with a few bytes changed: ``damaged_parquet.py``, run by test_parquet_damage.py.

A process of its own, because what is feared is its end. Prints how many files were read and refused, every
other end by name, and the most memory held.
"""

from __future__ import annotations

import io
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet as arrow_parquet

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.parquet import reader as parquet
from amazon_estimators.sources.parquet import row_group
from sources.in_memory_s3 import InMemoryS3

LIES = (
    b"\xff\xff\xff\xff\x07",
    b"\xfe\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x08",
    b"\xff" * 9 + b"\x01",
    b"\0",
)
"""Varints of great and of negative numbers, and the end of a struct."""


def written(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    arrow_parquet.write_table(table, out, **options)
    return out.getvalue()


def footer_start(body: bytes) -> int:
    return len(body) - 8 - int.from_bytes(body[-8:-4], "little")


def bits_of_a_footer() -> Iterator[bytes]:
    """Every byte of a footer with statistics of all kinds, with its two lowest bits turned."""
    body = written(pa.table({"a": np.arange(600.0), "b": np.arange(600)}))
    for place, bit in product(range(footer_start(body), len(body) - 8), range(2)):
        changed = bytearray(body)
        changed[place] ^= 1 << bit
        yield bytes(changed)


def all_kinds(count: int) -> Iterator[bytes]:
    """Files of all codecs, encodings, page versions and indexes, changed in pages, headers and footer."""
    made, rows = np.random.default_rng(1), 600
    table = pa.table(
        {
            "a": np.round(made.normal(size=rows), 1),
            "b": np.arange(float(rows)),
            "s": [str(number) for number in range(rows)],
            "t": made.integers(0, 2, rows).astype(bool),
            "l": [[1.0, 2.0]] * rows,
            "i": made.integers(0, 9, rows).astype(np.int16),
        }
    )
    bodies = [
        written(
            table,
            compression=codec,
            use_dictionary=dictionary,
            data_page_version=version,
            data_page_size=size,
            row_group_size=200,
            write_page_index=size == 300,
            write_page_checksum=index,
        )
        for codec, dictionary, version, (size, index) in product(
            ("none", "snappy", "gzip", "zstd", "lz4", "brotli"),
            (True, False),
            ("1.0", "2.0"),
            ((300, False), (2**20, True), (2**20, False)),
        )
    ]
    encodings = {"a": "BYTE_STREAM_SPLIT", "b": "BYTE_STREAM_SPLIT", "i": "DELTA_BINARY_PACKED", "t": "RLE"}
    numbers = table.select(["a", "b", "i", "t"])
    bodies.append(written(numbers, use_dictionary=False, column_encoding=encodings, data_page_version="2.0"))
    dice = random.Random(0)
    for number in range(count):
        body = bytearray(dice.choice(bodies))
        footer = footer_start(bytes(body))
        chunks = arrow_parquet.read_metadata(io.BytesIO(body)).row_group(0)
        chunk = chunks.column(dice.randrange(chunks.num_columns))
        first = dice.choice([chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset])
        start, stop = ((footer, len(body) - 8), (4, footer), (first, first + 24))[number % 3]
        for _ in range(dice.choice([1, 1, 4])):
            place = dice.randrange(start, stop)
            lie = dice.choice(LIES)
            match number // 3 % 4:
                case 0:
                    body[place] ^= 1 << dice.randrange(8)
                case 1:
                    body[place] = dice.randrange(256)
                case 2:
                    body[place : place + len(lie)] = lie
                case 3:
                    del body[place : place + dice.choice([1, 2, 20])]
                    stop = min(stop, len(body))
            if place >= stop - 24:
                break
        yield bytes(body)


def outcome(body: bytes) -> str:
    s3, source = (
        InMemoryS3(),
        Source(exclude=("s", "l") if b"ARROW:schema" in body and b"list" in body else ()),
    )
    found = s3.put("a.parquet", body)
    try:
        layout = parquet.look(s3, found, source)
        rows = 0
        for block in parquet.read(s3, Piece(found, 0, layout.stop, 0), source, layout.schema):
            rows += len(block.features)
    except AmazonEstimatorsError:
        return "refused"
    except Exception as error:
        return repr(error)
    return "read" if rows == layout.records else f"{rows} rows of {layout.records}"


def main() -> None:
    ends: Counter[str] = Counter()
    for number, body in enumerate((*bits_of_a_footer(), *all_kinds(1500))):
        row_group.AT_ONCE_BYTES = (1, 2**24)[number % 2]
        ends[outcome(body)] += 1
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    sys.stdout.write(json.dumps({"ends": ends, "peak": peak}))


if __name__ == "__main__":
    main()
