"""Importing the package costs nothing that is not used, and each public name can be had."""

from __future__ import annotations

import subprocess
import sys

import pytest

import amazon_estimators
import cdk_amazon_estimators

HEAVY = ("aws_cdk", "jsii", "boto3", "botocore", "numpy", "pandas", "scipy", "click", "rich")


def loaded(statement: str) -> tuple[set[str], float]:
    """The heavy packages a statement loads in a fresh interpreter, and the seconds of CPU it takes."""
    script = (
        f"import sys, time; began = time.process_time(); {statement}; "
        f"print(time.process_time() - began, *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seconds, *names = done.stdout.split()
    return set(names), float(seconds)


def test_the_package_alone() -> None:
    names, seconds = loaded("import amazon_estimators")
    assert not names and seconds < 0.5


def test_what_a_notebook_imports() -> None:
    names, seconds = loaded("from amazon_estimators import Estimator, KMeans, RecordSet")
    assert not names and seconds < 0.5


def test_the_command_line() -> None:
    names, _ = loaded("import amazon_estimators.cli.app")
    assert names == {"click", "rich"}


@pytest.mark.parametrize("name", amazon_estimators.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(getattr(amazon_estimators, name), "__name__", name) == name


def test_what_a_stack_of_pipelines_imports() -> None:
    names, _ = loaded("from cdk_amazon_estimators import Gate, TrainingPipeline, UploadTrigger")
    assert "numpy" not in names
    assert "aws_cdk" in names


@pytest.mark.parametrize("name", cdk_amazon_estimators.__all__)
def test_every_public_name_of_the_constructs_is_there(name: str) -> None:
    assert getattr(cdk_amazon_estimators, name).__name__ == name


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'KMeanz'"):
        _ = amazon_estimators.KMeanz


def test_an_algorithm_of_the_registry_is_public() -> None:
    assert set(amazon_estimators.ALGORITHMS) <= set(amazon_estimators.__all__)
    names, _ = loaded(
        "from amazon_estimators import errors; from amazon_estimators.storage import s3; "
        "assert 'amazon_estimators.algorithms' not in sys.modules"
    )
    assert "numpy" not in names
