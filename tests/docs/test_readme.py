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


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_readme_synthesises_a_pipeline(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "AWS_"))},
            "PYTHONPATH": os.pathsep.join([str(ROOT / "constructs"), str(ROOT / "lambda")]),
            "CDK_CONTEXT_JSON": json.dumps({"aws:cdk:bundling-stacks": []}),
            "CDK_OUTDIR": str(tmp_path / "out"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (template,) = (tmp_path / "out").glob("*.template.json")
    kinds = [one["Type"] for one in json.loads(template.read_text(encoding="utf-8"))["Resources"].values()]
    assert "AWS::StepFunctions::StateMachine" in kinds


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
