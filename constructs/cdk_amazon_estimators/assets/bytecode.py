"""Compile Python files ahead: a function's directory is read-only, so each cold start would compile again."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path


def bytecode_format(python: str) -> str | None:
    """Return the format of bytecode that this Python compiles for Python ``python``, such as ``"3.12"``.

    It belongs into the digest of what is compiled: an asset with bytecode and one without it are two assets.

    Returns:
        The number in front of each ``.pyc`` file, in hexadecimal. None if this Python is of another version
        or implementation: only CPython 3.12 compiles what CPython 3.12 loads.
    """
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if python != own or sys.implementation.name != "cpython":
        return None
    return importlib.util.MAGIC_NUMBER.hex()


def compile_sources(directory: Path) -> None:
    """Write ``__pycache__`` beside every Python file below ``directory``, the same bytes wherever it lies.

    The files carry the hash of their source instead of its time of change, which an archive does not keep.
    A process of its own compiles: strings that this process happens to hold would change the bytes.

    Raises:
        RuntimeError: If a file does not compile, with the compiler's output.
    """
    command = [sys.executable, "-s", "-S", "-P", "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(directory), str(directory)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONHASHSEED"] = "0"  # the order of a constant set
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (no shell, own arguments)
    if done.returncode:
        raise RuntimeError(f"the code of the Lambda functions does not compile:\n{done.stdout}{done.stderr}")
