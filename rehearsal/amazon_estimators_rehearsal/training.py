"""Train one deployed pipeline on a data set: upload, let it start as its triggers have it, follow, report."""

from __future__ import annotations

import json
import time
from typing import Any

from rich.console import Console

from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.client.starter import PipelineStarter
from amazon_estimators.errors import RequestError
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators_rehearsal.follow import Ended, NoExecutionError, executions, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.report import print_report, save_page
from amazon_estimators_rehearsal.samples import Sample
from amazon_estimators_rehearsal.view import View, say


def train(
    platform: Platform, console: Console, pipeline: PipelineEstimator, sample: Sample, *, timeout: float
) -> bool:
    """Train a pipeline and print what happens and what came of it. Return True if it succeeded.

    Args:
        platform: The account.
        console: Prints it.
        pipeline: The pipeline.
        sample: The files of its channels.
        timeout: Seconds for the execution.

    Raises:
        NoExecutionError: No execution started, or it did not end in time.
    """
    view, began = View(console), time.monotonic()
    locations = ", ".join(pipeline.data_locations[channel] for channel in sample.files)
    states = platform.client("stepfunctions")
    known = executions(states, pipeline.state_machine_arn)
    with view.step(f"upload to {locations}"):
        upload(platform.client("s3"), pipeline, sample)
        way = start(platform, pipeline)
    try:
        events = follow(states, pipeline.state_machine_arn, known=known, timeout=timeout)
        ended = view.follow(events, way=way)
    except NoExecutionError:
        explain(platform, console)
        raise
    seconds = {**platform.seconds, "upload to end of execution": time.monotonic() - began}
    seconds |= {f"  {state}": value for state, value in view.seconds.items()}
    if ended.status != "SUCCEEDED":
        tell_failure(console, ended)
        explain(platform, console)
        return False
    output = json.loads(ended.output)
    job = output["job"]
    labels = {name: channel.get("label") for name, channel in pipeline.settings["channels"].items()}
    s3 = platform.client("s3")
    print_report(console, s3, type(pipeline.algorithm), job, seconds=seconds, labels=labels)
    page = save_page(s3, output["report"])
    say(console, (f"{'report':<20}", "bold"), f" {page}")
    return bool(job["TrainingJobStatus"] == "Completed")


def upload(s3: Any, pipeline: PipelineEstimator, sample: Sample) -> None:
    """Upload the files of a data set to the channels of a pipeline.

    Raises:
        RequestError: The pipeline has no such channel.
    """
    locations = pipeline.data_locations
    for channel, below, path in sample.uploads():
        if channel not in locations:
            raise RequestError(
                f"{pipeline.name} has no channel {channel!r}; its channels are {', '.join(locations)}",
                remedy="Name the folders of the data after them.",
            )
        place = Place.prefix(locations[channel], what="channel")
        s3.upload_file(str(path), place.bucket, f"{place.key}{below}")


def start(platform: Platform, pipeline: PipelineEstimator) -> str:
    """Start a training as the pipeline's triggers would, and return the way to its execution in words.

    A marker is written where one is waited for. Otherwise the starter is asked, which takes no quiet period.
    A pipeline without triggers has its execution started.
    """
    try:
        starter = PipelineStarter(pipeline.state_machine_arn, session=platform.session)
    except RequestError:
        pipeline.start({})
        return "StartExecution, as there is no trigger"
    marker = _marker(platform, starter.queue_arn)
    if marker is None:
        starter.request(reason="rehearsal")
        return "request to the starter, as no trigger waits for a marker"
    bucket, key = marker
    platform.client("s3").put_object(Bucket=bucket, Key=key)
    return f"marker {key.rpartition('/')[2]} → S3 event → EventBridge"


def _marker(platform: Platform, queue_arn: str) -> tuple[str, str] | None:
    """Return bucket and key of a marker that a rule tells the starter of; None without such a rule."""
    events = platform.client("events")
    for name in events.list_rule_names_by_target(TargetArn=queue_arn)["RuleNames"]:
        detail = json.loads(events.describe_rule(Name=name).get("EventPattern", "{}")).get("detail", {})
        keys = [key for key in detail.get("object", {}).get("key", ()) if isinstance(key, str)]
        if keys:
            return detail["bucket"]["name"][0], keys[0]
    return None


def tell_failure(console: Console, ended: Ended) -> None:
    """Print the error of an execution."""
    say(console, (ended.status, "bold red"), f" {ended.error}\n{ended.cause}")


def explain(platform: Platform, console: Console) -> None:
    """Print refused permissions and the emulator's errors."""
    for line in platform.problems():
        say(console, (line, "yellow" if "DENIED" in line else "dim"))
