"""Docstrings have one convention: they open with a verb or a noun, and use Google's sections."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path.relative_to(ROOT)
    for home in ("constructs", "lambda", "rehearsal")
    for path in (ROOT / home).rglob("*.py")
)
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
QUESTION = re.compile(r"(What|Where|Whether|How|Which|Why|When|If|As)\b")
SPHINX = re.compile(r"^\s*:(param|type|returns?|rtype|raises?)\b", re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_docstrings_open_with_a_verb_or_noun_and_use_google_sections(path: Path) -> None:
    nodes = ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
    docstrings = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, DEFINITIONS)]
    assert not [text for text in docstrings if QUESTION.match(text)]
    assert not [text for text in docstrings if SPHINX.search(text)]
