"""Deploy the CDK app into a local AWS, train on real data, show what happened."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from amazon_estimators.algorithms import ALGORITHMS, algorithm_named
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators_rehearsal.command import CommandError
from amazon_estimators_rehearsal.follow import NoExecutionError, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.report import print_report
from amazon_estimators_rehearsal.retraining import FILES, retrain
from amazon_estimators_rehearsal.samples import SAMPLES, Sample, own, required
from amazon_estimators_rehearsal.server import EmulatorError
from amazon_estimators_rehearsal.view import View

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one rehearsal. 0 only if the training job completed; 1 if anything failed; 130 if interrupted."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    for number in STOPPING:
        signal.signal(number, _stop)
    try:
        return _rehearse(options, console)
    except KeyboardInterrupt:
        console.print("\nInterrupted. Everything this rehearsal started has been stopped.")
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
        console.print(f"[bold red]{type(error).__name__}[/]", str(error), markup=True)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amazon-estimators-rehearse", description=__doc__)
    add = parser.add_argument
    add("--algorithm", default="KMeans", metavar="NAME", help=f"one of {', '.join(sorted(ALGORITHMS))}")
    add("--data", type=Path, metavar="PATH", help="your own file or directory; default: a sample data set")
    add("--label", metavar="COLUMN", type=_column, help="of --data: the label's column, by name or position")
    add(
        "--hyperparameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=_assignment,
        help="may be repeated",
    )
    add("--instance-type", default="ml.m5.large", metavar="TYPE")
    add("--instance-count", type=int, metavar="N", help="default: 2, or 1 where the algorithm takes no more")
    add("--app", type=Path, metavar="DIRECTORY", help="the CDK app to deploy; default: where cdk.json is")
    add("--timeout", default=600.0, type=float, metavar="SECONDS", help="for the execution; default: 600")
    add("--keep", action="store_true", help="keep the directory of logs and cloud assemblies")
    return parser


def _rehearse(options: argparse.Namespace, console: Console) -> int:
    name = algorithm_named(options.algorithm).__name__
    view = View(console)
    with Platform(app=options.app, keep=options.keep) as platform:
        sample = _sample(name, options, platform.directory)
        settings = {**sample.settings(), "instance_type": options.instance_type}
        given = dict(options.hyperparameter)
        assumed = {name: value for name, value in settings["hyperparameters"].items() if name not in given}
        settings["hyperparameters"] |= given
        if options.instance_count is not None:
            settings["instance_count"] = options.instance_count
        console.print(
            f"Local AWS on {platform.endpoint}, IAM enforced. Data: {sample.title}.", soft_wrap=True
        )
        if options.data is not None and assumed:
            named = ", ".join(f"{one}={value}" for one, value in assumed.items())
            console.print(f"Not given, so as for the sample data: {named}.", markup=False, soft_wrap=True)
        with view.step("cdk bootstrap, synth, deploy"):
            outputs = platform.deploy({"algorithms": {name: settings}})
        began = time.monotonic()
        bucket, prefix = outputs[f"{name}DataBucket"], outputs[f"{name}InputPrefix"]
        with view.step(f"upload to s3://{bucket}/{prefix}"):
            _upload(platform, sample, bucket, prefix)
        try:
            ended = view.follow(
                follow(
                    platform.client("stepfunctions"), outputs[f"{name}StateMachine"], timeout=options.timeout
                )
            )
        except NoExecutionError:
            _explain(platform, console)
            raise
        seconds = {**platform.seconds, "upload to end of execution": time.monotonic() - began}
        seconds |= {f"  {state}": value for state, value in view.seconds.items()}
        if ended.status != "SUCCEEDED":
            console.print(f"[bold red]{ended.status}[/] {ended.error}")
            console.print(ended.cause, markup=False, soft_wrap=True)
            _explain(platform, console)
            return 1
        job = json.loads(ended.output)["job"]
        print_report(console, platform.client("s3"), job, seconds)
        if options.data is None and not _retrained(
            name, platform, sample, outputs, console=console, view=view, timeout=options.timeout
        ):
            return 1
        if options.keep:
            console.print(f"Kept: {platform.directory}")
        return 0 if job["TrainingJobStatus"] == "Completed" else 1


def _sample(algorithm: str, options: argparse.Namespace, directory: Path) -> Sample:
    if options.data is None:
        return SAMPLES[algorithm](directory)
    brought = own(options.data, ALGORITHMS[algorithm], label=options.label)
    return replace(brought, hyperparameters=required(algorithm, directory))


def _upload(platform: Platform, sample: Sample, bucket: str, prefix: str) -> None:
    for channel, files in sample.files.items():
        for path in files:
            platform.client("s3").upload_file(str(path), bucket, f"{prefix}{channel}/{path.name}")
    # The batch is complete: this starts the training.
    platform.client("s3").put_object(Bucket=bucket, Key=f"{prefix}{channel}/_SUCCESS")


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
    """Train again on a second batch of the sample; whether that was one training, and a good one."""
    console.print(f"\nA second batch: {FILES} files, a marker, and the marker's event twice.")
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
        console.print(f"{ended.status} {ended.error}\n{ended.cause}", markup=False, soft_wrap=True)
        return False
    output = json.loads(ended.output)
    console.print(
        f"[bold]{'further trainings':<20}[/] {trainings}, on data set {output['plan']['data_set']}: "
        f"{len(sample.files['train'])} + {FILES} files",
        soft_wrap=True,
    )
    return trainings == 1


def _explain(platform: Platform, console: Console) -> None:
    """What else may help: refused permissions and the emulator's errors."""
    for line in platform.problems():
        console.print(line, style="yellow" if "DENIED" in line else "dim", markup=False, soft_wrap=True)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE, such as k=10")
    return name, value


def _column(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _stop(number: int, frame: object) -> None:
    """Stop everything that was started, on the way out, and let no second signal keep us from it."""
    for one in STOPPING:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
