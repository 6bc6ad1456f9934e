"""Create the directory of a run, and delete directories that killed runs left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "amazon-estimators-"
LOCK = "lock"
"""Locked while the run is alive. The operating system releases the lock however the run ends."""


@contextlib.contextmanager
def scratch(*, keep: bool = False) -> Iterator[Path]:
    """Yield a new temporary directory; delete it at the end unless ``keep`` is set.

    A run that was killed cannot delete its directory; the next run does.
    """
    _sweep(Path(tempfile.gettempdir()))
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    if keep:
        yield directory
        return
    try:
        unnamed = directory / f"new-{LOCK}"
        with unnamed.open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            unnamed.rename(directory / LOCK)  # only now can a sweep see it
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Delete the user's directories whose lock is free. A directory without a lock was kept on purpose."""
    for path in parent.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError):
            if path.parent.lstat().st_uid != os.getuid():
                continue
            with path.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.parent, ignore_errors=True)
                if path.parent.exists():
                    path.touch()  # an orphaned CDK command is still writing: the next sweep deletes it
