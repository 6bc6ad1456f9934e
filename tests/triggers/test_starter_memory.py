"""The starter's memory: lost, put back, copied, made by a wrong clock; nothing stays closed, nothing is
forgotten in silence."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from starter_world import World

from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.storage.documents import seal_document
from amazon_estimators.triggers import memory
from amazon_estimators.triggers.messages import UnknownMessageError

KEY = state_key("")
YEARS = timedelta(days=70 * 365)


def schedule(world: World) -> dict[str, Any]:
    return {"trigger": "schedule", "time": world.clock.now.isoformat(), "retrain_unchanged": False}


def upload(world: World, period: float = 60) -> dict[str, Any]:
    time = world.clock.now.isoformat()
    return {"trigger": "upload", "name": "q", "quiet_seconds": period, "time": time}


def fire(world: World) -> None:
    """Deliver what schedules have sent by now."""
    for name, (at, message) in sorted(world.schedules.pending.items()):
        if at <= world.clock.now:
            del world.schedules.pending[name]
            world.handle(message)


def kinds(world: World) -> list[str]:
    return [kind for kind, _ in world.told]


def trained(*names: str) -> World:
    """Return a world in which each of these batches was trained."""
    world = World()
    for name in names:
        world.handle(world.batch(name))
        world.end(world.names[-1])
        world.clock.passes(600)
    return world


class TestLost:
    def test_a_deletion_is_noticed_behind_any_number_of_executions_by_hand(self) -> None:
        world = trained("a.csv")
        for number in range(50):
            world.machine.start(f"by-hand-{number}", {})
            world.machine.executions[f"by-hand-{number}"] = "SUCCEEDED"
        world.s3.delete(KEY)
        world.told.clear()
        world.handle(schedule(world))
        assert kinds(world) == ["Starter Recovered", "Training Skipped", "Training Skipped"]
        assert len([name for name in world.names if "hand" not in name]) == 1

    def test_a_deletion_is_noticed_before_anything_was_started(self) -> None:
        """The first batch waits behind an execution that a person started."""
        world = World()
        world.machine.start("by-hand", {})
        world.handle(world.batch("a.csv"))
        assert world.state.parked
        world.s3.delete(KEY)
        world.end("by-hand")
        assert kinds(world) == ["Starter Recovered"]
        assert world.trained_on(world.names[1]) == ["a.csv"]

    def test_a_new_pipeline_is_not_taken_for_a_lost_one(self) -> None:
        world = World()
        world.upload("half-a-batch.csv")
        world.handle(upload(world))
        assert (world.names, world.told) == ([], [])

    def test_a_huge_object_in_its_place_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = trained("a.csv")
        monkeypatch.setattr(memory, "LARGEST", 5_000)
        world.s3.write(KEY, b" " * 5_001)
        world.told.clear()
        world.handle(schedule(world))
        assert kinds(world)[0] == "Starter Recovered"
        assert "5,001 bytes" in world.told[0][1]["because"]

    def test_after_it_an_old_marker_is_old(self) -> None:
        """Everything was deleted: that is the newest change, though there is nothing to train."""
        world = World()
        marker = world.batch("a.csv")
        world.handle(world.batch("b.csv"))
        world.end(world.names[0])
        world.clock.passes(600)
        for name in ("a.csv", "b.csv"):
            world.s3.delete(world.key(name))
        world.s3.delete(KEY)
        world.handle(marker)
        assert len(world.names) == 1
        assert world.because() == "a newer data set has been requested since"


class TestNotOurs:
    def test_a_state_of_another_pipeline_is_not_believed(self) -> None:
        one, other = World(prefix="one/"), World(prefix="other/")
        other.s3, other.clock = one.s3, one.clock
        for world in (one, other):
            world.handle(world.batch("a.csv"))
            world.end(world.names[0])
        one.s3.write(state_key("other/"), one.s3.read(state_key("one/")))
        other.told.clear()
        one.clock.passes(600)
        other.handle(schedule(other))
        assert kinds(other) == ["Starter Recovered", "Training Skipped", "Training Skipped"]
        assert len(other.names) == 1

    def test_an_older_state_that_was_put_back_learns_what_was_trained_since(self) -> None:
        world = trained("a.csv")
        older = world.s3.read(KEY)
        world.handle(world.batch("b.csv"))
        world.end(world.names[1])
        world.clock.passes(600)
        world.s3.delete(world.key("b.csv"))
        world.clock.passes(5)
        world.s3.write(KEY, older)
        world.told.clear()
        world.handle(schedule(world))
        # What lies there is what was trained before last, and so trained again.
        assert world.trained_on(world.names[2]) == ["a.csv"]
        assert kinds(world)[0] == "Starter Recovered"
        assert world.names[1] in world.told[0][1]["because"]

    def test_what_waited_in_an_older_state_is_not_trained_after_newer_data(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"), world.batch("b.csv"))
        older = world.s3.read(KEY)
        for _ in range(2):
            world.end(world.names[-1])
        world.handle(world.batch("c.csv"))
        world.end(world.names[-1])
        world.clock.passes(600)
        world.s3.write(KEY, older)
        world.end(world.names[0])
        assert [world.trained_on(name)[-1] for name in world.names] == ["a.csv", "b.csv", "c.csv"]

    def test_an_upload_asks_step_functions_for_nothing(self) -> None:
        world = trained("a.csv")
        world.faults.outage["list_executions"] = 1
        world.handle(upload(world))


VALUES: tuple[Any, ...] = (
    *(None, [], {}, 0, -1, 1e308, "", "x", True, [{}], {"version": 99}, float("nan"), [1, 2, 3], 2**70),
    *(["x", "y", 0], "2026-03-01T12:00:00", "2026-03-01T12:00:00+00:00"),
)


def full() -> World:
    """Return a world whose state has all that a state can have."""
    world = trained("a.csv")
    world.handle(world.batch("b.csv"), world.batch("c.csv"), upload(world))
    world.handle({"trigger": "request", "retrain": "new image"})
    time = world.clock.now.isoformat()
    world.handle({"trigger": "alarm", "alarm": "a", "event": "e", "time": time, "cool_down_seconds": 5})
    return world


def exchange(document: Any, chance: random.Random) -> None:
    """Exchange one value at any depth."""
    while True:
        places = list(document) if isinstance(document, dict) else list(range(len(document)))
        place = chance.choice(places)
        inner = document[place]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.7:
            document = inner
            continue
        document[place] = chance.choice(VALUES)
        return


def test_no_value_in_a_state_ends_the_starter_though_its_digest_is_right() -> None:
    """As a program of another release might write it."""
    base = full()
    text = base.s3.read(KEY)
    for seed in range(600):
        world = full() if seed == 0 else world_like(base)
        document = json.loads(text)
        del document["digest"]
        schema = document.pop("schema")
        exchange(document, random.Random(seed))
        sealed = seal_document(schema, document, place=f"s3://bucket/{KEY}")
        world.s3.write(KEY, json.dumps(sealed).encode())
        world.handle(schedule(world), upload(world))
        assert world.state.starts, f"seed {seed}"


def world_like(other: World) -> World:
    world = World()
    world.clock.now = other.clock.now
    world.s3.versions = {key: list(entries) for key, entries in other.s3.versions.items()}
    world.s3._count = other.s3._count
    for name in ("executions", "inputs", "settings_by_name"):
        setattr(world.machine, name, dict(getattr(other.machine, name)))
    return world


class TestManyFailures:
    def test_data_that_was_trained_before_any_number_of_failures_is_not_trained_again(self) -> None:
        world = trained("a.csv")
        world.upload("bad.csv")
        world.clock.passes(2)
        for _ in range(60):
            world.handle(schedule(world))
            world.end(world.names[-1], "FAILED")
            world.clock.passes(86_400)
        assert len(world.names) == 61
        assert len(world.state.starts) < 25
        world.s3.delete(world.key("bad.csv"))
        world.clock.passes(2)
        world.handle(schedule(world))
        assert len(world.names) == 61
        assert world.because().startswith("nothing has changed")


class TestWrongClock:
    @pytest.mark.parametrize("off", [YEARS, timedelta(days=2), -YEARS, -timedelta(hours=2)], ids=str)
    def test_a_quiet_period_ends_all_the_same(self, off: timedelta) -> None:
        world = World()
        world.upload("a.csv")
        world.clock.off = off
        world.handle(upload(world))
        world.clock.off = timedelta(0)
        world.clock.passes(10)
        world.upload("b.csv")
        world.handle(upload(world))
        world.clock.passes(100)
        fire(world)
        assert [world.trained_on(name) for name in world.names] == [["a.csv", "b.csv"]]

    def test_the_next_message_of_any_kind_sets_it_right(self) -> None:
        world = World()
        world.upload("a.csv")
        world.clock.off = YEARS
        world.handle(upload(world))
        world.clock.off = timedelta(0)
        world.handle({"trigger": "ended", "execution": "by-hand", "status": "FAILED", "event": "e"})
        world.clock.passes(100)
        fire(world)
        assert len(world.names) == 1

    def test_what_waits_is_looked_at_within_the_hour(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.clock.off = YEARS
        world.handle(world.batch("b.csv"))
        world.clock.off = timedelta(0)
        world.handle(world.batch("c.csv"))
        world.machine.executions[world.names[0]] = "SUCCEEDED"  # and the event of it is lost
        world.clock.passes(3_700)
        fire(world)
        assert len(world.names) == 2

    def test_an_end_that_was_heard_then_hides_no_redrive(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.clock.off = YEARS
        world.end(world.names[0], "FAILED")
        world.clock.off = timedelta(0)
        world.machine.executions[world.names[0]] = "RUNNING"
        world.handle(world.batch("b.csv"))
        assert len(world.names) == 1


class TestRedrive:
    @pytest.mark.parametrize("seconds", [0, 1, 240, 600])
    def test_a_redriven_execution_runs_at_once(self, seconds: float) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.end(world.names[0], "FAILED")
        world.machine.redrive(world.names[0])
        world.clock.passes(seconds)
        world.handle(world.batch("b.csv"))
        assert len(world.names) == 1
        world.end(world.names[0])
        assert len(world.names) == 2

    def test_a_copy_of_its_first_end_ends_it_not(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        first = world.names[0]
        world.end(first, "FAILED")
        world.machine.redrive(first)
        world.handle({"trigger": "ended", "execution": first, "status": "FAILED", "event": "e"})
        world.handle(world.batch("b.csv"))
        assert len(world.names) == 1

    def test_an_end_that_step_functions_does_not_show_yet_is_looked_for_again(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.end(world.names[0], "FAILED")
        world.machine.redrive(world.names[0])
        world.handle(world.batch("b.csv"))
        world.machine.lag()
        world.end(world.names[0])
        assert len(world.names) == 1
        world.machine.catch_up()
        world.clock.passes(65)
        fire(world)
        assert len(world.names) == 2


def test_a_deployment_with_a_shorter_quiet_period_holds_for_the_one_under_way() -> None:
    world = World()
    world.upload("a.csv")
    world.handle(upload(world, 43_200))
    world.clock.passes(60)
    world.upload("b.csv")
    world.handle(upload(world, 300))
    world.clock.passes(400)
    fire(world)
    assert len(world.names) == 1


def test_no_message_closes_a_quiet_period() -> None:
    world = World()
    with pytest.raises(UnknownMessageError, match="number is 9007199254740992"):
        world.handle({"trigger": "quiet", "name": "q", "number": 2**53, "end": world.clock.now.isoformat()})
    world.upload("a.csv")
    world.handle(upload(world))
    world.clock.passes(100)
    fire(world)
    assert len(world.names) == 1


def test_a_message_that_changes_nothing_writes_nothing() -> None:
    world = trained("a.csv")
    for _ in range(2):  # the first forgets how the execution ended
        written = len(world.s3.versions[KEY])
        world.handle({"trigger": "wake", "at": "once"})
    assert len(world.s3.versions[KEY]) == written


def test_a_state_in_another_encoding_is_read_and_written_again() -> None:
    world = trained("a.csv")
    text = world.s3.get_object(Bucket="bucket", Key=KEY)["Body"].read().decode()
    world.s3.put_object(Bucket="bucket", Key=KEY, Body=text.encode("utf-16"))
    world.handle({"trigger": "wake", "at": "once"})
    world.s3.get_object(Bucket="bucket", Key=KEY)["Body"].read().decode()
