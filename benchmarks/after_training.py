"""Measure what the steps after training add to an execution in the rehearsal: seconds, bytes of state.

Tuning, gate and registration are all on. Seconds run from the end of the tuning job to the announcement;
bytes are those of the members of the state that these steps leave. ``--write`` keeps the figures.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
for source in ("constructs", "lambda", "rehearsal"):
    sys.path.insert(0, str(ROOT / source))

from amazon_estimators.pipeline.keys import input_prefix  # noqa: E402
from amazon_estimators_rehearsal.platform import Platform  # noqa: E402

APP = ROOT / "tests" / "after_training" / "app"
RESULTS = ROOT / "benchmarks" / "results" / "after_training.json"
EXECUTIONS = 4
"""The first starts every function cold."""
MEMBERS = ("prepared", "tuned", "verdict", "package")
WEIGHT = np.array([1.0, -2.0, 0.5])
BARS = {"seconds": 2.0, "bytes": 4_096}


def rows(count: int, seed: int, weight: np.ndarray) -> str:
    """Return CSV of a label and three features it is linear in."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 3))
    label = features @ weight + random.normal(scale=0.05, size=count)
    text = io.StringIO()
    csv.writer(text).writerows(np.column_stack([label, features]).round(5).tolist())
    return text.getvalue()


def added(history: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Return the seconds and the bytes of state that the steps after training added to an execution."""
    entered = {
        event["stateEnteredEventDetails"]["name"]: event
        for event in history
        if "stateEnteredEventDetails" in event
    }
    announce = entered["Announce"]
    state = json.loads(announce["stateEnteredEventDetails"]["input"])
    left = {name: state[name] for name in MEMBERS if name in state}
    took = announce["timestamp"] - entered["Leaderboard"]["timestamp"]
    return took.total_seconds(), len(json.dumps(left).encode())


def main() -> None:
    """Deploy, run some executions one after the other, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    write = parser.parse_args().write
    measured = []
    with Platform(app=APP) as platform:
        outputs = platform.deploy({})
        s3, states = platform.client("s3"), platform.client("stepfunctions")
        for number in range(EXECUTIONS):
            # What is to be learnt changes each time, so the gate lets each newer model through.
            weight = WEIGHT + 0.3 * number
            counts = {"train": 200, "validation": 50, "test": 50}
            bodies = {
                channel: rows(count, seed, weight) for seed, (channel, count) in enumerate(counts.items())
            }
            for channel, body in bodies.items():
                s3.put_object(Bucket=outputs["Bucket"], Key=f"{input_prefix('', channel)}rows.csv", Body=body)
            arn = states.start_execution(stateMachineArn=outputs["Machine"])["executionArn"]
            while (ended := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
                time.sleep(0.5)
            assert ended["status"] == "SUCCEEDED", (ended, platform.problems())
            pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
            if json.loads(ended["output"])["verdict"]["good"]:
                measured.append(added([event for page in pages for event in page["events"]]))
    seconds = [one for one, _ in measured]
    results = {
        "executions": len(measured),
        "seconds, functions cold": round(seconds[0], 2),
        "seconds, functions warm": round(statistics.median(seconds[1:]), 2),
        "bytes of state": max(size for _, size in measured),
        "bars": BARS,
    }
    print(json.dumps(results, indent=1))
    if write:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
