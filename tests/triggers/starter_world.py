"""A world for the starter: a versioned bucket, a state machine, schedules and a clock, all in memory.

Every call of the starter to a service passes through ``Faults``, which may let it fail or end the process,
before the call takes effect or after.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from amazon_estimators.pipeline.event_names import LINEAGE
from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.storage.input_files import InputFiles
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.starter import Starter
from amazon_estimators.triggers.state import State

T = TypeVar("T")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = StarterSettings(
    pipeline="Stack/Digits",
    state_machine="arn:aws:states:eu-west-1:111122223333:stateMachine:Digits",
    data_bucket="bucket",
    prefix="",
    channels={"train": InputFiles("input/train/", skip=("*.md",))},
    max_concurrent=1,
    attempts=3,
    retry_seconds=15,
    queue="arn:aws:sqs:eu-west-1:111122223333:starter.fifo",
    queue_url="https://queue",
    dead_letters="https://dead-letters",
    undelivered="arn:aws:sqs:eu-west-1:111122223333:undelivered",
    schedule_group="digits",
    schedule_role="arn:aws:iam::111122223333:role/schedules",
)


class Crash(BaseException):
    """The process ends here: nothing of the starter's own runs after it."""


class Faults:
    """Lets the call number ``left`` from now fail: ``before`` or after it takes effect, by ``error``."""

    def __init__(self) -> None:
        self.left = 0
        self.before = True
        self.error: type[BaseException] = ConnectionError
        self.outage: dict[str, int] = {}

    def call(self, operation: str, act: Callable[[], T]) -> T:
        if self.outage.get(operation, 0):
            self.outage[operation] -= 1
            raise ConnectionError(f"{operation} failed")
        if not self.left:
            return act()
        self.left -= 1
        if self.left:
            return act()
        if self.before:
            raise self.error(f"{operation} was not sent")
        act()
        raise self.error(f"the answer to {operation} was lost")


class Clock:
    """Time that passes when a test says so. S3's clock is right, the starter's may be ``off`` by some
    seconds."""

    def __init__(self) -> None:
        self.now = NOON
        self.off = timedelta(0)

    def __call__(self) -> datetime:
        return self.now + self.off

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Bucket:
    """S3 with versions, as far as the starter uses it."""

    def __init__(self, clock: Clock, faults: Faults | None = None) -> None:
        self._clock = clock
        self._faults = faults or Faults()
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self._count = 0

    def write(self, key: str, body: bytes = b"") -> None:
        """Upload an object, as somebody else."""
        self._add(key, {"ETag": f'"e{self._count}"', "Size": len(body), "body": body})

    def delete(self, key: str) -> None:
        """Delete an object, as somebody else: a delete marker is written."""
        self._add(key, {})

    def _add(self, key: str, content: dict[str, Any]) -> None:
        entry = {"Key": key, "VersionId": f"v{self._count}", "LastModified": self._clock.now, **content}
        self._count += 1
        self.versions.setdefault(key, []).insert(0, entry)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes = b"", **_: Any) -> dict[str, Any]:
        self._faults.call("put_object", lambda: self.write(Key, Body))
        return {"ETag": '"e"'}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return self._faults.call("get_object", lambda: {"Body": io.BytesIO(self.versions[Key][0]["body"])})

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        found = self.versions.get(Prefix, ())
        listed = [{"Key": Prefix, "Size": found[0]["Size"]}] if found and "ETag" in found[0] else []
        return self._faults.call("list_objects_v2", lambda: {"Contents": listed})

    def get_paginator(self, operation: str) -> Bucket:
        assert operation == "list_object_versions"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        yield self._faults.call("list_object_versions", lambda: self._page(Prefix))

    def list_object_versions(
        self, *, Bucket: str, Prefix: str, KeyMarker: str, VersionIdMarker: str
    ) -> dict[str, Any]:
        return self._page(Prefix, KeyMarker, VersionIdMarker)

    def _page(self, prefix: str, after_key: str = "", after_version: str = "") -> dict[str, Any]:
        page: dict[str, list[dict[str, Any]]] = {"Versions": [], "DeleteMarkers": []}
        for key in sorted(key for key in self.versions if key.startswith(prefix) and key >= after_key):
            entries = self.versions[key]
            ids = [entry["VersionId"] for entry in entries]
            behind = ids.index(after_version) + 1 if key == after_key else 0
            for number, entry in enumerate(entries):
                if number >= behind:
                    kind = "Versions" if "ETag" in entry else "DeleteMarkers"
                    page[kind].append({**entry, "IsLatest": number == 0})
        return page

    def read(self, key: str) -> bytes:
        body: bytes = self.versions[key][0]["body"]
        return body


class Machine:
    """Executions by name. While it lags, lists and descriptions show what they showed when it began to."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.executions: dict[str, str] = {}
        self.inputs: dict[str, Mapping[str, Any]] = {}
        self.untold: dict[str, dict[str, Any]] = {}
        self.redrives: dict[str, int] = {}
        self.seen: dict[str, str] | None = None
        self.seen_redrives: dict[str, int] = {}
        self.digest = "5e771265"
        self.starts_with: str | None = None
        """The settings that executions still start with, some seconds after a deployment of ``digest``."""
        self.settings_by_name: dict[str, str] = {}
        self.on_start: Callable[[str], None] = lambda name: None

    def start(self, name: str, execution_input: Mapping[str, Any]) -> None:
        self._faults.call("start_execution", lambda: self._begin(name, execution_input))

    def _begin(self, name: str, execution_input: Mapping[str, Any]) -> None:
        if name not in self.executions:
            self.executions[name] = "RUNNING"
            self.inputs[name] = execution_input
            self.settings_by_name[name] = self.starts_with or self.digest
            self.on_start(name)

    def redrive(self, name: str) -> None:
        """Redrive an execution that failed, as somebody else."""
        self.executions[name] = "RUNNING"
        self.redrives[name] = self.redrives.get(name, 0) + 1

    def _redrives(self, name: str) -> int:
        return (self.redrives if self.seen is None else self.seen_redrives).get(name, 0)

    def running(self) -> dict[str, int]:
        shown = self.executions if self.seen is None else self.seen
        running = {name: self._redrives(name) for name, status in shown.items() if status == "RUNNING"}
        return self._faults.call("list_executions", lambda: running)

    def newest(self) -> Iterator[tuple[str, str, str]]:
        shown = self.executions if self.seen is None else self.seen
        listed = [(name, status, NOON.isoformat()) for name, status in shown.items()]
        yield from self._faults.call("list_executions", lambda: listed[::-1])

    def status(self, name: str) -> str:
        return self.standing(name)[0]

    def standing(self, name: str) -> tuple[str, int]:
        shown = self.executions if self.seen is None else self.seen
        standing = shown.get(name, "NEVER_STARTED"), self._redrives(name)
        return self._faults.call("describe_execution", lambda: standing)

    def failure(self, name: str) -> tuple[str, str]:
        return self._faults.call("describe_execution", lambda: ("InputError", f"{name} failed"))

    def unannounced(self, name: str) -> dict[str, Any] | None:
        return self._faults.call("describe_execution", lambda: self.untold.get(name))

    def settings(self) -> str:
        return self._faults.call("describe_state_machine", lambda: self.digest)

    def settings_of(self, name: str) -> str | None:
        return self._faults.call("describe_execution", lambda: self.settings_by_name.get(name))

    def lag(self) -> None:
        self.seen, self.seen_redrives = dict(self.executions), dict(self.redrives)

    def catch_up(self) -> None:
        self.seen = None


class Schedules:
    """The starter's one-time schedules that have not fired yet: when each fires and what it sends."""

    def __init__(self, faults: Faults | None = None) -> None:
        self._faults = faults or Faults()
        self.pending: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
        self.calls = 0

    def set(self, name: str, at: datetime, message: Mapping[str, Any]) -> None:
        self._faults.call("update_schedule", lambda: self._set(name, at, message))

    def _set(self, name: str, at: datetime, message: Mapping[str, Any]) -> None:
        self.calls += 1
        self.pending[name] = (at, message)


class World:
    """Everything, and the verbs of the tests. Every message meets a new starter, as after a cold start."""

    def __init__(self, *, prefix: str = "", max_concurrent: int = 1) -> None:
        self.clock, self.faults = Clock(), Faults()
        self.s3, self.machine = Bucket(self.clock, self.faults), Machine(self.faults)
        self.schedules = Schedules(self.faults)
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.lineage: list[Mapping[str, Any]] = []
        self.prefix = prefix
        values = vars(SETTINGS) | {
            "prefix": prefix,
            "channels": {"train": InputFiles(f"{prefix}input/train/", skip=("*.md",))},
            "max_concurrent": max_concurrent,
        }
        self.settings = StarterSettings(**values)

    def starter(self) -> Starter:
        return Starter(
            self.settings,
            s3=self.s3,
            executions=self.machine,  # type: ignore[arg-type]  # a double
            wakeups=self.schedules,  # type: ignore[arg-type]  # a double
            tell=self.tell,
            now=self.clock,
        )

    def tell(self, kind: str, detail: Mapping[str, Any]) -> None:
        if kind == LINEAGE:
            self.lineage.append(detail)
        else:
            self.faults.call("put_events", lambda: self.told.append((kind, detail)))

    def key(self, name: str) -> str:
        return f"{self.prefix}input/train/{name}"

    def upload(self, *names: str) -> None:
        for name in names:
            self.s3.write(self.key(name), b"1,2")

    def marker(self) -> dict[str, Any]:
        """Return the message of a marker that is written now."""
        return {"trigger": "marker", "time": self.clock.now.isoformat(), "event": "e"}

    def batch(self, *names: str) -> dict[str, Any]:
        """Upload and write the marker, a second later; a second passes then too."""
        self.upload(*names)
        self.clock.passes(1)
        message = self.marker()
        self.clock.passes(1)
        return message

    def handle(self, *messages: Mapping[str, Any]) -> None:
        for message in messages:
            self.starter().handle(message)

    def end(self, name: str, status: str = "SUCCEEDED") -> None:
        """End an execution, which is told."""
        self.machine.executions[name] = status
        self.handle({"trigger": "ended", "execution": name, "status": status, "event": name})

    @property
    def names(self) -> list[str]:
        """The names of all executions, in the order of their start."""
        return list(self.machine.executions)

    @property
    def state(self) -> State:
        key = state_key(self.prefix)
        return State.from_text(self.s3.read(key), uri=f"s3://bucket/{key}")

    def because(self) -> str:
        """Return why the last request was skipped."""
        kind, detail = self.told[-1]
        assert kind == "Training Skipped"
        because: str = detail["because"]
        return because

    def lines(self, execution: str) -> list[dict[str, Any]]:
        """Return the objects of an execution's data set."""
        version = self.machine.inputs[execution]["data_set"]
        body = self.s3.read(f"{self.prefix}datasets/{version}.jsonl.gz")
        return [json.loads(line) for line in gzip.decompress(body).splitlines()[1:]]

    def trained_on(self, execution: str) -> list[str]:
        """Return the names of the files of an execution's data set."""
        return [line["key"].rpartition("/")[2] for line in self.lines(execution)]
