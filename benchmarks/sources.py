"""Measure MB/s per core and peak memory of each source on bytes in memory, beside its library alone.

    python benchmarks/sources.py [--megabytes 200] [--write]

Each line runs in a separate process, with the variables of Encode's function. A source yields float32 blocks
as for Encode; the library reads the same bytes with one thread. Figures are MB of the file per second of
processor time, best of three.
"""

# ruff: noqa: PLC0415, N803 - each process loads only what it measures; names as S3 has them
from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from amazon_estimators.pipeline import allocator

COLUMNS = 51
CASES = (
    "csv alone",
    "csv alone, as rows",
    "csv",
    "csv in 4 pieces",
    "csv with quoted text",
    "csv.gz",
    "csv.zst",
    "parquet alone",
    "parquet alone, as rows",
    "parquet",
    "parquet, 5 columns",
    "npy alone",
    "npy",
    "npy, Fortran order",
    "npz",
    "npz, deflated",
    "libsvm",
    "recordio",
)


class Memory:
    """Serves ranges of one object in memory, as an S3 client does."""

    class exceptions:  # noqa: N801 - as a client has it
        ClientError = Exception

    def __init__(self, body: bytes) -> None:
        self.body = body

    def get_object(self, *, Range: str, **_: Any) -> dict[str, Any]:
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self.body[first : last + 1])}


def written(case: str, size: int) -> bytes:
    """Return a file of about ``size`` bytes."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    made = np.random.default_rng(0)
    text = size // (COLUMNS * 19)
    rows = text if case.startswith(("csv", "libsvm")) else size // (COLUMNS * 4)
    table = made.normal(size=(rows, COLUMNS))
    out = io.BytesIO()
    if case.startswith("csv"):
        columns = {f"c{number}": table[:, number] for number in range(COLUMNS)}
        if "quoted" in case:
            columns["c7"] = np.array(["said,\n" + "he"] * rows)
        csv.write_csv(pa.table(columns), out, csv.WriteOptions(include_header=False))
        if case.endswith(("gz", "zst")):
            return bytes(pa.compress(out.getvalue(), "gzip" if case.endswith("gz") else "zstd", asbytes=True))
    elif case.startswith("parquet"):
        columns = {f"c{number}": table[:, number].astype(np.float32) for number in range(COLUMNS)}
        parquet.write_table(pa.table(columns), out, row_group_size=200_000)
    elif case.startswith("npy"):
        order = np.asfortranarray if "Fortran" in case else np.ascontiguousarray
        np.save(out, order(table.astype(np.float32)))
    elif case.startswith("npz"):
        save = np.savez_compressed if "deflated" in case else np.savez
        save(out, x=table.astype(np.float32), y=np.arange(rows))
    elif case == "recordio":
        from amazon_estimators.recordio import write_numpy_to_dense_tensor

        write_numpy_to_dense_tensor(out, table.astype(np.float32), np.arange(rows, dtype=np.float32))
    else:
        lines = [" ".join(f"{number + 1}:{value:.17g}" for number, value in enumerate(row)) for row in table]
        out.write("".join(f"1 {line}\n" for line in lines).encode())
    return out.getvalue()


def alone(case: str, body: bytes) -> Callable[[], int]:
    """Return a function that reads with the library alone, in Encode's blocks, to columns or to rows."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    from amazon_estimators.sources.delimited.table import matrix
    from amazon_estimators.sources.source import BLOCK_BYTES

    as_rows = matrix if case.endswith("rows") else lambda table: table

    def read_csv() -> int:
        names = [f"c{number}" for number in range(COLUMNS)]
        options = (
            csv.ReadOptions(use_threads=False, column_names=names),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float32())),
        )
        start = rows = 0
        while start < len(body):
            stop = body.rfind(b"\n", start, start + BLOCK_BYTES) + 1
            rows += len(as_rows(csv.read_csv(pa.BufferReader(memoryview(body)[start:stop]), *options)))
            start = stop
        return rows

    def read_parquet() -> int:
        file = parquet.ParquetFile(pa.BufferReader(body), pre_buffer=False, buffer_size=2**16)
        size = BLOCK_BYTES // (4 * COLUMNS)
        batches = file.iter_batches(size, use_threads=False)
        return sum(len(as_rows(pa.Table.from_batches([batch]))) for batch in batches)

    def read_npy() -> int:
        return len(np.load(io.BytesIO(body)))

    return {"csv": read_csv, "parquet": read_parquet, "npy": read_npy}[case.split(maxsplit=1)[0]]


def ours(case: str, body: bytes) -> Callable[[], int]:
    """Return a function that reads with the source, over the object's pieces."""
    from amazon_estimators.pipeline.sharding import pieces_of_shards
    from amazon_estimators.sources import Source, format_of
    from amazon_estimators.sources.readers import resolve
    from amazon_estimators.storage.object_list import ObjectList
    from amazon_estimators.storage.s3 import InputObject

    key = "a." + case.split(maxsplit=1)[0].rstrip(",").replace("recordio", "pbr")
    found = InputObject("bucket", key, len(body), "etag")
    source = Source(
        exclude=(7,) if "quoted" in case else (),
        features=tuple(range(5)) if "5 columns" in case else None,
        feature_count=COLUMNS,
    )
    form, s3 = format_of(found, source)[1], Memory(body)
    source = resolve(s3, ObjectList.of("bucket", "train", [found]), source)  # as Plan does for Encode
    layout = form.look(s3, found, source)
    shards = pieces_of_shards([(found, layout)], 4 if "pieces" in case else 1)
    pieces = [piece for shard in shards for piece in shard]

    def read() -> int:
        return sum(
            len(block.features) for piece in pieces for block in form.read(s3, piece, source, layout.schema)
        )

    return read


def memory(field: str) -> int:
    """Return the KiB of memory this process holds (VmRSS), or held at most (VmHWM). Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field)))


def measure(case: str, path: str) -> None:
    """Print the line of one case."""
    body = Path(path).read_bytes()
    run = (alone if "alone" in case else ours)(case, body)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    before = memory("VmRSS")
    rates = []
    for _ in range(3):
        started, busy = time.perf_counter(), time.process_time()
        rows = run()
        rates.append((len(body) / (time.process_time() - busy), len(body) / (time.perf_counter() - started)))
    peak = memory("VmHWM") - before
    core, wall = max(rates)
    figures = {
        "case": case,
        "megabytes": round(len(body) / 1e6),
        "rows": rows,
        "per core, MB/s": round(core / 1e6),
        "wall, MB/s": round(wall / 1e6),
        "peak above the file, MiB": round(peak / 2**10),
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=200, help="of each file; default: 200")
    parser.add_argument(
        "--write", action="store_true", help="keep the figures in benchmarks/results/sources.json"
    )
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS, metavar=("CASE", "FILE"))
    options = parser.parse_args()
    if options.case:
        measure(*options.case)
        return
    cases = []
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            path = Path(directory) / "file"
            path.write_bytes(written(case, int(options.megabytes * 1e6)))
            command = [sys.executable, __file__, "--case", case, str(path)]
            variables = os.environ | allocator.ENVIRONMENT
            line = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, env=variables
            ).stdout
            cases.append(json.loads(line))
            print("  ".join(f"{name} {value}" for name, value in cases[-1].items()), flush=True)
    if options.write:
        from machine import machine

        results = Path(__file__).parent / "results" / "sources.json"
        results.write_text(json.dumps({"machine": machine(), "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
