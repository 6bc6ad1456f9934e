"""What the starter promises, as a model that watches a world and knows all of it: no lag, no crash, no late
event.

The world tells it of every change of the bucket, of every message that is handled and how that ended, and of
every execution that starts. Its promises:

1.  **Order**: what is trained is what lay in the bucket at some time, and never older than what was trained
    before.
2.  **One at a time**: no more executions run than the pipeline allows.
3.  **No waste**: an execution is one that somebody asked for. If nobody asked for data to be trained
    *again*, its data or its settings are not those of the last training that did not fail.
4.  **Once**: one that asks for data to be trained again is answered by one execution, however often it is
    heard.
5.  **Nothing vanishes**: each message ends as an execution on data as new as it asked for, as an event that
    says why not, which is true, or as a dead letter.
6.  **The newest wins**: in the end, the newest data asked for is what was trained last.
7.  **Uploads are looked at**: after the last upload that a quiet period was told of, somebody looked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Content = frozenset[tuple[str, str]]
"""The objects of the bucket: key and version id of each."""


RECOVERED = "the starter's state was rebuilt"


class BrokenPromiseError(BaseException):
    """The starter did what it promised never to do. No handler of the starter's own takes it for an error."""


@dataclass(eq=False)
class Wish:
    """What one message asks for: data at least as new as change number ``least``; ``again`` even if
    trained."""

    message: Mapping[str, Any]
    least: int
    asked: str = ""
    served: bool = False

    @property
    def again(self) -> bool:
        return bool(self.asked)


@dataclass
class Training:
    """An execution of the starter's: change number of its data, and the settings it runs with."""

    name: str
    change: int
    settings: str


class Model:
    """Watches ``world``; raises BrokenPromiseError as soon as a promise is broken."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.contents: list[tuple[datetime, Content]] = [(world.clock.now, frozenset())]
        self.open: list[Wish] = []
        self.half: list[Wish] = []  # of dead letters: they may have been taken down before something failed
        self.trainings: list[Training] = []
        self.newest = self.newest_at_most = 0
        self.uploaded = self.looked = 0
        self.handling: Wish | None = None
        self.asked: dict[str, Wish] = {}
        self.alarms = 0
        self.quiet: set[tuple[str, int]] = set()
        world.machine.on_start = self.starts

    # What happens in the bucket.

    def changed(self) -> None:
        found = set()
        for key, entries in self.world.s3.versions.items():
            if key.startswith(self.world.key("")) and "ETag" in entries[0] and not key.endswith("_SUCCESS"):
                found.add((key, entries[0]["VersionId"]))
        self.contents.append((self.world.clock.now, frozenset(found)))

    @property
    def now(self) -> int:
        return len(self.contents) - 1

    def at(self, moment: datetime) -> int:
        """Return the number of the last change at the end of the second ``moment``."""
        end = moment + timedelta(seconds=1)
        return max(number for number, (time, _) in enumerate(self.contents) if time < end or number == 0)

    # What the starter is told.

    def wish_of(self, message: Mapping[str, Any]) -> Wish | None:
        """Return what a message asks for, None if it asks for no training by itself."""
        trigger = message["trigger"]
        if trigger == "marker":
            return Wish(message, self.at(datetime.fromisoformat(message["time"])))
        if trigger == "alarm":
            return Wish(message, self.now, f"alarm {message['event']}")
        if trigger == "request":
            return Wish(message, self.now, message.get("retrain", ""))
        if trigger == "schedule":
            again = message["retrain_unchanged"]
            return Wish(message, self.now, f"schedule {message['time']}" if again else "")
        if trigger == "quiet":
            return Wish(message, self.now)
        return None

    def begins(self, message: Mapping[str, Any]) -> Wish | None:
        """A message is handled for the first time."""
        wish = self.wish_of(message)
        if wish:
            self.open.append(wish)
            self.alarms += message["trigger"] == "alarm"
        return wish

    def attempts(self, wish: Wish | None, attempt: int = 1) -> None:
        """A message is handed to the starter: it may look at the bucket as it is now.

        Cut short and handed out again it may find other data, and be answered twice.
        """
        if wish and attempt > 1 and not wish.again and wish not in self.half:
            self.half.append(wish)
        self.handling = wish
        if wish:
            if wish not in self.open and not wish.again and wish.message["trigger"] != "quiet":
                self.open.append(wish)  # what was started for it may have failed meanwhile
            is_past = wish.message["trigger"] == "marker" and wish.message["time"] < self.world.second
            self.newest_at_most = max(self.newest_at_most, wish.least if is_past else self.now)

    def tells(self, kind: str, detail: Mapping[str, Any]) -> None:
        """The starter tells an event while it handles a message."""
        others = [wish for wish in self.open if wish is not self.handling]
        mine = [wish for wish in self.open if wish is self.handling]
        if kind == "Starter Recovered":  # a state that was lost holds no wish but this one
            others = [Wish({"trigger": "recovered"}, max((wish.least for wish in others), default=0))]
            self.half.clear()
            self.asked.clear()
            self.quiet.clear()
            self.newest_at_most = self.now
            self.newest = self.trainings[-1].change if self.trainings else 0
            self.looked = self.now  # and a look follows
        elif kind == "Training Skipped":
            told = [wish for wish in others if not wish.again and self._is_of(wish, detail)]
            if not detail["because"].startswith("nothing has changed"):  # which is told of what waits, too
                told = [wish for wish in told if wish.message["trigger"] == "recovered"]
            others = [wish for wish in others if wish not in told]
            quiet = [wish for wish in mine if wish.message["trigger"] == "quiet"]
            mine = [wish for wish in mine if wish not in quiet or not self._is_of(wish, detail)]
        self.open = mine + others

    def sets_aside(self, wish: Wish | None) -> None:
        """A message is a dead letter now: somebody is told, and can have it handled again."""
        if wish:
            self.half += [] if wish.served or wish in self.half else [wish]
            if wish.message["trigger"] == "quiet":
                self.quiet.add((wish.message["name"], wish.message["number"]))
            self.open = [other for other in self.open if other is not wish]

    def uploaded_at(self, time: str) -> None:
        """The starter has taken down that something was uploaded."""
        self.uploaded = max(self.uploaded, self.at(datetime.fromisoformat(time)))

    def handled(
        self, wish: Wish | None, told: list[tuple[str, Mapping[str, Any]]], attempts: int = 1
    ) -> None:
        """A message has been handled, at the attempt of this number; these events were told meanwhile."""
        if wish is None:
            return
        mine = [detail for kind, detail in told if kind == "Training Skipped" and self._is_of(wish, detail)]
        if wish.message["trigger"] == "quiet" and self._is_no_look(wish.message) and not mine:
            self.open = [other for other in self.open if other is not wish]
            self.half.append(wish)
            return
        if not mine or mine[-1]["because"].startswith(("nothing has changed", "there is no input")):
            self.looked = max(self.looked, wish.least)
        again = mine and mine[-1]["because"].startswith("the same was requested")
        if again and attempts > 1 and wish.asked not in self.asked:
            mine = []  # by this very message, whose handling was cut short
        elif again and wish.asked not in self.asked:
            taken = [other for other in self.half if other.asked == wish.asked]
            self.open += taken
            self.asked.update({other.asked: other for other in taken})
            self.half = [other for other in self.half if other not in taken]
        if mine:
            self._check_skip(wish, mine[0]["because"])  # a later one tells of what waits, a copy it may be
            self.open = [other for other in self.open if other is not wish]
            return
        if wish.again:
            first = self.asked.get(wish.asked, wish)
            self._require(first is wish or first in self.half, f"{wish.asked!r} is answered twice")
            self.asked[wish.asked] = wish
        self.newest = max(self.newest, wish.least)

    def _is_of(self, wish: Wish, detail: Mapping[str, Any]) -> bool:
        """Each message of the world has a text of its own in its reason."""
        message, reason = wish.message, detail["reason"]
        if message["trigger"] == "recovered":
            return RECOVERED in reason
        if message["trigger"] == "request":
            return message["reason"] in reason.split("; ")
        text = message["end" if message["trigger"] == "quiet" else "time"]
        kind = "no upload" if message["trigger"] == "quiet" else message["trigger"]
        return any(text in part and part.startswith(kind) for part in reason.split("; "))

    def _is_no_look(self, message: Mapping[str, Any]) -> bool:
        """A quiet period ends once; an upload may have moved its end while its schedule fired."""
        key = (message["name"], message["number"])
        moved = any(
            later["trigger"] == "quiet"
            and later["name"] == message["name"]
            and (later["end"] > message["end"] or later["number"] > message["number"])
            for later in self.world.coming()
        )
        again = key in self.quiet or any(
            name == message["name"] and number > message["number"] for name, number in self.quiet
        )
        self.quiet.add(key)
        return moved or again

    def _check_skip(self, wish: Wish, because: str) -> None:
        """The reason told is true."""
        if because.startswith("a newer data set"):
            self._require(wish.least < self.newest_at_most, because)
        elif because == "there is no input":
            self._require(not self.contents[self.now][1], because)
        elif because.startswith("it started a training"):
            self._require(self.alarms > 1, f"{because}: it never did")
        elif because.startswith("the same was requested"):
            self._require(wish.asked in self.asked, f"{because}: {wish.asked!r} was not")
        else:
            self.newest = max(self.newest, wish.least)
            name = because.split()[4]
            training = next((one for one in self.trainings if one.name == name), None)
            self._require(training is not None, because)
            assert training
            same = training.settings == self.world.machine.digest
            self._require(same, f"{because}: that was with other settings")
            status = self.world.machine.executions[name]
            self._require(status in ("RUNNING", "SUCCEEDED") or self.world.machine.seen is not None, because)
            known = any(
                self.contents[number][1] == self.contents[training.change][1]
                for number in range(wish.least, self.now + 1)
            )
            self._require(known, f"{because}: that is other data")
            self._require(not wish.again, f"{because}: it was to be trained again")

    # What the starter does.

    def starts(self, name: str) -> None:
        """An execution starts."""
        if name.count("-") != 2:
            return  # by hand
        world = self.world
        running = [one.name for one in self.trainings if world.machine.executions[one.name] == "RUNNING"]
        self._require(
            len(running) < world.settings.max_concurrent, f"{name} starts beside {', '.join(running)}"
        )
        before = self.trainings[-1].change if self.trainings else 0
        content = self._content(name)
        changes = [at for at in range(before, self.now + 1) if self.contents[at][1] == content]
        self._require(bool(changes), f"{name} is on data that is older than change {before}, or never was")
        meant = name.split("-")[1]
        reason = world.machine.inputs[name]
        recovered = RECOVERED in reason["reason"]
        served = [
            wish
            for wish in (*self.open, *self.half, *([self.handling] if self.handling else []))
            if changes[-1] >= wish.least and self._is_of(wish, reason)
        ]
        # A copy of a request that waited is answered by it: the data may be older than the copy.
        waited = {wish.asked for wish in served if wish.again and wish is not self.handling}
        asked = [wish for wish in served if wish is not self.handling or wish.asked not in waited]
        # The oldest time at which this lay there and that answers the most: what follows may only be newer.
        change = (
            min(at for at in changes if all(at >= wish.least for wish in asked)) if served else changes[0]
        )
        self._require(bool(served) or recovered, f"{name}: nobody asked for it")
        self.looked = max(self.looked, changes[-1])
        if not any(wish.again for wish in served):
            last = self._last_kept()
            same = last and (self.contents[last.change][1], last.settings) == (content, meant)
            self._require(not same, f"{name}: {last and last.name} trained the same")
        self.open = [wish for wish in self.open if wish not in served]
        self.half = [wish for wish in self.half if wish not in served or not wish.again]
        for wish in served:
            wish.served = True
            self.newest = max(self.newest, wish.least)
            if wish.again:
                self.asked.setdefault(wish.asked, wish)
        self.trainings.append(Training(name, change, world.machine.settings_by_name[name]))

    def _content(self, name: str) -> Content:
        return frozenset((line["key"], line["version_id"]) for line in self.world.lines(name))

    def _last_kept(self) -> Training | None:
        """Return the last training that did not fail."""
        statuses = self.world.machine.executions
        kept = [one for one in self.trainings if statuses[one.name] in ("RUNNING", "SUCCEEDED")]
        return kept[-1] if kept else None

    # The end.

    def ends(self) -> None:
        """Nothing is under way any more."""
        waiting = [json.dumps(wish.message) for wish in self.open]
        self._require(not waiting, f"asked, and nothing happened: {waiting}")
        self._require(self.uploaded <= self.looked, "nobody looked after the last upload")
        wanted = {content for _, content in self.contents[self.newest :]}
        last = [one for one in (self._last_kept(), *self.trainings[-1:]) if one]
        known = any(self.contents[training.change][1] in wanted for training in last)
        self._require(known or not last, f"the newest data asked for is not trained last: {last[:1]} is")

    def _require(self, holds: bool, text: str) -> None:
        if not holds:
            raise BrokenPromiseError(text)
