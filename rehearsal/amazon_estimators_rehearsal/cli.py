"""Deploy the CDK app into a local AWS, train on real data, show what happened."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from amazon_estimators.algorithms import ALGORITHMS, Algorithm, algorithm_named
from amazon_estimators.errors import AmazonEstimatorsError, RequestError
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.sources import Source
from amazon_estimators.sources.options import HELP, source_options
from amazon_estimators_rehearsal.command import CommandError
from amazon_estimators_rehearsal.deployment import app_directory
from amazon_estimators_rehearsal.follow import NoExecutionError, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.report import print_report
from amazon_estimators_rehearsal.retraining import FILES, retrain
from amazon_estimators_rehearsal.samples import SAMPLES, Sample, own, required
from amazon_estimators_rehearsal.scratch import scratch
from amazon_estimators_rehearsal.server import EmulatorError
from amazon_estimators_rehearsal.view import View, say

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a rehearsal and return its exit code.

    Returns:
        0 if the training job completed, 1 if anything failed, 130 if the user interrupted it.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    for number in STOPPING:
        signal.signal(number, _stop)
    try:
        return _rehearse(options, console)
    except KeyboardInterrupt:
        say(console, "\nInterrupted. Everything this rehearsal started has been stopped.")
        return 130
    except (
        AmazonEstimatorsError,
        CommandError,
        EmulatorError,
        NoExecutionError,
        BotoCoreError,
        ClientError,
        OSError,
    ) as error:
        say(console, (type(error).__name__, "bold red"), f" {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amazon-estimators-rehearse", description=__doc__)
    add = parser.add_argument
    add("--algorithm", default="KMeans", metavar="NAME", help=f"one of {', '.join(sorted(ALGORITHMS))}")
    add("--data", type=Path, metavar="PATH", help="your own file or directory; default: a sample data set")
    add("--label", metavar="COLUMN", type=_column, help="the label's column in --data, by name or position")
    add(
        "--source",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=_assignment,
        help=f"for --data: {HELP[0].lower()}{HELP[1:]}",
    )
    add(
        "--hyperparameter",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        type=_assignments,
        help="may be repeated, and may hold several: 'k=10 epochs=2'",
    )
    add("--instance-type", default="ml.m5.large", metavar="TYPE")
    add("--instance-count", type=int, metavar="N", help="default: 2, or 1 if the algorithm takes no more")
    add("--app", type=Path, metavar="DIRECTORY", help="the CDK app to deploy; default: where cdk.json is")
    add("--timeout", default=600.0, type=float, metavar="SECONDS", help="for the execution; default: 600")
    add("--keep", action="store_true", help="keep the directory of logs and cloud assemblies")
    return parser


def _rehearse(options: argparse.Namespace, console: Console) -> int:
    algorithm, app = algorithm_named(options.algorithm), app_directory(options.app)
    with scratch(keep=options.keep) as directory:
        try:
            sample = _sample(algorithm, options, directory)
            settings = _settings(sample, options)
            _check(algorithm, settings, console)
            with Platform(app=app, directory=directory) as platform:
                return _train(
                    platform, console, algorithm.__name__, sample=sample, settings=settings, options=options
                )
        finally:
            if options.keep:
                say(console, f"Kept: {directory}")


def _sample(algorithm: type[Algorithm], options: argparse.Namespace, directory: Path) -> Sample:
    if options.data is None:
        if options.source or options.label is not None:
            raise RequestError(
                "--label and --source say how to read --data, but --data is missing",
                remedy="Remove them, or add --data.",
            )
        return SAMPLES[algorithm.__name__](directory)
    source = source_options(options.source, label=options.label)
    return replace(
        own(options.data, algorithm, source), hyperparameters=required(algorithm.__name__, directory)
    )


def _settings(sample: Sample, options: argparse.Namespace) -> dict[str, Any]:
    """Return app.py's settings for the algorithm: the sample's, overridden by the user's options."""
    settings = {**sample.settings(), "instance_type": options.instance_type}
    settings["hyperparameters"] |= dict(options.hyperparameter)
    if options.instance_count is not None:
        settings["instance_count"] = options.instance_count
    return settings


def _check(algorithm: type[Algorithm], settings: Mapping[str, Any], console: Console) -> None:
    """Raise the errors of ``cdk synth`` before anything is started."""
    instances = settings["instance_count"]
    with warnings.catch_warnings(record=True) as cautions:
        warnings.simplefilter("always")
        algorithm(**settings["hyperparameters"])
    for caution in cautions:
        say(console, ("Warning", "yellow"), f" {caution.message}")
    algorithm.check_instances(settings["instance_type"], instances)
    sources = {name: Source.from_dict(values) for name, values in settings["channels"].items()}
    channels_of(algorithm, sources, {}, instance_count=instances, prefix="")


def _train(
    platform: Platform,
    console: Console,
    name: str,
    *,
    sample: Sample,
    settings: Mapping[str, Any],
    options: argparse.Namespace,
) -> int:
    """Deploy, upload, follow the execution, report; return the exit code."""
    view = View(console)
    say(console, f"Local AWS on {platform.endpoint}, IAM enforced. Data: {sample.title}.")
    explicit = dict(options.hyperparameter)
    assumed = {key: value for key, value in sample.hyperparameters.items() if key not in explicit}
    if options.data is not None and assumed:
        named = ", ".join(f"{key}={value}" for key, value in assumed.items())
        say(console, f"Not given, so taken from the sample: {named}.")
    with view.step("cdk bootstrap, synth, deploy"):
        outputs = platform.deploy({"algorithms": {name: settings}})
    began = time.monotonic()
    bucket, prefix = outputs[f"{name}DataBucket"], outputs[f"{name}InputPrefix"]
    with view.step(f"upload to s3://{bucket}/{prefix}"):
        _upload(platform.client("s3"), sample, bucket, prefix)
    try:
        ended = view.follow(
            follow(platform.client("stepfunctions"), outputs[f"{name}StateMachine"], timeout=options.timeout)
        )
    except NoExecutionError:
        _explain(platform, console)
        raise
    seconds = {**platform.seconds, "upload to end of execution": time.monotonic() - began}
    seconds |= {f"  {state}": value for state, value in view.seconds.items()}
    if ended.status != "SUCCEEDED":
        say(console, (ended.status, "bold red"), f" {ended.error}\n{ended.cause}")
        _explain(platform, console)
        return 1
    job = json.loads(ended.output)["job"]
    labels = {channel: source.get("label") for channel, source in sample.sources.items()}
    print_report(console, platform.client("s3"), algorithm_named(name), job, seconds=seconds, labels=labels)
    if options.data is None and not _retrained(
        name, platform, sample, outputs, console=console, view=view, timeout=options.timeout
    ):
        return 1
    return 0 if job["TrainingJobStatus"] == "Completed" else 1


def _upload(s3: Any, sample: Sample, bucket: str, prefix: str) -> None:
    for key, path in sample.uploads():
        s3.upload_file(str(path), bucket, f"{prefix}{key}")
    # The marker completes the batch and starts the training.
    s3.put_object(Bucket=bucket, Key=f"{prefix}train/_SUCCESS")


def _retrained(
    name: str,
    platform: Platform,
    sample: Sample,
    outputs: Mapping[str, str],
    *,
    console: Console,
    view: View,
    timeout: float,
) -> bool:
    """Train again on a second batch of the sample. Return True if exactly one training ran and completed."""
    say(console, f"\nA second batch: {FILES} files, a marker, and the marker's event twice.")
    ended, trainings = retrain(
        platform,
        view,
        sample=sample.files["train"][0],
        bucket=outputs[f"{name}DataBucket"],
        prefix=f"{outputs[f'{name}InputPrefix']}train/",
        machine=outputs[f"{name}StateMachine"],
        timeout=timeout,
    )
    if ended.status != "SUCCEEDED":
        say(console, (ended.status, "bold red"), f" {ended.error}\n{ended.cause}")
        return False
    output = json.loads(ended.output)
    say(
        console,
        (f"{'further trainings':<20}", "bold"),
        f" {trainings}, on data set {output['plan']['data_set']}: "
        f"{len(sample.files['train'])} + {FILES} files",
    )
    return trainings == 1


def _explain(platform: Platform, console: Console) -> None:
    """Print refused permissions and the emulator's errors."""
    for line in platform.problems():
        say(console, (line, "yellow" if "DENIED" in line else "dim"))


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def _assignments(text: str) -> list[tuple[str, str]]:
    """Split ``NAME=VALUE NAME=VALUE``. A value ends where the next name begins, so it may contain spaces."""
    return [_assignment(part) for part in re.split(r"\s+(?=\w+=)", text.strip())]


def _column(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _stop(number: int, frame: object) -> None:
    """Unwind, which stops everything that was started. A second signal must not interrupt it."""
    for stopping in STOPPING:
        signal.signal(stopping, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
