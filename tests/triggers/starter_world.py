"""A world for the starter's decisions: a versioned bucket, a state machine and a clock, all in memory."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.starter import Starter
from amazon_estimators.triggers.state import State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Bucket:
    """S3 with versions, as far as the starter uses it. ``fail_next`` lets the next calls of a kind fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._versions: dict[str, list[dict[str, Any]]] = {}
        self.puts: list[str] = []
        self.fail_next: dict[str, int] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes = b"", **_: Any) -> None:
        self._maybe_fail("put_object")
        self.puts.append(Key)
        version = f"v{sum(map(len, self._versions.values()))}"
        entry = {
            "Key": Key,
            "VersionId": version,
            "LastModified": self._clock.now,
            "ETag": f'"{hashlib.md5(Body).hexdigest()}"',
            "Size": len(Body),
            "body": Body,
        }
        self._versions.setdefault(Key, []).insert(0, entry)

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        entry = {"Key": Key, "VersionId": f"d{self._clock.now}", "LastModified": self._clock.now}
        self._versions[Key].insert(0, entry)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._versions[Key][0]["body"])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        keys = [key for key, found in self._versions.items() if key.startswith(Prefix) and "ETag" in found[0]]
        return {"Contents": [{"Key": key} for key in sorted(keys)][:MaxKeys]}

    def get_paginator(self, operation: str) -> Bucket:
        assert operation == "list_object_versions"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        page: dict[str, list[dict[str, Any]]] = {"Versions": [], "DeleteMarkers": []}
        for key, found in sorted(self._versions.items()):
            for number, entry in enumerate(found if key.startswith(Prefix) else ()):
                kind = "Versions" if "ETag" in entry else "DeleteMarkers"
                page[kind].append({**entry, "IsLatest": number == 0})
        yield page

    def json(self, key: str) -> Any:
        return json.loads(self._versions[key][0]["body"])

    def _maybe_fail(self, operation: str) -> None:
        if self.fail_next.get(operation, 0):
            self.fail_next[operation] -= 1
            raise ConnectionError(f"{operation} failed")


class Machine:
    """Executions by name. ``list_lags``: the list shows what it showed when that was set to True."""

    def __init__(self) -> None:
        self.executions: dict[str, str] = {}
        self.inputs: dict[str, Mapping[str, Any]] = {}
        self._listed: set[str] | None = None
        self.failures = 0

    def start(self, name: str, execution_input: Mapping[str, Any]) -> bool:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("StartExecution failed")
        if name in self.executions:
            return False
        self.executions[name] = "RUNNING"
        self.inputs[name] = execution_input
        return True

    def running(self) -> set[str]:
        if self._listed is not None:
            return set(self._listed)
        return {name for name, status in self.executions.items() if status == "RUNNING"}

    def status(self, name: str) -> str:
        return self.executions.get(name, "NEVER_STARTED")

    def lag(self) -> None:
        self._listed = self.running()

    def catch_up(self) -> None:
        self._listed = None


class Schedules:
    """The quiet period's schedules: (name, number) to end."""

    def __init__(self) -> None:
        self.set_to: dict[tuple[str, int], datetime] = {}
        self.calls = self.failures = 0

    def set(self, name: str, number: int, end: datetime) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("UpdateSchedule failed")
        self.calls += 1
        self.set_to[name, number] = end


class World:
    """Everything, and the verbs of the tests. Every message meets a new starter, as after a cold start."""

    def __init__(self, *, prefix: str = "", max_concurrent: int = 1) -> None:
        self.clock = Clock()
        self.s3, self.machine, self.schedules = Bucket(self.clock), Machine(), Schedules()
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.prefix = prefix
        self.settings = StarterSettings(
            pipeline="Stack/Digits",
            state_machine="arn:aws:states:eu-west-1:111122223333:stateMachine:Digits",
            data_bucket="bucket",
            prefix=prefix,
            channels={"train": f"{prefix}input/train/"},
            max_concurrent=max_concurrent,
            attempts=3,
            retry_seconds=15,
            queue="arn:aws:sqs:eu-west-1:111122223333:starter.fifo",
            queue_url="https://queue",
            dead_letters="https://dead-letters",
            schedule_group="digits",
            schedule_role="arn:aws:iam::111122223333:role/schedules",
        )

    def starter(self) -> Starter:
        return Starter(
            self.settings,
            s3=self.s3,
            executions=self.machine,  # type: ignore[arg-type]  # a double
            quiet=self.schedules,  # type: ignore[arg-type]  # a double
            tell=lambda kind, detail: self.told.append((kind, detail)),
            now=self.clock,
        )

    def upload(self, *names: str) -> None:
        for name in names:
            body = f"{name} {self.clock.now}".encode()
            self.s3.put_object(Bucket="bucket", Key=f"{self.prefix}input/train/{name}", Body=body)

    def marker(self) -> dict[str, Any]:
        """The message of a marker that is written now."""
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
        """The execution ends and tells so."""
        self.machine.executions[name] = status
        if status == "SUCCEEDED":
            trained = {"data_set": name.partition("-")[0]}
            key = f"{self.prefix}datasets/last_trained.json"
            self.s3.put_object(Bucket="bucket", Key=key, Body=json.dumps(trained).encode())
        self.handle({"trigger": "ended", "execution": name, "status": status, "event": name})

    @property
    def names(self) -> list[str]:
        """Of all executions, in the order of their start."""
        return list(self.machine.executions)

    @property
    def state(self) -> State:
        return State.load(self.s3, "bucket", self.prefix)

    def trained_on(self, execution: str) -> list[str]:
        """The names of the files of an execution's data set."""
        version = self.machine.inputs[execution]["data_set"]
        body = self.s3.get_object(Bucket="bucket", Key=f"{self.prefix}datasets/{version}.jsonl")[
            "Body"
        ].read()
        return [json.loads(line)["key"].rpartition("/")[2] for line in body.splitlines()[1:]]
