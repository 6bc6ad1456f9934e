"""The source roots are no packages, and the run time does not load the infrastructure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pipeline_stacks import REPOSITORY

ROOTS = ("constructs", "lambda", "rehearsal")


@pytest.mark.parametrize("root", ROOTS)
def test_a_source_root_has_no_init(root: str) -> None:
    """``constructs/__init__.py`` would shadow the package ``constructs`` that CDK is made of."""
    assert (REPOSITORY / root).is_dir()
    assert not (REPOSITORY / root / "__init__.py").exists()
    packages = [one.name for one in (REPOSITORY / root).iterdir() if (one / "__init__.py").exists()]
    assert len(packages) == 1


def test_constructs_is_the_package_of_that_name() -> None:
    import constructs

    assert constructs.__file__ is not None
    assert REPOSITORY / "constructs" not in Path(constructs.__file__).parents
    assert hasattr(constructs, "Construct")


def test_the_run_time_loads_neither_cdk_nor_jsii() -> None:
    """Every module of it, in a fresh process."""
    program = """
import importlib, pkgutil, sys
import amazon_estimators
for module in pkgutil.walk_packages(amazon_estimators.__path__, "amazon_estimators."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("amazon_estimators.")]))
print(sorted({name.partition(".")[0] for name in sys.modules} & {"aws_cdk", "jsii", "constructs"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(REPOSITORY / "lambda"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    count, loaded = done.stdout.split("\n")[:2]
    assert int(count) > 10
    assert loaded == "[]"
