"""The starter's state between messages: one small JSON object beside the pipeline's data.

The queue delivers one message at a time to one starter, so nothing else writes the state. It holds what no
service knows: what waits, what was started and why, and what has been requested already. How an execution
ended is known to Step Functions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.storage.documents import open_document, seal_document

SCHEMA = "starter-state/2"
REMEDY = "Do nothing: the starter rebuilds it from S3 and Step Functions."
LAG = timedelta(minutes=5)
"""How long Step Functions' answers about an execution may be outdated; in practice it is seconds."""
REMEMBERED = timedelta(days=90)
"""How long a requested retraining is remembered, so that a copy of the message does not repeat it."""
MOST_ASKED = 1_000
MOST_STARTS = 20
LONGEST_REASON = 1_000
"""Characters; Plan refuses a longer reason."""

STARTING, RUNNING, SUCCEEDED = "STARTING", "RUNNING", "SUCCEEDED"


@dataclass(frozen=True)
class Request:
    """A data set version that waits for training, and why. ``always``: even if it has been trained."""

    data_set: str
    reason: str
    always: bool = False

    def followed_by(self, newer: Request) -> Request:
        """Return one request for both: the newer data, all reasons, and retraining if either asks for it.

        >>> Request("a", "alarm", always=True).followed_by(Request("b", "marker"))
        Request(data_set='b', reason='alarm; marker', always=True)
        """
        reasons = self.reason.split("; ")
        reason = self.reason if newer.reason in reasons else f"{self.reason}; {newer.reason}"
        if len(reason) > LONGEST_REASON:
            reason = "… " + reason[2 - LONGEST_REASON :]
        return Request(newer.data_set, reason, self.always or newer.always)


@dataclass
class Start:
    """An execution that the starter began. ``settings`` identifies its settings, ``status`` is the last
    known."""

    name: str
    data_set: str
    settings: str
    reason: str
    at: str
    status: str = STARTING

    @property
    def is_open(self) -> bool:
        """True if the execution is not known to have ended."""
        return self.status in (STARTING, RUNNING)


@dataclass
class State:
    """The starter's state. Times are ISO 8601, UTC.

    ``parked`` is trained next. ``starts`` are the newest executions, newest first. ``ended``: by name of a
    recently ended execution, its status and when its event arrived. ``newest``: the time of the newest data
    set requested, by S3's clock. ``quiet``: by name of the quiet period, its end and the number of its
    schedule. ``alarms``: by ARN, when each last requested a training. ``asked``: retrainings requested, and
    when. ``wake``: when the starter wakes itself to look again.
    """

    parked: Request | None = None
    starts: list[Start] = field(default_factory=list)
    ended: dict[str, list[str]] = field(default_factory=dict)
    newest: str = ""
    quiet: dict[str, list[Any]] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    wake: str = ""

    def hear_end(self, name: str, status: str, now: datetime) -> None:
        """Record that an execution has ended."""
        self.ended[name] = [status, now.isoformat()]
        for start in self.starts:
            if start.name == name:
                start.status = status

    def forget(self, now: datetime) -> None:
        """Drop what no decision needs any more. An execution that ended long ago may have been redriven
        since."""
        kept = (now - LAG).isoformat()
        self.ended = {name: end for name, end in self.ended.items() if end[1] > kept}
        success = next((at for at, one in enumerate(self.starts) if one.status == SUCCEEDED), MOST_STARTS)
        kept_starts = [one for at, one in enumerate(self.starts) if at <= success or one.is_open]
        self.starts = kept_starts[:MOST_STARTS]
        kept = (now - REMEMBERED).isoformat()
        recent = [(text, at) for text, at in self.asked.items() if at > kept]
        self.asked = dict(recent[-MOST_ASKED:])

    @property
    def is_new(self) -> bool:
        """True if nothing has ever been requested, and no upload event has arrived."""
        return not (self.parked or self.starts or self.newest or self.quiet)

    @classmethod
    def from_text(cls, text: str | bytes, *, uri: str) -> Self:
        """Parse a text that :meth:`to_text` wrote. Raises DamagedFileError for anything else."""
        values = open_document(text, SCHEMA, uri=uri, remedy=REMEDY)
        try:
            parked = values.pop("parked")
            starts = [Start(**start) for start in values.pop("starts")]
            return cls(parked=Request(**parked) if parked else None, starts=starts, **values)
        except (KeyError, TypeError) as error:
            raise DamagedFileError(f"{uri}: {error}", remedy=REMEDY) from None

    def to_text(self) -> str:
        """Return the state as JSON with its schema and digest."""
        return json.dumps(seal_document(SCHEMA, self.to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        values: Mapping[str, Any] = vars(self)
        parked = asdict(self.parked) if self.parked else None
        return {**values, "parked": parked, "starts": [vars(start) for start in self.starts]}
