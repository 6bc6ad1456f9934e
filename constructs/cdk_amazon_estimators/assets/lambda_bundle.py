"""The code of the Lambda functions, built without Docker: the handlers' sources and the locked packages."""

from __future__ import annotations

import platform as host
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import jsii
from aws_cdk import AssetHashType, BundlingOptions, BundlingOutput, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import amazon_estimators
from amazon_estimators.local_platform import LAMBDA_PLATFORM
from cdk_amazon_estimators.assets.archive import add_to_archive
from cdk_amazon_estimators.assets.file_digest import file_digest
from cdk_amazon_estimators.assets.known_sources import known_handler_sources
from cdk_amazon_estimators.assets.locked_packages import WHEEL_TAGS, LockedPackages
from cdk_amazon_estimators.errors import PipelineError

PACKAGE = Path(next(iter(amazon_estimators.__path__)))
LOCK = PACKAGE / "requirements.txt"
UNUSED = (
    # What builds extensions of NumPy and tests NumPy's own. 5 MB.
    "numpy/distutils",
    "numpy/f2py",
    "numpy/_core/_simd.*",
    "numpy/_core/_*_tests.*",
)

PYTHONS = ("3.12", "3.13", "3.14")
"""Runtimes on Amazon Linux 2023. The C library of older runtimes is too old for the locked NumPy."""
DEFAULT_PYTHON = "3.12"
"""Every locked package has a wheel for each of PYTHONS, on both architectures. This is not the newest: the
code has run on 3.12 and 3.13, where Encode takes as long, and not yet on 3.14. A change of it updates every
function of every deployed pipeline."""


@dataclass(frozen=True, kw_only=True)
class LambdaBundle:
    """The Python version and platform of the functions' code: their runtime and architecture.

    Args:
        python: Version of the runtime: ``"3.12"``, ``"3.13"`` or ``"3.14"``. Default: ``"3.12"``.
        platform: ``"x86_64"``, ``"arm64"``, or ``"host"`` for the machine and Python version of the synth,
            for an emulator that runs functions on this machine. Default: ``"x86_64"``.

    Raises:
        PipelineError: Any other value.
    """

    python: str = DEFAULT_PYTHON
    platform: Literal["x86_64", "arm64", "host"] = "x86_64"

    def __post_init__(self) -> None:
        if self.platform not in (*WHEEL_TAGS, "host"):
            raise PipelineError(
                f"LambdaBundle: platform is {self.platform!r}; allowed: {', '.join(WHEEL_TAGS)}, "
                "or host to run on this machine"
            )
        if self.platform != "host" and self.python not in PYTHONS:
            raise PipelineError(f"LambdaBundle: python is {self.python!r}; allowed: {', '.join(PYTHONS)}")

    def at(self, scope: Construct) -> Self:
        """Return the bundle for the app of ``scope``; a local platform overrides the platform by context."""
        return replace(self, platform=scope.node.try_get_context(LAMBDA_PLATFORM) or self.platform)

    @property
    def python_version(self) -> str:
        """Return the major and minor version that the code is installed for, such as ``"3.12"``."""
        return f"{sys.version_info[0]}.{sys.version_info[1]}" if self.platform == "host" else self.python

    @property
    def runtime(self) -> lambda_.Runtime:
        """Return the functions' runtime."""
        return lambda_.Runtime(f"python{self.python_version}", lambda_.RuntimeFamily.PYTHON)

    @property
    def architecture(self) -> lambda_.Architecture:
        """Return the functions' instruction set."""
        machine = host.machine().lower() if self.platform == "host" else self.platform
        return lambda_.Architecture.ARM_64 if machine in ("arm64", "aarch64") else lambda_.Architecture.X86_64

    def packages(self, lock: Path, *, unused: tuple[str, ...], below: str = "") -> LockedPackages:
        """Return the packages of ``lock`` for these functions; the rest is as in LockedPackages."""
        return LockedPackages(
            lock=lock, python=self.python_version, platform=self.platform, unused=unused, below=below
        )

    def code(self) -> lambda_.Code:
        """Return the asset. The synth of its stack archives it, and installs packages once per machine."""
        return self.asset(self.digest(), self.archive)

    def asset(self, digest: str, write: Callable[[Path], None]) -> lambda_.Code:
        """Return the zip file that ``write`` writes at synth, unless one with this ``digest`` exists
        already."""
        return lambda_.Code.from_asset(
            str(PACKAGE),
            asset_hash=digest,
            asset_hash_type=AssetHashType.CUSTOM,
            bundling=BundlingOptions(
                image=self.runtime.bundling_image,
                local=_LocalArchive(write),
                output_type=BundlingOutput.ARCHIVED,
            ),
        )

    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of everything that the code depends on: packages and
        sources."""
        packages = self.packages(LOCK, unused=UNUSED).digest().encode()
        return file_digest(packages, PACKAGE, known_handler_sources(PACKAGE))

    def archive(self, target: Path) -> None:
        """Write the code as the zip file ``target``. The packages come from a cache or, the first time, from
        pip."""
        packages = self.packages(LOCK, unused=UNUSED)
        packages.archive(target)
        with TemporaryDirectory() as scratch:
            _copy_sources(Path(scratch, PACKAGE.name))
            packages.compile(Path(scratch, PACKAGE.name))
            add_to_archive(Path(scratch), target)


@jsii.implements(ILocalBundling)
class _LocalArchive:
    """Calls ``write`` for CDK. A failure is raised, because returning False would start Docker."""

    def __init__(self, write: Callable[[Path], None]) -> None:
        self._write = write

    def try_bundle(self, output_dir: str, *, image: Any, **options: Any) -> bool:
        self._write(Path(output_dir, "code.zip"))
        return True


def _copy_sources(directory: Path) -> None:
    """Copy the handlers' sources."""
    for path in known_handler_sources(PACKAGE):
        target = directory / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
