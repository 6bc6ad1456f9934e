"""The directory of a run: gone at its end, and at the next run's start if it was killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from amazon_estimators_rehearsal.scratch import scratch

PROGRAM = """
from amazon_estimators_rehearsal.scratch import scratch
with scratch() as directory:
    (directory / "cdk.out").mkdir()
    print(directory, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another run, and its directory."""
    environment = {"PYTHONPATH": ":".join(sys.path), "TMPDIR": str(temporary)}
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert run.stdout
    yield run, Path(run.stdout.readline().strip())
    run.kill()
    run.communicate()


def test_it_is_gone_at_the_end(temporary: Path) -> None:
    with pytest.raises(KeyError), scratch() as directory:
        assert directory.parent == temporary
        (directory / "cdk.out").mkdir()
        raise KeyError
    assert [*temporary.iterdir()] == []


def test_what_a_killed_run_left_is_removed(other: tuple[subprocess.Popen[str], Path]) -> None:
    run, left = other
    run.kill()
    run.wait()
    assert (left / "cdk.out").exists()
    with scratch() as directory:
        assert directory.exists() and not left.exists()


def test_what_could_not_be_removed_is_tried_again(
    other: tuple[subprocess.Popen[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, left = other
    run.kill()
    run.wait()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda path, **_: (path / "lock").unlink())
        with scratch():
            pass
    assert (left / "cdk.out").exists()
    with scratch():
        assert not left.exists()


def test_a_run_that_lives_is_left_alone(other: tuple[subprocess.Popen[str], Path]) -> None:
    with scratch():
        assert (other[1] / "cdk.out").exists()


def test_what_is_kept_stays(temporary: Path) -> None:
    with scratch(keep=True) as kept:
        pass
    (temporary / "amazon-estimators-somebody-s").mkdir()
    with scratch():
        pass
    assert {path.name for path in temporary.iterdir()} == {kept.name, "amazon-estimators-somebody-s"}
