"""Measure record_set() of 1 GB into the local S3: ``python benchmarks/record_set.py [--peer] [--write]``.

It measures the seconds from array to manifest by the clock, and the anonymous memory beyond the array, in a
separate process. The emulator serves both sides in turn, on the same cores; its work is in the seconds, and
is by far the largest part of ours.

``--peer`` also measures the SageMaker Python SDK 2 in the environment that ``--peer-environment`` names and
``codec.py --peer`` creates. ``--megabytes`` sets another size. ``--write`` saves the figures to
``benchmarks/results/record_set.json``.
The exit code is 1 if a bar is missed: 128 MiB of memory, and 5 times the peer's speed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import machine

from amazon_estimators_rehearsal.environment import client_environment
from amazon_estimators_rehearsal.server import emulator

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "record_set.json"
MEMORY_BAR, SPEED_BAR = 128 * 2**20, 5.0
COLUMNS = 100

# Runs under both libraries, so it imports neither before it knows which.
CLIENT = """
import json, sys, threading, time
import boto3
import numpy as np

which, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
session = boto3.Session()
settings = dict(role="arn:aws:iam::000000000000:role/trainer", instance_count=2,
                instance_type="ml.m5.large", data_location="s3://benchmark/" + which + "/")
if which == "ours":
    from amazon_estimators import Estimator, LinearLearner
    estimator = Estimator(LinearLearner(predictor_type="regressor"), session=session, **settings)
    extra = {"progress": False}
else:
    import sagemaker
    estimator = sagemaker.LinearLearner(predictor_type="regressor",
        sagemaker_session=sagemaker.Session(boto_session=session, default_bucket="benchmark"), **settings)
    extra = {}

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) * 1024

features = np.random.default_rng(0).random((rows, columns), np.float32)
labels = features[:, 0].copy()
estimator.record_set(features[:1000], labels[:1000], **extra)  # connections, and what is loaded on first use
before, peak, over = anonymous(), 0, threading.Event()

def watch():
    global peak
    while not over.wait(0.01):
        peak = max(peak, anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
began, cpu = time.perf_counter(), time.process_time()
estimator.record_set(features, labels, **extra)
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
over.set()
watcher.join()
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "extra_bytes": peak - before,
                  "mb_per_second": features.nbytes / 1e6 / seconds}))
"""


def measure(python: Path, which: str, rows: int, environment: dict[str, str]) -> dict[str, Any]:
    """Return one side's figures, and delete its uploads, so that the next side finds the same emulator."""
    command = [str(python), "-W", "ignore", "-c", CLIENT, which, str(rows), str(COLUMNS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def delete_all(environment: dict[str, str]) -> None:
    script = "import boto3; boto3.resource('s3').Bucket('benchmark').objects.delete()"
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="of float32 features; default: 1000")
    parser.add_argument("--peer", action="store_true", help="measure the SageMaker Python SDK 2 too")
    parser.add_argument("--peer-environment", type=Path, default=ROOT / ".cache" / "peer")
    parser.add_argument(
        "--write", action="store_true", help=f"keep the figures in {RESULT.relative_to(ROOT)}"
    )
    options = parser.parse_args()
    rows = options.megabytes * 10**6 // (4 * COLUMNS)
    sides = {"ours": Path(sys.executable)}
    if options.peer:
        sides["peer"] = options.peer_environment / "bin" / "python"
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as endpoint:
        environment = client_environment(Path(folder), endpoint)
        environment["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
        environment["PYTHONPATH"] = str(ROOT / "lambda")
        script = "import boto3; boto3.client('s3').create_bucket(Bucket='benchmark')"
        subprocess.run([sys.executable, "-c", script], check=True, env=environment)
        for which, python in sides.items():
            figures[which] = measure(python, which, rows, environment)
            delete_all(environment)
            show(which, figures[which])
    return report(figures, options)


def show(which: str, found: dict[str, Any]) -> None:
    print(
        f"{which}: {found['mb_per_second']:,.0f} MB/s, {found['seconds']:.1f} s, "
        f"of which {found['cpu_seconds']:.1f} s its own processor time; "
        f"{found['extra_bytes'] / 2**20:,.0f} MiB beyond the array",
        flush=True,
    )


def report(figures: dict[str, Any], options: argparse.Namespace) -> int:
    ours = figures["ours"]
    met = {f"memory ≤ {MEMORY_BAR // 2**20} MiB": ours["extra_bytes"] <= MEMORY_BAR}
    if "peer" in figures:
        times = figures["peer"]["seconds"] / ours["seconds"]
        met[f"≥ {SPEED_BAR:.0f} x peer"] = times >= SPEED_BAR
        figures["times_peer"] = times
        figures["times_peer_in_cpu"] = figures["peer"]["cpu_seconds"] / ours["cpu_seconds"]
        print(
            f"{times:.1f} times the peer's speed; {figures['times_peer_in_cpu']:.1f} times in processor time"
        )
    for bar, reached in met.items():
        print(f"{'met' if reached else 'MISSED'}: {bar}")
    if options.write:
        result = {"megabytes": options.megabytes, "columns": COLUMNS, "machine": machine(), **figures}
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
