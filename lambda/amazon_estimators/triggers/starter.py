"""Decide which data set version a message asks for, and if it starts, waits or has been trained.

Messages are handled one at a time, in the order of the queue. Every request is parked first; then the parked
request starts if there is room. The state is saved before each irreversible step, so a message that is
handled twice, completely or in part, changes nothing. Step Functions, not the state, says what has been
trained.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.event_names import RECOVERED, SKIPPED
from amazon_estimators.triggers.ends import ANNOUNCED, ENDS, Tell, tell_end
from amazon_estimators.triggers.executions import NEVER_STARTED, Executions
from amazon_estimators.triggers.memory import Memory
from amazon_estimators.triggers.messages import (
    DAY,
    UnknownMessageError,
    choice,
    flag,
    number,
    optional_text,
    text,
    time,
)
from amazon_estimators.triggers.missed_uploads import SILENCE, missed_upload
from amazon_estimators.triggers.quiet_periods import MINUTE, QuietPeriods
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.state import (
    LAG,
    LONGEST_REASON,
    RUNNING,
    STARTING,
    SUCCEEDED,
    WAKE,
    Request,
    Start,
    in_time,
)
from amazon_estimators.triggers.wakeups import Wakeups, whole

YEAR = 366 * DAY


class Starter:
    """Handles one message. ``tell`` puts an event, by detail type and detail; ``now`` is in UTC."""

    def __init__(
        self,
        settings: StarterSettings,
        *,
        s3: Any,
        executions: Executions,
        wakeups: Wakeups,
        tell: Tell,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._s3 = s3
        self._executions = executions
        self._wakeups = wakeups
        self._tell = tell
        self._now = now
        self._memory = Memory(s3, settings.data_bucket, settings.prefix)

    def handle(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks for. Raises UnknownMessageError, or AWS's error."""
        handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "marker": self._marker,
            "upload": self._upload,
            "quiet": self._quiet_ends,
            "schedule": self._schedule,
            "alarm": self._alarm,
            "request": self._request,
            "ended": self._ended,
            "wake": self._wake,
            "deployed": self._deployed,
            "missed": self._missed,
        }
        handler = handlers.get(str(message.get("trigger")))
        if handler is None:
            raise UnknownMessageError(
                f"trigger is {str(message.get('trigger'))[:100]!r}; allowed: {', '.join(handlers)}"
            )
        # An upload alone decides nothing, and many come at once.
        self._remember(is_checked=handler != self._upload)
        handler(message)
        self._go_on()

    def _go_on(self) -> None:
        self._memory.save()
        self._resume()
        self._memory.save()

    def _remember(self, *, is_checked: bool) -> None:
        """Load the state. If it is lost or older than what Step Functions lists, make it again from that and
        look at what lies there now."""
        damage = self._memory.load()
        if damage or is_checked:
            older = self._memory.catch_up(self._executions)
            damage = damage or older
        self._state = self._memory.state
        self._state.forget(self._now())
        self._quiet = QuietPeriods(self._state, self._wakeups, self._now)
        self._quiet.set_right()
        if damage:
            detail = {
                **self._settings.identity,
                "because": damage,
                "forgotten": self._settings.work.forgotten,
            }
            self._tell(RECOVERED, detail)
            self._look("the starter's state was rebuilt")
            self._go_on()

    def _marker(self, message: Mapping[str, Any]) -> None:
        """Request a training of a complete batch: the input when the marker was written, however late this
        message is."""
        moment = time(message, "time")
        reason = f"marker of {moment.isoformat()}"
        data_set = self._take(moment)
        if not data_set.is_present and data_set.as_of.isoformat() < self._state.newest:
            self._skip("a newer data set has been requested since", reason=reason)
            return
        self._want(data_set, reason)

    def _upload(self, message: Mapping[str, Any]) -> None:
        self._quiet.hear_upload(message)

    def _quiet_ends(self, message: Mapping[str, Any]) -> None:
        if self._quiet.is_over(message):
            self._look(f"no upload for a while, until {time(message, 'end').isoformat()}")

    def _schedule(self, message: Mapping[str, Any]) -> None:
        reason = f"schedule at {text(message, 'time')}"
        self._look(reason, retrain=reason if flag(message, "retrain_unchanged") else "")

    def _alarm(self, message: Mapping[str, Any]) -> None:
        alarm, event = text(message, "alarm"), text(message, "event")
        moment = time(message, "time")
        at, reason = in_time(moment, self._now()), f"alarm {alarm.rpartition(':')[2]} at {moment.isoformat()}"
        last = self._state.alarms.get(alarm)
        cool = timedelta(seconds=number(message, "cool_down_seconds", YEAR))
        asked = f"alarm event {event}"
        if last is not None and not self._has_asked(asked) and at < datetime.fromisoformat(last) + cool:
            noun = self._settings.work.noun
            self._skip(f"it started {noun} at {last} and cools down for {cool}", reason=reason)
        elif self._look(reason, retrain=asked):
            self._state.alarms[alarm] = at.isoformat()

    def _request(self, message: Mapping[str, Any]) -> None:
        """Somebody asks, for a ``reason``. ``retrain``: train even unchanged data, once for each text of
        it."""
        retrain, reason = optional_text(message, "retrain"), optional_text(message, "reason")
        self._look(reason or retrain or "asked for", retrain=retrain)

    def _ended(self, message: Mapping[str, Any]) -> None:
        name, told = text(message, "execution"), choice(message, "status", ENDS)
        now, redrives = self._executions.standing(name)
        heard = self._state.ended.get(name)
        if now == RUNNING and redrives > (heard[2] if heard else 0):
            self._wake_in(MINUTE)  # redriven: this may tell of the end before, and Step Functions may lag
            return
        self._state.hear_end(name, ANNOUNCED.get(told, told), self._now(), redrives=redrives)
        tell_end(
            name,
            told,
            is_new=heard is None,
            redrives=redrives,
            settings=self._settings,
            executions=self._executions,
            s3=self._s3,
            tell=self._tell,
        )

    def _wake(self, message: Mapping[str, Any]) -> None:
        if text(message, "at") == self._state.wake:
            self._state.wake = ""

    def _deployed(self, message: Mapping[str, Any]) -> None:
        """Look later for uploads without an event. After the first event there are none."""
        if self._state.is_new:
            name, at = f"missed-{_short(text(message, 'listener'))}", whole(self._now() + SILENCE)
            self._wakeups.set(name, at, {**message, "trigger": "missed"})

    def _missed(self, message: Mapping[str, Any]) -> None:
        upload = missed_upload(self._s3, self._settings.data_bucket, message)
        if upload is not None and time(upload, "time").isoformat() > self._state.newest:
            {"marker": self._marker, "upload": self._upload}[upload["trigger"]](upload)

    def _take(self, moment: datetime | None = None) -> DataSet:
        return DataSet.take(self._s3, self._settings.data_bucket, self._settings.channels, moment)

    def _look(self, reason: str, *, retrain: str = "") -> bool:
        """Request a training of the current input; with ``retrain`` even if it has been trained, once for
        each text.

        Returns True if the request was parked. Otherwise an event says why not.
        """
        if retrain and self._has_asked(retrain):
            at = self._state.asked[_short(retrain)]
            self._skip(f"the same was requested at {at} and is not repeated", reason=reason)
            return False
        data_set = self._take()
        self._state.newest = max(self._state.newest, data_set.as_of.isoformat())
        if not any(data_set.channels.values()):
            self._skip("there is no input", reason=reason)
            return False
        if retrain:
            self._state.asked[_short(retrain)] = self._now().isoformat()
        return self._want(data_set, reason, always=bool(retrain))

    def _has_asked(self, what: str) -> bool:
        return _short(what) in self._state.asked

    def _want(self, data_set: DataSet, reason: str, *, always: bool = False) -> bool:
        """Park a request, or announce why it needs no training. It is at least as new as all earlier ones."""
        self._state.newest = max(self._state.newest, data_set.as_of.isoformat())
        request = Request(data_set.version, reason[:LONGEST_REASON], always)
        if self._state.parked is None and not always and self._is_answered(request):
            return False
        data_set.freeze(self._s3, self._settings.data_bucket, self._settings.prefix)
        parked = self._state.parked
        self._state.parked = parked.followed_by(request) if parked else request
        return True

    def _is_answered(self, request: Request) -> bool:
        """Return True, and announce it, if the data set was trained last or is being trained.

        Executions without a model do not count: the model in use comes from an earlier one.
        """
        for start in self._state.starts:
            fate = self._fate(start)
            if start.is_open or fate == SUCCEEDED:
                if start.data_set != request.data_set or not self._has_these_settings(start):
                    return False
                work = self._settings.work
                doing = work.has_done if fate == SUCCEEDED else work.is_doing
                because = f"nothing has changed: execution {start.name} {doing} it"
                self._skip(because, reason=request.reason, data_set=request.data_set)
                return True
        return False

    def _resume(self) -> None:
        """Start the parked request, if there is room."""
        for start in reversed(self._state.starts):
            if start.status == STARTING:
                self._begin(start)
        parked = self._state.parked
        if parked is None:
            return
        if not parked.always and self._is_answered(parked):
            self._state.parked = None
        elif len(self._running()) < self._settings.max_concurrent:
            self._start(parked)
        elif self._state.wake <= self._now().isoformat():
            self._wake_in(WAKE)

    def _wake_in(self, period: timedelta) -> None:
        at = whole(self._now() + period)
        self._wakeups.set(f"wake-{int(at.timestamp())}", at, {"trigger": "wake", "at": at.isoformat()})
        self._state.wake = at.isoformat()

    def _start(self, request: Request) -> None:
        """Start an execution under a name that is saved first, so that a repeated start is the same
        execution."""
        name = self._free_name(f"{request.data_set}-{self._training_settings}")
        at = self._now().isoformat()
        start = Start(name, request.data_set, self._training_settings, request.reason, at)
        self._state.starts.insert(0, start)
        self._state.parked = None
        self._memory.save()
        self._begin(start)

    def _begin(self, start: Start) -> None:
        self._executions.start(start.name, {"data_set": start.data_set, "reason": start.reason})
        start.status, start.at = RUNNING, self._now().isoformat()

    def _free_name(self, stem: str) -> str:
        numbers = [_number_of(start.name) for start in self._state.starts if start.name.startswith(stem)]
        serial = max(numbers, default=0) + 1
        while self._executions.status(f"{stem}-{serial}") != NEVER_STARTED:
            serial += 1
        return f"{stem}-{serial}"

    def _running(self) -> set[str]:
        """Return the executions that run, whatever Step Functions' list has not heard of yet."""
        running, ended = self._executions.running(), self._state.ended
        listed = {
            name for name, redrives in running.items() if name not in ended or redrives > ended[name][2]
        }
        for start in self._state.starts:
            if start.is_open and start.name not in listed and self._fate(start) == RUNNING:
                listed.add(start.name)
        return listed

    def _fate(self, start: Start) -> str:
        """Return how an execution stands, and keep it. Step Functions' answer may be some minutes old."""
        told, redrives = self._executions.standing(start.name)
        heard = self._state.ended.get(start.name)
        if told == NEVER_STARTED and start.status == RUNNING:
            new = datetime.fromisoformat(start.at) > self._now() - LAG
            start.status = start.status if new else NEVER_STARTED
        elif told == RUNNING and heard and redrives <= heard[2]:
            start.status = heard[0]
        elif told != NEVER_STARTED:
            start.status = told
        return start.status

    def _has_these_settings(self, start: Start) -> bool:
        """Return True if an execution trains with the current settings. Its name shows only the intended
        ones.

        For an execution that has not begun, this is unknown; if Step Functions has forgotten it, the name
        decides.
        """
        actual = self._executions.settings_of(start.name)
        if actual is None and start.status != STARTING:
            actual = start.settings
        return actual == self._training_settings

    @cached_property
    def _training_settings(self) -> str:
        return self._executions.settings()

    def _skip(self, because: str, *, reason: str, data_set: str | None = None) -> None:
        detail = {**self._settings.identity, "data_set": data_set}
        self._tell(SKIPPED, {**detail, "reason": reason[:LONGEST_REASON], "because": because})


def _short(what: str) -> str:
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _number_of(name: str) -> int:
    return int(name.rpartition("-")[2])
