"""Measure Plan, Encode and Seal: ``benchmarks/pipeline.py [--megabytes N] [--write]``.

There are three parts. Each step runs in a process of its own, so that its peak memory is its own.
1 MB = 10^6 bytes.

rates   Encode of one shard, for every source and encoding, on one core. Local files replace S3's input, and a
        sink discards the output. CPU seconds count all threads of the process, but no imports: those are in
        the cold start, which benchmarks/scale.py adds to every shard. Parquet also has the rate of pyarrow
        alone, from a file in memory to rows of float32.
data    ``--megabytes`` each of .npy, CSV and Parquet through Plan, Encode and Seal against the emulator's S3,
        which shares this machine: seconds and peak memory by step.
count   10,000 objects and 10,000 shards through Plan and Seal; the largest payload of a state.

``--write`` saves the figures to ``benchmarks/results/pipeline.json`` for ``benchmarks/scale.py``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / root) for root in ("lambda", "constructs", "rehearsal")]

from file_s3 import FileS3  # noqa: E402
from inputs import (  # noqa: E402
    addresses,
    csv_text,
    fortran_npz,
    libsvm,
    npy,
    pairs,
    parquet,
    quoted_csv,
)
from machine import machine  # noqa: E402
from steps import (  # noqa: E402
    EXECUTION,
    MB,
    Step,
    emulator_client,
    encode_in_emulator,
    items_of,
    measured,
    modules_of,
    of_encode,
    plan_in_emulator,
    pyarrow_to_rows,
    rate_step,
    seal_in_emulator,
    settings,
)

from amazon_estimators.pipeline.encode import encode_shard  # noqa: E402
from amazon_estimators.pipeline.keys import input_prefix  # noqa: E402
from amazon_estimators.pipeline.plan import plan_step  # noqa: E402
from amazon_estimators.pipeline.settings import Settings  # noqa: E402
from amazon_estimators.pipeline.shard_plan import Plan  # noqa: E402
from amazon_estimators_rehearsal.environment import client_environment  # noqa: E402
from amazon_estimators_rehearsal.server import emulator  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "pipeline.json"
COLUMNS = 50
INPUT = input_prefix("", "train")
RATE_BYTES = 256 * MB
OBJECTS = 10_000
BARS = {"plan seconds": 20.0, "seal seconds": 30.0, "peak MB": 350.0, "payload bytes": 262_144}

# --- rates ---


def rates() -> dict[str, Step]:
    """Return MB/s of input and of output that one core encodes, by input."""
    random = np.random.default_rng(1)
    rows = RATE_BYTES // (4 * COLUMNS)
    table = random.normal(size=(rows, COLUMNS)).astype(np.float32)
    doubles = table[: rows // 2].astype(np.float64)
    text = csv_text(table, RATE_BYTES)
    cases: dict[str, tuple[str, bytes, dict[str, Any]]] = {
        "npy float32": ("a.npy", npy(table), {}),
        "npy float64": ("a.npy", npy(doubles), {}),
        "npy float64, Fortran order": ("a.npy", npy(np.asfortranarray(doubles)), {}),
        "npz float64, Fortran order": ("a.npz", fortran_npz(doubles), {}),
        "csv": ("a.csv", text, {}),
        "csv, quoted newlines": (
            "a.csv",
            quoted_csv(table, RATE_BYTES // 2),
            {"channels": {"train": {"exclude": [COLUMNS], "header": "absent"}}},
        ),
        "csv gzip": ("a.csv.gz", gzip.compress(text[: RATE_BYTES // 4].rpartition(b"\n")[0], 6), {}),
        "libsvm": (
            "a.svm",
            libsvm(table, RATE_BYTES // 4),
            {"channels": {"train": {"feature_count": COLUMNS, "keep_labels": False}}},
        ),
        "parquet": ("a.parquet", parquet(table), {}),
        "parquet, pages of 1 MiB": ("a.parquet", parquet(table, max_rows_per_page=rows), {}),
        "parquet, dictionaries": ("a.parquet", parquet(np.round(table, 3), max_rows_per_page=rows), {}),
        "parquet, 400 columns": (
            "a.parquet",
            parquet(table[:200_000], 400, max_rows_per_page=rows),
            {},
        ),
        "json lines, Object2Vec": (
            "a.jsonl",
            pairs(RATE_BYTES // 4),
            {
                "algorithm": "Object2Vec",
                "hyperparameters": {"enc0_max_seq_len": "50", "enc0_vocab_size": "100000"},
            },
        ),
        "csv, IP Insights": (
            "a.csv",
            addresses(RATE_BYTES // 4),
            {"algorithm": "IPInsights", "hyperparameters": {"num_entity_vectors": "10", "vector_dim": "8"}},
        ),
    }
    return {name: rate(*case) for name, case in cases.items()}


def rate(name: str, body: bytes, changes: dict[str, Any]) -> Step:
    with tempfile.TemporaryDirectory() as directory:
        client = FileS3(directory)
        client.put_object(Bucket="b", Key=INPUT + name, Body=body)
        given = settings("b", target_shard_bytes=2**40, **changes)
        planned = plan_step(client, Settings.from_dict(given), {}, {**EXECUTION, "name": "rate"})
        (item,) = items_of(client, planned)
        best: Step = {}
        modules = modules_of(rate_step, directory, planned, item)
        for _ in range(3):
            with of_encode():
                written, step = measured(rate_step, directory, planned, item, modules=modules)
            if not best or step["cpu_seconds"] < best["cpu_seconds"]:
                best = step | {
                    "input_mb": round(len(body) / MB, 1),
                    "output_mb": round(written / MB, 1),
                    "input_mb_per_cpu_second": round(len(body) / MB / step["cpu_seconds"], 1),
                    "output_mb_per_cpu_second": round(written / MB / step["cpu_seconds"], 1),
                }
        if name.endswith(".parquet"):
            best["input_mb_per_cpu_second_of_pyarrow_to_rows"] = pyarrow_alone(directory, name, len(body))
    return best


def pyarrow_alone(directory: str, name: str, size: int) -> float:
    """Return MB/s of input that pyarrow makes rows of, on one core."""
    path = str(Path(directory) / INPUT / name)
    with of_encode():
        seconds = min(measured(pyarrow_to_rows, path)[0] for _ in range(3))
    return round(size / MB / seconds, 1)


# --- data ---


def data(megabytes: int) -> dict[str, Any]:
    """Plan, Encode and Seal of .npy, of CSV and of Parquet against the emulator."""
    object_bytes = 128 * MB
    table = np.random.default_rng(1).normal(size=(object_bytes // (4 * COLUMNS), COLUMNS)).astype(np.float32)
    bodies = {
        "npy": npy(table),
        "csv": csv_text(table, object_bytes),
        "parquet": parquet(np.concatenate([table, -table])),  # a row group of a million rows and more
    }
    return {
        kind: through_the_emulator(kind, body, max(1, round(megabytes * MB / len(body))))
        for kind, body in bodies.items()
    }


def through_the_emulator(kind: str, body: bytes, objects: int) -> dict[str, Any]:
    client = emulator_client()
    bucket = f"benchmark-{kind}"
    new_bucket(client, bucket)
    for number in range(objects):
        client.put_object(Bucket=bucket, Key=f"{INPUT}{number:03d}.{kind}", Body=body)
    given = settings(bucket, instance_count=2)
    planned, plan = measured(plan_in_emulator, given)
    items = items_of(client, planned)
    with of_encode():
        encoded = [measured(encode_in_emulator, planned, item) for item in items]
    _, seal = measured(seal_in_emulator, given, planned)
    written = sum(size for size, _ in encoded)
    seconds = sum(step["seconds"] for _, step in encoded)
    shards = [size for size, _ in encoded]
    return {
        "input_mb": round(objects * len(body) / MB, 1),
        "output_mb": round(written / MB, 1),
        "objects": objects,
        "shards": len(items),
        "largest_over_smallest_shard": round(max(shards) / min(shards), 4),
        "plan": plan,
        "encode": {
            "seconds": round(seconds, 3),
            "input_mb_per_second": round(objects * len(body) / MB / seconds, 1),
            "cpu_seconds": round(sum(step["cpu_seconds"] for _, step in encoded), 3),
            "peak_mb": max(step["peak_mb"] for _, step in encoded),
        },
        "seal": seal,
    }


# --- count ---


def count() -> dict[str, Any]:
    """10,000 objects, and as many shards."""
    client = emulator_client()
    bucket = "benchmark-count"
    new_bucket(client, bucket)
    rows = 8
    body = npy(np.ones((rows, 4), np.float32))

    def put(number: int) -> None:
        client.put_object(Bucket=bucket, Key=f"{INPUT}{number:05d}.npy", Body=body)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(OBJECTS)))
    given = settings(bucket, instance_count=10, target_shard_bytes=rows * 40)
    planned, plan = measured(plan_in_emulator, given)
    items = items_of(client, planned)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        started = time.perf_counter()
        list(processes.map(_encode_all, [planned] * 8, [items[part::8] for part in range(8)]))
        encode_seconds = time.perf_counter() - started
    request, seal = measured(seal_in_emulator, given, planned)
    again, cached = measured(plan_in_emulator, given)
    payloads = {
        "Plan's input": {
            "pipeline": given,
            "input": {},
            "execution": {"name": "x" * 80, "start_time": "x" * 30, "redrive": 1000},
        },
        "Plan's result": planned,
        "an Encode's input": {
            "bucket": bucket,
            "prefix": planned["prefix"],
            "attempt": "x" * 85,
            **items[-1],
        },
        "Seal's input": {"pipeline": given, "plan": planned, "execution": {"name": "x" * 80}},
        "the state before Train": {"input": {}, "plan": again, "request": request},
    }
    sizes = {name: len(json.dumps(value)) for name, value in payloads.items()}
    return {
        "objects": OBJECTS,
        "shards": planned["shards"],
        "plan": plan,
        "encode_all_seconds": round(encode_seconds, 1),
        "seal": seal,
        "plan_when_complete": cached | {"complete": again["complete"]},
        "payload_bytes": sizes,
    }


def _encode_all(planned: dict[str, Any], items: list[dict[str, int]]) -> None:
    client = emulator_client()
    plan = Plan.load(client, planned["bucket"], planned["prefix"])
    for item in items:
        encode_shard(client, plan, item["offset"], item["length"])


def new_bucket(client: Any, name: str) -> None:
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def emulated() -> Iterator[None]:
    """An emulator, and an environment in which every client of this process and its children talks to it."""
    with tempfile.TemporaryDirectory() as directory, emulator(Path(directory)) as endpoint:
        wanted = client_environment(Path(directory), endpoint)
        os.environ.update({name: value for name, value in wanted.items() if name.startswith("AWS_")})
        yield


def missed(result: dict[str, Any]) -> list[str]:
    """The bars that are not held."""
    found = []
    peaks = [step["peak_mb"] for step in result["rates"].values()]
    for run in result["data"].values():
        peaks += [run[step]["peak_mb"] for step in ("plan", "encode", "seal")]
    many = result["count"]
    for name, value in (
        ("peak MB", max(peaks)),
        ("plan seconds", many["plan"]["seconds"]),
        ("seal seconds", many["seal"]["seconds"]),
        ("payload bytes", max(many["payload_bytes"].values())),
    ):
        if value > BARS[name]:
            found.append(f"{name}: {value:,} above {BARS[name]:,}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=2_000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {"rates": rates()}
    with emulated():
        result |= {"data": data(options.megabytes), "count": count()}
    result = {"machine": machine(), **result}
    print(json.dumps(result, indent=1))
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    problems = missed(result)
    print("\n".join(problems) or "All bars are held.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
