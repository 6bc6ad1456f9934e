"""``make soak``: minutes of random uploads, deletions, markers, alarms, aborts and kills, then the verdict.

Three pipelines on one bucket are deployed on the local platform. The actor is a process of its own. It, the
functions' processes and the training containers are killed with SIGKILL at random. The emulator is stopped
for some seconds and goes on. Killed, it would come back empty: the account is in its memory, and executions
are its threads.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from account_history import History

from amazon_estimators_rehearsal.platform import Platform

HERE = Path(__file__).resolve().parent
APP = HERE.parent / "triggers" / "app"
RESULTS = HERE / "results.json"
KEPT = 5
VISIBILITY = 20
"""Seconds after which a message of a killed starter comes back; deployed, it is the function's timeout."""
SETTLES = 600.0


def emulator_and_children() -> tuple[int, list[int]]:
    """Return the emulator that this process started, and the functions and containers in its session."""
    sessions: dict[int, int] = {}
    emulator = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it has ended
            pid, parent, sessions[int(entry.name)] = int(entry.name), int(fields[1]), int(fields[3])
            if parent == os.getpid() and b"amazon_estimators_rehearsal.emulator" in command:
                emulator = pid
    return emulator, sorted(pid for pid, of in sessions.items() if of == emulator and pid != emulator)


def strike(rng: random.Random) -> str:
    """Kill a function or a container, or let the account hang for some seconds; return what was done."""
    emulator, victims = emulator_and_children()
    if rng.random() < 0.2:
        os.kill(emulator, signal.SIGSTOP)
        time.sleep(rng.uniform(1, 15))
        os.kill(emulator, signal.SIGCONT)
        return "hang the account"
    if not victims:
        return "find nothing to kill"
    with contextlib.suppress(ProcessLookupError):
        os.kill(rng.choice(victims), signal.SIGKILL)
    return "kill a function or container"


def act(platform: Platform, outputs: dict[str, str], *, seed: int, minutes: float) -> Counter[str]:
    """Let actors act and processes die for so long; return how often what was done."""
    rng, done, log = random.Random(seed), Counter[str](), platform.directory / "actor.log"
    end = time.monotonic() + minutes * 60
    number = 0
    while time.monotonic() < end:
        number += 1
        with log.open("ab") as written:
            actor = subprocess.Popen(
                [sys.executable, str(HERE / "actor.py"), str(seed * 1_000 + number)],
                stdin=subprocess.PIPE,
                stdout=written,
                stderr=written,
                env={**os.environ, **platform.environment()},
            )
        assert actor.stdin is not None
        actor.stdin.write(json.dumps(outputs).encode() + b"\n")
        actor.stdin.flush()
        lives = time.monotonic() + rng.uniform(20, 60)
        while time.monotonic() < min(lives, end):
            time.sleep(rng.uniform(1, 10))
            if rng.random() < 0.15:
                done[strike(rng)] += 1
        actor.kill()
        actor.wait()
        done["kill the actor"] += 1
    done.update(line.split()[0] for line in log.read_text().splitlines() if line)
    return done


def settle(history: History) -> None:
    """Ask for the last data of each pipeline, and wait until nothing is under way."""
    history.ask()
    end = time.monotonic() + SETTLES
    quiet = 0
    while quiet < 10:
        if time.monotonic() > end:
            raise SystemExit(f"still under way after {SETTLES:.0f} seconds: {history.under_way()}")
        quiet = 0 if history.under_way() else quiet + 1
        time.sleep(1)


def main() -> int:
    """Soak, and add the result to ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with Platform(app=APP) as platform:
        outputs = platform.deploy({})
        history = History(platform, outputs)
        history.shorten_visibility(VISIBILITY)
        done = act(platform, outputs, seed=asked.seed, minutes=asked.minutes)
        settle(history)
        result: dict[str, Any] = {
            "seed": asked.seed,
            "minutes": asked.minutes,
            "done": dict(sorted(done.items())),
            **history.verdict(alarms=done["alarm"]),
        }
        if result["problems"]:
            print("\n".join(platform.problems()), file=sys.stderr)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    text = json.dumps([*results, result][-KEPT:], indent=2) + "\n"
    print(json.dumps(result, indent=2))
    RESULTS.write_text(text, encoding="utf-8")
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
