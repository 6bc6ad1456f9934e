"""The examples in docstrings run."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOMES = [ROOT / name for name in ("constructs", "lambda", "rehearsal")]
MODULES = sorted(
    ".".join(path.relative_to(home).with_suffix("").parts).removesuffix(".__init__")
    for home in HOMES
    for path in home.rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


NEED_AN_ACCOUNT = {
    "amazon_estimators.client.after_training",
    "amazon_estimators.client.pipeline",
    "amazon_estimators.inference.load",
}
"""Their examples are of a deployed model or of a model file, and skipped: the pages' programs run instead."""


def test_there_are_examples() -> None:
    assert len(MODULES) > 10
    assert set(MODULES) > NEED_AN_ACCOUNT


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert (result.attempted == 0) == (name in NEED_AN_ACCOUNT)
    assert result.failed == 0
