"""What the starter decides, message by message; each guarantee beside what would break it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from starter_world import NOON, World

from amazon_estimators.pipeline.event_names import OF_PREDICTIONS
from amazon_estimators.triggers.messages import UnknownMessageError
from amazon_estimators.triggers.missed_uploads import SILENCE


def schedule(number: int = 0, *, retrain_unchanged: bool = False) -> dict[str, Any]:
    return {
        "trigger": "schedule",
        "time": f"2026-03-0{number + 1}T03:00:00Z",
        "retrain_unchanged": retrain_unchanged,
    }


def alarm(event: str, world: World, cool_down: float = 60) -> dict[str, Any]:
    arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"
    time = world.clock.now.isoformat()
    return {"trigger": "alarm", "alarm": arn, "cool_down_seconds": cool_down, "time": time, "event": event}


def uploaded(world: World, period: float = 60) -> dict[str, Any]:
    time = world.clock.now.isoformat()
    return {"trigger": "upload", "name": "q", "quiet_seconds": period, "time": time, "event": "e"}


def quiet_over(world: World) -> dict[str, Any]:
    """Return what the schedule that was set last sends when it fires; the clock goes there."""
    end, message = list(world.schedules.pending.values())[-1]
    world.clock.now = max(world.clock.now, end)
    return dict(message)


class TestOnce:
    def test_a_marker_delivered_ten_times_is_one_execution(self) -> None:
        world = World()
        message = world.batch("a.csv")
        world.handle(*[message] * 10)
        assert len(world.names) == 1

    def test_a_marker_delivered_again_after_the_training_starts_nothing(self) -> None:
        world = World()
        message = world.batch("a.csv")
        world.handle(message)
        world.end(world.names[0])
        world.clock.passes(3600)
        world.handle(message)
        assert len(world.names) == 1

    def test_a_marker_delivered_again_amid_the_next_batch_starts_nothing(self) -> None:
        """Without the moment, the half of the next batch that is there would be a data set of its own."""
        world = World()
        message = world.batch("a.csv")
        world.handle(message)
        world.end(world.names[0])
        world.upload("half-of-b.csv")
        world.handle(message)
        assert len(world.names) == 1

    def test_marker_and_quiet_period_on_one_batch_are_one_execution(self) -> None:
        world = World()
        world.handle(uploaded(world), world.batch("a.csv"))
        world.end(world.names[0])
        world.handle(quiet_over(world))
        assert len(world.names) == 1

    def test_the_same_bytes_uploaded_again_are_a_new_version(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.end(world.names[0])
        world.handle(world.batch("a.csv"))
        assert len(world.names) == 2

    @pytest.mark.parametrize("operation", ["put_object", "start_execution"])
    def test_a_crash_anywhere_and_the_redelivery_start_one(self, operation: str) -> None:
        world = World()
        message = world.batch("a.csv")
        world.faults.outage[operation] = 1
        with pytest.raises(ConnectionError):
            world.handle(message)
        world.handle(message)
        assert len(world.names) == 1

    def test_retraining_the_same_data_is_possible_and_explicit(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.end(world.names[0])
        world.handle({"trigger": "request"})
        assert len(world.names) == 1
        request = {"trigger": "request", "retrain": "new container image"}
        world.handle(request, request)
        assert len(world.names) == 2
        assert [world.names[1]] == [f"{world.names[0][:-1]}2"]


class TestWholeBatches:
    def test_what_comes_after_the_marker_belongs_to_the_next_batch(self) -> None:
        world = World()
        message = world.batch("a.csv", "b.csv")
        world.upload("next.csv", "a.csv")
        world.handle(message)
        assert world.trained_on(world.names[0]) == ["a.csv", "b.csv"]
        assert world.lines(world.names[0])[0]["version_id"] == "v0"  # the a.csv that was there then

    def test_what_was_deleted_before_the_marker_is_gone_and_after_it_is_not(self) -> None:
        world = World()
        world.upload("old.csv")
        world.clock.passes(1)
        world.s3.delete(world.key("old.csv"))
        message = world.batch("a.csv", "b.csv")
        world.s3.delete(world.key("b.csv"))
        world.handle(message)
        assert world.trained_on(world.names[0]) == ["a.csv", "b.csv"]

    def test_a_marker_without_data_starts_an_execution_that_will_say_so(self) -> None:
        world = World()
        world.handle(world.marker())
        world.clock.passes(60)
        world.end(world.names[0], "FAILED")
        world.handle(world.marker())
        assert len(world.names) == 2
        assert world.trained_on(world.names[0]) == []

    def test_an_older_batch_redriven_never_replaces_a_newer_model(self) -> None:
        world = World()
        old = world.batch("a.csv")
        world.handle(world.batch("b.csv"))
        world.end(world.names[0])
        world.handle(old)
        assert len(world.names) == 1
        assert world.told[-1][0] == "Training Skipped"


class TestOneAtATime:
    def test_a_batch_during_a_training_is_trained_next(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"), world.batch("b.csv"))
        assert len(world.names) == 1
        world.end(world.names[0])
        assert len(world.names) == 2
        assert world.trained_on(world.names[1]) == ["a.csv", "b.csv"]
        world.end(world.names[1])
        assert len(world.names) == 2

    @pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
    def test_a_training_that_fails_does_not_hold_up_the_next(self, status: str) -> None:
        world = World()
        world.handle(world.batch("a.csv"), world.batch("b.csv"))
        world.end(world.names[0], status)
        assert len(world.names) == 2

    def test_several_waiting_batches_collapse_into_the_newest(self) -> None:
        world = World()
        world.handle(*[world.batch(f"{name}.csv") for name in "abcd"])
        world.end(world.names[0])
        assert len(world.names) == 2
        assert world.trained_on(world.names[1]) == ["a.csv", "b.csv", "c.csv", "d.csv"]
        assert world.state.parked is None

    def test_max_concurrent_widens_it(self) -> None:
        world = World(max_concurrent=2)
        world.handle(*[world.batch(f"{name}.csv") for name in "abc"])
        assert len(world.names) == 2

    def test_an_execution_started_by_a_person_counts(self) -> None:
        world = World()
        world.machine.start("by-hand", {})
        world.handle(world.batch("a.csv"))
        assert world.names == ["by-hand"]
        world.end("by-hand")
        assert len(world.names) == 2

    @pytest.mark.parametrize("order", list(permutations(["lag", "park", "end"])))
    def test_every_order_of_arrival_end_and_lagging_list_trains_the_second_batch_once(
        self, order: tuple[str, ...]
    ) -> None:
        """Whatever Step Functions' list shows, a batch is neither lost nor trained beside another."""
        world = World()
        world.handle(world.batch("a.csv"))
        first = world.names[0]
        message = world.batch("b.csv")
        for event in order:
            if event == "lag":
                world.machine.lag()
            elif event == "park":
                world.handle(message)
            else:
                world.end(first)
            running = [name for name, status in world.machine.executions.items() if status == "RUNNING"]
            assert len(running) <= 1
        world.machine.catch_up()
        assert len(world.names) == 2

    def test_a_list_that_does_not_show_the_start_yet_does_not_let_a_second_one_start(self) -> None:
        world = World()
        world.machine.lag()
        world.handle(world.batch("a.csv"), world.batch("b.csv"))
        assert len(world.names) == 1

    def test_an_end_nobody_told_of_is_found_out_with_the_next_message(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"), world.batch("b.csv"))
        world.machine.executions[world.names[0]] = "SUCCEEDED"
        world.handle(schedule())
        assert len(world.names) == 2

    def test_a_redriven_execution_counts_again(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        first = world.names[0]
        world.end(first, "FAILED")
        world.clock.passes(600)
        world.machine.executions[first] = "RUNNING"
        world.handle(world.batch("b.csv"))
        assert len(world.names) == 1


class TestQuietPeriod:
    def test_a_burst_is_one_execution_a_period_after_the_last_upload(self) -> None:
        world = World()
        for number in range(500):
            world.upload(f"{number:03}.csv")
            world.handle(uploaded(world))
            world.clock.passes(0.02)
        assert world.names == []
        last = world.clock.now
        world.handle(quiet_over(world))
        assert len(world.names) == 1
        assert len(world.trained_on(world.names[0])) == 500
        assert timedelta(seconds=60) <= world.clock.now - last + timedelta(seconds=1) <= timedelta(seconds=67)
        assert world.schedules.calls <= 4

    def test_an_upload_moves_the_end(self) -> None:
        world = World()
        world.upload("a.csv")
        world.handle(uploaded(world))
        first = quiet_over(world)
        world.clock.now = NOON + timedelta(seconds=50)
        world.handle(uploaded(world))
        second = list(world.schedules.pending.values())[-1][0]
        assert second >= NOON + timedelta(seconds=110)
        world.handle(first)
        assert world.names == []

    def test_a_schedule_moved_while_it_fired_is_set_anew(self) -> None:
        """The service may delete it, its move included: then nothing would ever fire."""
        world = World()
        world.upload("a.csv")
        world.handle(uploaded(world))
        fired = quiet_over(world)
        world.handle(uploaded(world))
        world.handle(fired)
        assert world.names == []
        assert len(world.schedules.pending) == 2
        world.handle(quiet_over(world))
        assert len(world.names) == 1

    def test_a_quiet_message_delivered_twice_is_one_execution(self) -> None:
        world = World()
        world.upload("a.csv")
        world.handle(uploaded(world))
        over = quiet_over(world)
        world.handle(over)
        world.end(world.names[0])
        world.upload("b.csv")
        world.handle(over)
        assert len(world.names) == 1

    def test_a_schedule_that_could_not_be_set_is_set_by_the_redelivery(self) -> None:
        world = World()
        world.upload("a.csv")
        world.faults.outage["update_schedule"] = 1
        with pytest.raises(ConnectionError):
            world.handle(uploaded(world))
        world.handle(uploaded(world))
        assert world.schedules.calls == 1

    def test_the_next_burst_has_a_schedule_of_its_own(self) -> None:
        world = World()
        for name in ("a.csv", "b.csv"):
            world.upload(name)
            world.handle(uploaded(world))
            world.handle(quiet_over(world))
            world.end(world.names[-1])
        assert len(world.names) == 2
        assert len(world.schedules.pending) == 2


class TestSchedule:
    def test_nothing_new_is_skipped_and_said(self) -> None:
        world = World()
        world.upload("a.csv")
        world.handle(schedule(0))
        world.end(world.names[0])
        world.handle(schedule(1))
        assert len(world.names) == 1
        kind, detail = world.told[-1]
        assert (kind, detail["data_set"]) == ("Training Skipped", world.names[0][:24])
        assert "nothing has changed" in detail["because"]

    def test_something_new_is_trained(self) -> None:
        world = World()
        world.upload("a.csv")
        world.handle(schedule(0))
        world.end(world.names[0])
        world.clock.passes(5)
        world.s3.delete(world.key("a.csv"))
        world.upload("b.csv")
        world.handle(schedule(1))
        assert world.trained_on(world.names[1]) == ["b.csv"]

    def test_a_failed_training_is_tried_again_each_time_once(self) -> None:
        world = World()
        world.upload("a.csv")
        world.handle(schedule(0))
        world.end(world.names[0], "FAILED")
        world.handle(schedule(1), schedule(1))
        assert len(world.names) == 2
        world.end(world.names[1])
        world.handle(schedule(1), schedule(2))
        assert len(world.names) == 2

    def test_no_second_try_beside_the_first_one(self) -> None:
        world = World(max_concurrent=2)
        world.upload("a.csv")
        world.handle(schedule(0))
        world.end(world.names[0], "FAILED")
        world.handle(schedule(1), schedule(2))
        assert len(world.names) == 2

    def test_retrain_unchanged_does(self) -> None:
        world = World()
        world.upload("a.csv")
        world.handle(schedule(0, retrain_unchanged=True))
        world.end(world.names[0])
        world.handle(schedule(1, retrain_unchanged=True))
        assert len(world.names) == 2

    def test_no_input_is_skipped_and_said(self) -> None:
        world = World()
        world.handle(schedule(0))
        assert world.names == []
        assert world.told[-1][1]["because"] == "there is no input"


class TestAlarm:
    def test_retrains_the_same_data_but_not_while_it_cools_down(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"))
        world.end(world.names[0])
        first = alarm("e1", world)
        world.handle(first, first)
        assert len(world.names) == 2
        world.end(world.names[1])
        world.clock.passes(30)
        world.handle(alarm("e2", world))
        assert len(world.names) == 2
        assert world.told[-1][0] == "Training Skipped"
        world.clock.passes(31)
        world.handle(alarm("e3", world))
        assert len(world.names) == 3

    def test_during_a_training_of_the_same_data_it_waits_and_then_retrains(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"), alarm("e1", world))
        assert len(world.names) == 1
        world.end(world.names[0])
        assert len(world.names) == 2

    def test_a_duplicate_marker_does_not_push_a_waiting_retraining_aside(self) -> None:
        world = World()
        message = world.batch("a.csv")
        world.handle(message, alarm("e1", world), message)
        world.end(world.names[0])
        assert len(world.names) == 2


def test_two_pipelines_of_one_bucket_do_not_cross() -> None:
    one, other = World(prefix="one/"), World(prefix="other/")
    other.s3, other.clock = one.s3, one.clock
    one.handle(one.batch("a.csv"))
    other.handle(other.batch("b.csv"))
    assert one.trained_on(one.names[0]) == ["a.csv"]
    assert other.trained_on(other.names[0]) == ["b.csv"]


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_an_end_the_pipeline_could_not_tell_is_told_by_the_starter(status: str) -> None:
    world = World()
    world.handle(world.batch("a.csv"))
    world.end(world.names[0], status)
    kind, detail = world.told[-1]
    assert kind == "Training Failed"
    assert (detail["execution"], detail["error"]) == (world.names[0], f"Execution.{status}")
    assert detail["remedy"]
    (lineage,) = world.lineage
    assert lineage["eventType"] == {"ABORTED": "ABORT", "TIMED_OUT": "FAIL"}[status]
    assert f"lineage/{world.names[0]}-0.json" in world.s3.versions


def test_a_prediction_pipeline_tells_no_lineage_of_a_training() -> None:
    world = World()
    world.settings = replace(world.settings, tells=OF_PREDICTIONS)
    world.handle(world.batch("a.csv"))
    world.end(world.names[0], "ABORTED")
    assert len(world.told) == 1
    assert world.lineage == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"trigger": "marker"},
        {"trigger": "marker", "time": "yesterday"},
        {"trigger": "upload", "name": "q", "time": "2026-03-01T03:00:00Z", "quiet_seconds": 1e300},
        {
            "trigger": "alarm",
            "alarm": 5,
            "time": "2026-03-01T03:00:00Z",
            "cool_down_seconds": 1,
            "event": "e",
        },
    ],
)
def test_a_message_no_trigger_sends_is_refused_by_name(message: dict[str, Any]) -> None:
    with pytest.raises(UnknownMessageError, match=r"trigger|marker|upload|alarm"):
        World().handle(message)


def deployed(world: World, **listens: Any) -> dict[str, Any]:
    """Return what the starter is told when its stack is deployed, for an UploadTrigger that listens so."""
    prefixes = [world.key("")]
    return {"trigger": "deployed", "listener": "Upload0", "prefixes": prefixes, **listens, "event": "e"}


MARKER: dict[str, Any] = {"marker": "_SUCCESS"}
QUIET: dict[str, Any] = {"name": "q", "quiet_seconds": 60}


def test_an_execution_that_still_ran_with_the_settings_before_a_deployment_does_not_count() -> None:
    world = World()
    world.machine.digest, world.machine.starts_with = "0dd5e771", "5e771265"
    world.handle(world.batch("a.csv"))
    world.end(world.names[0])
    world.machine.starts_with = None
    world.handle({"trigger": "request"})
    assert [name.split("-")[1:] for name in world.names] == [["0dd5e771", "1"], ["0dd5e771", "2"]]
    world.end(world.names[1])
    world.handle({"trigger": "request"})
    assert len(world.names) == 2
    assert world.because().startswith("nothing has changed")


class TestAfterADeployment:
    """S3 sends no events of a new bucket for some minutes."""

    def missed(self, world: World) -> dict[str, Any]:
        ((end, message),) = world.schedules.pending.values()
        assert end - world.clock.now == SILENCE
        world.clock.now = end
        world.schedules.pending.clear()
        return dict(message)

    def test_a_marker_without_an_event_trains_what_lay_there_then(self) -> None:
        world = World()
        world.handle(deployed(world, **MARKER))
        world.upload("a.csv", "_SUCCESS")
        missed = self.missed(world)
        world.upload("half-of-b.csv")
        world.handle(missed)
        assert world.trained_on(world.names[0]) == ["a.csv"]

    def test_a_marker_in_a_folder_counts_and_a_name_that_ends_alike_does_not(self) -> None:
        world = World()
        world.handle(deployed(world, **MARKER))
        world.upload("a.csv", "part=1/NOT_SUCCESS", "NOT_SUCCESS")
        missed = self.missed(world)
        world.handle(missed)
        assert world.names == []
        world.upload("part=1/_SUCCESS")
        world.clock.passes(1)
        world.handle(missed)
        assert len(world.names) == 1

    def test_an_upload_without_an_event_begins_the_quiet_period(self) -> None:
        world = World()
        world.handle(deployed(world, **QUIET))
        missed = self.missed(world)
        world.upload("a.csv")
        world.handle(missed)
        assert world.names == []
        world.handle(quiet_over(world))
        assert world.trained_on(world.names[0]) == ["a.csv"]

    @pytest.mark.parametrize("listens", [MARKER, QUIET], ids=["marker", "quiet period"])
    def test_without_uploads_nothing_happens(self, listens: dict[str, Any]) -> None:
        world = World()
        world.handle(deployed(world, **listens))
        world.handle(self.missed(world))
        assert (world.names, world.told, world.schedules.pending) == ([], [], {})

    @pytest.mark.parametrize("listens", [MARKER, QUIET], ids=["marker", "quiet period"])
    def test_what_an_event_told_of_is_not_told_again(self, listens: dict[str, Any]) -> None:
        world = World()
        world.handle(deployed(world, **listens))
        missed = self.missed(world)
        world.upload("a.csv", "_SUCCESS")
        world.handle(world.marker())
        world.end(world.names[0])
        world.clock.passes(60)
        world.handle(missed)
        assert len(world.names) == 1
        assert "Training Skipped" not in [kind for kind, _ in world.told]

    def test_a_later_deployment_looks_at_nothing(self) -> None:
        world = World()
        world.handle(world.batch("a.csv"), deployed(world, **MARKER))
        assert world.schedules.pending == {}

    @pytest.mark.parametrize(
        "change", [{"prefixes": "in/"}, {"prefixes": [1]}, {"marker": ""}, {"listener": None}], ids=str
    )
    def test_what_no_trigger_sends_is_refused(self, change: dict[str, Any]) -> None:
        world = World()
        message = {**deployed(world, **MARKER), **change}
        with pytest.raises(UnknownMessageError):
            world.handle(message, {**message, "trigger": "missed"})


class TestFailuresAreTold:
    """The pipeline tells of its failure, and then Step Functions does. If the pipeline cannot, the starter
    tells."""

    def failed(self, *statuses: str) -> list[tuple[str, Any]]:
        world = World()
        world.handle(world.batch("a.csv"))
        name = world.names[0]
        world.machine.executions[name] = "FAILED"
        for status in statuses:
            world.handle({"trigger": "ended", "execution": name, "status": status, "event": status})
        return [(kind, detail["error"]) for kind, detail in world.told]

    def test_by_the_pipeline_alone_if_it_can(self) -> None:
        assert self.failed("Training Failed", "FAILED") == []

    def test_by_the_starter_if_the_pipeline_did_not(self) -> None:
        assert self.failed("FAILED") == [("Training Failed", "InputError")]

    def test_once_for_copies(self) -> None:
        assert self.failed("FAILED", "FAILED", "Training Failed") == [("Training Failed", "InputError")]
