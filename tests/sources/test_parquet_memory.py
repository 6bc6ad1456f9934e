"""Encode's memory does not follow a Parquet file's pages, which may be as large as a column."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from amazon_estimators.pipeline import allocator

ENCODE_ALONE = Path(__file__).parents[1] / "pipeline" / "encode_alone.py"
MIB = 2**20
PEAK = 300 * MIB
KEPT = 40 * MIB
"""What malloc may keep beside that in Encode's function, which has it give nothing back."""

GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**18)}
"""What is freed goes back to the system at once: a peak tells what was held."""


def write(path: Path, table: pa.Table, max_rows_per_page: int = 10**9) -> None:
    """One row group; a column is one page unless said otherwise."""
    parquet.write_table(
        table,
        path,
        max_rows_per_page=max_rows_per_page,
        data_page_size=2**30,
        row_group_size=10**9,
        use_dictionary=False,
    )


def peak_of(path: Path, variables: Mapping[str, str] = GIVEN_BACK) -> int:
    answer = subprocess.run(
        [sys.executable, str(ENCODE_ALONE), str(path), "fast"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    _, (_, peak, _), _ = json.loads(answer.stdout)
    return int(peak)


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells VmHWM")


def test_pages_as_large_as_their_column(tmp_path: Path) -> None:
    values = np.arange(4_000_000.0) % 1000
    write(tmp_path / "a.parquet", pa.table({f"c{column}": values for column in range(8)}))
    assert peak_of(tmp_path / "a.parquet") < PEAK


def test_a_table_of_very_many_columns(tmp_path: Path) -> None:
    """What a column takes besides its values: for 5,000 of them that is most of it."""
    values = np.arange(400.0)
    write(tmp_path / "a.parquet", pa.table({f"c{column}": values for column in range(5_000)}))
    assert peak_of(tmp_path / "a.parquet") < 160 * MIB


def test_pages_of_nearly_the_limit(tmp_path: Path) -> None:
    """Three in a row group, incompressible, so that each is large before and after."""
    rows = 6_200_000
    table = pa.table({"c0": np.random.default_rng(0).normal(size=3 * rows)})
    write(tmp_path / "a.parquet", table, max_rows_per_page=rows)
    assert peak_of(tmp_path / "a.parquet") < PEAK
    assert peak_of(tmp_path / "a.parquet", allocator.ENVIRONMENT) < PEAK + KEPT
