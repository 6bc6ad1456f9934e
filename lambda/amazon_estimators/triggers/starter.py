"""The decisions: which data set version a message asks for, and whether it starts, waits or has been trained.

One message at a time, in the order of the queue. Every wish is parked first; then what is parked starts if
there is room. So a wish can be replaced by a newer one, never lost, and every message leaves the state
complete: one that is handled twice, whole or in part, changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_estimators.pipeline.announce import FAILED, SKIPPED, failure
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.keys import last_trained_key
from amazon_estimators.storage.s3 import get_json, is_there
from amazon_estimators.triggers.executions import NEVER_STARTED, RUNNING, Executions
from amazon_estimators.triggers.quiet import QuietPeriods, slack
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.state import LAG, Request, State

TOLD_BY_NOBODY = ("ABORTED", "TIMED_OUT")
"""Ends that leave the state machine no time to announce them."""


class UnknownMessageError(ValueError):
    """A message that no trigger sends: handling it again would not help."""


class Starter:
    """Handles messages. ``tell`` takes the detail type and detail of an event; ``now`` is UTC."""

    def __init__(
        self,
        settings: StarterSettings,
        *,
        s3: Any,
        executions: Executions,
        quiet: QuietPeriods,
        tell: Callable[[str, Mapping[str, Any]], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._s3 = s3
        self._executions = executions
        self._quiet = quiet
        self._tell = tell
        self._now = now
        self._state = State.load(s3, settings.data_bucket, settings.prefix)
        self._saved = self._state.to_dict()

    def handle(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks for. Raises UnknownMessageError, or what AWS answered."""
        handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "marker": self._marker,
            "upload": self._upload,
            "quiet": self._quiet_ends,
            "schedule": self._schedule,
            "alarm": self._alarm,
            "request": self._request,
            "ended": self._ended,
        }
        handler = handlers.get(str(message.get("trigger")))
        if handler is None:
            raise UnknownMessageError(
                f"trigger is {message.get('trigger')!r}; allowed: {', '.join(handlers)}"
            )
        try:
            handler(message)
            self._resume()
            self._save()
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise UnknownMessageError(
                f"{type(error).__name__}: {error}, in a message of {message['trigger']}"
            ) from error
        finally:
            # What was not saved has not happened.
            self._state = State.from_dict(self._saved)

    def _marker(self, message: Mapping[str, Any]) -> None:
        """A batch is complete: train what lay there when the marker was written, however late this comes."""
        moment = _time(message["time"])
        if moment.isoformat() < self._state.newest:
            self._skip("a newer data set has been asked for since", reason=f"marker of {moment.isoformat()}")
            return
        self._park(self._take(moment), f"marker of {moment.isoformat()}")

    def _upload(self, message: Mapping[str, Any]) -> None:
        name, period = message["name"], timedelta(seconds=float(message["quiet_seconds"]))
        running = self._state.quiet.setdefault(name, {"end": None, "number": 0})
        end = _time(message["time"]) + period
        if running["end"] is None or _time(running["end"]) < end:
            end = _whole(end + slack(period))
            self._quiet.set(name, running["number"], end)
            running["end"] = end.isoformat()

    def _quiet_ends(self, message: Mapping[str, Any]) -> None:
        running = self._state.quiet.get(message["name"])
        if running is None or running["end"] is None or message["number"] != running["number"]:
            return
        running["number"] += 1
        if running["end"] > message["end"] and _time(running["end"]) > self._now():
            # An upload moved a schedule that was firing already: whether that was in time nobody knows.
            self._quiet.set(message["name"], running["number"], _time(running["end"]))
            return
        running["end"] = None
        self._park_present(f"no upload for a while, until {message['end']}")

    def _schedule(self, message: Mapping[str, Any]) -> None:
        always = bool(message["retrain_unchanged"])
        self._park_present(
            f"schedule at {message['time']}",
            suffix=_short(message["time"]),
            always=always,
            if_changed=not always,
        )

    def _alarm(self, message: Mapping[str, Any]) -> None:
        alarm, time = message["alarm"], _time(message["time"])
        reason = f"alarm {alarm.rpartition(':')[2]} at {time.isoformat()}"
        last = self._state.alarms.get(alarm)
        cool = timedelta(seconds=float(message["cool_down_seconds"]))
        if last is not None and last != time.isoformat() and time < _time(last) + cool:
            self._skip(f"it went off at {last} and cools down for {cool}", reason=reason)
            return
        self._park_present(reason, suffix=_short(message["event"]), always=True)
        self._state.alarms[alarm] = time.isoformat()

    def _request(self, message: Mapping[str, Any]) -> None:
        """Somebody asks. ``retrain`` says why the same data is to be trained again, once for each text."""
        retrain = str(message.get("retrain") or "")
        suffix = _short(retrain) if retrain else ""
        self._park_present(retrain or "asked for", suffix=suffix, always=bool(retrain))

    def _ended(self, message: Mapping[str, Any]) -> None:
        name, status = message["execution"], message["status"]
        self._state.over(name, self._now())
        if status in TOLD_BY_NOBODY:
            about = {"pipeline": self._settings.pipeline, "execution": name}
            self._tell(FAILED, failure(about, f"Execution.{status}", f"The execution was {status.lower()}."))

    def _take(self, moment: datetime | None = None) -> DataSet:
        settings = self._settings
        data_set = DataSet.take(self._s3, settings.data_bucket, settings.channels, moment)
        data_set.freeze(self._s3, settings.data_bucket, settings.prefix)
        return data_set

    def _park_present(
        self, reason: str, *, suffix: str = "", always: bool = False, if_changed: bool = False
    ) -> None:
        """Park what lies there now, unless it is nothing or, with ``if_changed``, no news; that is told."""
        data_set = self._take()
        if not any(data_set.channels.values()):
            self._skip("there is no input", reason=reason)
        elif if_changed and self._last_trained() == data_set.version:
            self._skip("nothing has changed since it was trained", reason=reason, data_set=data_set.version)
        else:
            self._park(data_set, reason, suffix=suffix, always=always)

    def _park(self, data_set: DataSet, reason: str, *, suffix: str = "", always: bool = False) -> None:
        """What was listed just now is at least as new as all before; a marker's moment has been compared."""
        as_of = max(data_set.as_of.isoformat(), self._state.newest)
        self._state.newest = as_of
        request = Request(data_set.version, as_of, reason, suffix, always)
        if self._state.parked is None or request.supersedes(self._state.parked):
            self._state.parked = request

    def _resume(self) -> None:
        """Start what is parked, if there is room."""
        parked = self._state.parked
        if parked is None:
            return
        running = self._running()
        trained_now = any(name.partition("-")[0] == parked.data_set for name in running)
        if not trained_now or parked.always:
            if len(running) >= self._settings.max_concurrent:
                return
            self._start(parked)
        self._state.parked = None

    def _start(self, request: Request) -> None:
        once = not request.suffix
        if once or not request.always:
            if self._execute(request.data_set, request) or once:
                return
            if (
                self._executions.status(request.data_set) == RUNNING
                or self._last_trained() == request.data_set
            ):
                return
        self._execute(f"{request.data_set}-{request.suffix}", request)

    def _execute(self, name: str, request: Request) -> bool:
        """Start it, or find that it was started before: then False."""
        started = self._executions.start(name, {"data_set": request.data_set, "reason": request.reason})
        if started:
            self._state.begun(name, self._now())
        return started

    def _running(self) -> set[str]:
        """Executions that run, whatever Step Functions' list has not heard of yet."""
        now, state = self._now(), self._state
        state.forget(now)
        listed = self._executions.running() - set(state.ended)
        for name, since in list(state.started.items()):
            if name in listed:
                continue
            status = self._executions.status(name)
            new = _time(since) > now - LAG
            if status == RUNNING or (status == NEVER_STARTED and new):
                listed.add(name)
            else:
                state.over(name, now)
        return listed

    def _last_trained(self) -> str | None:
        bucket, key = self._settings.data_bucket, last_trained_key(self._settings.prefix)
        if not is_there(self._s3, bucket, key):
            return None
        version: str | None = get_json(self._s3, bucket, key)["data_set"]
        return version

    def _skip(self, because: str, *, reason: str, data_set: str | None = None) -> None:
        detail = {
            "pipeline": self._settings.pipeline,
            "data_set": data_set,
            "reason": reason,
            "because": because,
        }
        self._tell(SKIPPED, detail)

    def _save(self) -> None:
        """Only what has changed is written: most uploads of a burst change nothing."""
        if (values := self._state.to_dict()) != self._saved:
            self._state.save(self._s3, self._settings.data_bucket, self._settings.prefix)
            self._saved = values


def _time(text: str) -> datetime:
    """An ISO 8601 time in whole seconds, UTC: S3 lists objects no finer."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def _whole(time: datetime) -> datetime:
    """Rounded up to a second: schedules take no fractions."""
    return time if not time.microsecond else time.replace(microsecond=0) + timedelta(seconds=1)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
