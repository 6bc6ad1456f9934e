"""The code of the functions and the layer: complete, small, the same bytes every time, installed once."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from cdk_amazon_estimators import LambdaBundle
from cdk_amazon_estimators.assets import bytecode, lambda_bundle, symbols, table_reader_layer
from cdk_amazon_estimators.assets.locked_packages import cache_directory

CODE_LIMIT, LAYER_LIMIT = 62 * 10**6, 85 * 10**6
"""Bytes unzipped. Lambda takes 250 MB of both together."""

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


def install(bundle: LambdaBundle, directory: Path) -> Path:
    """``code/`` and ``layer/`` in ``directory``, from archives beside them."""
    directory.mkdir(exist_ok=True)
    for name, write in archives(bundle).items():
        archive = directory / f"{name}.zip"
        write(archive)
        with ZipFile(archive) as opened:
            opened.extractall(directory / name)
            for entry in opened.infolist():
                (directory / name / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    return directory


def archives(bundle: LambdaBundle) -> dict[str, Callable[[Path], None]]:
    """What writes the archive of each part."""
    return {"code": bundle.archive, "layer": table_reader_layer.table_reader(bundle).archive}


@pytest.fixture(scope="module")
def on_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(HOST, tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module")
def on_amazon_linux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(AMAZON_LINUX, tmp_path_factory.mktemp("linux"))


def fingerprint(directory: Path) -> dict[str, tuple[int, str]]:
    return {
        one.relative_to(directory).as_posix(): (
            one.stat().st_mode,
            "" if one.is_dir() else hashlib.sha256(one.read_bytes()).hexdigest(),
        )
        for one in sorted(directory.rglob("*"))
    }


def size(directory: Path) -> int:
    return sum(one.stat().st_size for one in directory.rglob("*") if one.is_file())


def test_every_handler_imports_from_the_code_alone(on_host: Path) -> None:
    """Without the layer, too: the table reader is loaded where something is read."""
    code = str(on_host / "code")
    program = f"""
import importlib.util, sys
from types import ModuleType
sys.path.append({code!r})
sys.modules["boto3"] = ModuleType("boto3")  # the runtime's
import numpy, numpy.testing, numpy.random, numpy.linalg, google.protobuf
assert numpy.linalg.norm(numpy.ones(4)) == 2.0
for name in ("plan", "encode", "seal", "explain", "announce", "starter"):
    module = importlib.import_module(f"amazon_estimators.handlers.{{name}}")
    assert callable(module.handler)
    assert module.__file__.startswith({code!r}), module.__file__
assert not importlib.util.find_spec("pyarrow")
"""
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], check=True)


def test_every_module_of_the_bundle_imports_from_code_and_layer_alone(on_host: Path) -> None:
    """So do those that a function would load later: a module that is missing is missed here. None of them is
    compiled on the way, nor is what they import."""
    code = on_host / "code"
    modules = [
        ".".join(path.relative_to(code).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((code / "amazon_estimators").rglob("*.py"))
    ]
    program = f"""
import importlib, sys
from types import ModuleType
sys.path += [{str(code)!r}, {str(on_host / "layer" / "python")!r}]
sys.modules["boto3"] = ModuleType("boto3")  # the runtime's
def hook(event, arguments):
    if event == "compile" and str(arguments[1]).startswith({str(on_host)!r}):
        raise SystemExit(f"compiles {{arguments[1]}}")
sys.addaudithook(hook)
for name in {modules!r}:
    assert importlib.import_module(name).__file__.startswith({str(code)!r}), name
"""
    assert "amazon_estimators.handlers.starter" in modules
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], check=True)


def test_code_and_layer_read_every_kind_of_table_alone(on_host: Path) -> None:
    """What is stripped of pyarrow is not missed by the formats it is used for."""
    program = Path(__file__).with_name("read_alone.py")
    command = [sys.executable, "-I", "-S", "-B", str(program)]
    subprocess.run([*command, str(on_host / "code"), str(on_host / "layer")], check=True)


@pytest.mark.parametrize("platform", ["on_host", "on_amazon_linux"])
def test_size_unzipped(
    platform: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    installed: Path = request.getfixturevalue(platform)
    code, layer = size(installed / "code"), size(installed / "layer")
    with capsys.disabled():
        sys.stdout.write(f"\nUnzipped {platform}: code {code / 10**6:.1f} MB, layer {layer / 10**6:.1f} MB\n")
    assert 20 * 10**6 < code <= CODE_LIMIT
    assert 20 * 10**6 < layer <= LAYER_LIMIT


def test_the_reader_is_in_the_layer_and_nothing_else_is(on_amazon_linux: Path) -> None:
    assert [one.name for one in (on_amazon_linux / "layer").iterdir()] == ["python"]
    assert not list((on_amazon_linux / "code").glob("pyarrow*"))
    for one in (on_amazon_linux / "layer" / "python").iterdir():
        assert one.name.startswith("pyarrow"), one


def test_it_is_for_the_platform_and_python_asked_for(on_amazon_linux: Path) -> None:
    for package in ("code/numpy", "layer/python/pyarrow"):
        extensions = [one.name for one in (on_amazon_linux / package).rglob("*.so")]
        assert extensions
        assert all("cpython-312-x86_64-linux-gnu" in one for one in extensions)


def test_nothing_that_no_import_reads(on_amazon_linux: Path) -> None:
    for one in on_amazon_linux.rglob("*"):
        assert one.name not in ("tests", "bin", "RECORD"), one
        assert one.suffix not in (".pyi", ".a"), one


def test_libraries_end_where_the_loader_stops_reading(on_host: Path, on_amazon_linux: Path) -> None:
    for directory in (on_host, on_amazon_linux):
        libraries = [path for path in directory.rglob("*") if ".so" in path.suffixes]
        assert {"libarrow.so", "libparquet.so"} <= {path.stem for path in libraries}
        for library in libraries:
            content = library.read_bytes()
            if content.startswith(symbols.ELF_64_LITTLE_ENDIAN):
                assert content[40:48] == bytes(8), library  # where the section headers were
                assert b".symtab\0" not in content[-1000:], library


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(200), b"\xcf\xfa\xed\xfe" * 40]
)
def test_what_is_no_library_of_this_kind_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(content)
    symbols.drop_symbol_tables(library)
    assert library.read_bytes() == content


@pytest.mark.parametrize("part", ["code", "layer"])
def test_every_source_has_the_bytecode_that_python_loads_unchecked(on_host: Path, part: str) -> None:
    """With the hash of its source, because no archive keeps times, and with no path of this machine."""
    expected: set[Path] = set()
    for source in (on_host / part).rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        content = compiled.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER, source
        assert content[4:8] == (0b01).to_bytes(4, "little"), source
        assert content[8:16] == importlib.util.source_hash(source.read_bytes()), source
        assert str(lambda_bundle.PACKAGE).encode() not in content, source
        assert str(cache_directory()).encode() not in content, source
        assert str(on_host).encode() not in content, source
        expected.add(compiled)
    assert len(expected) > 20
    assert set((on_host / part).rglob("*.pyc")) == expected


def test_another_python_s_bytecode_is_left_out(on_amazon_linux: Path) -> None:
    """It would be ignored there. The asset is another one then, as its bytes are."""
    same = sys.version_info[:2] == (3, 12)
    assert bool(list(on_amazon_linux.rglob("*.pyc"))) == same
    assert (bytecode.bytecode_format("3.12") is not None) == same
    with pytest.MonkeyPatch.context() as patch:
        own = f"{sys.version_info[0]}.{sys.version_info[1]}"
        compiled = bytecode.bytecode_format(own)
        before = HOST.digest(), table_reader_layer.table_reader(HOST).digest()
        patch.setattr(sys.implementation, "name", "pypy")
        assert compiled
        assert bytecode.bytecode_format(own) is None
        after = HOST.digest(), table_reader_layer.table_reader(HOST).digest()
    assert not set(before) & set(after)


def test_another_machine_makes_the_same_bytes(
    on_host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources and cache lie elsewhere; the sources are older, and everything is made under another umask."""
    digest = HOST.digest()
    package = tmp_path / "another" / "place" / lambda_bundle.PACKAGE.name
    shutil.copytree(lambda_bundle.PACKAGE, package)
    for path in package.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_500_000_000, 1_500_000_000))
    monkeypatch.setattr(lambda_bundle, "PACKAGE", package)
    monkeypatch.setattr(lambda_bundle, "LOCK", package / "requirements.txt")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other-cache"))
    before = os.umask(0o077)
    try:
        again = install(HOST, tmp_path / "again")
    finally:
        os.umask(before)
    for archive in ("code.zip", "layer.zip"):
        assert (again / archive).read_bytes() == (on_host / archive).read_bytes()
    assert HOST.digest() == digest


def test_the_second_install_runs_no_installer(
    on_host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def refuse(command: list[str], **options: Any) -> Any:
        if "pip" in command:
            raise AssertionError("the installer ran")
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", refuse)
    assert fingerprint(install(HOST, tmp_path / "again")) == fingerprint(on_host)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    for write in archives(HOST).values():
        with pytest.raises(AssertionError, match="the installer ran"):
            write(tmp_path / "other.zip")


@pytest.mark.parametrize("variable", ["PIP_USER", "PIP_REQUIRE_VIRTUALENV"])
def test_a_habit_of_the_user_s_pip_is_none_of_the_bundle_s(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    HOST.archive(tmp_path / "code.zip")
    with ZipFile(tmp_path / "code.zip") as archive:
        assert "numpy/__init__.py" in archive.namelist()


def test_a_failed_install_leaves_nothing_in_the_cache_and_says_what_pip_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("numpy==2.4.6 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    monkeypatch.setattr(lambda_bundle, "LOCK", lock)
    monkeypatch.setattr(table_reader_layer, "LOCK", lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for write in archives(HOST).values():
        with pytest.raises(RuntimeError, match=r"pip could not install[\s\S]*(DO NOT MATCH|hash)"):
            write(tmp_path / "part.zip")
    assert not list(cache_directory().iterdir())
    assert not (tmp_path / "part.zip").exists()


def test_without_pip_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(
        f'#!/bin/sh\necho "{sys.executable}: No module named pip" >&2\nexit 1\n', encoding="utf-8"
    )
    bare.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(RuntimeError, match="-m ensurepip"):
        HOST.archive(tmp_path / "code.zip")


def test_the_digest_tells_all_apart_that_changes_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "amazon_estimators"
    (package / "handlers" / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "handlers" / "__init__.py").write_text("one = 1\n", encoding="utf-8")
    (package / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    monkeypatch.setattr(lambda_bundle, "PACKAGE", package)
    monkeypatch.setattr(lambda_bundle, "LOCK", package / "requirements.txt")
    digests = {
        LambdaBundle(python=python, platform=platform).digest()
        for python in ("3.12", "3.13")
        for platform in ("x86_64", "arm64", "host")
    }
    assert len(digests) == 5  # on the host, this Python is the Python
    before = AMAZON_LINUX.digest()
    (package / "handlers" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    assert AMAZON_LINUX.digest() == before
    (package / "requirements.txt").write_text("numpy>2\n", encoding="utf-8")
    after_lock = AMAZON_LINUX.digest()
    (package / "handlers" / "__init__.py").write_text("one = 2\n", encoding="utf-8")
    after_source = AMAZON_LINUX.digest()
    (package / "handlers" / "__init__.py").rename(package / "handlers" / "renamed.py")
    (package / "handlers" / "__init__.py").touch()
    assert len({before, after_lock, after_source, AMAZON_LINUX.digest()}) == 4


def test_the_layer_s_digest_is_of_lock_platform_and_what_is_left_out_and_not_of_our_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(**bundle: Any) -> str:
        return table_reader_layer.table_reader(LambdaBundle(**bundle)).digest()

    digests = {
        digest(python=python, platform=platform)
        for python in ("3.12", "3.13")
        for platform in ("x86_64", "arm64", "host")
    }
    assert len(digests) == 5  # on the host, this Python is the Python
    before, code_before = digest(), AMAZON_LINUX.digest()
    shutil.copytree(lambda_bundle.PACKAGE, tmp_path / "amazon_estimators")
    (tmp_path / "amazon_estimators" / "handlers" / "new.py").touch()
    with monkeypatch.context() as patch:
        patch.setattr(lambda_bundle, "PACKAGE", tmp_path / "amazon_estimators")
        assert digest() == before
        assert AMAZON_LINUX.digest() != code_before
    lock = tmp_path / "table_reader.txt"
    lock.write_text("pyarrow\n", encoding="utf-8")
    monkeypatch.setattr(table_reader_layer, "LOCK", lock)
    after_lock = digest()
    assert AMAZON_LINUX.digest() == code_before
    monkeypatch.setattr(table_reader_layer, "UNUSED", ("pyarrow/cuda.py",))
    assert len({before, after_lock, digest()}) == 3


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
