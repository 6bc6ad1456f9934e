"""Start and stop the emulator's process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amazon_estimators_rehearsal.certificate import CERTIFICATE, write_certificate
from amazon_estimators_rehearsal.environment import emulator_environment

START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOG = "emulator.log"
CALLS = "calls.jsonl"
"""The emulator's record of calls and permissions, a JSON object in each line."""
_ENTRY = re.compile(r"\d{4}-\d\d-\d\d [\d:]+ (?P<level>[A-Z]+) \[")


class EmulatorError(RuntimeError):
    """Raised if the emulator did not start, or died. The text ends with the last lines of its log."""


@contextlib.contextmanager
def emulator(directory: Path) -> Iterator[str]:
    """Run the emulator with its files in ``directory``. Yield its endpoint, ``https://127.0.0.1:<port>``.

    The emulator stops when the block ends, for whatever reason. If this process is killed, the emulator sees
    its standard input close and stops by itself.
    """
    write_certificate(directory)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with (directory / LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "amazon_estimators_rehearsal.emulator", str(listener.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,  # nothing is written there; it closes when the process ends
                stderr=log,
                env=emulator_environment(directory, endpoint),
                cwd=directory,
                pass_fds=(listener.fileno(),),
                start_new_session=True,  # Ctrl-C reaches only this process, which stops the emulator cleanly
            )
    try:
        _await_answer(process, endpoint, directory)
        yield endpoint
    finally:
        _stop(process)


def denials(directory: Path) -> list[str]:
    """Return every refusal in the emulator's log: principal, action, resource, reason."""
    return [line for line in _log_lines(directory) if "DENIED " in line]


def calls(directory: Path) -> list[dict[str, Any]]:
    """Return each permission that was asked for so far, in order.

    ``principal``, ``action``, ``resource``, ``context`` and ``allowed`` say what; ``shape`` is there if it
    began an API call: ``"valid"``, or ``"unchecked"`` and why.
    """
    path = directory / CALLS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def problems(directory: Path, lines: int = 30) -> list[str]:
    """Return the last warnings and errors of the emulator's log, with the tracebacks that follow them."""
    reported: list[str] = []
    relevant = False
    for line in _log_lines(directory):
        entry = _ENTRY.match(line)
        if entry:
            relevant = entry["level"] in ("WARNING", "ERROR", "CRITICAL")
        if relevant:
            reported.append(line)
    return reported[-lines:]


def log_tail(directory: Path, lines: int = 30) -> str:
    """Return the last lines of the emulator's log."""
    return "\n".join(_log_lines(directory)[-lines:])


def _log_lines(directory: Path) -> list[str]:
    path = directory / LOG
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _await_answer(process: subprocess.Popen[bytes], endpoint: str, directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    trust = ssl.create_default_context(cafile=str(directory / CERTIFICATE))
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=trust), urllib.request.ProxyHandler({})
    )
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if opener.open(f"{endpoint}/_ministack/ready", timeout=START_SECONDS).status == 200:
                return
        time.sleep(0.05)
    raise EmulatorError(f"The emulator did not answer on {endpoint}.\n{log_tail(directory)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Close the process's standard input, which ends it; then kill the rest of its session.

    Its standard output closes when it ends. It is reaped last: until then no other process can get its id.
    """
    assert process.stdin and process.stdout
    with contextlib.suppress(OSError):
        process.stdin.close()
    deadline = time.monotonic() + STOP_SECONDS
    while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
        if not os.read(process.stdout.fileno(), 65536):
            break
    # Lambda workers and training containers belong to its session.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
