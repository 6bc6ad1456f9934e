"""All ten algorithms in one stack: each trains on its sample and says what it has done."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators_rehearsal.answers import answers
from amazon_estimators_rehearsal.follow import Ended, executions, follow
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.report import read_model, stored_record_set
from amazon_estimators_rehearsal.samples import SAMPLES, Sample

pytestmark = pytest.mark.deployed

SECONDS = 180
"""For one of them, on a machine that does other things too."""


@dataclass(frozen=True)
class Rehearsed:
    """A sample and what came of it."""

    sample: Sample
    ended: Ended
    job: Mapping[str, Any]
    model: Mapping[str, Any]
    record_sets: Mapping[str, Mapping[str, Any]]

    @property
    def metrics(self) -> dict[str, float]:
        return {one["MetricName"]: one["Value"] for one in self.job["FinalMetricDataList"]}

    def table(self, channel: str, columns: slice) -> np.ndarray:
        """Columns of a channel's CSV."""
        (path,) = self.sample.files[channel]
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        return np.array([row[columns] for row in rows], np.float32)


@pytest.fixture(scope="module")
def rehearsed(
    platform: Platform, outputs: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Rehearsed]:
    samples = {name: make(tmp_path_factory.mktemp(name)) for name, make in SAMPLES.items()}
    clients = {name: platform.client(name) for name in ("s3", "stepfunctions")}

    def rehearse(name: str) -> Rehearsed:
        return train(name, samples[name], outputs, platform, **clients)

    # Two at a time meet warm functions; ten at once would start ten workers of each.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(samples, pool.map(rehearse, samples), strict=True))


def train(
    name: str, sample: Sample, outputs: dict[str, str], platform: Platform, *, s3: Any, stepfunctions: Any
) -> Rehearsed:
    """Upload a sample with its marker and follow what that starts to its end."""
    bucket, prefix = outputs[f"{name}DataBucket"], outputs[f"{name}InputPrefix"]
    machine = outputs[f"{name}StateMachine"]
    known = executions(stepfunctions, machine)
    for channel, files in sample.files.items():
        for path in files:
            s3.upload_file(str(path), bucket, f"{prefix}{channel}/{path.name}")
    s3.put_object(Bucket=bucket, Key=f"{prefix}train/_SUCCESS")
    *_, ended = follow(stepfunctions, machine, known=known, timeout=SECONDS)
    assert isinstance(ended, Ended)
    assert ended.status == "SUCCEEDED", (name, ended.error, ended.cause, platform.problems())
    job = json.loads(ended.output)["job"]
    model = read_model(s3, job["ModelArtifacts"]["S3ModelArtifacts"])
    return Rehearsed(sample, ended, job, model, record_sets(s3, job))


def record_sets(s3: Any, job: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """``record_set.json`` of each channel that the job was given."""
    found = {}
    for channel in job["InputDataConfig"]:
        bucket, _, key = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
        body = s3.get_object(Bucket=bucket, Key=f"{key.rpartition('/')[0]}/record_set.json")["Body"]
        found[channel["ChannelName"]] = json.load(body)
    return found


def scored(channel: str, *names: str) -> set[str]:
    return {f"{channel}:{name}" for name in names}


OBJECTIVE = ("objective_loss", "objective_loss:final")
ENGINES: dict[str, tuple[str, set[str]]] = {
    "FactorizationMachines": ("numpy", {"train:rmse", "test:rmse"}),
    "IPInsights": ("none", set()),
    "KMeans": ("scikit-learn", {"train:msd"}),
    "KNN": ("numpy", {"test:accuracy"}),
    "LDA": ("scikit-learn", {"test:pwll"}),
    "LinearLearner": (
        "scikit-learn",
        {
            *scored("train", *OBJECTIVE),
            *scored("validation", *OBJECTIVE, "mse", "absolute_loss", "rmse"),
            *scored("test", "objective_loss", "mse", "absolute_loss"),
        },
    ),
    "NTM": ("none", set()),
    "Object2Vec": ("none", set()),
    "PCA": ("numpy", set()),
    "RandomCutForest": ("numpy", {"test:f1"}),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_it_completes_and_says_who_has_trained(name: str, rehearsed: dict[str, Rehearsed]) -> None:
    one = rehearsed[name]
    assert one.job["TrainingJobStatus"] == "Completed"
    assert one.job["AlgorithmSpecification"]["TrainingImage"] == ALGORITHMS[name].train_image("us-east-1")
    assert one.job["ResourceConfig"]["InstanceCount"] == one.sample.instance_count
    assert (one.model["engine"], set(one.metrics)) == ENGINES[name]
    assert one.model["metrics"] == one.metrics
    assert bool(one.model["model"]) == (one.model["engine"] != "none")


@pytest.mark.parametrize("name", SAMPLES)
def test_its_hyperparameters_and_channels_are_those_of_the_sample(
    name: str, rehearsed: dict[str, Rehearsed]
) -> None:
    one, algorithm = rehearsed[name], ALGORITHMS[name]
    sent = algorithm.from_hyperparameters(one.job["HyperParameters"])
    given = algorithm(**one.sample.hyperparameters)
    assert given.values.items() <= sent.values.items()
    assert set(sent.values) - set(given.values) <= set(algorithm.fills)
    assert set(one.record_sets) == set(one.sample.files)
    for channel, record_set in one.record_sets.items():
        rule = algorithm.channels[channel]
        assert record_set["content_type"] == rule.content_type
        assert (record_set["feature_dim"] > 0) == rule.vectors


ROWS: dict[str, Callable[[bytes], int]] = {
    ".csv": lambda body: body.count(b"\n"),
    ".jsonl": lambda body: body.count(b"\n"),
    ".libsvm": lambda body: body.count(b"\n"),
    ".txt": lambda body: body.count(b"\n"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_record_has_been_read(name: str, rehearsed: dict[str, Rehearsed]) -> None:
    one = rehearsed[name]
    for channel, files in one.sample.files.items():
        expected = sum(rows(path) for path in files)
        if name not in {"IPInsights"} and files[0].suffix == ".csv":
            expected -= len(files)  # headers
        assert one.record_sets[channel]["num_records"] == expected
        assert one.model["channels"][channel]["records"] == expected


def rows(path: Any) -> int:
    return len(np.load(path)) if path.suffix == ".npy" else ROWS[path.suffix](path.read_bytes())


@pytest.mark.parametrize("name", SAMPLES)
def test_its_log_says_what_the_published_expressions_look_for(
    name: str, rehearsed: dict[str, Rehearsed], platform: Platform
) -> None:
    one, logs = rehearsed[name], platform.client("logs")
    group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
    listed = logs.describe_log_streams(logStreamNamePrefix=f"{one.job['TrainingJobName']}/", **group)
    names = [stream["logStreamName"] for stream in listed["logStreams"]]
    assert len(names) == one.sample.instance_count
    streams = [logs.get_log_events(logStreamName=stream, **group)["events"] for stream in names]
    log = "\n".join(event["message"] for events in streams for event in events)
    assert f"engine: {ENGINES[name][0]}" in log
    declared = {metric.name: metric.regex for metric in ALGORITHMS[name].metrics}
    for metric, value in one.metrics.items():
        found = re.search(declared[metric] or rf"{metric} = (\S+)", log)
        assert found and float(found.group(1)) == value
    if ENGINES[name][0] == "none":
        assert not [regex for regex in declared.values() if regex and re.search(regex, log)]


def test_pca_is_scikit_learns_up_to_sign(rehearsed: dict[str, Rehearsed]) -> None:
    one = rehearsed["PCA"]
    expected = PCA(3, svd_solver="full").fit(one.table("train", slice(0, 13)).astype(np.float64))
    found = np.array(one.model["model"]["components"])
    signs = np.sign((found * expected.components_).sum(axis=1, keepdims=True))
    assert np.allclose(found * signs, expected.components_, atol=1e-6)
    assert np.allclose(one.model["model"]["singular_values"], expected.singular_values_)


def test_knn_is_exact(rehearsed: dict[str, Rehearsed]) -> None:
    one = rehearsed["KNN"]
    train, test = one.table("train", slice(0, 5)), one.table("test", slice(0, 5))
    peer = KNeighborsClassifier(5, algorithm="brute").fit(train[:, :4], train[:, 4])
    assert one.metrics["test:accuracy"] == pytest.approx(peer.score(test[:, :4], test[:, 4]))


def test_the_models_have_learnt_something(rehearsed: dict[str, Rehearsed]) -> None:
    metrics = {name: one.metrics for name, one in rehearsed.items()}
    assert metrics["RandomCutForest"]["test:f1"] > 0.8
    assert metrics["FactorizationMachines"]["test:rmse"] < 0.75
    labels = rehearsed["LinearLearner"].table("test", slice(0, 1))
    assert metrics["LinearLearner"]["test:mse"] < 0.7 * labels.var()
    assert -np.log(96) < metrics["LDA"]["test:pwll"] < 0


def test_the_ten_share_functions_and_buckets(outputs: dict[str, str], platform: Platform) -> None:
    assert len({outputs[f"{name}DataBucket"] for name in ALGORITHMS}) == 1
    assert len({outputs[f"{name}ModelBucket"] for name in ALGORITHMS}) == 1
    assert len({outputs[f"{name}InputPrefix"] for name in ALGORITHMS}) == len(ALGORITHMS)
    pages = platform.client("lambda").get_paginator("list_functions").paginate()
    names = [one["FunctionName"] for page in pages for one in page["Functions"]]
    steps = [name for name in names if "RecordSetEncoder" in name]
    assert len(steps) == len({name.split("RecordSetEncoder")[1][:4] for name in steps}) >= 4


ENDPOINT, OFF_LINE, NONE = "as the stand-in's endpoint answers", "off line with NumPy", "none: "
ANSWERS: dict[str, tuple[str, list[str], list[str]]] = {
    "FactorizationMachines": (OFF_LINE, ["score"], ["train:rmse", "test:rmse"]),
    "IPInsights": (NONE, [], []),
    "KMeans": (OFF_LINE, ["closest_cluster", "distance_to_cluster"], ["train:msd"]),
    "KNN": (ENDPOINT, ["predicted_label", "distances", "labels"], []),
    "LDA": (ENDPOINT, ["topic_mixture"], []),
    "LinearLearner": (
        OFF_LINE,
        ["score"],
        [
            *(f"validation:{name}" for name in ("mse", "absolute_loss", "rmse")),
            *(f"test:{name}" for name in ("mse", "absolute_loss")),
        ],
    ),
    "NTM": (NONE, [], []),
    "Object2Vec": (NONE, [], []),
    "PCA": (OFF_LINE, ["projection"], []),
    "RandomCutForest": (ENDPOINT, ["score"], []),
}
"""How each model answers, which fields, and which metrics of its job follow from its answers."""


@pytest.mark.parametrize("name", ANSWERS)
def test_it_answers_for_the_records_it_was_trained_on(
    name: str, rehearsed: dict[str, Rehearsed], platform: Platform
) -> None:
    how, fields, metrics = ANSWERS[name]
    s3, job = platform.client("s3"), rehearsed[name].job
    stored = {one["ChannelName"]: stored_record_set(s3, one) for one in job["InputDataConfig"]}
    algorithm = ALGORITHMS[name].from_hyperparameters(job["HyperParameters"])
    first, *others = answers(s3, algorithm, job, stored)
    assert how in first
    told, again = others[: len(fields)], others[len(fields) :]
    assert [line.partition(": ")[0] for line in told] == fields
    assert [line.partition(" = ")[0] for line in again] == metrics
    for line in again:
        computed, reported = re.findall(r"(?:=|reported) ([-\d.e+]+)", line)
        assert float(computed) == pytest.approx(float(reported), rel=1e-4)
