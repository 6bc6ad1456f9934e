"""The code of the Lambda functions, made without Docker: ``amazon_estimators`` and what its lock names."""

from __future__ import annotations

import hashlib
import json
import os
import platform as host
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jsii
from aws_cdk import AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_

import amazon_estimators

PACKAGE = Path(next(iter(amazon_estimators.__path__)))
LOCK = PACKAGE / "requirements.txt"

PYTHONS = ("3.12", "3.13", "3.14")
"""Runtimes on Amazon Linux 2023. Older ones run on a C library that the locked numpy does not support."""

WHEEL_TAGS = {
    "x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
}
UNUSED_DIRECTORIES = {"bin", "include", "tests", "__pycache__"}
UNUSED_SUFFIXES = {".a", ".pxd", ".pxi", ".pyc", ".pyi", ".pyx"}
UNUSED_FILES = (
    # What pip wrote about this machine, and differs from the next one's.
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/direct_url.json",
    # pyarrow as a client of Flight servers and of S3; objects are read with boto3 here. 49 MB.
    "pyarrow/*_flight.*",
    "pyarrow/libarrow_s3.*",
    "pyarrow/_s3fs.*",
    # Copies, in place of links, of libraries that are loaded under the name with one number.
    "pyarrow/libarrow*.so",
    "pyarrow/libarrow*.so.*.*.*",
)


@dataclass(frozen=True, kw_only=True)
class LambdaBundle:
    """For which Python and platform the functions' code is installed, and so their runtime and architecture.

    python: version of the runtime: ``"3.12"``, ``"3.13"`` or ``"3.14"``. Default: ``"3.12"``.
    platform: ``"x86_64"``, ``"arm64"``, or ``"host"``: what synthesises, its Python version included, for an
        emulator that runs functions on this machine. Default: ``"x86_64"``.

    Raises ValueError for anything else.
    """

    python: str = "3.12"
    platform: Literal["x86_64", "arm64", "host"] = "x86_64"

    def __post_init__(self) -> None:
        if self.platform not in (*WHEEL_TAGS, "host"):
            raise ValueError(
                f"lambda platform is {self.platform!r}; allowed: {', '.join(WHEEL_TAGS)}, "
                "or host to run on this machine"
            )
        if self.platform != "host" and self.python not in PYTHONS:
            raise ValueError(f"lambda python is {self.python!r}; allowed: {', '.join(PYTHONS)}")

    @property
    def python_version(self) -> str:
        """Major and minor version the code is installed for, such as ``"3.12"``."""
        return f"{sys.version_info[0]}.{sys.version_info[1]}" if self.platform == "host" else self.python

    @property
    def runtime(self) -> lambda_.Runtime:
        """The functions' runtime."""
        return lambda_.Runtime(f"python{self.python_version}", lambda_.RuntimeFamily.PYTHON)

    @property
    def architecture(self) -> lambda_.Architecture:
        """The functions' instruction set."""
        machine = host.machine().lower() if self.platform == "host" else self.platform
        return lambda_.Architecture.ARM_64 if machine in ("arm64", "aarch64") else lambda_.Architecture.X86_64

    def code(self) -> lambda_.Code:
        """The asset. It is installed when a stack that holds it is synthesised, and only once a machine."""
        return lambda_.Code.from_asset(
            str(PACKAGE),
            asset_hash=self.digest(),
            asset_hash_type=AssetHashType.CUSTOM,
            bundling=BundlingOptions(image=self.runtime.bundling_image, local=_LocalInstall(self)),
        )

    def digest(self) -> str:
        """SHA-256 in hexadecimal of all the code depends on: the packages' digest and our own sources."""
        digest = hashlib.sha256(self.packages_digest().encode())
        for path in _sources():
            content = path.read_bytes()
            digest.update(json.dumps([path.relative_to(PACKAGE).as_posix(), len(content)]).encode())
            digest.update(content)
        return digest.hexdigest()

    def packages_digest(self) -> str:
        """SHA-256 in hexadecimal of all the packages depend on: lock, platform, Python and this file."""
        target = sysconfig.get_platform() if self.platform == "host" else self.platform
        digest = hashlib.sha256(json.dumps([target, self.python_version]).encode())
        digest.update(Path(__file__).read_bytes())  # what it strips, how it installs
        digest.update(LOCK.read_bytes())
        return digest.hexdigest()

    def install(self, directory: Path) -> None:
        """Write the code into ``directory``; the packages come from a cache or, the first time, by pip."""
        cached = cache_directory() / self.packages_digest()
        if not cached.is_dir():
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cached.parent, prefix="installing-") as scratch:
                fresh = Path(scratch) / "packages"
                self._pip_install(fresh)
                _strip(fresh)
                _publish(fresh, cached)
        shutil.copytree(cached, directory, dirs_exist_ok=True)
        _copy_sources(directory / PACKAGE.name)

    def _pip_install(self, directory: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--requirement",
            str(LOCK),
            "--target",
            str(directory),
        ]
        command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"]
        command += ["--quiet", "--disable-pip-version-check", "--no-input"]
        if self.platform != "host":
            command += ["--implementation=cp", f"--python-version={self.python}"]
            command += [f"--platform={tag}" for tag in WHEEL_TAGS[self.platform]]
        # The packages go to the Lambda functions, not into a virtual environment: pip must not insist on one.
        environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (no shell, own arguments)
        if done.returncode == 0:
            return
        if "No module named pip" in done.stderr:
            raise RuntimeError(
                f"The code of the Lambda functions is installed with pip, and {sys.executable} has none.\n"
                f"Install it: {sys.executable} -m ensurepip"
            )
        raise RuntimeError(
            f"pip could not install {LOCK} for Python {self.python_version} on {self.platform}:\n"
            + done.stderr.strip()
        )


@jsii.implements(ILocalBundling)
class _LocalInstall:
    """CDK's way to call :meth:`LambdaBundle.install`. It raises; to return False would start Docker."""

    def __init__(self, bundle: LambdaBundle) -> None:
        self._bundle = bundle

    def try_bundle(self, output_dir: str, *, image: Any, **options: Any) -> bool:
        self._bundle.install(Path(output_dir))
        return True


def cache_directory() -> Path:
    """Where installed packages are kept by digest: in ``$XDG_CACHE_HOME`` or else ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "cdk-amazon-estimators" / "lambda"


def _sources() -> Iterator[Path]:
    """The files of the package, in an order that does not depend on the file system."""
    for path in sorted(PACKAGE.rglob("*")):
        directories = path.relative_to(PACKAGE).parts[:-1]
        if path.is_file() and path.suffix not in UNUSED_SUFFIXES and not UNUSED_DIRECTORIES & {*directories}:
            yield path


def _copy_sources(directory: Path) -> None:
    for path in _sources():
        target = directory / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o644)


def _strip(directory: Path) -> None:
    """Remove what no import reads: tests, headers, stubs, and launchers that name this machine's Python."""
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_dir() and path.name in UNUSED_DIRECTORIES:
            shutil.rmtree(path)
        elif path.suffix in UNUSED_SUFFIXES or any(path.match(pattern) for pattern in UNUSED_FILES):
            path.unlink()


def _publish(fresh: Path, cached: Path) -> None:
    """Move a complete directory into the cache. Of two synths at once the first wins: both wrote the same."""
    for path in fresh.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    fresh.chmod(0o755)
    try:
        fresh.rename(cached)
    except OSError:
        if not cached.is_dir():
            raise
