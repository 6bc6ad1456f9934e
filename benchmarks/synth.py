"""Measure the synth of pipelines against that of a bucket: ``benchmarks/synth.py [--rounds N] [--write]``.

Each app runs in a process of its own, with its Node process; CPU seconds count both. ``functions`` is an app
of one bucket that also imports what any app with a Lambda function, a state machine and an alarm imports: the
pipelines cannot take less. Lambda code is not installed, as in a stack that is not deployed.

CDK validates templates in a WebAssembly engine, which takes seconds to start and to warm up, whatever is in
the template. ``CDK_VALIDATION=false`` turns that off; both are measured.

``--write`` saves the lowest of all rounds to ``benchmarks/results/synth.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "synth.json"
PIPELINES = 10

APP = """
from aws_cdk import App, Stack, aws_s3
{imports}
app = App(context={{"aws:cdk:bundling-stacks": []}})
stack = Stack(app, "Stack")
{body}
app.synth()
"""
BUCKET = 'aws_s3.Bucket(stack, "Bucket")'
FUNCTIONS = "from aws_cdk import aws_cloudwatch, aws_lambda, aws_stepfunctions"
LIBRARY = """
from amazon_estimators.algorithms import KMeans
from cdk_amazon_estimators import TrainingPipeline
"""
PIPELINE = """
for number in range({count}):
    TrainingPipeline(
        stack, f"Pipeline{{number}}", algorithm=KMeans(k=10, feature_dim=4), instance_type="ml.m5.large"
    )
"""
APPS = {
    "bucket": APP.format(imports="", body=BUCKET),
    "functions": APP.format(imports=FUNCTIONS, body=BUCKET),
    "one pipeline": APP.format(imports=LIBRARY, body=PIPELINE.format(count=1)),
    "ten pipelines": APP.format(imports=LIBRARY, body=PIPELINE.format(count=PIPELINES)),
}


def cpu_seconds(app: str, *, validation: str) -> float:
    """Return the CPU seconds of an app and of its Node process."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "app.py"
        path.write_text(app)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        roots = os.pathsep.join(str(ROOT / root) for root in ("lambda", "constructs"))
        environment = {
            **os.environ,
            "PYTHONPATH": roots,
            "CDK_OUTDIR": directory,
            "CDK_VALIDATION": validation,
        }
        subprocess.run([sys.executable, path], check=True, env=environment, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    for name, validation in {"validated by CDK": "true", "not validated": "false"}.items():
        rounds = [
            {app: cpu_seconds(text, validation=validation) for app, text in APPS.items()}
            for _ in range(options.rounds)
        ]
        seconds = {app: min(one[app] for one in rounds) for app in APPS}
        result[name] = {
            app: {"cpu_seconds": round(value, 2), "of_a_bucket": round(value / seconds["bucket"], 2)}
            for app, value in seconds.items()
        }
    print(json.dumps(result, indent=1))
    if options.write:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
