"""The starter against its model: tens of thousands of random histories, and a starter broken on purpose.

A history that breaks a promise is run again with ``run(seed)``, which raises the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from starter_histories import run
from starter_model import BrokenPromiseError

from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.triggers.messages import text
from amazon_estimators.triggers.quiet_periods import QuietPeriods
from amazon_estimators.triggers.starter import Starter
from amazon_estimators.triggers.state import RUNNING, Request, Start
from quiet import no_logs

SEEDS = 20_000
PART = 1_250
FOUND_WITHIN = 2_000


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: every failure that a history makes would be a traceback."""
    with no_logs():
        yield


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_the_starter_keeps_its_promises_in_every_history(first: int) -> None:
    for seed in range(first, first + PART):
        try:
            run(seed)
        except BrokenPromiseError as broken:
            pytest.fail(f"seed {seed}: {broken}")


class ForgetsWhatWaits(Starter):
    """Replaces what waits by what is asked for next, whatever was to be trained again."""

    def _want(self, data_set: DataSet, reason: str, *, always: bool = False) -> bool:
        self._state.parked = None
        return super()._want(data_set, reason, always=always)


class TakesFailedForTrained(Starter):
    """Takes every execution that exists for a training, whatever became of it."""

    def _fate(self, start: Start) -> str:
        fate = super()._fate(start)
        return fate if fate in ("STARTING", "RUNNING") else "SUCCEEDED"


class StartsBeforeItSaves(Starter):
    """Saves the name of an execution only after it was started, and takes a new one each time."""

    def _start(self, request: Request) -> None:
        name = self._free_name(f"{request.data_set}-{self._training_settings}")
        start = Start(
            name, request.data_set, self._training_settings, request.reason, self._now().isoformat()
        )
        self._begin(start)
        self._state.starts.insert(0, start)
        self._state.parked = None


class BelievesTheList(Starter):
    """Counts what Step Functions' list shows, and nothing it does not show yet."""

    def _running(self) -> set[str]:
        return set(self._executions.running())


class OverlooksDeletions(Starter):
    """Dates a look by its newest object: a deletion is no change."""

    def _take(self, moment: datetime | None = None) -> DataSet:
        data_set = super()._take(moment)
        if moment is not None:
            return data_set
        made = [
            entry["LastModified"]
            for entries in self._s3.versions.values()
            for entry in entries[:1]
            if "ETag" in entry
        ]
        newest = max(made, default=datetime(1970, 1, 1, tzinfo=UTC)).replace(microsecond=0)
        return replace(data_set, as_of=newest, is_present=True)


class TrainsOlderData(Starter):
    """Lets a marker that comes late replace newer data."""

    def _marker(self, message: Mapping[str, Any]) -> None:
        self._state.newest = ""
        super()._marker(message)


class RemembersNoRetraining(Starter):
    """Trains again for every copy of a message that asks for it."""

    def _has_asked(self, what: str) -> bool:
        return False


class SkipsInSilence(Starter):
    """Tells nobody why it does not train."""

    def _skip(self, because: str, *, reason: str, data_set: str | None = None) -> None:
        pass


class NeverWakes(Starter):
    """Waits for the end of an execution, though its event may be lost."""

    def _resume(self) -> None:
        self._state.wake = "9"
        super()._resume()


class IgnoresSettings(Starter):
    """Takes data for trained, whatever it was trained with."""

    _training_settings = "5e771265"


class BelievesTheName(Starter):
    """Takes an execution for one with the settings that its name tells."""

    def _has_these_settings(self, start: Start) -> bool:
        return start.settings == self._training_settings


class ReusesNames(Starter):
    """Starts an execution again under its old name, and takes that for a start."""

    def _free_name(self, stem: str) -> str:
        return f"{stem}-1"


class DropsTheStart(Starter):
    """Does not go on with an execution whose start was cut short."""

    def _resume(self) -> None:
        for start in self._state.starts:
            start.status = RUNNING if start.status == "STARTING" else start.status
        super()._resume()


class QuietForTooShort(Starter):
    """Takes the first schedule of a quiet period for its end, and a moved one for a copy."""

    def _quiet_ends(self, message: Mapping[str, Any]) -> None:
        self._state.quiet.pop(text(message, "name"), None)


class BelievesItsClock(Starter):
    """Never lets a quiet period end earlier than it was set to, though the clock was wrong then."""

    def _upload(self, message: Mapping[str, Any]) -> None:
        set_to, _ = self._state.quiet.get(text(message, "name"), ("", 0))
        if set_to <= self._now().isoformat():
            super()._upload(message)

    def _remember(self, *, is_checked: bool) -> None:
        with patch.object(QuietPeriods, "set_right"):
            super()._remember(is_checked=is_checked)


class OverlooksRedrives(Starter):
    """Takes an execution that ended for ended, though it was redriven."""

    def _running(self) -> set[str]:
        self._state.ended = {name: (*end[:2], 1_000) for name, end in self._state.ended.items()}
        return super()._running()


SABOTAGES: list[type[Starter]] = [
    BelievesItsClock,
    BelievesTheList,
    BelievesTheName,
    DropsTheStart,
    ForgetsWhatWaits,
    IgnoresSettings,
    NeverWakes,
    OverlooksRedrives,
    OverlooksDeletions,
    QuietForTooShort,
    RemembersNoRetraining,
    ReusesNames,
    SkipsInSilence,
    StartsBeforeItSaves,
    TakesFailedForTrained,
    TrainsOlderData,
]


@pytest.mark.parametrize("starter", SABOTAGES, ids=lambda one: one.__name__)
def test_a_starter_that_breaks_a_promise_is_found(starter: type[Starter]) -> None:
    for seed in range(FOUND_WITHIN):
        try:
            run(seed, starter)
        except BrokenPromiseError:
            return
    pytest.fail(f"{starter.__name__} kept all promises in {FOUND_WITHIN:,} histories")
