"""Run a child process with its output in a file, and make sure that it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class CommandError(RuntimeError):
    """Raised if a command fails. The text holds its output."""


class Command:
    """A running command: :meth:`finish` waits for its success, :meth:`stop` ends it and its children."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> None:
        self._name = log.stem
        self._log = log
        self._began = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                arguments,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self) -> float:
        """Wait for the end. Return the seconds it took.

        Raises:
            CommandError: It failed; the text holds its output.
        """
        try:
            code = self._process.wait()
        except BaseException:
            self.stop()
            raise
        if code:
            raise CommandError(f"{self._name} failed with exit code {code}:\n{self.output()}")
        return time.monotonic() - self._began

    def output(self, characters: int = 8000) -> str:
        """Return the end of its output, at most ``characters``."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-characters:]

    def stop(self) -> None:
        """Kill it and its children if it is still running."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
