"""Run the process that serves a model; see :mod:`hosting`."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials
from amazon_estimators_rehearsal.sagemaker.forked import Forked


class InstanceError(Exception):
    """Raised if the process did not start, or died. The text says why."""


class Instance:
    """A hosting process with an execution role's credentials. It answers one request at a time.
    Thread-safe."""

    def __init__(self, account: Account, role: Credentials, order: Mapping[str, Any]) -> None:
        """Start the process and wait until it has loaded its model.

        Raises:
            InstanceError: It cannot load the model.
        """
        self.multi_model: bool = order["multi_model"]
        self._lock = threading.Lock()
        self._process = Forked("hosting", account.environment(), role.environment(), errors=False)
        answer = self.ask(order)
        if "failure" in answer:
            self.stop()
            raise InstanceError(answer["failure"])

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return the process's answer.

        Raises:
            InstanceError: The process has ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        with self._lock:
            try:
                stdin.write(json.dumps(request) + "\n")
                stdin.flush()
                line = stdout.readline()
            except (OSError, ValueError):  # closed by stop()
                line = ""
        if not line:
            raise InstanceError(
                "The primary container for production variant did not pass the ping health check."
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # a request was in flight
                stream.close()
