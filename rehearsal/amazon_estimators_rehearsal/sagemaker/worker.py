"""Run a job's work in a process that has the execution role's credentials and no others."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials
from amazon_estimators_rehearsal.sagemaker.forked import Forked


@dataclass(frozen=True)
class Outcome:
    """The end of a worker: its exit code, whether its time ran out, its stderr."""

    returncode: int
    overrun: bool
    errors: str

    @property
    def reason(self) -> str:
        """Return the last line of stderr, or a sentence with the exit code."""
        last = self.errors.strip().splitlines()[-1:]
        return last[0] if last else f"the container ended with exit code {self.returncode}"


class Worker:
    """Runs a module of this package as a separate process: a JSON order in, JSON events out.

    The process can read and write only what the role may.
    """

    def __init__(self, account: Account, role: Credentials, module: str) -> None:
        self._environment, self._credentials = account.environment(), role.environment()
        self._module = module
        self._process: Forked | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Terminate the process, now or as soon as it starts."""
        with self._lock:
            self._stopped = True
            if self._process:
                self._process.terminate()

    def run(
        self, order: Mapping[str, Any], seconds: float, take: Callable[[Mapping[str, Any]], None]
    ) -> Outcome:
        """Run the process to its end, for at most ``seconds``. Call ``take`` with each of its events."""
        with self._lock:
            self._process = process = Forked(self._module, self._environment, self._credentials, errors=True)
            if self._stopped:
                process.terminate()
        overrun = threading.Event()

        def end() -> None:
            overrun.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            errors = _follow(process, json.dumps(order), take)
        finally:
            timer.cancel()
        return Outcome(process.wait(), overrun.is_set(), errors)


def _follow(process: Forked, order: str, take: Callable[[Mapping[str, Any]], None]) -> str:
    """Send the process its order and handle its events. Return its stderr."""
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        process.stdin.write(order)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it died before reading; its exit code and stderr say why
    for line in process.stdout:
        take(json.loads(line))
    process.wait()
    reader.join(timeout=5)
    return "".join(lines)
