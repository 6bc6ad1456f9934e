"""Run a step of a pipeline in its own process, on a directory or in the emulator, and measure it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from file_s3 import FileS3

from amazon_estimators.pipeline import allocator
from amazon_estimators.pipeline.encode import encode_shard
from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.seal import seal_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from amazon_estimators.storage import s3

MB = 1_000_000

Step = dict[str, Any]


EXECUTION = {"name": "benchmark", "start_time": "2026-11-28T10:00:00.000Z", "redrive": 0}


def settings(bucket: str, **changes: Any) -> dict[str, Any]:
    return {
        "pipeline": "Benchmark",
        "algorithm": "KMeans",
        "hyperparameters": {"k": "2"},
        "instance_type": "ml.m5.large",
        "instance_count": 1,
        "job_name_prefix": "benchmark",
        "data_bucket": bucket,
        "prefix": "",
        "target_shard_bytes": DEFAULT_SHARD_BYTES,
        "channels": {"train": {}},
        **changes,
    }


def emulator_client() -> Any:
    return s3.client()


def encode_in(client: Any, planned: dict[str, Any], item: dict[str, int]) -> int:
    plan = Plan.load(client, planned["bucket"], planned["prefix"])
    return encode_shard(client, plan, item["offset"], item["length"]).num_bytes


def items_of(client: Any, planned: dict[str, Any]) -> list[dict[str, int]]:
    body = client.get_object(Bucket=planned["bucket"], Key=planned["shards_key"])["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def rate_step(directory: str, planned: dict[str, Any], item: dict[str, int]) -> int:
    return encode_in(FileS3(directory), planned, item)


def pyarrow_to_rows(path: str) -> float:
    """Return the CPU seconds that pyarrow alone takes from a Parquet file in memory to rows of float32."""
    import pyarrow as pa  # noqa: PLC0415 - only Parquet needs it
    from pyarrow import parquet  # noqa: PLC0415

    from amazon_estimators.sources.delimited.table import matrix  # noqa: PLC0415
    from amazon_estimators.sources.source import BLOCK_BYTES  # noqa: PLC0415

    body = pa.BufferReader(Path(path).read_bytes())
    started = time.process_time()
    file = parquet.ParquetFile(body, pre_buffer=False, buffer_size=2**16)
    for batch in file.iter_batches(BLOCK_BYTES // (4 * file.metadata.num_columns), use_threads=False):
        matrix(pa.Table.from_batches([batch]))
    return time.process_time() - started


def plan_in_emulator(given: dict[str, Any]) -> dict[str, Any]:
    return plan_step(emulator_client(), Settings.from_dict(given), {}, EXECUTION)


def encode_in_emulator(planned: dict[str, Any], item: dict[str, int]) -> int:
    return encode_in(emulator_client(), planned, item)


def seal_in_emulator(given: dict[str, Any], planned: dict[str, Any]) -> dict[str, Any]:
    return seal_step(emulator_client(), Settings.from_dict(given), planned, EXECUTION)


@contextmanager
def of_encode() -> Iterator[None]:
    """Start processes with the variables of Encode's function."""
    before = dict(os.environ)
    os.environ.update(allocator.ENVIRONMENT)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def modules_of(work: Callable[..., Any], *arguments: Any) -> list[str]:
    """Return the modules that a new process has loaded after ``work``."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_modules, work, arguments).result()


def _modules(work: Callable[..., Any], arguments: tuple[Any, ...]) -> list[str]:
    work(*arguments)
    return list(sys.modules)


def measured(work: Callable[..., Any], *arguments: Any, modules: Sequence[str] = ()) -> tuple[Any, Step]:
    """Run ``work`` in a new process. Return its result, seconds, CPU seconds and peak memory in MB.

    ``modules`` are loaded before: in Lambda that is part of a cold start, which is counted by itself.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, work, arguments, modules).result()


def _measure(
    work: Callable[..., Any], arguments: tuple[Any, ...], modules: Sequence[str]
) -> tuple[Any, Step]:
    for name in modules:
        with suppress(Exception):  # some are only loaded by others
            import_module(name)
    started, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments)
    seconds = time.perf_counter() - started
    # Not ru_maxrss: that counts what the parent held when it started this process.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MB
    return result, {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": round(peak, 1),
    }
