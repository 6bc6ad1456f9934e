"""Install and archive the packages of a lock without Docker, for the platform of the Lambda functions."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cdk_amazon_estimators.assets import archive, bytecode, symbols

WHEEL_TAGS = {
    "x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
}
UNUSED_DIRECTORIES = {"bin", "include", "tests", "__pycache__"}
UNUSED_SUFFIXES = {".a", ".pxd", ".pxi", ".pyc", ".pyi", ".pyx"}
UNUSED_FILES = (
    # Files in which pip describes this machine.
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/direct_url.json",
)


@dataclass(frozen=True, kw_only=True)
class LockedPackages:
    """The packages of a lock for one Python version and platform, without files that imports never read.

    Args:
        lock: A file of pinned versions with hashes, as pip reads it.
        python: The version of Python, such as ``"3.12"``.
        platform: ``"x86_64"``, ``"arm64"``, or ``"host"`` for this machine.
        unused: More files and directories to leave out, as patterns of ``Path.match``. Default: ``()``.
        below: The folder of the archive to put them into. Default: ``""``, its root.
    """

    lock: Path
    python: str
    platform: str
    unused: tuple[str, ...] = ()
    below: str = ""

    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of lock, platform, Python version, exclusions and bytecode."""
        target = sysconfig.get_platform() if self.platform == "host" else self.platform
        compiled = bytecode.bytecode_format(self.python)
        settings = [target, self.python, self.unused, self.below, compiled]
        digest = hashlib.sha256(json.dumps(settings).encode())
        # How it installs, what it strips and how it archives.
        for source in (__file__, bytecode.__file__, symbols.__file__, archive.__file__):
            digest.update(Path(source).read_bytes())
        digest.update(self.lock.read_bytes())
        return digest.hexdigest()

    def archive(self, target: Path) -> None:
        """Write the packages as the zip file ``target``, from a cache or, the first time, from pip.

        Raises:
            RuntimeError: If pip fails, with its output.
        """
        cached = cache_directory() / f"{self.digest()}.zip"
        if not cached.is_file():
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cached.parent, prefix="installing-") as scratch:
                root, archived = Path(scratch) / "root", Path(scratch) / cached.name
                packages = root / self.below
                self._pip_install(packages)
                self._strip(packages)
                self.compile(packages)
                archive.add_to_archive(root, archived)
                archived.replace(cached)
        shutil.copyfile(cached, target)

    def compile(self, directory: Path) -> None:
        """Compile what is below ``directory``, if this Python can for the functions' version."""
        if bytecode.bytecode_format(self.python):
            bytecode.compile_sources(directory)

    def _pip_install(self, directory: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--requirement",
            str(self.lock),
            "--target",
            str(directory),
        ]
        command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"]
        command += ["--quiet", "--disable-pip-version-check", "--no-input"]
        if self.platform != "host":
            command += ["--implementation=cp", f"--python-version={self.python}"]
            command += [f"--platform={tag}" for tag in WHEEL_TAGS[self.platform]]
        # The packages go to the Lambda functions, not into a virtual environment: pip must not require one,
        # nor install for this user.
        environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (no shell, own arguments)
        if done.returncode == 0:
            return
        if "No module named pip" in done.stderr:
            raise RuntimeError(
                f"The code of the Lambda functions is installed with pip, and {sys.executable} has none.\n"
                f"Install it: {sys.executable} -m ensurepip"
            )
        raise RuntimeError(
            f"pip could not install {self.lock} for Python {self.python} on {self.platform}:\n"
            + done.stderr.strip()
        )

    def _strip(self, directory: Path) -> None:
        """Remove tests, headers, stubs, symbol tables, and launchers that name this machine's Python."""
        unused = (*UNUSED_FILES, *self.unused)
        for path in sorted(directory.rglob("*"), reverse=True):
            named = any(path.match(pattern) for pattern in unused)
            if path.is_dir() and (named or path.name in UNUSED_DIRECTORIES):
                shutil.rmtree(path)
            elif path.is_file() and (named or path.suffix in UNUSED_SUFFIXES):
                path.unlink()
            elif path.is_file() and ".so" in path.suffixes:
                symbols.drop_symbol_tables(path)


def cache_directory() -> Path:
    """Return the folder that keeps archives of packages by digest: in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "cdk-amazon-estimators" / "lambda"
