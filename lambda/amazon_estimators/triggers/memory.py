"""Load the starter's state, save its changes, make it again if it was lost or an older one was put back."""

from __future__ import annotations

from typing import Any

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.storage.s3 import put_text, read_object, stored_size
from amazon_estimators.storage.versions import has_lain
from amazon_estimators.triggers.executions import Executions
from amazon_estimators.triggers.state import MOST_STARTS, NAME, Start, State

LARGEST = 16 * 2**20
"""Bytes of a state that is read: one with all it may remember takes less than 1 MB."""


class Memory:
    """The state of one pipeline's starter, in :attr:`state` once loaded."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._key = s3, bucket, state_key(prefix)
        self._uri = f"s3://{bucket}/{self._key}"
        self._saved: bytes | None = None
        self.state = State()

    def load(self) -> str | None:
        """Read the state, or begin a new one. Returns what is wrong with the one on S3, None if nothing."""
        size = stored_size(self._s3, self._bucket, self._key)
        if size is None:
            return f"{self._uri} was deleted" if has_lain(self._s3, self._bucket, self._key) else None
        if size > LARGEST:
            return f"{self._uri} is not a state: it has {size:,} bytes"
        body = read_object(self._s3, self._bucket, self._key)
        try:
            self.state = State.from_text(body, uri=self._uri)
        except DamagedFileError as error:
            return error.message
        self._saved = body
        return None

    def catch_up(self, executions: Executions) -> str | None:
        """Take down what the starter began after the newest start known here, newest first.

        There is nothing of that kind unless the state was lost, or an older one was put back. Then what
        waits in it has been dealt with. Returns what is wrong with the state on S3, None if nothing.
        """
        known = self.state.starts[0].name if self.state.starts else None
        missing: list[Start] = []
        for name, status, at in executions.newest():
            if name == known:
                break
            if len(missing) < MOST_STARTS and (match := NAME.fullmatch(name)):
                missing.append(Start(name, match[1], match[2], "", at, status))
        else:
            if known is not None:
                return None  # Step Functions' list does not show it yet
        if not missing:
            return None
        self.state.starts = missing + self.state.starts
        self.state.parked = None
        return f"{self._uri} does not know of execution {missing[0].name}"

    def save(self) -> None:
        """Write the state if it has changed: most uploads of a burst change nothing."""
        text = self.state.to_text(uri=self._uri)
        body = text.encode()
        if body != self._saved:
            put_text(self._s3, self._bucket, self._key, text, "application/json")
            self._saved = body
