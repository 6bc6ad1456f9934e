"""Encode's memory does not grow with the shard, nor with one piece of it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import encode_alone
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from amazon_estimators.pipeline import allocator

MIB = 2**20
PEAK = 200 * MIB
GROWTH = 20 * MIB
"""How far two peaks are apart without a cause; the larger shard is larger by more than twice as much."""

KEPT = 40 * MIB
"""What malloc may keep beside that, if it gives nothing back."""

GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**18)}
"""What is freed goes back to the system at once: a peak tells what was held, and not what malloc keeps."""


def write_parquet(path: Path) -> None:
    """Row groups of so many columns that one pass takes more than PEAK, pages as large as the column."""
    numbers = np.random.default_rng(0).normal(size=(4, 120_000))
    table = pa.table({f"c{column}": numbers[column % 4] for column in range(96)})
    with parquet.ParquetWriter(
        path, table.schema, max_rows_per_page=10**9, compression="none", use_dictionary=["c0"]
    ) as writer:
        for _ in range(4):
            writer.write_table(table)


def write_csv(path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(1000, 50))
    block = "".join(",".join(f"{value:.2g}" for value in row) + "\n" for row in numbers.tolist()).encode()
    path.write_bytes(block * (112 * MIB // len(block)))


def write_npy(path: Path) -> None:
    """Shards of more parts than are sent at once."""
    np.save(path, np.ones((1_200_000, 50), np.float32, order="F"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells VmHWM")
@pytest.mark.parametrize(
    ("name", "write", "upload"),
    [("a.parquet", write_parquet, "fast"), ("a.csv", write_csv, "fast"), ("a.npy", write_npy, "slow")],
)
def test_encode_holds_no_more_of_a_larger_shard(
    name: str, write: Callable[[Path], None], upload: str, tmp_path: Path
) -> None:
    write(tmp_path / name)
    (small, peak, _), (large, peak_of_large, _), _ = encode_quarters(tmp_path / name, upload, GIVEN_BACK)
    assert large - small > 2 * GROWTH
    assert peak_of_large < PEAK
    assert peak_of_large - peak < GROWTH


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="The variables are glibc's")
@pytest.mark.parametrize(
    ("name", "write"), [("a.parquet", write_parquet), ("a.csv", write_csv), ("a.npy", write_npy)]
)
def test_encode_is_given_few_fresh_pages(name: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    """A fresh page costs more time than it takes to fill it. A shard needs some if more parts are under way
    than there ever were, as may be of one of two on a busy machine."""
    write(tmp_path / name)
    _, *twice = encode_quarters(tmp_path / name, "fast", allocator.ENVIRONMENT)
    (size, _, _), (_, peak, _) = twice
    assert peak < PEAK + KEPT
    assert min(fresh for _, _, fresh in twice) < size / 2


def encode_quarters(path: Path, upload: str, variables: Mapping[str, str]) -> list[list[int]]:
    command = [sys.executable, encode_alone.__file__, str(path), upload]
    environment = {**os.environ, **variables}
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    shards: list[list[int]] = json.loads(answer.stdout)
    return shards
