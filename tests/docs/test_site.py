"""The documentation builds without a warning, loads nothing from elsewhere, and leaves no public name out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from amazon_estimators.algorithms import ALGORITHMS

ROOT = Path(__file__).resolve().parents[2]
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"
    |<link\b(?=[^>]*\brel="(?:stylesheet|preload|preconnect|icon)")[^>]*\bhref="(?:https?:)?//[^"]*"
    |@import\s+["']?(?:url\()?["']?(?:https?:)?//""",
    re.VERBOSE,
)
"""What a browser fetches by itself, from another host. Links that a reader follows are none."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return directory


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(pages) > 20
    assert [(page.name, LOADED.findall(page.read_text(encoding="utf-8"))) for page in pages] == [
        (page.name, []) for page in pages
    ]


@pytest.mark.parametrize(
    "module",
    [
        "amazon_estimators",
        "amazon_estimators.errors",
        "amazon_estimators.inference",
        "amazon_estimators.recordio",
        "amazon_estimators.sdk",
        "amazon_estimators.sdk.common",
        "cdk_amazon_estimators",
    ],
)
def test_every_public_name_has_an_entry(site: Path, module: str) -> None:
    """But for the algorithms, whose page is docs/algorithms.md, and the classes made for each of them."""
    entries = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    headings = {name.rpartition(".")[2] for name in re.findall(r'<h[2-4] id="([\w.]+)"', entries)}
    made = {f"{name}{kind}" for name in ALGORITHMS for kind in ("Model", "Predictor")}
    public = set(import_module(module).__all__) - {"ALGORITHMS", *ALGORITHMS, *made}
    assert public - headings == set()


def test_every_algorithm_has_a_page_entry(site: Path) -> None:
    page = (site / "algorithms.html").read_text(encoding="utf-8")
    assert [name for name in ALGORITHMS if f'id="{name.lower()}"' not in page] == []


NAMES_A_FILE = re.compile(r"`([\w./-]+(?:\.(?:py|md|in|toml|txt|yaml|svg)|/))`")


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/how_it_works.md", "docs/limits.md"])
def test_files_that_a_page_names_exist(page: str) -> None:
    """A name counts from any directory: ``checks/image.py`` is the end of a path."""
    roots = ("benchmarks", "constructs", "docs", "examples", "lambda", "rehearsal", "requirements", "tests")
    files = [*ROOT.glob("*"), *(path for root in roots for path in (ROOT / root).rglob("*"))]
    paths = {f"/{path.relative_to(ROOT).as_posix()}" for path in files}
    named = NAMES_A_FILE.findall((ROOT / page).read_text(encoding="utf-8"))
    assert named
    missing = [name for name in named if not any(path.endswith(f"/{name.rstrip('/')}") for path in paths)]
    assert missing == []


def test_the_drawing_of_the_rooms_is_the_contract() -> None:
    """Top to bottom, as import-linter holds them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = [one["layers"] for one in contracts["contracts"] if one["name"] == "Rooms of the run time"]
    rooms = [room for layer in layers for room in layer.split(" | ")]
    drawing = (ROOT / "docs" / "images" / "rooms.svg").read_text(encoding="utf-8")
    drawn = [name for name in re.findall(r">(\w+)</text>", drawing) if name in rooms]
    for layer in layers:
        size = len(layer.split(" | "))
        floor, drawn = drawn[:size], drawn[size:]
        assert sorted(floor) == sorted(layer.split(" | "))
    assert drawn == []
