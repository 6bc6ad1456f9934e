"""Nothing that is asked for vanishes: every way to ask in every state it can meet, as docs/triggers.md
has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starter_world import World

PAGE = Path(__file__).parents[2] / "docs" / "triggers.md"
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"

Message = dict[str, Any]


def quiet(world: World) -> Message:
    end = int(world.clock.now.timestamp())
    return {"trigger": "quiet", "name": "q", "number": end, "end": world.clock.now.isoformat()}


def schedule(world: World, *, again: bool) -> Message:
    return {"trigger": "schedule", "time": world.clock.now.isoformat(), "retrain_unchanged": again}


def alarm(world: World) -> Message:
    time = world.clock.now.isoformat()
    return {"trigger": "alarm", "alarm": ALARM, "cool_down_seconds": 60, "time": time, "event": time}


WAYS: dict[str, Callable[[World], Message]] = {
    "marker": lambda world: {"trigger": "marker", "time": world.clock.now.isoformat(), "event": "e"},
    "quiet period's end": quiet,
    "schedule": lambda world: schedule(world, again=False),
    "request": lambda world: {"trigger": "request"},
    "schedule, `retrain_unchanged`": lambda world: schedule(world, again=True),
    "alarm": alarm,
    "request, `retrain`": lambda world: {"trigger": "request", "retrain": f"since {world.clock.now}"},
}


def no_input(world: World) -> None:
    pass


def never_trained(world: World) -> None:
    world.upload("a.csv")
    world.clock.passes(2)


def trained(world: World) -> None:
    never_trained(world)
    world.handle({"trigger": "request"})
    world.end(world.names[-1])
    world.clock.passes(600)


def is_training(world: World) -> None:
    never_trained(world)
    world.handle({"trigger": "request"})
    world.clock.passes(600)


def training_failed(world: World) -> None:
    never_trained(world)
    world.handle({"trigger": "request"})
    world.end(world.names[-1], "FAILED")
    world.clock.passes(600)


def failed_after_trained(world: World) -> None:
    """New data failed and was taken away: what lies there is what the model in use was trained on."""
    trained(world)
    world.upload("bad.csv")
    world.clock.passes(2)
    world.handle({"trigger": "request"})
    world.end(world.names[-1], "FAILED")
    world.s3.delete(world.key("bad.csv"))
    world.clock.passes(600)


def rolled_back(world: World) -> None:
    """New data was trained and taken away."""
    trained(world)
    world.upload("bad.csv")
    world.clock.passes(2)
    world.handle({"trigger": "request"})
    world.end(world.names[-1])
    world.s3.delete(world.key("bad.csv"))
    world.clock.passes(600)


def other_settings(world: World) -> None:
    trained(world)
    world.machine.digest = "0dd5e771"


def other_runs(world: World) -> None:
    is_training(world)
    world.upload("b.csv")
    world.clock.passes(2)


def services_down(world: World) -> None:
    never_trained(world)
    world.faults.outage = dict.fromkeys(("put_object", "list_executions", "put_events"), 9)


STATES: dict[str, Callable[[World], None]] = {
    "there is no input": no_input,
    "never trained": never_trained,
    "trained last": trained,
    "being trained": is_training,
    "its training failed": training_failed,
    "trained, then others failed": failed_after_trained,
    "trained, then others too": rolled_back,
    "trained with other settings": other_settings,
    "other data is being trained": other_runs,
    "AWS refuses": services_down,
}


def outcome(way: str, state: str) -> str:
    """Return what comes of asking: ``execution``, ``skipped``, ``after`` another execution or ``dead
    letter``."""
    world = World()
    STATES[state](world)
    known, told = len(world.names), len(world.told)
    message = WAYS[way](world)
    try:
        world.handle(message)
    except ConnectionError:
        return "dead letter"
    if len(world.names) > known:
        return "execution"
    if [kind for kind, _ in world.told[told:]] == ["Training Skipped"]:
        assert world.because()
        return "skipped"
    (running,) = [name for name, status in world.machine.executions.items() if status == "RUNNING"]
    world.end(running)
    assert len(world.names) == known + 1
    return "after"


def table() -> list[str]:
    head = f"| input | {' | '.join(WAYS)} |"
    rows = [f"| {state} | {' | '.join(outcome(way, state) for way in WAYS)} |" for state in STATES]
    return [head, "|---" * (len(WAYS) + 1) + "|", *rows]


def test_the_page_has_the_table_of_every_way_to_ask_in_every_state() -> None:
    assert "\n".join(table()) in PAGE.read_text("utf-8")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_is_asked_for_vanishes(way: str, state: str) -> None:
    assert outcome(way, state) in ("execution", "skipped", "after", "dead letter")


def test_files_that_the_source_leaves_out_are_no_data() -> None:
    world = World()
    trained(world)
    world.upload("README.md")
    known = len(world.names)
    world.handle({"trigger": "request"})
    assert len(world.names) == known
    assert world.trained_on(world.names[0]) == ["a.csv"]


def test_trained_elsewhere_is_no_last_training() -> None:
    """Somebody trains old data by hand: the next schedule finds nothing new all the same."""
    world = World()
    trained(world)
    world.machine._begin("by-hand", {"data_set": "0" * 24})
    world.end("by-hand")
    known = len(world.names)
    world.handle(schedule(world, again=False))
    assert len(world.names) == known
    assert "nothing has changed" in world.because()


def test_a_state_that_was_lost_is_made_again_and_told() -> None:
    world = World()
    trained(world)
    world.s3.write("triggers/state.json", b'{"parked": nu')
    world.handle(schedule(world, again=False))
    assert len(world.names) == 1
    kinds = [kind for kind, _ in world.told]
    assert kinds == ["Starter Recovered", "Training Skipped", "Training Skipped"]
    assert "triggers/state.json is not JSON" in world.told[0][1]["because"]
    assert "request other retrainings" in world.told[0][1]["forgotten"]


def test_a_model_nobody_was_told_of_is_told_by_the_starter() -> None:
    world = World()
    never_trained(world)
    world.handle({"trigger": "request"})
    name = world.names[0]
    job = {"TrainingJobName": "digits-1", "ModelArtifacts": {"S3ModelArtifacts": "s3://m/model.tar.gz"}}
    world.machine.untold[name] = {
        "pipeline": {"pipeline": "Stack/Digits", "algorithm": "KMeans", "prefix": "", "data_bucket": "b"},
        "execution": {
            "name": name,
            "start_time": "2026-03-01T12:00:00+00:00",
            "state_machine": world.settings.state_machine,
        },
        "input": {},
        "plan": {"bucket": "bucket", "prefix": "recordsets/f/", "data_set": name[:24]},
        "job": job,
    }
    world.end(name)
    kind, detail = world.told[-1]
    assert (kind, detail["model"]) == ("Model Trained", "s3://m/model.tar.gz")
