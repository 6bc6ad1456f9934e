"""The wheel: it carries the bill of materials of its locks, and two machines build the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from supply_chain import sbom
from supply_chain.locks import CODE, READER, ROOT, pins

BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "constructs", "lambda", "rehearsal", "requirements")


def build(directory: Path, *, umask: int, modified: int) -> Path:
    """Build the wheel from a copy of the sources, with files of that age made under that umask."""
    checkout = directory / "checkout"
    checkout.mkdir(parents=True)
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copyfile(ROOT / name, checkout / name)
    for path in checkout.rglob("*"):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
        os.utime(path, (modified, modified))
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=checkout, env=environment, umask=umask, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("here"), umask=0o022, modified=1_700_000_000)


def test_it_carries_the_bill_of_materials_of_its_locks(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if ".dist-info/sboms/" in name]
        document = json.loads(archive.read(name))
    assert name.endswith(".dist-info/sboms/cdk-amazon-estimators.cdx.json")
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    locked = [pin for lock in (CODE, READER) for pin in pins(lock)]
    assert {each["purl"] for each in document["components"]} == {
        f"pkg:pypi/{pin.name}@{pin.version}" for pin in locked
    }
    hashes = {each["name"]: {h["content"] for h in each["hashes"]} for each in document["components"]}
    assert hashes == {pin.name: set(pin.hashes) for pin in locked}
    assert all(each["licenses"] for each in document["components"])


def test_the_bill_of_materials_is_the_one_of_these_locks() -> None:
    assert sbom.FILE.read_text(encoding="utf-8") == sbom.text(), "run `make lock`"


def test_two_machines_build_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    other = build(tmp_path / "another" / "place", umask=0o077, modified=1_600_000_000)
    assert hashlib.sha256(other.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()
