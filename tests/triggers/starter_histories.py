"""Random histories: everything that can happen to a starter, in any order, and in the end all of it is
delivered."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starter_model import Model, Wish
from starter_world import Crash, World

from amazon_estimators.pipeline.keys import state_key
from amazon_estimators.triggers.attempts import Attempts
from amazon_estimators.triggers.inbox import work_on
from amazon_estimators.triggers.starter import Starter

THROTTLED = 0.05
"""How many deliveries find no room in Lambda."""
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:drift"
ENDS = ("SUCCEEDED", "SUCCEEDED", "FAILED", "FAILED", "ABORTED", "TIMED_OUT")
POISON = (
    "[" * 5_000,
    "{}",
    "[]",
    "no JSON",
    '{"trigger": "marker", "time": 5}',
    '{"trigger": "wake"}',
    '{"trigger": "request", "retrain": "\\ud800"}',
    '{"trigger": "request", "retrain": 1e999}',
    '{"trigger": "request", "retrain": NaN}',
    '{"trigger": "schedule", "time": "t", "retrain_unchanged": "false"}',
    '{"trigger": "quiet", "name": "q", "number": 9007199254740992, "end": "2026-03-01T12:00:00Z"}',
    '{"trigger": "upload", "name": "a/b", "quiet_seconds": 60, "time": "2026-03-01T12:00:00Z"}',
    '{"trigger": "ended", "execution": "x", "status": "RUNNING"}',
)
"""Messages that no trigger sends. Each is set aside at once."""
JUMPS = (timedelta(days=40), timedelta(hours=-2))
"""How far the starter's clock is off for a while; S3's is right."""


class Letter:
    """A message in the queue."""

    def __init__(self, number: int, body: str) -> None:
        self.id, self.body, self.receives = f"m{number}", body, 0
        self.runs = 0
        self.wish: Wish | None = None
        self.begun = False


class History(World):
    """A world with a queue, in which things happen at random; ``random`` decides all of it."""

    def __init__(self, seed: int, starter: type[Starter] = Starter) -> None:
        self.random = random.Random(seed)
        super().__init__(max_concurrent=self.random.choice((1, 1, 1, 2)))
        self.starter_class = starter
        self.queue: list[Letter] = []
        self.dead: list[str] = []
        self.sent: list[str] = []
        self.events = self.count = 0
        self.damaged = self.jumped = False
        self.model = Model(self)
        self.off = self.clock.off = timedelta(seconds=self.random.choice((0, 0, -100, 100)))

    # The queue.

    def send(self, message: Mapping[str, Any] | str) -> None:
        body = message if isinstance(message, str) else json.dumps(message)
        self.count += 1
        self.queue.append(Letter(self.count, body))
        self.sent.append(body)

    def coming(self) -> list[Mapping[str, Any]]:
        """Return the messages that are still to be handled, those of schedules included."""
        waiting = [json.loads(letter.body) for letter in self.queue if letter.body not in POISON]
        return waiting + [message for _, message in self.schedules.pending.values()]

    def deliver(self) -> None:
        """Hand the first message to the starter."""
        if not self.queue:
            return
        letter = self.queue[0]
        letter.receives += 1
        if self.random.random() < THROTTLED:
            self.passes(960)
            return
        letter.runs += 1
        if not letter.begun:
            letter.begun, letter.wish = True, self._begins(letter)
        told = len(self.told)
        self.model.attempts(letter.wish, letter.runs)
        starter = self.starter_class(
            self.settings,
            s3=self.s3,
            executions=self.machine,  # type: ignore[arg-type]  # a double
            wakeups=self.schedules,  # type: ignore[arg-type]  # a double
            tell=self.tell,
            now=self.clock,
        )
        record = {
            "messageId": letter.id,
            "receiptHandle": letter.id,
            "body": letter.body,
            "attributes": {"ApproximateReceiveCount": str(letter.receives)},
        }
        letters = len(self.dead)
        try:
            attempts = Attempts(self.s3, self.settings.data_bucket, self.settings.prefix)
            done = work_on(record, starter, self, attempts, self.settings)
        except Crash:
            self.passes(360)
            return
        if len(self.dead) > letters:
            self.queue.remove(letter)
            self.model.sets_aside(letter.wish)
        elif done:
            self.queue.remove(letter)
            self.model.handled(letter.wish, self.told[told:], letter.runs)
            if letter.body.startswith('{"trigger": "upload"'):
                self.model.uploaded_at(json.loads(letter.body)["time"])
        else:
            self.clock.passes(15)

    def _begins(self, letter: Letter) -> Wish | None:
        return None if letter.body in POISON else self.model.begins(json.loads(letter.body))

    def send_message(self, *, MessageBody: str, MessageAttributes: Mapping[str, Any], **_: Any) -> None:
        assert MessageAttributes["reason"]["StringValue"]
        self.dead.append(MessageBody)

    def change_message_visibility(self, **_: Any) -> None:
        pass

    def tell(self, kind: str, detail: Mapping[str, Any]) -> None:
        count = len(self.told)
        try:
            super().tell(kind, detail)
        finally:
            self.damaged = self.damaged and count == len(self.told)
            for event in self.told[count:]:
                self.model.tells(*event)

    # What happens.

    def happens(self) -> None:
        self.random.choices(ACTS, WEIGHTS)[0](self)

    def some_upload(self) -> None:
        self.upload(self.random.choice("abc"))
        self.model.changed()
        self.pause()

    def some_deletion(self) -> None:
        name = self.random.choice("abc")
        if any("ETag" in entry for entry in self.s3.versions.get(self.key(name), ())[:1]):
            self.s3.delete(self.key(name))
            self.model.changed()
        self.pause()

    def pause(self) -> None:
        self.clock.passes(self.random.choice((0, 0.1, 1, 7)))

    def some_marker(self) -> None:
        self.clock.passes(self.random.choice((0, 1)))
        self.late({"trigger": "marker", "time": self.second, "event": self.event})

    def some_upload_event(self) -> None:
        time = self.second
        seconds = self.random.choice((60, 60, 60, 7_200))  # a deployment changes it
        self.late({"trigger": "upload", "name": "q", "quiet_seconds": seconds, "time": time})

    def some_schedule(self) -> None:
        # At one second fires one schedule: its time is the text that its message is known by.
        again = int(self.clock.now.timestamp()) % 7 < 2
        self.send({"trigger": "schedule", "time": self.second, "retrain_unchanged": again})

    def some_alarm(self) -> None:
        values = {"alarm": ALARM, "cool_down_seconds": 60, "event": self.event}
        self.late({"trigger": "alarm", **values, "time": self.second})

    def some_request(self) -> None:
        retrain = self.random.choice(("", "", f"new image {self.event}", "drift"))
        reason = f"somebody {self.event}"
        self.send({"trigger": "request", "reason": reason, **({"retrain": retrain} if retrain else {})})

    @property
    def second(self) -> str:
        """Return the time of an event now: events tell whole seconds."""
        return self.clock.now.replace(microsecond=0).isoformat()

    @property
    def event(self) -> str:
        """Return the id of another event."""
        self.events += 1
        return f"e{self.events}"

    def late(self, message: Mapping[str, Any]) -> None:
        """Send a message, which may come late and so behind others, or not at all."""
        if self.random.random() < 0.2:
            self.dead.append(json.dumps(message))  # comes when dead letters are moved back
        else:
            self.send(message)

    def a_copy(self) -> None:
        if self.sent:
            self.send(self.random.choice(self.sent[-6:]))

    def poison(self) -> None:
        future = {"trigger": "marker", "time": "2099-01-01T00:00:00+00:00", "event": "e"}
        upload = {"trigger": "upload", "name": "q", "quiet_seconds": 60, "time": "2099-01-01T00:00:00+00:00"}
        self.send(self.random.choice((*POISON, json.dumps(future), json.dumps(upload))))

    def moves_back(self) -> None:
        """Move the dead letters back to the queue."""
        letters, self.dead = self.dead, []
        for body in letters:
            if body not in POISON:
                self.send(body)

    def an_end(self) -> None:
        running = [name for name, status in self.machine.executions.items() if status == "RUNNING"]
        if running:
            self.ends(self.random.choice(running), self.random.choice(ENDS))

    def ends(self, name: str, status: str, *, lost: bool | None = None) -> None:
        self.machine.executions[name] = status
        message = {"trigger": "ended", "execution": name, "event": self.event}
        lose = self.random.random() < 0.2 if lost is None else lost
        if status in ("SUCCEEDED", "FAILED") and not lose:
            announced = "Model Trained" if status == "SUCCEEDED" else "Training Failed"
            self.send({**message, "status": announced})
        if self.random.random() < 0.8:
            self.send({**message, "status": status})

    def a_redrive(self) -> None:
        failed = [name for name, status in self.machine.executions.items() if status == "FAILED"]
        running = list(self.machine.executions.values()).count("RUNNING")
        # Not amid a message: an execution that was decided on before may start beside it.
        known = self.machine.seen is None and not any(letter.begun for letter in self.queue)
        if failed and not running and known:
            self.machine.redrive(self.random.choice(failed))

    def by_hand(self) -> None:
        self.machine._begin(f"by-hand-of-somebody-{self.count}", {"data_set": "0" * 24})
        self.count += 1

    def lags(self) -> None:
        """Step Functions' answers lag behind; not while a state is lost that is made again from them."""
        if self.machine.seen is None:
            if not self.damaged and self.clock.off not in JUMPS:
                self.machine.lag()
        else:
            self.machine.catch_up()

    def an_outage(self) -> None:
        operation = self.random.choice(
            (
                "start_execution",
                "put_object",
                "get_object",
                "put_events",
                "update_schedule",
                "list_executions",
            )
        )
        self.faults.outage[operation] = self.random.randint(1, 4)

    def a_fault(self) -> None:
        self.faults.left = self.random.randint(1, 14)
        self.faults.before = self.random.random() < 0.5
        self.faults.error = self.random.choice((Crash, Crash, ConnectionError))

    def other_settings(self) -> None:
        before = self.machine.digest
        self.machine.digest = self.random.choice(("5e771265", "00000000"))
        self.machine.starts_with = before if self.random.random() < 0.5 else None

    def damage(self) -> None:
        key = state_key("")
        if key in self.s3.versions and not any(letter.begun for letter in self.queue):
            self.machine.catch_up()
            self.damaged = True
            body = bytearray(self.s3.read(key))
            if self.random.random() < 0.3:
                self.s3.versions[key].insert(0, {**self.s3.versions[key][0], "body": b""})
            elif body:
                body[self.random.randrange(len(body))] ^= 1 << self.random.randrange(7)
                self.s3.versions[key][0]["body"] = bytes(body)

    def a_clock_jumps(self) -> None:
        """The starter's clock goes wrong, or is set right again; not while Step Functions lags."""
        self.machine.catch_up()
        self.clock.off = self.off if self.clock.off in JUMPS else self.random.choice(JUMPS)
        self.jumped = True

    def a_while(self) -> None:
        self.passes(self.random.choice((20, 70, 300, 4_000)))

    def passes(self, seconds: float) -> None:
        """Let time pass; what schedules send on their time is delivered at least once."""
        self.clock.passes(seconds)
        if seconds > 60:
            self.machine.starts_with = None
            self.machine.catch_up()
        for name, (at, message) in list(self.schedules.pending.items()):
            if at <= self.clock.now:
                del self.schedules.pending[name]
                self.send(message)

    def ends_well(self) -> None:
        """Deliver everything, let every execution succeed, let no further fault happen."""
        self.faults.left, self.faults.outage = 0, {}
        self.clock.off = self.off
        self.machine.starts_with = None
        self.machine.catch_up()
        if self.jumped:  # what a wrong clock has set is set right by the next message
            self.send({"trigger": "wake", "at": "once"})
        for _ in range(60):
            self.moves_back()
            while self.queue:
                self.deliver()
            running = [name for name, status in self.machine.executions.items() if status == "RUNNING"]
            if not (running or self.schedules.pending or self.dead):
                break
            for name in running:
                self.machine.executions[name] = "SUCCEEDED"
                if self.random.random() < 0.7:
                    self.send({"trigger": "ended", "execution": name, "status": "SUCCEEDED", "event": "e"})
            self.passes(4_000)
        self.model.ends()


ACTS: list[Callable[[History], None]] = []
WEIGHTS: list[float] = []
for _act, _weight in {
    History.some_upload: 6,
    History.some_deletion: 3,
    History.some_marker: 5,
    History.some_upload_event: 3,
    History.some_schedule: 2,
    History.some_alarm: 2,
    History.some_request: 2,
    History.a_copy: 3,
    History.poison: 0.5,
    History.moves_back: 1,
    History.deliver: 16,
    History.an_end: 5,
    History.a_redrive: 3,
    History.by_hand: 0.5,
    History.lags: 1,
    History.an_outage: 0.7,
    History.a_fault: 3,
    History.other_settings: 0.7,
    History.damage: 0.2,
    History.a_clock_jumps: 1,
    History.a_while: 2,
}.items():
    ACTS.append(_act)
    WEIGHTS.append(_weight)


def run(seed: int, starter: type[Starter] = Starter, steps: int = 24) -> History:
    """Run one history to its end. Raises BrokenPromiseError."""
    history = History(seed, starter)
    for _ in range(steps):
        history.happens()
    history.ends_well()
    return history
