"""The default size of a shard stands once; signatures, help and pages say the same."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from amazon_estimators.cli.encode import encode
from amazon_estimators.client.estimator import Estimator
from amazon_estimators.client.upload_record_set import Destination
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from cdk_amazon_estimators import TrainingPipeline

ROOT = Path(__file__).resolve().parents[2]
MEBIBYTES = f"{DEFAULT_SHARD_BYTES // 2**20} MiB"


def test_every_default_is_that_one() -> None:
    assert DEFAULT_SHARD_BYTES % 2**20 == 0
    signature = inspect.signature(Estimator.record_set)
    assert signature.parameters["target_shard_bytes"].default == DEFAULT_SHARD_BYTES
    (target,) = (one for one in fields(Destination) if one.name == "target_shard_bytes")
    assert target.default == DEFAULT_SHARD_BYTES
    (option,) = (one for one in encode.params if one.name == "shard_mb")
    assert option.default == DEFAULT_SHARD_BYTES // 2**20


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (Estimator.record_set.__doc__, r"target_shard_bytes: .*?Default:\s+{}\."),
        (TrainingPipeline.__doc__, r"target_shard_size: .*?Default: {}\."),
        ((ROOT / "docs/estimator.md").read_text(), r"`target_shard_bytes` \({}\)"),
        ((ROOT / "docs/scale.md").read_text(), "shards of {}"),
    ],
    ids=["record_set", "TrainingPipeline", "estimator.md", "scale.md"],
)
def test_what_is_documented_is_that_one(text: str, pattern: str) -> None:
    assert re.search(pattern.format(MEBIBYTES), text, re.DOTALL)


def test_the_contract_shows_it() -> None:
    assert f'"target_shard_bytes": {DEFAULT_SHARD_BYTES}' in (ROOT / "docs/contracts.md").read_text()


@pytest.mark.parametrize("root", ["lambda", "constructs", "benchmarks", "rehearsal"])
def test_no_other_place_has_a_number_of_its_own(root: str) -> None:
    name, number = r"shard\w*\s*(?::\s*\w+\s*)?[=:].*\b", r"(256 \* 2\*\*20|mebibytes\(256\)|default=256)"
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in (ROOT / root).rglob("*.py")
        if path.name != "sharding.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(name + number, line, re.I)
    ]
    assert found == []
