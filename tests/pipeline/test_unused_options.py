"""No option of a Source is accepted and ignored: it applies to the files' format, or is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix, save_npz

from amazon_estimators.algorithms import (
    NTM,
    Algorithm,
    FactorizationMachines,
    IPInsights,
    LinearLearner,
    Object2Vec,
)
from amazon_estimators.client.local_encoding import plan_files
from amazon_estimators.errors import AmazonEstimatorsError, RequestError
from amazon_estimators.pipeline.channels import OF_LINES, PATTERNS, channels_of, unused_options
from amazon_estimators.recordio import write_numpy_to_dense_tensor
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import FORMATS, vector_formats
from amazon_estimators.sources.source import ALWAYS
from sources.test_source import COMPANIONS, OTHER_VALUES

OPTIONS: dict[str, Any] = {**OTHER_VALUES, "partitions": True, "include": ("*",), "skip": ("no*",)}
LINES: list[tuple[type[Algorithm], str, tuple[str, ...]]] = [
    (Object2Vec, "train", OF_LINES),
    (IPInsights, "train", OF_LINES),
    (NTM, "auxiliary", PATTERNS),
]
"""Channels that read lines, and the options that apply to them."""
TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)


def source_with(option: str, **others: Any) -> Source:
    return Source(**others, **COMPANIONS.get(option, {}), **{option: OPTIONS[option]})


def file_of(directory: Path, name: str) -> Path:
    """Write a small file of a format."""
    path = directory / f"a.{ {'recordio': 'pbr'}.get(name, name) }"
    if name == "npy":
        np.save(path, TABLE)
    elif name == "npz":
        save_npz(path, csr_matrix(TABLE))
    elif name == "csv":
        pd.DataFrame(TABLE, columns=["a", "b", "c"]).to_csv(path, index=False)
    elif name == "parquet":
        pd.DataFrame(TABLE, columns=["a", "b", "c"]).to_parquet(path)
    elif name == "libsvm":
        path.write_text("1 1:2 3:5\n0 3:-1\n")
    else:
        with path.open("wb") as file:
            write_numpy_to_dense_tensor(file, TABLE, np.zeros(4))
    return path


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_applies_to_a_format_or_counts_as_unused(option: str) -> None:
    rule = LinearLearner.channels["train"]
    for name in vector_formats():
        unused = unused_options(rule, source_with(option), (name,))
        applies = option in (*ALWAYS, *FORMATS[name].options)
        assert (option in unused) == (not applies), (name, unused)


@pytest.mark.parametrize("name", vector_formats())
def test_files_of_a_format_refuse_what_it_does_not_have(tmp_path: Path, name: str) -> None:
    path = file_of(tmp_path, name)
    plan: dict[str, Any] = {"channel": "train", "instance_count": 1, "target_shard_bytes": 2**20}
    for option in OPTIONS.keys() - {*ALWAYS, *FORMATS[name].options, *COMPANIONS}:
        with pytest.raises(AmazonEstimatorsError) as caught:
            plan_files([path], FactorizationMachines, source=source_with(option), **plan)
        assert option in str(caught.value) or (option == "compression" and "compressed" in str(caught.value))


def test_of_files_of_two_formats_either_may_have_the_option(tmp_path: Path) -> None:
    files = [file_of(tmp_path, "npy"), tmp_path / "b.csv"]
    pd.DataFrame(TABLE).to_csv(files[1], index=False, header=False)
    plan: dict[str, Any] = {"channel": "train", "instance_count": 1, "target_shard_bytes": 2**20}
    read_as, _ = plan_files(files, LinearLearner, source=Source(header="absent", label=0), **plan)
    assert read_as.source["header"] == "absent"
    with pytest.raises(
        RequestError, match="npy and csv files, to which these options do not apply: first_index 0"
    ):
        plan_files(files, LinearLearner, source=Source(first_index=0, label=0), **plan)


@pytest.mark.parametrize(("algorithm", "channel", "applied"), LINES)
@pytest.mark.parametrize("option", OPTIONS)
def test_channels_of_lines_refuse_it_at_synth_time(
    algorithm: type[Algorithm], channel: str, applied: tuple[str, ...], option: str
) -> None:
    sources = {"train": Source(), channel: source_with(option)}

    def bound() -> Any:
        return channels_of(algorithm, sources, {}, instance_count=1, prefix="p/")

    if option in applied:
        assert bound()[channel].source == sources[channel]
        return
    with pytest.raises(RequestError, match=rf"to which these do not apply: .*\b{option} "):
        bound()


def test_local_files_of_lines_refuse_it_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("bob,192.0.2.1\n")
    plan: dict[str, Any] = {"channel": "train", "instance_count": 1, "target_shard_bytes": 2**20}
    with pytest.raises(
        RequestError, match="reads lines, to which these options do not apply: features"
    ) as caught:
        plan_files([path], IPInsights, source=Source(features=("a",)), **plan)
    assert caught.value.remedy == "Leave them out of the Source."
    assert plan_files([path], IPInsights, source=Source(include=("*.csv",)), **plan)
