"""Start and stop the emulator's process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .certificate import CERTIFICATE, write_certificate
from .environment import base_environment

START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOG = "emulator.log"
_ENTRY = re.compile(r"\d{4}-\d\d-\d\d [\d:]+ (?P<level>[A-Z]+) \[")


class EmulatorError(RuntimeError):
    """The emulator did not start, or died. The text ends with the last lines of its log."""


@contextlib.contextmanager
def emulator(directory: Path) -> Iterator[str]:
    """Run the emulator with its files in ``directory``; yields its endpoint, ``https://127.0.0.1:<port>``.

    It is stopped on leaving, however that happens. If this process is killed, the emulator sees its standard input
    close and stops by itself.
    """
    write_certificate(directory)
    with (directory / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.emulator", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=base_environment(directory),
            cwd=directory,
            start_new_session=True,  # Ctrl-C in the terminal is for us alone; we stop it in order
        )
        try:
            yield _ready(process, directory)
        finally:
            _stop(process)


def denials(directory: Path) -> list[str]:
    """Every refusal the emulator recorded: principal, action, resource, reason."""
    return [line for line in _log_lines(directory) if "DENIED " in line]


def problems(directory: Path, lines: int = 30) -> list[str]:
    """The last warnings and errors the emulator logged, with what follows them, such as tracebacks."""
    found: list[str] = []
    relevant = False
    for line in _log_lines(directory):
        entry = _ENTRY.match(line)
        if entry:
            relevant = entry["level"] in ("WARNING", "ERROR", "CRITICAL")
        if relevant:
            found.append(line)
    return found[-lines:]


def log_tail(directory: Path, lines: int = 30) -> str:
    """The last lines of the emulator's log."""
    return "\n".join(_log_lines(directory)[-lines:])


def _log_lines(directory: Path) -> list[str]:
    path = directory / LOG
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _ready(process: subprocess.Popen[bytes], directory: Path) -> str:
    """Wait until the emulator answers over TLS."""
    deadline = time.monotonic() + START_SECONDS
    endpoint = f"https://127.0.0.1:{_port(process, directory)}"
    trust = ssl.create_default_context(cafile=str(directory / CERTIFICATE))
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError):
            if opener.open(f"{endpoint}/_ministack/ready", timeout=5).status == 200:
                return endpoint
        time.sleep(0.05)
    raise EmulatorError(f"The emulator did not answer on {endpoint}.\n{log_tail(directory)}")


def _port(process: subprocess.Popen[bytes], directory: Path) -> int:
    """The port the emulator tells. Reading ends at the latest when it dies."""
    stdout: IO[bytes] | None = process.stdout
    assert stdout
    line = stdout.readline()
    if not line:
        process.wait()
        raise EmulatorError(f"The emulator ended with exit code {process.returncode}.\n{log_tail(directory)}")
    return int(json.loads(line)["port"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end by closing its standard input; kill what is left of its session.

    Its standard output ends when it does. The process is reaped last: until then nobody else can get its id.
    """
    assert process.stdin and process.stdout
    with contextlib.suppress(OSError):
        process.stdin.close()
    deadline = time.monotonic() + STOP_SECONDS
    while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
        if not os.read(process.stdout.fileno(), 65536):
            break
    # Lambda workers and training containers are of its session.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
