"""Load the starter's state, save changes to it, and rebuild it if it was lost."""

from __future__ import annotations

import re
from typing import Any

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.storage.s3 import is_there, put_text, read_object
from amazon_estimators.triggers.executions import Executions
from amazon_estimators.triggers.state import MOST_STARTS, Start, State

NAME = re.compile(r"([0-9a-f]{24})-([0-9a-f]{8})-[1-9][0-9]*")
"""The name of an execution that a starter began: data set, settings and number of trainings with both."""


class Memory:
    """The state of one pipeline's starter, in :attr:`state` once loaded."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._key = s3, bucket, state_key(prefix)
        self._saved: str | None = None
        self.state = State()

    def load(self, executions: Executions) -> str | None:
        """Read the state, or rebuild it. Returns what is wrong with the state on S3, or None."""
        uri = f"s3://{self._bucket}/{self._key}"
        damage = None
        if is_there(self._s3, self._bucket, self._key):
            body = read_object(self._s3, self._bucket, self._key)
            try:
                self.state = State.from_text(body, uri=uri)
            except DamagedFileError as error:
                damage = error.message
            else:
                self._saved = self.state.to_text()
                return None
        self.state = State(starts=_starts(executions))
        if damage is None and self.state.starts:
            damage = f"{uri} was deleted"
        return damage

    def save(self) -> None:
        """Write the state if it has changed. Most uploads in a burst change nothing."""
        text = self.state.to_text()
        if text != self._saved:
            put_text(self._s3, self._bucket, self._key, text, "application/json")
            self._saved = text


def _starts(executions: Executions) -> list[Start]:
    """Return the newest executions that a starter began, from their names and from Step Functions."""
    found = []
    for name, status, at in executions.newest(MOST_STARTS):
        if match := NAME.fullmatch(name):
            found.append(Start(name, match[1], match[2], "", at, status))
    return found
