"""The codec on the oldest protobuf that pyproject.toml allows; the other tests run it on the newest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLDEST = ROOT / ".venv" / "protobuf_oldest"  # `make .venv/test.stamp` installs it from its lock
BEFORE_PYTEST = """
import sys
import google.protobuf
from google.protobuf.internal import api_implementation
import pytest
print("protobuf", google.protobuf.__version__, api_implementation.Type())
sys.exit(pytest.main(sys.argv[1:]))
"""


def locked(lock: Path) -> str:
    """Return the version of protobuf that a lock pins."""
    found = re.search(r"^protobuf==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, lock
    return found[1]


@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_the_codec_works_on_the_oldest_protobuf(implementation: str) -> None:
    assert OLDEST.is_dir(), "run `make .venv/test.stamp`"
    done = subprocess.run(
        [
            *(sys.executable, "-c", BEFORE_PYTEST, "-q", "-p", "no:cacheprovider"),
            "tests/recordio/test_recordio_golden.py",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(OLDEST),
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": implementation,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    oldest = locked(ROOT / "requirements" / "protobuf_oldest.txt")
    assert f"protobuf {oldest} {implementation}" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_locks_hold_the_ends_of_the_range_that_is_allowed() -> None:
    """protobuf's lower bound is what is tested as the oldest, the upper one the major after the newest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (allowed,) = [line for line in project["dependencies"] if line.startswith("protobuf")]
    oldest = locked(ROOT / "requirements" / "protobuf_oldest.txt")
    newest = locked(ROOT / "requirements" / "test.txt")
    assert allowed == f"protobuf>={oldest.removesuffix('.0')},<{int(newest.split('.')[0]) + 1}"
