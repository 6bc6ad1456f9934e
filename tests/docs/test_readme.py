"""The README holds: its programs synthesise, and it leads to every page."""

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
    """As ``cdk synth --app "python3 app.py"`` runs it, but for the Lambda code."""
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
    """A value by the line it is written in, what makes no pipeline by the construct's path as well."""
    assert "such as `KMeans(k=0)`, fails\n`cdk synth` at the line it is written in" in README
    done = run(PROGRAMS[0].replace(good, bad), tmp_path)
    assert done.returncode != 0
    for text in texts:
        assert text in done.stderr


def test_the_readme_has_a_program_of_fifteen_lines() -> None:
    assert [len(program.splitlines()) for program in PROGRAMS] == [15]


def test_the_readme_leads_to_every_page() -> None:
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages <= set(LINK.findall(README))


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
