"""Encode's memory does not grow with the shard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import encode_alone
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

MIB = 2**20
PEAK = 300 * MIB
GROWTH = 20 * MIB
"""How far two peaks are apart without a cause; the larger shard is more than twice as much larger."""

GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**18)}
"""What is freed goes back to the system at once: a peak tells what was held, and not what malloc keeps."""


def write_parquet(path: Path) -> None:
    """Row groups of too many columns for one pass, their pages as large as the column."""
    numbers = np.random.default_rng(0).normal(size=(4, 120_000))
    table = pa.table({f"c{column}": numbers[column % 4] for column in range(40)})
    with parquet.ParquetWriter(
        path, table.schema, max_rows_per_page=10**9, compression="none", use_dictionary=["c0"]
    ) as writer:
        for _ in range(6):
            writer.write_table(table)


def write_csv(path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(1000, 50))
    block = "".join(",".join(f"{value:.2g}" for value in row) + "\n" for row in numbers.tolist()).encode()
    path.write_bytes(block * (112 * MIB // len(block)))


def write_npy(path: Path) -> None:
    np.save(path, np.asfortranarray(np.ones((400_000, 50))))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells VmHWM")
@pytest.mark.parametrize(
    ("name", "write"), [("a.parquet", write_parquet), ("a.csv", write_csv), ("a.npy", write_npy)]
)
def test_encode_holds_no_more_of_a_larger_shard(
    name: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / name)
    command = [sys.executable, encode_alone.__file__, str(tmp_path / name)]
    answer = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | GIVEN_BACK
    )
    (small, peak), (large, peak_of_large) = json.loads(answer.stdout)
    assert large - small > 2 * GROWTH
    assert peak_of_large < PEAK
    assert peak_of_large - peak < GROWTH
