"""Quiet periods: each upload lets one end later, and its end is a message that a one-time schedule sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from amazon_estimators.triggers.messages import DAY, label, number, time
from amazon_estimators.triggers.state import LAG, State, in_time
from amazon_estimators.triggers.wakeups import Wakeups, slack, whole

MINUTE = timedelta(minutes=1)
"""How long a period lasts at least from now on, be its upload ever so long ago."""
LONGEST = timedelta(seconds=DAY) + LAG


class QuietPeriods:
    """The quiet periods that ``state`` holds. ``now`` is UTC."""

    def __init__(self, state: State, wakeups: Wakeups, now: Callable[[], datetime]) -> None:
        self._periods = state.quiet
        self._wakeups = wakeups
        self._now = now

    def hear_upload(self, message: Mapping[str, Any]) -> None:
        """Let a period end later. Of a message that comes late, a while from now."""
        name, period = label(message, "name"), timedelta(seconds=number(message, "quiet_seconds", DAY))
        now = self._now()
        end = max(in_time(time(message, "time"), now) + period, now + min(period, MINUTE))
        set_to, serial = self._periods.get(name, ("", 0))
        # An end later than any upload sets is of a longer period before a deployment, or of a wrong clock.
        latest = now + period + slack(period) + 2 * LAG
        if not end.isoformat() <= set_to <= latest.isoformat():
            end = whole(end + slack(period))
            self._set(name, serial if set_to else max(serial + 1, int(end.timestamp())), end)

    def is_over(self, message: Mapping[str, Any]) -> bool:
        """Return True if the message of a schedule tells the end of its period, and take that down."""
        name, end, now = label(message, "name"), time(message, "end").isoformat(), self._now()
        set_to, known = self._periods.get(name, ("", 0))
        # Numbers are times, and none is far ahead: the next one has to be higher still.
        serial = int(number(message, "number", max(known, int(now.timestamp()) + 2 * DAY)))
        if serial < known or (serial == known and not set_to):
            return False  # a copy of a message that has been handled
        if serial == known and set_to > end and datetime.fromisoformat(set_to) > now:
            # An upload moved a schedule that was firing already: nobody knows if that was in time.
            self._set(name, serial + 1, datetime.fromisoformat(set_to))
            return False
        self._periods[name] = ("", serial)
        return True

    def set_right(self) -> None:
        """Let a period end in a minute that was set to end later than any can: the clock was wrong then."""
        for name, (end, serial) in self._periods.items():
            if end > (self._now() + LONGEST).isoformat():
                self._set(name, serial, whole(self._now() + MINUTE))

    def _set(self, name: str, serial: int, end: datetime) -> None:
        message = {"trigger": "quiet", "name": name, "number": serial, "end": end.isoformat()}
        self._wakeups.set(f"{name}-{serial}", end, message)
        self._periods[name] = (end.isoformat(), serial)
