"""The code of the functions: complete, small, the same bytes every time, installed once a machine."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk_amazon_estimators import LambdaBundle, lambda_bundle

LIMIT_WITHOUT_READER = 110 * 10**6
LIMIT = 170 * 10**6
"""Bytes unzipped; Lambda takes 250 MB. The table reader is two thirds of it."""

HOST = LambdaBundle(platform="host")
AMAZON_LINUX = LambdaBundle(python="3.12", platform="x86_64")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this module's own, so that the first install is a real one, and sources nobody edits."""
    directory = tmp_path_factory.mktemp("cache")
    package = tmp_path_factory.mktemp("sources") / lambda_bundle.PACKAGE.name
    shutil.copytree(lambda_bundle.PACKAGE, package)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(directory))
        patch.setattr(lambda_bundle, "PACKAGE", package)
        patch.setattr(lambda_bundle, "LOCK", package / "requirements.txt")
        yield directory


@pytest.fixture(scope="module")
def on_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("host") / "code"
    HOST.install(directory)
    return directory


@pytest.fixture(scope="module")
def on_amazon_linux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("linux") / "code"
    AMAZON_LINUX.install(directory)
    return directory


def fingerprint(directory: Path) -> dict[str, tuple[int, str]]:
    return {
        one.relative_to(directory).as_posix(): (
            one.stat().st_mode,
            "" if one.is_dir() else hashlib.sha256(one.read_bytes()).hexdigest(),
        )
        for one in sorted(directory.rglob("*"))
    }


def test_every_handler_and_numpy_import_from_the_bundle_alone(on_host: Path) -> None:
    """Isolated from this environment's own packages; boto3 is the runtime's, and not imported at the top."""
    program = f"""
import sys
sys.path[:] = [{str(on_host)!r}] + [one for one in sys.path if "site-packages" not in one]
import numpy, numpy.testing, numpy.random, numpy.linalg, google.protobuf
from amazon_estimators.handlers import plan, encode, seal, explain
assert numpy.linalg.norm(numpy.ones(4)) == 2.0
for module in (numpy, google.protobuf, plan, encode, seal, explain):
    assert module.__file__.startswith({str(on_host)!r}), module.__file__
    assert module is plan or callable(getattr(module, "handler", print))
"""
    subprocess.run([sys.executable, "-I", "-B", "-c", program], check=True)


def test_the_table_reader_reads_from_the_bundle_alone(on_host: Path) -> None:
    """What is stripped of pyarrow is not missed by the formats it is used for."""
    program = f"""
import io, sys
sys.path[:] = [{str(on_host)!r}] + [one for one in sys.path if "site-packages" not in one]
import pyarrow
from pyarrow import csv, parquet
assert pyarrow.__file__.startswith({str(on_host)!r})
table = csv.read_csv(io.BytesIO(b"a,b\\n1,2\\n"))
for compression in ("snappy", "zstd", "gzip"):
    file = io.BytesIO()
    parquet.write_table(table, file, compression=compression)
    assert parquet.ParquetFile(io.BytesIO(file.getvalue())).read() == table
packed = io.BytesIO(pyarrow.Codec("zstd").compress(b"abc", asbytes=True))
assert pyarrow.CompressedInputStream(packed, "zstd").read() == b"abc"
"""
    subprocess.run([sys.executable, "-I", "-B", "-c", program], check=True)


def test_size_unzipped(on_amazon_linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {one: one.stat().st_size for one in on_amazon_linux.rglob("*") if one.is_file()}
    whole = sum(sizes.values())
    reader = sum(size for one, size in sizes.items() if "pyarrow" in one.relative_to(on_amazon_linux).parts)
    with capsys.disabled():
        sys.stdout.write(
            f"\nLambda code, unzipped: {whole / 10**6:.1f} MB, {reader / 10**6:.1f} MB of it pyarrow\n"
        )
    assert 20 * 10**6 < whole - reader <= LIMIT_WITHOUT_READER
    assert whole <= LIMIT


def test_it_is_for_the_platform_and_python_asked_for(on_amazon_linux: Path) -> None:
    extensions = [one.name for one in (on_amazon_linux / "numpy").rglob("*.so")]
    assert extensions
    assert all("cpython-312-x86_64-linux-gnu" in one for one in extensions)


def test_nothing_that_no_import_reads(on_amazon_linux: Path) -> None:
    for one in on_amazon_linux.rglob("*"):
        assert one.name not in ("tests", "__pycache__", "bin", "RECORD"), one
        assert one.suffix not in (".pyc", ".pyi", ".a"), one


def test_two_installs_are_the_same_bytes(
    on_host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other-cache"))
    HOST.install(tmp_path / "again")
    assert fingerprint(tmp_path / "again") == fingerprint(on_host)


def test_the_second_install_runs_no_installer(
    on_host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the installer ran")

    monkeypatch.setattr(subprocess, "run", refuse)
    HOST.install(tmp_path / "code")
    assert fingerprint(tmp_path / "code") == fingerprint(on_host)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    with pytest.raises(AssertionError, match="the installer ran"):
        HOST.install(tmp_path / "other")


def test_a_failed_install_leaves_nothing_in_the_cache_and_says_what_pip_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("numpy==2.4.6 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    monkeypatch.setattr(lambda_bundle, "LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(RuntimeError, match=r"pip could not install[\s\S]*(DO NOT MATCH|hash)"):
        HOST.install(tmp_path / "code")
    assert not list((tmp_path / "cache" / "cdk-amazon-estimators" / "lambda").iterdir())
    assert not (tmp_path / "code").exists()


def test_without_pip_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(
        f'#!/bin/sh\necho "{sys.executable}: No module named pip" >&2\nexit 1\n', encoding="utf-8"
    )
    bare.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(RuntimeError, match="-m ensurepip"):
        HOST.install(tmp_path / "code")


def test_the_digest_tells_all_apart_that_changes_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "amazon_estimators"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("one = 1\n", encoding="utf-8")
    (package / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    monkeypatch.setattr(lambda_bundle, "PACKAGE", package)
    digests = {
        LambdaBundle(python=python, platform=platform).digest()
        for python in ("3.12", "3.13")
        for platform in ("x86_64", "arm64", "host")
    }
    assert len(digests) == 5  # on the host, this Python is the Python
    before = AMAZON_LINUX.digest()
    (package / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    assert AMAZON_LINUX.digest() == before
    (package / "requirements.txt").write_text("numpy>2\n", encoding="utf-8")
    after_lock = AMAZON_LINUX.digest()
    (package / "__init__.py").write_text("one = 2\n", encoding="utf-8")
    after_source = AMAZON_LINUX.digest()
    (package / "__init__.py").rename(package / "renamed.py")
    assert len({before, after_lock, after_source, AMAZON_LINUX.digest()}) == 4


@pytest.mark.parametrize(
    ("bundle", "runtime", "architecture"),
    [
        (LambdaBundle(), "python3.12", "x86_64"),
        (LambdaBundle(python="3.13", platform="arm64"), "python3.13", "arm64"),
        (HOST, f"python{sys.version_info[0]}.{sys.version_info[1]}", None),
    ],
)
def test_runtime_and_architecture_follow(
    bundle: LambdaBundle, runtime: str, architecture: str | None
) -> None:
    assert bundle.runtime.name == runtime
    assert architecture is None or bundle.architecture.name == architecture
