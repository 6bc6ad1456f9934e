"""Fork containers from a process that has loaded their libraries: loading takes longer than most jobs.

That process, the nursery, runs this module. It has the emulator's environment without credentials. For each
container it forks a keeper, which forks the container, waits for its end and tells the exit code.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import IO, Any, NoReturn

PACKAGE = "amazon_estimators_rehearsal.sagemaker"
LIBRARIES = (
    f"{PACKAGE}.container",
    f"{PACKAGE}.transform_container",
    f"{PACKAGE}.hosting",
    "sklearn.cluster",
    "sklearn.linear_model",
)


class Forked:
    """A running container. It has what this package needs of :class:`subprocess.Popen`."""

    def __init__(
        self, module: str, environment: Mapping[str, str], role: Mapping[str, str], *, errors: bool
    ) -> None:
        """Start a module of this package.

        Args:
            module: Its name; its ``main`` is called.
            environment: The account's variables, without credentials; the same for all containers.
            role: The variables with the credentials of its role.
            errors: If ``stderr`` is read. Otherwise it goes where that of this process goes.
        """
        (stdin, self_in), (self_out, stdout), (status, told) = (os.pipe() for _ in range(3))
        self_err, stderr = os.pipe() if errors else (None, os.dup(2))
        theirs = (stdin, stdout, stderr, told)
        self.stdin, self.stdout = os.fdopen(self_in, "w", encoding="utf-8"), _reader(self_out)
        self.stderr = None if self_err is None else _reader(self_err)
        self._status = _reader(status)
        self._lock, self._code = threading.Lock(), ""
        order = json.dumps({"module": module, "role": dict(role)}).encode()
        with _ordering:  # one order at a time: the socket does not separate them
            try:
                socket.send_fds(_nursery(environment), [order], theirs)
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
            started = self._status.readline()
        if not started:
            raise OSError("The process that starts containers has ended; its error is in the emulator's log.")
        self._pid = int(started)

    def terminate(self) -> None:
        """Ask it to end, if it still runs."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, if it still runs."""
        self._signal(signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the end; return the exit code, which is negative for a signal."""
        with self._lock:
            self._code = self._code or self._status.readline()
        return int(self._code or -signal.SIGKILL)

    def _signal(self, number: int) -> None:
        ended = self._code or select.select([self._status], [], [], 0)[0]
        if not ended:  # otherwise its id may be another process's
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)


_ordering = threading.Lock()
_running: list[tuple[socket.socket, subprocess.Popen[bytes]]] = []
"""The nursery of this process, once it has been started."""


def load_libraries(environment: Mapping[str, str]) -> None:
    """Begin to load what containers need, before the first is wanted."""
    with _ordering:
        _nursery(environment)


def _nursery(environment: Mapping[str, str]) -> socket.socket:
    """Return the socket that takes orders; the first call starts the nursery, as does one after its end."""
    if _running and _running[0][1].poll() is not None:
        _running.pop()[0].close()
    if not _running:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", f"{PACKAGE}.forked"]
            _running.append((ours, subprocess.Popen(command, stdin=theirs.fileno(), env=dict(environment))))
    return _running[0][0]


def _reader(descriptor: int) -> IO[str]:
    return os.fdopen(descriptor, encoding="utf-8")


def main() -> None:
    """Fork a keeper for each order, until the socket closes."""
    for library in LIBRARIES:
        import_module(library)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for keepers
    with socket.socket(fileno=sys.stdin.fileno()) as orders:
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, 2**16, 4)
            if not order:
                return
            if not os.fork():
                orders.close()
                _keep(json.loads(order), descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def _keep(order: Mapping[str, Any], descriptors: list[int]) -> NoReturn:
    """Fork the container; tell its process id and, at its end, its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, told = descriptors
    container = os.fork()
    if not container:
        os.close(told)
        _run(order, streams)
    for descriptor in streams:
        os.close(descriptor)
    os.write(told, f"{container}\n".encode())
    _, status = os.waitpid(container, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _run(order: Mapping[str, Any], streams: list[int]) -> NoReturn:
    """Run the container's ``main`` as if this were a process of its own."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = _reader(0)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", buffering=1) for number in (1, 2))
    os.environ.update(order["role"])
    code = 0
    try:
        import_module(f"{PACKAGE}.{order['module']}").main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
