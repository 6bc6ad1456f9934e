"""Run what follows a training: approve the model, ask its endpoint, score rows, drift, reject a worse model.

It drives ``examples/screening.py`` with the breast cancer data of scikit-learn, as its user would: through
S3, the model registry and SageMaker's runtime. Only the hour that the drift monitor waits for is not waited.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.pipeline.keys import input_prefix
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators_rehearsal.follow import executions, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.samples import Sample
from amazon_estimators_rehearsal.training import explain, tell_failure, train
from amazon_estimators_rehearsal.view import View, say

APP = Path("examples/screening.py")
"""The app, below the directory of the clone."""
PARTS = {"train": slice(0, 350), "validation": slice(350, 450), "test": slice(450, 509)}
NEW = slice(509, 569)
"""The rows of each channel, and those that are scored once the model is in use."""
DRIFT = 2.5
"""How much larger the tumours are that the endpoint is asked about later."""
WAIT_SECONDS = 120.0


class LoopError(RuntimeError):
    """Raised if a part of the loop did not come about."""


@dataclass(frozen=True)
class Patients:
    """The rows of scikit-learn's breast cancer data, in an order of their own.

    Attributes:
        names: The 30 features.
        features: float64, (569, 30).
        malignant: 0 or 1, (569,).
    """

    names: list[str]
    features: np.ndarray
    malignant: np.ndarray

    def csv(self, rows: slice, *, malignant: np.ndarray | None = None) -> str:
        """Return rows as CSV: ``id``, the features and, if it is given, the label."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["id", *self.names, *([] if malignant is None else ["malignant"])])
        for number in range(*rows.indices(len(self.features))):
            label = [] if malignant is None else [int(malignant[number])]
            writer.writerow([f"patient-{number}", *self.features[number].tolist(), *label])
        return text.getvalue()


def patients() -> Patients:
    """Return the data of scikit-learn, shuffled: they are sorted by diagnosis here and there."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 - slow to import

    bunch = load_breast_cancer()
    order = np.random.default_rng(7).permutation(len(bunch.target))
    names = [name.replace(" ", "_") for name in bunch.feature_names]
    return Patients(names, bunch.data[order], 1 - bunch.target[order])


def whole_loop(platform: Platform, console: Console, outputs: dict[str, str], *, timeout: float) -> bool:
    """Run the loop once and print it. Return True if every part came about.

    Args:
        platform: The account, with the app deployed.
        console: Prints what happens.
        outputs: The stack's outputs.
        timeout: Seconds for each execution.

    Raises:
        NoExecutionError: An upload or the alarm started no execution.
        LoopError: The endpoint did not answer, or a model was let through that should not have been.
    """
    (pipeline,), data, view = platform.pipelines(), patients(), View(console)
    say(
        console,
        ("\nA first model", "bold"),
        ": of four trainings the best is judged and registered.",
    )
    if not train(platform, console, pipeline, _sample(platform.directory, data), timeout=timeout):
        return False
    registry = pipeline.registry()
    if registry is None or not registry.models():
        raise LoopError("The gate let no model through.")
    with view.step("approve the registered model"):
        approved = registry.approve(reason="rehearsal")
    with view.step("the endpoint appears with the approved model"):
        _in_service(platform, outputs["Endpoint"])
    _ask(platform, console, outputs["Endpoint"], data)
    say(console, ("\nA batch", "bold"), ": 60 rows that no training has seen, as a table.")
    if not _score(platform, console, outputs, data, timeout=timeout):
        return False
    say(
        console,
        ("\nDrifted data", "bold"),
        ": the endpoint is asked about other tumours, and its alarm asks for a training, on random labels.",
    )
    rejected = _retrain_on_drift(platform, console, pipeline, outputs, data, timeout=timeout)
    if registry.current() != approved:
        raise LoopError("The model in use is another one after a model was rejected.")
    return rejected


def _sample(directory: Path, data: Patients) -> Sample:
    files = {}
    for channel, rows in PARTS.items():
        path = directory / channel / "patients.csv"
        path.parent.mkdir()
        path.write_text(data.csv(rows, malignant=data.malignant), encoding="utf-8")
        files[channel] = [path]
    return Sample("569 tumours of scikit-learn", files)


def _in_service(platform: Platform, endpoint: str) -> None:
    sagemaker = platform.client("sagemaker")

    def status() -> str:
        listed = sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]
        return listed[0]["EndpointStatus"] if listed else "missing"

    _until(lambda: status() == "InService", lambda: f"The endpoint {endpoint} is {status()}.")


def _ask(platform: Platform, console: Console, endpoint: str, data: Patients) -> None:
    """Ask the endpoint about the new rows and say how often it was right."""
    text = io.StringIO()
    csv.writer(text).writerows(data.features[NEW].tolist())
    answer = platform.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=text.getvalue(), ContentType="text/csv", Accept="application/json"
    )
    found = [one["predicted_label"] for one in json.loads(answer["Body"].read())["predictions"]]
    say(console, (f"{'endpoint':<20}", "bold"), f" {_right(found, data)}")


def _score(
    platform: Platform, console: Console, outputs: dict[str, str], data: Patients, *, timeout: float
) -> bool:
    s3, states = platform.client("s3"), platform.client("stepfunctions")
    known = executions(states, outputs["Scoring"])
    prefix = input_prefix("scores/")
    s3.put_object(Bucket=outputs["DataBucket"], Key=f"{prefix}new.csv", Body=data.csv(NEW))
    s3.put_object(Bucket=outputs["DataBucket"], Key=f"{prefix}_SUCCESS")
    events = follow(states, outputs["Scoring"], known=known, timeout=timeout)
    ended = View(console).follow(events, way="marker _SUCCESS → S3 event → EventBridge")
    if ended.status != "SUCCEEDED":
        tell_failure(console, ended)
        explain(platform, console)
        return False
    place = Place.of(json.loads(ended.output)["predictions"]["manifest"], what="manifest")
    manifest = json.loads(s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read())
    parts = [
        s3.get_object(Bucket=place.bucket, Key=part["key"])["Body"].read().decode()
        for part in manifest["parts"]
    ]
    lines = [*csv.DictReader(io.StringIO("".join(parts)))]
    if len(lines) != len(data.malignant[NEW]):
        raise LoopError(f"There are {len(lines)} predictions.")
    say(
        console,
        (f"{'predictions':<20}", "bold"),
        f" {_right([float(line['predicted_label']) for line in lines], data)}",
    )
    return True


def _retrain_on_drift(
    platform: Platform,
    console: Console,
    pipeline: PipelineEstimator,
    outputs: dict[str, str],
    data: Patients,
    *,
    timeout: float,
) -> bool:
    """Upload data that nothing can be learnt from, and ask about drifted rows until the alarm goes off.

    Return True if the model is rejected.
    """
    random = np.random.default_rng(1).permutation(data.malignant)
    place = Place.prefix(pipeline.data_locations["train"], what="channel")
    body = data.csv(PARTS["train"], malignant=random)
    platform.client("s3").put_object(Bucket=place.bucket, Key=f"{place.key}patients.csv", Body=body)
    states = platform.client("stepfunctions")
    known = executions(states, pipeline.state_machine_arn)
    text = io.StringIO()
    csv.writer(text).writerows((data.features[NEW] * DRIFT).tolist())
    platform.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=outputs["Endpoint"], Body=text.getvalue(), ContentType="text/csv"
    )
    drifted = _compare_now(platform)
    names = ", ".join(str(shift["feature"]) for shift in drifted[:3])
    say(console, (f"{'drifted':<20}", "bold"), f" {len(drifted)} features, the worst first: {names}")
    events = follow(states, pipeline.state_machine_arn, known=known, timeout=timeout)
    ended = View(console).follow(events, way="drift alarm → EventBridge")
    if ended.status != "SUCCEEDED":
        tell_failure(console, ended)
        explain(platform, console)
        return False
    verdict = json.loads(ended.output)["verdict"]
    if verdict["good"]:
        raise LoopError(f"A model that was trained on random labels was let through: {verdict}")
    say(console, (f"{'rejected':<20}", "bold"), f" {verdict['because']}")
    return True


def _compare_now(platform: Platform) -> list[dict[str, Any]]:
    """Run what the drift monitor's schedule runs every hour; return the features that moved."""
    events = platform.client("events")
    for rule in events.list_rules()["Rules"]:
        if rule.get("ScheduleExpression"):
            (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            answer = platform.client("lambda").invoke(
                FunctionName=target["Arn"], Payload=target["Input"].encode()
            )
            compared: dict[str, Any] = json.loads(answer["Payload"].read())
            if compared.get("drifted"):
                return list(compared["drifted"])
            raise LoopError(f"What the endpoint was asked has not drifted: {compared}")
    raise LoopError("No schedule compares what the endpoint is asked.")


def _right(found: list[float], data: Patients) -> str:
    actual = data.malignant[NEW]
    return f"{int(np.sum(np.array(found) == actual))} of {len(actual)} new patients told rightly"


def _until(done: Callable[[], bool], problem: Callable[[], str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise LoopError(problem())
        time.sleep(0.2)
