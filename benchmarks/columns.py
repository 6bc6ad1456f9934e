"""What rules of columns cost: ``benchmarks/columns.py [--rows N] [--write]``.

encode  CPU seconds of Encode of one shard of 20 columns of numbers, a city and a user id, by rules, against
        the numbers alone; in turn in one process, with S3 replaced by local files. ``ratio`` is the median
        over the pairs.
hash    Millions of ids a second by each hash, and how evenly 2**20 features are used: 1 is what chance gives.

``--write`` keeps the figures in ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from file_s3 import FileS3
from machine import machine
from pyarrow import csv, parquet
from steps import EXECUTION, MB, encode_in, items_of, settings

from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.sources.columns.hashing import murmur3
from pipeline import INPUT, ROOT

RESULTS = ROOT / "benchmarks" / "results" / f"{Path(__file__).stem}.json"
PAIRS = 5
NUMBERS = [f"n{number}" for number in range(20)]
CITIES = ["Berlin", "Paris", "Rome", "Oslo", "Madrid", "Vienna", "Prague", "Lisbon"]
WORDS = {"exclude": ["city", "user"]}
FILL: dict[str, Any] = {"fill": dict.fromkeys(NUMBERS, 0)}
RULES: dict[str, dict[str, Any]] = {
    "fill": {**WORDS, **FILL},
    "fill and one_hot": {"exclude": ["user"], **FILL, "one_hot": {"city": CITIES}},
    "drop_incomplete and scale": {
        **WORDS,
        "drop_incomplete": True,
        "scale": dict.fromkeys(NUMBERS, (0, 2)),
    },
    "hashed user": {"features": ["user"], "hashed": {"user": 2**20}},
}
BUCKETS = 2**20


def table(rows: int, *, gaps: bool) -> Any:
    generator = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for name in NUMBERS:
        lost = generator.random(rows) < 0.01 if gaps else None
        columns[name] = pa.array(generator.normal(size=rows).astype(np.float32), mask=lost)
    columns["city"] = pa.array(CITIES).take(pa.array(generator.integers(0, len(CITIES), rows)))
    columns["user"] = pa.array(generator.integers(0, 10**6, rows)).cast(pa.string())
    return pa.table(columns)


def body(kind: str, data: Any) -> bytes:
    sink = io.BytesIO()
    if kind == "csv":
        csv.write_csv(data, sink)
    else:
        parquet.write_table(data, sink)
    return sink.getvalue()


def encode_of(client: FileS3, kind: str, key: str, options: dict[str, Any]) -> Callable[[], float]:
    """Return a function that encodes and tells the seconds of CPU."""
    chosen = settings("b", target_shard_bytes=2**40)
    chosen["channels"] = {"train": {"prefix": f"{INPUT}{key}/", **options}}
    execution = {**EXECUTION, "name": f"{kind}-{key}-{abs(hash(str(options)))}"}
    planned = plan_step(client, Settings.from_dict(chosen), {}, execution)
    (item,) = items_of(client, planned)

    def cpu() -> float:
        began = time.process_time()
        encode_in(client, planned, item)
        return time.process_time() - began

    cpu()
    return cpu


def encode(kind: str, rows: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as directory:
        client = FileS3(directory)
        for name, gaps in (("whole", False), ("gaps", True)):
            text = body(kind, table(rows, gaps=gaps))
            client.put_object(Bucket="b", Key=f"{INPUT}{name}/a.{kind}", Body=text)
        figures["input_mb"] = round(len(text) / MB, 1)
        plain = encode_of(client, kind, "whole", WORDS)
        for name, options in RULES.items():
            ruled = encode_of(client, kind, "gaps", options)
            pairs = [(plain(), ruled()) for _ in range(PAIRS)]
            figures[name] = {
                "cpu_seconds_numbers_alone": round(statistics.median(pair[0] for pair in pairs), 3),
                "cpu_seconds": round(statistics.median(pair[1] for pair in pairs), 3),
                "ratio": round(statistics.median(after / before for before, after in pairs), 2),
            }
    return figures


def hashes() -> dict[str, Any]:
    ids = [str(number).encode() for number in np.random.default_rng(0).integers(0, 10**8, 10**6)]
    lengths = np.array([len(one) for one in ids])
    starts, data = np.concatenate(([0], np.cumsum(lengths)[:-1])), np.frombuffer(b"".join(ids), np.uint8)
    kinds: dict[str, Callable[[], Any]] = {
        "murmur3": lambda: murmur3(data, starts, lengths),
        "crc32": lambda: np.fromiter(map(zlib.crc32, ids), np.uint32, len(ids)),
        "blake2b": lambda: np.array(
            [int.from_bytes(hashlib.blake2b(one, digest_size=4).digest(), "little") for one in ids]
        ),
    }
    different = len(set(ids))
    by_chance = BUCKETS * (1 - (1 - 1 / BUCKETS) ** different)
    figures = {}
    for name, make in kinds.items():
        began = time.process_time()
        values = make()
        seconds = time.process_time() - began
        used = len(np.unique(values % BUCKETS)) / by_chance
        figures[name] = {"millions_a_second": round(len(ids) / 1e6 / seconds, 1), "evenness": round(used, 3)}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    figures = {
        "machine": machine(),
        "rows": arguments.rows,
        "encode": {kind: encode(kind, arguments.rows) for kind in ("csv", "parquet")},
        "hash": hashes(),
    }
    print(json.dumps(figures, indent=1))
    if arguments.write:
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
