"""What a starter remembers between messages: one small JSON object beside the pipeline's data.

The queue hands one message at a time to one starter, so nobody else writes it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.storage.s3 import get_json, is_there, put_json

LAG = timedelta(minutes=5)
"""How long what Step Functions' lists say of an execution may be out of date; in practice it is seconds."""


@dataclass(frozen=True)
class Request:
    """A data set version to be trained, and why.

    ``as_of`` orders requests: ISO 8601, UTC, whole seconds. ``suffix`` makes another name for training a
    version again, ``""`` if it is to be trained once. ``always``: train it again whatever became of it;
    without, a ``suffix`` is used only if the execution before ended without a model.
    """

    data_set: str
    as_of: str
    reason: str
    suffix: str = ""
    always: bool = False

    def supersedes(self, other: Request) -> bool:
        """Whether this is trained instead of ``other``, which waits."""
        if self.data_set == other.data_set and other.always:
            return self.always
        return self.as_of >= other.as_of


@dataclass
class State:
    """``parked`` is what is trained next.

    ``started``: executions not known to have ended, and when they were started. ``ended``: those that ended
    of late, and when that was heard. ``newest``: the ``as_of`` of the newest data set asked for. ``quiet``:
    by name of the quiet period its end, None if it does not run, and the number of its schedule.
    ``alarms``: by ARN, when each last asked for a training.
    """

    parked: Request | None = None
    started: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    newest: str = ""
    quiet: dict[str, dict[str, Any]] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)

    def begun(self, name: str, now: datetime) -> None:
        self.started[name] = now.isoformat()

    def over(self, name: str, now: datetime) -> None:
        self.started.pop(name, None)
        self.ended[name] = now.isoformat()

    def forget(self, now: datetime) -> None:
        """An execution that ended may be redriven: what ended long ago is no news."""
        kept = (now - LAG).isoformat()
        self.ended = {name: when for name, when in self.ended.items() if when > kept}

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str) -> Self:
        """What was saved; a new state if nothing was yet."""
        key = state_key(prefix)
        return cls.from_dict(get_json(s3, bucket, key)) if is_there(s3, bucket, key) else cls()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        own = copy.deepcopy(dict(values))
        parked = own.pop("parked")
        return cls(parked=Request(**parked) if parked else None, **own)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def save(self, s3: Any, bucket: str, prefix: str) -> None:
        put_json(s3, bucket, state_key(prefix), self.to_dict())
