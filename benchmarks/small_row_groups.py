"""Measure reads of Parquet in small row groups from an S3 that delays every request.

python benchmarks/small_row_groups.py [--rows 3000000] [--group 1000] [--milliseconds 20]
"""

# ruff: noqa: N803 - names as S3 has them
from __future__ import annotations

import argparse
import io
import time
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.parquet import reader
from amazon_estimators.storage.s3 import InputObject


class SlowS3:
    """One object in memory; every request takes as long as one to S3."""

    def __init__(self, body: bytes, seconds: float) -> None:
        self.body, self.seconds, self.requests = body, seconds, 0

    def get_object(self, *, Range: str, **_: Any) -> dict[str, Any]:
        time.sleep(self.seconds)
        self.requests += 1
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self.body[first : last + 1])}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--group", type=int, default=1000, help="rows of a row group; default: 1000")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--milliseconds", type=float, default=20, help="of a request; default: 20")
    options = parser.parse_args()
    random = np.random.default_rng(1)
    table = pa.table({f"x{number}": random.normal(size=options.rows) for number in range(options.columns)})
    out = io.BytesIO()
    parquet.write_table(table, out, row_group_size=options.group)
    body = out.getvalue()
    s3 = SlowS3(body, options.milliseconds / 1000)
    found = InputObject("b", "a.parquet", len(body), "e")
    started, busy = time.perf_counter(), time.process_time()
    layout = reader.look(s3, found, Source())
    piece = Piece(found, 0, layout.stop, first_row=0)
    rows = 0
    for block in reader.read(s3, piece, Source(), layout.schema):
        rows += len(block.features)
    print(
        f"{rows:,} rows of {len(body) / 1e6:.0f} MB in {time.perf_counter() - started:.1f} s, "
        f"{time.process_time() - busy:.1f} s of them processor time, {s3.requests} requests"
    )


if __name__ == "__main__":
    main()
