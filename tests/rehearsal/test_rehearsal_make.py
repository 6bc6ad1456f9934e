"""``make rehearse`` hands on what the user wrote, whatever characters are in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ([], []),
        (['DATA=it\'s my "file"; $(HOME) `id`.csv'], ["--data", 'it\'s my "file"; $(HOME) `id`.csv']),
        (
            ["HYPERPARAMETERS=k=5 eval_metrics=[\"msd\", 'ssd']"],
            ["--hyperparameter", "k=5 eval_metrics=[\"msd\", 'ssd']"],
        ),
        (["ARGS=--label 'my kind' --keep"], ["--label", "my kind", "--keep"]),
    ],
)
def test_variables_are_text(variables: list[str], arguments: list[str], tmp_path: Path) -> None:
    for name in ("requirements/rehearse.txt", "pyproject.toml", "venv/bin/python", "venv/rehearse.stamp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python = tmp_path / "venv" / "bin" / "python"
    python.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "--silent", "--file", str(MAKEFILE), "VENV=venv", "rehearse", *variables],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        "-m",
        "amazon_estimators_rehearsal",
        "--algorithm",
        "KMeans",
        *arguments,
    ]
