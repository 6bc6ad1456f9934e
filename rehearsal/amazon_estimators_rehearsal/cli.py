"""Deploy the CDK app into a local AWS, train on real data, show what happened."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from amazon_estimators.algorithms import ALGORITHMS, Algorithm, algorithm_named
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.errors import AmazonEstimatorsError, RequestError
from amazon_estimators.pipeline.channels import channels_of
from amazon_estimators.sources import Source
from amazon_estimators.sources.options import HELP, source_options
from amazon_estimators_rehearsal.app_data import check_data, data_of
from amazon_estimators_rehearsal.checked_calls import tell_checked_calls
from amazon_estimators_rehearsal.command import CommandError
from amazon_estimators_rehearsal.deployment import app_of, context_of
from amazon_estimators_rehearsal.follow import NoExecutionError
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.retraining import FILES, retrain
from amazon_estimators_rehearsal.samples import SAMPLES, Sample, own, required
from amazon_estimators_rehearsal.scratch import scratch
from amazon_estimators_rehearsal.server import EmulatorError
from amazon_estimators_rehearsal.stay import stay
from amazon_estimators_rehearsal.training import tell_failure, train
from amazon_estimators_rehearsal.view import View, say
from amazon_estimators_rehearsal.whole_loop import APP, LoopError, whole_loop

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
        LoopError,
        BotoCoreError,
        ClientError,
        OSError,
    ) as error:
        say(console, (type(error).__name__, "bold red"), f" {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amazon-estimators-rehearse", description=__doc__)
    add = parser.add_argument
    add("--algorithm", metavar="NAME", help=f"one of {', '.join(sorted(ALGORITHMS))}; default: KMeans")
    add(
        "--data",
        action="append",
        default=[],
        metavar="[PIPELINE=]PATH",
        help="your own file or directory; name the pipeline if the app has several; default: sample data",
    )
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
    add("--instance-type", metavar="TYPE", help="default: ml.m5.large")
    add("--instance-count", type=int, metavar="N", help="default: 2, or 1 if the algorithm takes no more")
    add(
        "--app",
        type=Path,
        metavar="PATH",
        help="the CDK app to deploy, a directory with cdk.json or a Python program; default: here. Without "
        "the context 'algorithms' in its cdk.json, an app makes its pipelines itself, and all are trained",
    )
    add(
        "--full",
        action="store_true",
        help="the whole loop of examples/screening.py: tune, judge, register, approve, serve, score, retrain",
    )
    add("--timeout", default=600.0, type=float, metavar="SECONDS", help="for the execution; default: 600")
    add("--keep", action="store_true", help="keep the directory of logs and cloud assemblies")
    add("--stay", action="store_true", help="keep the local AWS running at the end, until Ctrl-C")
    return parser


def _rehearse(options: argparse.Namespace, console: Console) -> int:
    if options.full:
        return _rehearse_whole_loop(options, console)
    app = app_of(options.app)
    from_settings = "algorithms" in context_of(app)
    if not from_settings:
        _check_app_decides(options, app)
    with scratch(keep=options.keep) as directory:
        try:
            if from_settings:
                return _rehearse_settings(options, console, app, directory)
            return _rehearse_app(options, console, app, directory)
        finally:
            if options.keep:
                say(console, f"Kept: {directory}")


def _rehearse_app(options: argparse.Namespace, console: Console, app: Path, directory: Path) -> int:
    """Rehearse every pipeline of a user's own app."""
    check_data(options.data)
    with Platform(app=app, directory=directory) as platform:
        say(console, f"Local AWS on {platform.endpoint}, IAM enforced. App: {app}.")
        with View(console).step("cdk bootstrap, synth, deploy"):
            platform.deploy()
        done = []
        for pipeline, sample in data_of(platform.pipelines(), options.data, directory):
            algorithm = pipeline.settings["algorithm"]
            say(console, (f"\n{pipeline.name}", "bold"), f": {algorithm}. Data: {sample.title}.")
            done.append(train(platform, console, pipeline, sample, timeout=options.timeout))
        tell_checked_calls(platform, console)
        if options.stay:
            stay(platform, console)
        return 0 if all(done) else 1


def _rehearse_whole_loop(options: argparse.Namespace, console: Console) -> int:
    """Rehearse what follows a training, with the example that has it all."""
    app = app_of(options.app or app_of() / APP)
    _check_app_decides(options, app)
    with scratch(keep=options.keep) as directory, Platform(app=app, directory=directory) as platform:
        say(console, f"Local AWS on {platform.endpoint}, IAM enforced. App: {app}.")
        with View(console).step("cdk bootstrap, synth, deploy"):
            outputs = platform.deploy()
        done = whole_loop(platform, console, outputs, timeout=options.timeout)
        tell_checked_calls(platform, console)
        if options.stay:
            stay(platform, console)
        return 0 if done else 1


def _check_app_decides(options: argparse.Namespace, app: Path) -> None:
    """Raise if an option says what the app itself says."""
    names = ("algorithm", "hyperparameter", "instance_type", "instance_count", "label", "source")
    named = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) not in (None, [])]
    if named:
        raise RequestError(
            f"{', '.join(named)}: the app at {app} makes its pipelines itself",
            remedy="Set it in the app, and leave the option out.",
        )


def _rehearse_settings(options: argparse.Namespace, console: Console, app: Path, directory: Path) -> int:
    """Rehearse an app that reads its pipelines from the CDK context ``algorithms``, as ours does."""
    algorithm = algorithm_named(options.algorithm or "KMeans")
    sample = _sample(algorithm, options, directory)
    settings = _settings(sample, options)
    _check(algorithm, settings, console)
    with Platform(app=app, directory=directory) as platform:
        say(console, f"Local AWS on {platform.endpoint}, IAM enforced. Data: {sample.title}.")
        explicit = dict(options.hyperparameter)
        assumed = {key: value for key, value in sample.hyperparameters.items() if key not in explicit}
        if options.data and assumed:
            named = ", ".join(f"{key}={value}" for key, value in assumed.items())
            say(console, f"Not given, so taken from the sample: {named}.")
        with View(console).step("cdk bootstrap, synth, deploy"):
            platform.deploy({"algorithms": {algorithm.__name__: settings}})
        (pipeline,) = platform.pipelines()
        done = train(platform, console, pipeline, sample, timeout=options.timeout)
        if done and not options.data:
            done = _retrained(platform, console, pipeline, sample, timeout=options.timeout)
        tell_checked_calls(platform, console)
        if options.stay:
            stay(platform, console)
        return 0 if done else 1


def _sample(algorithm: type[Algorithm], options: argparse.Namespace, directory: Path) -> Sample:
    if not options.data:
        if options.source or options.label is not None:
            raise RequestError(
                "--label and --source say how to read --data, but --data is missing",
                remedy="Remove them, or add --data.",
            )
        return SAMPLES[algorithm.__name__](directory)
    if len(options.data) > 1:
        raise RequestError(
            f"--data is given {len(options.data)} times; one algorithm has one data set", remedy="Keep one."
        )
    source = source_options(options.source, label=options.label)
    return replace(
        own(Path(options.data[0]), algorithm, source), hyperparameters=required(algorithm.__name__, directory)
    )


def _settings(sample: Sample, options: argparse.Namespace) -> dict[str, Any]:
    """Return app.py's settings for the algorithm: the sample's, overridden by the user's options."""
    settings = {**sample.settings(), "instance_type": options.instance_type or "ml.m5.large"}
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


def _retrained(
    platform: Platform, console: Console, pipeline: PipelineEstimator, sample: Sample, *, timeout: float
) -> bool:
    """Train again on a second batch of the sample. Return True if exactly one training ran and completed."""
    say(console, f"\nA second batch: {FILES} files, a marker, and the marker's event twice.")
    ended, trainings = retrain(
        platform, View(console), pipeline, sample=sample.files["train"][0], timeout=timeout
    )
    if ended.status != "SUCCEEDED":
        tell_failure(console, ended)
        return False
    output = json.loads(ended.output)
    say(
        console,
        (f"{'further trainings':<20}", "bold"),
        f" {trainings}, on data set {output['plan']['data_set']}: "
        f"{len(sample.files['train'])} + {FILES} files",
    )
    return trainings == 1


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
