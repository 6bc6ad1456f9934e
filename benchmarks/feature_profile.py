"""What the profile of features costs: ``benchmarks/feature_profile.py [--megabytes N] [--write]``.

encode  CPU seconds of Encode of one shard of 50 columns with the profile and without, in turn in one process,
        with S3 replaced by local files. The extra cost is the median over the pairs.
s3      The same of .npy, read from an S3 over HTTPS and written to it, as in a Lambda function.
seal    10,000 profiles of shards of 50 columns added up by Seal: seconds and peak memory.

``--write`` keeps the figures in ``benchmarks/results``. The exit code is 1 if a bar is
missed: 10 % of Encode's CPU where it reads CSV, Parquet, or .npy over HTTPS, and 350 MB of memory of Seal.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from file_s3 import FileS3
from inputs import csv_text, npy, parquet
from machine import machine
from steps import EXECUTION, MB, emulator_client, encode_in, items_of, measured, settings

from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile, ProfileBuilder
from pipeline import COLUMNS, INPUT, ROOT, emulated, new_bucket

RESULTS = ROOT / "benchmarks" / "results" / f"{Path(__file__).stem}.json"
PAIRS = 9
SHARDS = 10_000
BUCKET = "benchmark"
DIFFERENT = 200
"""Profiles of shards that differ; they are read again and again."""
COST_BAR, MEMORY_BAR = 0.10, 350.0
BARRED = ("csv", "parquet", "npy_over_https")


def without_profile() -> Any:
    """Replace the builder by one that sees no row."""
    return mock.patch.multiple(ProfileBuilder, add_dense=lambda *_: None, profile=lambda _: None)


def encode(kind: str, body: bytes) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        return encode_with(FileS3(directory), kind, body)


def encode_over_https(kind: str, body: bytes) -> dict[str, Any]:
    with emulated():
        client = emulator_client()
        new_bucket(client, BUCKET)
        return encode_with(client, kind, body)


def encode_with(client: Any, kind: str, body: bytes) -> dict[str, Any]:
    client.put_object(Bucket=BUCKET, Key=f"{INPUT}a.{kind}", Body=body)
    planned = plan_step(
        client,
        Settings.from_dict(settings(BUCKET, target_shard_bytes=2**40)),
        {},
        {**EXECUTION, "name": "cost"},
    )
    (item,) = items_of(client, planned)

    def cpu() -> float:
        began = time.process_time()
        encode_in(client, planned, item)
        return time.process_time() - began

    cpu()
    pairs = []
    for _ in range(PAIRS):
        with without_profile():
            plain = cpu()
        pairs.append((plain, cpu()))
    plain, profiled = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    return {
        "input_mb": round(len(body) / MB, 1),
        "cpu_seconds_without": round(plain, 3),
        "cpu_seconds_with": round(profiled, 3),
        "extra": round(statistics.median(after / before - 1 for before, after in pairs), 3),
    }


def add_up(shards: int) -> int:
    """Read and add up the profiles of many shards; return the rows."""
    random = np.random.default_rng(0)
    texts = []
    for _ in range(DIFFERENT):
        builder = ProfileBuilder()
        builder.add_dense(random.normal(size=(20_000, COLUMNS)).astype(np.float32))
        profile = builder.profile()
        assert profile is not None
        texts.append(ProfileDocument(profile).to_json())

    def profiles() -> Iterator[FeatureProfile]:
        for number in range(shards):
            yield ProfileDocument.from_json(texts[number % DIFFERENT], "profile").profile

    total = FeatureProfile.merge(profiles())
    assert total is not None
    return total.records


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=128, help="of input; default: 128")
    parser.add_argument(
        "--write", action="store_true", help=f"keep the figures in {RESULTS.relative_to(ROOT)}"
    )
    options = parser.parse_args()
    size = options.megabytes * MB
    table = np.random.default_rng(1).normal(size=(size // (4 * COLUMNS), COLUMNS)).astype(np.float32)
    bodies = {
        "npy": npy(table),
        "csv": csv_text(table, size),
        "parquet": parquet(table[: len(table) // 2]),
    }
    found: dict[str, Any] = {
        "machine": machine(),
        "columns": COLUMNS,
        "encode": {},
    }
    for kind, body in bodies.items():
        found["encode"][kind] = encode(kind, body)
        print(f"{kind}: {found['encode'][kind]}", flush=True)
    found["encode"]["npy_over_https"] = encode_over_https("npy", bodies["npy"])
    print(f"npy_over_https: {found['encode']['npy_over_https']}", flush=True)
    _, nothing = measured(add_up, DIFFERENT)
    _, found["seal"] = measured(add_up, SHARDS)
    found["seal"] |= {"shards": SHARDS, "of_making_profiles": nothing}
    print(f"seal: {found['seal']}")
    met = {f"{kind}: extra ≤ {COST_BAR:.0%}": found["encode"][kind]["extra"] <= COST_BAR for kind in BARRED}
    met[f"Seal ≤ {MEMORY_BAR:.0f} MB"] = found["seal"]["peak_mb"] <= MEMORY_BAR
    for bar, reached in met.items():
        print(f"{'met' if reached else 'MISSED'}: {bar}")
    if options.write:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
