"""Does random things to three pipelines of one bucket until it is killed: a user, a job and an operator."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config

PIPELINES = ("Marker", "Quiet", "Clock")
FILES = tuple(f"part-{number}.csv" for number in range(6))
ROWS = 20


class Actor:
    """Acts by ``rng`` on what the stack's ``outputs`` name."""

    def __init__(self, outputs: Mapping[str, str], rng: random.Random, client: Callable[[str], Any]) -> None:
        self.outputs, self.rng, self.client = outputs, rng, client
        self.acts: dict[Callable[[], str], int] = {
            self.upload: 10,
            self.delete: 3,
            self.mark: 5,
            self.alarm: 1,
            self.abort: 1,
        }

    def act(self) -> str:
        """Do one thing, and say what it was."""
        ((act, _),) = self.rng.choices([*self.acts.items()], weights=[*self.acts.values()])
        return act()

    def upload(self) -> str:
        key = self._key()
        self.client("s3").put_object(Bucket=self.outputs["Bucket"], Key=key, Body=self.rows().encode())
        return f"upload {key}"

    def delete(self) -> str:
        key = self._key()
        self.client("s3").delete_object(Bucket=self.outputs["Bucket"], Key=key)
        return f"delete {key}"

    def mark(self) -> str:
        key = "marker/input/train/_SUCCESS"
        self.client("s3").put_object(Bucket=self.outputs["Bucket"], Key=key, Body=b"")
        return "marker"

    def alarm(self) -> str:
        name = self.outputs["AlarmArn"].rpartition(":")[2]
        for state in ("ALARM", "OK"):
            self.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="soak")
        return "alarm"

    def abort(self) -> str:
        machine = self.outputs[f"{self.rng.choice(PIPELINES)}StateMachine"]
        states = self.client("stepfunctions")
        running = states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        if not running:
            return "abort nothing"
        states.stop_execution(
            executionArn=running[0]["executionArn"], error="Soak", cause="aborted by the soak"
        )
        return f"abort {running[0]['name']}"

    def rows(self) -> str:
        """Return a few rows that no other file has."""
        return "\n".join(f"{self.rng.random():.6f},{self.rng.random():.6f}" for _ in range(ROWS))

    def _key(self) -> str:
        return f"{self.rng.choice(PIPELINES).lower()}/input/train/{self.rng.choice(FILES)}"


def main() -> None:
    """``actor.py SEED``, with the stack's outputs as JSON on standard input."""
    outputs, rng = json.loads(sys.stdin.readline()), random.Random(int(sys.argv[1]))
    config = Config(retries={"mode": "standard", "max_attempts": 5}, s3={"addressing_style": "path"})
    clients = {name: boto3.client(name, config=config) for name in ("s3", "cloudwatch", "stepfunctions")}
    actor = Actor(outputs, rng, clients.__getitem__)
    while True:
        print(actor.act(), flush=True)
        time.sleep(rng.uniform(0.5, 6))


if __name__ == "__main__":
    main()
