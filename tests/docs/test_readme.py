"""The README holds: its programs synthesise, errors are what it says, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "App()" in block]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def run(program: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as ``cdk synth --app "python3 app.py"`` does, without bundling the Lambda code."""
    (directory / "app.py").write_text(program, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=directory,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "AWS_"))},
            "PYTHONPATH": os.pathsep.join([str(ROOT / "constructs"), str(ROOT / "lambda")]),
            "CDK_CONTEXT_JSON": json.dumps({"aws:cdk:bundling-stacks": []}),
            "CDK_OUTDIR": str(directory / "out"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_readme_synthesises_a_pipeline(program: str, tmp_path: Path) -> None:
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr
    (template,) = (tmp_path / "out").glob("*.template.json")
    kinds = [one["Type"] for one in json.loads(template.read_text(encoding="utf-8"))["Resources"].values()]
    assert "AWS::StepFunctions::StateMachine" in kinds


@pytest.mark.parametrize(
    ("good", "bad", "texts"),
    [
        (
            "k=10",
            "k=0",
            ["algorithm=KMeans(k=0),", "HyperparameterError: KMeans: ", " 0 for k", "at least 1"],
        ),
        ("_count=2", "_count=0", ["InstanceError: Clusters/Digits: ", "instance_count is 0", "at least 1"]),
    ],
)
def test_what_fails_is_told_as_the_readme_says(good: str, bad: str, texts: list[str], tmp_path: Path) -> None:
    """A bad value fails at its own line; a bad pipeline names the construct's path as well."""
    assert "such as `KMeans(k=0)`, fails `cdk synth` at the line that sets it" in " ".join(README.split())
    done = run(PROGRAMS[0].replace(good, bad), tmp_path)
    assert done.returncode != 0
    for text in texts:
        assert text in done.stderr


def test_the_readme_has_a_program_of_fifteen_lines() -> None:
    assert [len(program.splitlines()) for program in PROGRAMS] == [15]


def test_the_quickstart_has_the_same_program() -> None:
    quickstart = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    assert PROGRAMS[0] in quickstart


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """In the repository itself; tests/docs/test_site.py checks the site's, with their anchors."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
