"""The starter's state between messages: one small JSON object beside the pipeline's data.

The queue delivers one message at a time to one starter, so nothing else writes the state. It holds what no
service knows: what waits, what was started and why, and what has been requested already. How an execution
ended is known to Step Functions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from amazon_estimators.storage.documents import fields_of, is_of, open_document, seal_document

SCHEMA = "starter-state/3"
NAME = re.compile(r"([0-9a-f]{24})-([0-9a-f]{8})-([1-9][0-9]{0,8})")
"""The name of an execution that a starter began: data set, settings and number of trainings with both."""
REMEDY = "Do nothing: the starter rebuilds it from S3 and Step Functions."
LAG = timedelta(minutes=5)
"""How long Step Functions' answers about an execution may be outdated; in practice it is seconds."""
REMEMBERED = timedelta(days=90)
"""How long a requested retraining is remembered, so that a copy of the message does not repeat it."""
WAKE = timedelta(hours=1)
"""How long a request waits before the starter looks by itself if there is room: events of ends may be
lost."""
MOST_ASKED = 1_000
MOST_STARTS = 20
"""Starts since the last training that are kept, of which any number may have failed."""
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
    recently ended execution, its status, when its event arrived and how often it was redriven. ``newest``:
    the time of the newest data set requested, by S3's clock. ``quiet``: by name of the quiet period, its end
    and the number of its schedule. ``alarms``: by ARN, when each last requested a training. ``asked``:
    retrainings requested, and when. ``wake``: when the starter wakes itself to look again.
    """

    parked: Request | None = None
    starts: list[Start] = field(default_factory=list)
    ended: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    newest: str = ""
    quiet: dict[str, tuple[str, int]] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    wake: str = ""

    def hear_end(self, name: str, status: str, now: datetime, *, redrives: int) -> None:
        """Record that an execution has ended, after this many redrives."""
        self.ended[name] = (status, now.isoformat(), redrives)
        for start in self.starts:
            if start.name == name:
                start.status = status

    def forget(self, now: datetime) -> None:
        """Drop what no decision needs any more. An execution that ended long ago may have been redriven.

        What is dated later than now was taken down while the clock was wrong, and goes too.
        """
        latest, kept = (now + LAG).isoformat(), (now - LAG).isoformat()
        self.ended = {name: end for name, end in self.ended.items() if kept < end[1] <= latest}
        self.alarms = {alarm: at for alarm, at in self.alarms.items() if at <= latest}
        self.wake = self.wake if self.wake <= (now + WAKE + LAG).isoformat() else ""
        success = next(
            (at for at, one in enumerate(self.starts) if one.status == SUCCEEDED), len(self.starts)
        )
        newest = min(success, MOST_STARTS)
        self.starts = [
            one for at, one in enumerate(self.starts) if at < newest or at == success or one.is_open
        ]
        for start in self.starts:
            start.at = min(start.at, latest)
        kept = (now - REMEMBERED).isoformat()
        recent = [(text, at) for text, at in self.asked.items() if at > kept]
        self.asked = dict(recent[-MOST_ASKED:])

    def check(self) -> None:
        """Raise ValueError for what is not a time or no name that a starter gives."""
        times = [
            *(end for end, _ in self.quiet.values() if end),
            *(at for _, at, _ in self.ended.values()),
            *(start.at for start in self.starts),
            *self.alarms.values(),
            *self.asked.values(),
        ]
        for text in times:
            if datetime.fromisoformat(text).tzinfo is None:
                raise ValueError(f"{text} has no time zone")
        for start in self.starts:
            if not NAME.fullmatch(start.name):
                raise ValueError(f"{start.name!r} is no name of a start")

    @property
    def is_new(self) -> bool:
        """True if nothing has ever been requested, and no upload event has arrived."""
        return not (self.parked or self.starts or self.newest or self.quiet)

    @classmethod
    def from_text(cls, text: str | bytes, *, uri: str) -> Self:
        """Parse a text that :meth:`to_text` wrote. Raises DamagedFileError for anything else."""
        values = open_document(text, SCHEMA, uri=uri, remedy=REMEDY)
        with fields_of(uri, remedy=REMEDY):
            if not is_of(values, cls):
                raise TypeError("a field is not of its type")
            parked = values.pop("parked")
            state = cls(
                parked=Request(**parked) if parked else None,
                starts=[Start(**start) for start in values.pop("starts")],
                ended={name: tuple(end) for name, end in values.pop("ended").items()},
                quiet={name: tuple(end) for name, end in values.pop("quiet").items()},
                **values,
            )
            state.check()
            return state

    def to_text(self, *, uri: str) -> str:
        """Return the state as JSON with its schema and digest. It counts at ``uri`` alone."""
        return json.dumps(seal_document(SCHEMA, self.to_dict(), place=uri))

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        values: Mapping[str, Any] = vars(self)
        parked = asdict(self.parked) if self.parked else None
        return {**values, "parked": parked, "starts": [vars(start) for start in self.starts]}


def in_time(moment: datetime, now: datetime) -> datetime:
    """Return a time that somebody else told. A clock may go wrong: nothing has happened later than now."""
    return min(moment, now + LAG)
