"""Drive a headless Chromium by its DevTools protocol over pipes, which takes neither a port nor a package."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """Return the path of a Chromium on PATH; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a browser. ``events`` are what it told so far."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._rest, self._number = b"", 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method and return its result. Raises AssertionError if it is refused."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, page: Path, *, width: int = 1200, dark: bool = False) -> None:
        """Open a file and wait until it is loaded. What earlier pages told is forgotten."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=page.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._receive()

    def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page, whose policy does not count here."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def accessible(self) -> list[dict[str, Any]]:
        """Return what a screen reader finds: nodes with a ``role`` and a ``name``."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            {name: node.get(name, {}).get("value") for name in ("role", "name")}
            for node in nodes
            if not node["ignored"]
        ]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._read, 2**20)
            assert data, "the browser has ended"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        if "method" in answer:
            self.events.append(answer)
        return answer


@contextlib.contextmanager
def browser(path: str, directory: Path) -> Iterator[Browser]:
    """Run a browser with its profile in ``directory``; it ends with the block."""
    here_in, its_out = os.pipe()
    its_in, here_out = os.pipe()
    # It reads 3 and writes 4. Higher copies first, so that neither replaces the other.
    copies = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in (its_in, its_out)]
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--hide-scrollbars",
        "--remote-debugging-pipe",
        f"--user-data-dir={directory}",
    ]
    process = os.posix_spawn(
        path,
        [path, *options],
        os.environ,
        file_actions=[
            *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)),
            *((os.POSIX_SPAWN_DUP2, copy, number) for copy, number in zip(copies, (3, 4), strict=True)),
        ],
    )
    for number in (its_in, its_out, *copies):
        os.close(number)
    try:
        yield Browser(here_out, here_in)
    finally:
        os.close(here_out)
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
        os.close(here_in)
