"""``make soak``: minutes of random uploads, deletions, markers, alarms, aborts and kills, then the verdict.

Three pipelines on one bucket are deployed on the local platform. The actor is a process of its own. It, the
functions' processes and the training containers are killed with SIGKILL at random. The emulator is not: it
keeps the account in memory, and would come back empty.
"""

from __future__ import annotations

import argparse
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
LAST = HERE / "last.json"
VISIBILITY = 20
"""Seconds after which a message of a killed starter comes back; deployed, it is the function's timeout."""
SETTLES = 600.0


def children_of_the_emulator() -> list[int]:
    """Return the processes of functions and containers: the session of the emulator that this one started."""
    found: dict[int, tuple[int, int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            found[int(entry.name)] = (int(fields[1]), int(fields[3]), command)
    emulators = {
        pid
        for pid, (parent, _, command) in found.items()
        if parent == os.getpid() and "amazon_estimators_rehearsal.emulator" in command
    }
    return sorted(
        pid for pid, (_, session, _) in found.items() if session in emulators and pid not in emulators
    )


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
            victims = children_of_the_emulator()
            if victims and rng.random() < 0.15:
                os.kill(rng.choice(victims), signal.SIGKILL)
                done["kill a function or container"] += 1
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
    """Soak, and write the result to ``last.json``."""
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
    text = json.dumps(result, indent=2) + "\n"
    print(text)
    LAST.write_text(text, encoding="utf-8")
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
