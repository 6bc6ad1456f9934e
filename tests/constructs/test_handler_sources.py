"""The functions carry what their handlers import: nothing is missing, and nothing else changes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cdk_amazon_estimators import LambdaBundle
from cdk_amazon_estimators.assets import known_sources, lambda_bundle
from cdk_amazon_estimators.assets.handler_sources import handler_sources
from cdk_amazon_estimators.assets.known_sources import known_handler_sources


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, which the bundle is made of."""
    copy = tmp_path / lambda_bundle.PACKAGE.name
    shutil.copytree(lambda_bundle.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(lambda_bundle, "PACKAGE", copy)
    return copy


def names(package: Path) -> set[str]:
    return {path.relative_to(package).as_posix() for path in handler_sources(package)}


@pytest.mark.parametrize("room", ["cli", "client", "sdk"])
def test_a_comment_in_a_room_of_the_user_is_no_new_version(room: str, package: Path) -> None:
    before = LambdaBundle().digest()
    for path in (package / room).glob("*.py"):
        path.write_text(path.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    assert LambdaBundle().digest() == before


@pytest.mark.parametrize(
    "file",
    [
        "__init__.py",
        "handlers/starter.py",
        "pipeline/plan.py",
        "sources/delimited/quoting.py",
        "encodings/vectors.py",
        "algorithms/images.json",
    ],
)
def test_a_change_to_what_a_handler_imports_is_one(file: str, package: Path) -> None:
    before = LambdaBundle().digest()
    path = package / file
    path.write_bytes(path.read_bytes() + b"\n")
    assert LambdaBundle().digest() != before


def test_modules_that_tables_name_are_carried(package: Path) -> None:
    from amazon_estimators.encodings import MODULES as ENCODINGS
    from amazon_estimators.sources.formats import FORMATS

    carried = names(package)
    assert {f"encodings/{name}.py" for name in ENCODINGS.values()} <= carried
    modules = [one.module for one in FORMATS.values() if one.module]
    assert {f"sources/{name.replace('.', '/')}.py" for name in modules} <= carried
    assert not [name for name in carried if name.startswith(("cli/", "client/", "sdk/"))]


def toy(directory: Path, **files: str) -> Path:
    """A package ``toy`` of one handler and ``files``, whose names have ``__`` for ``/``."""
    for name, text in {"__init__": "", "handlers__one": "", **files}.items():
        path = directory / "toy" / f"{name if name == '__init__' else name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")
    return directory / "toy"


@pytest.mark.parametrize(
    ("handler", "carried"),
    [
        ("from toy.b import c", {"b.py"}),
        ("import toy.b", {"b.py"}),
        ("from toy import b", {"b.py"}),
        ("from toy.room import inner", {"room/__init__.py", "room/inner.py"}),
        ("import toy.room.inner", {"room/__init__.py", "room/inner.py"}),
        ("def f():\n    from toy.b import c", {"b.py"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import toy.b", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import toy.b", {"b.py"}),
        ("import json, os.path", set()),
        ("name = 'b'", set()),
    ],
)
def test_imports(handler: str, carried: set[str], tmp_path: Path) -> None:
    package = toy(tmp_path, handlers__one=handler, b="c = 1", room__inner="")
    always = {"__init__.py", "handlers/__init__.py", "handlers/one.py"}
    assert names(package) == always | carried


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    import os

    package = toy(tmp_path, b="")
    handler = package / "handlers" / "one.py"
    assert "b.py" not in names(package)
    handler.write_text("import toy.b", encoding="utf-8")
    os.utime(handler, ns=(1, 1))
    assert "b.py" in names(package)


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        ("import toy.gone", "imports toy.gone, which is not in "),
        ("from toy.gone import c", "imports toy.gone, which is not in "),
        (
            "from toy import Class",
            "imports Class from toy, which loads it by name; allowed: to import it from",
        ),
    ],
)
def test_a_module_that_would_be_missing_fails_the_synth(handler: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(ImportError, match=text):
        handler_sources(toy(tmp_path, handlers__one=handler))


def test_sources_are_found_once_and_again_after_any_change(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    searches: list[Path] = []

    def search(searched: Path) -> list[Path]:
        searches.append(searched)
        return handler_sources(searched)

    monkeypatch.setattr(known_sources, "handler_sources", search)
    found = known_handler_sources(package)
    assert found == known_handler_sources(package) == handler_sources(package)
    assert len(searches) == 1
    (package / "handlers" / "encode.py").write_text("import amazon_estimators.text\n", encoding="utf-8")
    (package / "cli" / "new.py").write_text("", encoding="utf-8")
    assert known_handler_sources(package) == handler_sources(package) != found
    assert len(searches) == 2


def test_without_a_place_for_a_cache_sources_are_found_each_time(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert known_handler_sources(package) == known_handler_sources(package) == handler_sources(package)
