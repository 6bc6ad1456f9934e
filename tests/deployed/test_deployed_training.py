"""app.py, deployed by the real CDK CLI with IAM enforced: an upload becomes a model, or a typed failure."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from botocore.exceptions import WaiterError
from deployed_pipeline import Pipeline, npy, roles, without_permissions
from sklearn.datasets import load_digits

from amazon_estimators.cli import main
from amazon_estimators.recordio import check, write_numpy_to_dense_tensor
from amazon_estimators_rehearsal.follow import Ended, executions, follow

pytestmark = pytest.mark.deployed


def digits() -> np.ndarray:
    return load_digits().data.astype(np.float32)


def manifest_of(job: dict[str, Any]) -> str:
    return job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]


@pytest.fixture(scope="module")
def trained(pipeline: Pipeline) -> dict[str, Any]:
    ended = pipeline.train_on("digits.npy", npy(digits()))
    assert ended.status == "SUCCEEDED", (ended.error, ended.cause, pipeline.platform.problems())
    return json.loads(ended.output)


def test_upload_trains_a_model_on_exactly_its_records(pipeline: Pipeline, trained: dict[str, Any]) -> None:
    job = trained["job"]
    assert job["TrainingJobStatus"] == "Completed"
    assert job["HyperParameters"] == {"k": "10", "feature_dim": "64"}
    shards = pipeline.shards(manifest_of(job))
    whole = io.BytesIO()
    write_numpy_to_dense_tensor(whole, digits())
    assert b"".join(shards) == whole.getvalue()
    counts = [check([io.BytesIO(shard)]).records for shard in shards]
    assert counts == [899, 898]
    tags = pipeline.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {"Key": "amazon-estimators:record-set", "Value": trained["plan"]["fingerprint"]} in tags


def test_the_training_tells_what_it_did_cost_and_the_next_one_likely(
    pipeline: Pipeline,
    trained: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At the package's price of ml.m5.large in us-east-1."""
    job, told = trained["job"], trained["announced"]["cost"]
    seconds, count = job["BillableTimeInSeconds"], job["ResourceConfig"]["InstanceCount"]
    assert count == 2
    assert told["amount"] == pytest.approx(seconds * 2 * 0.115 / 3_600, abs=1e-8)
    assert (told["currency"], told["because"]) == ("USD", None)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in pipeline.platform.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["cost", "--state-machine", pipeline.machine, "--json"]) == 0
    most, likely, month = json.loads(capsys.readouterr().out)
    assert most["amount"] == pytest.approx(24 * 2 * 0.115), "a day, the default"
    assert (likely["because"], month["because"]) == (None, None)
    assert 0 < likely["amount"] < most["amount"]
    assert month["amount"] >= told["amount"] - 1e-8


def test_other_hyperparameters_reuse_the_record_set(pipeline: Pipeline, trained: dict[str, Any]) -> None:
    started = pipeline.states.start_execution(
        stateMachineArn=pipeline.machine, input=json.dumps({"hyperparameters": {"k": 4}})
    )
    known = executions(pipeline.states, pipeline.machine) - {started["executionArn"]}
    events = list(follow(pipeline.states, pipeline.machine, known=known, timeout=120))
    states = [event.state for event in events if type(event).__name__ == "Entered"]
    assert "Reuse" in states
    assert "Shards" not in states
    ended = events[-1]
    assert isinstance(ended, Ended)
    job = json.loads(ended.output)["job"]
    assert job["HyperParameters"]["k"] == "4"
    assert manifest_of(job) == manifest_of(trained["job"])


def test_csv_with_names_and_quotes(pipeline: Pipeline) -> None:
    rows = "\r\n".join(f'"{row}",{row / 7:.4f},{-row}' for row in range(40))
    ended = pipeline.train_on("table.csv", f"a,b,c\r\n{rows}\r\n".encode())
    assert ended.status == "SUCCEEDED", (ended.error, ended.cause)
    job = json.loads(ended.output)["job"]
    summary = check([io.BytesIO(shard) for shard in pipeline.shards(manifest_of(job))])
    assert (summary.records, summary.feature_dim) == (40, 3)


MEASURED = {"Plan": ["Plan"], "Seal": ["Seal", "Encode"]}
"""Steps that write metrics of their own."""


def test_every_step_logs_lines_of_json(pipeline: Pipeline, trained: dict[str, Any]) -> None:
    logs = pipeline.platform.client("logs")
    tags = {tag["Key"]: tag["Value"] for tag in trained["request"]["tags"]}
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    lines: dict[str, list[dict[str, Any]]] = {}
    for step in ("Plan", "Encode", "Seal", "Announce"):
        (group,) = [name for name in groups if f"Encoder{step}Logs" in name]
        texts = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        written = [json.loads(text) for text in texts if text.startswith("{")]
        ours = [one for one in written if one.get("execution") == tags["amazon-estimators:execution"]]
        lines[step] = [one for one in ours if "_aws" not in one]
        counted = [one for one in ours if "_aws" in one]
        assert [one["ModelsTrained"] for one in counted if "ModelsTrained" in one] == (
            [1] if step == "Announce" else []
        )
        assert [one["Step"] for one in counted if "Step" in one] == MEASURED.get(step, [])
        assert [one["message"] for one in lines[step]][:2] == ["step started", "step ended"], texts
        assert {one["pipeline"] for one in lines[step]} == {"AmazonEstimators/KMeans"}
    encoded = [one for one in lines["Encode"] if one["message"] == "step ended"]
    assert {one["channel"] for one in encoded} == {"train"}
    assert sum(one["records"] for one in encoded) == sum(
        one["records"] for one in lines["Seal"] if one["message"] == "step ended"
    )
    assert all(one["bytes"] > 0 and one["seconds"] > 0 and one["peak_memory_mb"] > 20 for one in encoded)


def _with_nan() -> np.ndarray:
    table = digits()
    table[1200, 7] = np.nan
    return table


TABLE = "\n".join(f"{row},{row + 1},{row + 2}" for row in range(50))
BAD_INPUT: list[tuple[str, Callable[[], bytes], str, tuple[str, ...]]] = [
    ("cut.npy", lambda: npy(digits())[:-100], "InputError", ("cut.npy", "1797", "bytes")),
    ("no.npy", lambda: b"PK\x03\x04 not an array", "InputError", ("no.npy", "zip archive")),
    ("words.npy", lambda: npy(np.array([["a"], ["b"]])), "InputError", ("words.npy", "<U1")),
    ("nan.npy", lambda: npy(_with_nan()), "InputError", ("nan.npy", "1,200", "7")),
    ("ragged.csv", f"{TABLE}\n1,2\n{TABLE}".encode, "InputError", ("ragged.csv", "50", "2")),
    (
        "text.csv",
        f"{TABLE}\n1,zwei,3\n{TABLE}".encode,
        "InputError",
        ("text.csv", "50", "column 1", "zwei"),
    ),
    ("empty.csv", lambda: b"", "NoInputError", ("empty.csv", "empty")),
    ("one.npy", lambda: npy(np.ones((1, 3))), "InputError", ("1 record", "2 instances")),
    ("image.png", lambda: b"\x89PNG", "InputError", ("image.png", ".npy")),
]


@pytest.mark.parametrize(("name", "body", "error", "words"), BAD_INPUT, ids=[row[0] for row in BAD_INPUT])
def test_bad_input_ends_typed_before_a_job_is_created(
    pipeline: Pipeline, name: str, body: Callable[[], bytes], error: str, words: tuple[str, ...]
) -> None:
    jobs, manifests = pipeline.jobs(), pipeline.manifests()
    ended = pipeline.train_on(name, body())
    assert (ended.status, ended.error) == ("FAILED", error), ended.cause
    assert [word for word in words if word not in ended.cause] == [], ended.cause
    assert pipeline.jobs() == jobs
    assert pipeline.manifests() == manifests


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"hyperparameters": {"k": 0}}, "HyperparameterError", ("k", "0", "1")),
        ({"hyperparameters": {"kk": 5}}, "HyperparameterError", ("kk", "k")),
        ({"hyperparametres": {}}, "RequestError", ("hyperparametres", "hyperparameters")),
    ],
)
def test_bad_execution_input_is_refused_in_plan(
    pipeline: Pipeline, trained: dict[str, Any], given: dict[str, Any], error: str, words: tuple[str, ...]
) -> None:
    known = executions(pipeline.states, pipeline.machine)
    pipeline.states.start_execution(stateMachineArn=pipeline.machine, input=json.dumps(given))
    *_, ended = follow(pipeline.states, pipeline.machine, known=known, timeout=60)
    assert isinstance(ended, Ended)
    assert (ended.status, ended.error) == ("FAILED", error), ended.cause
    assert [word for word in words if word not in ended.cause] == [], ended.cause


@pytest.mark.parametrize(
    "words",
    [("EncoderPlan",), ("EncoderEncode",), ("EncoderSeal",), ("KMeansTraining",)],
    ids=lambda words: words[0],
)
def test_a_role_without_its_permissions_is_named_in_the_refusal(
    pipeline: Pipeline, words: tuple[str, ...]
) -> None:
    matching = [name for name in roles(pipeline.platform, *words) if "StateMachine" not in name]
    role = min(matching, key=len)
    table = np.random.default_rng(len(words[0])).normal(size=(60, 4)).astype(np.float32)
    with without_permissions(pipeline.platform, role):
        ended = pipeline.train_on(f"{words[0]}.npy", npy(table))
    assert ended.status == "FAILED"
    assert role in ended.cause, (ended.error, ended.cause)
    again = pipeline.train_on(f"{words[0]}-again.npy", npy(table))
    assert again.status == "SUCCEEDED", (again.error, again.cause)


def test_a_manifest_that_names_a_missing_shard_fails_the_job(
    pipeline: Pipeline, trained: dict[str, Any]
) -> None:
    job = trained["job"]
    head, *names = json.loads(pipeline.read(manifest_of(job)))
    place = urlsplit(manifest_of(job))
    key = place.path[1:].replace(".amazon.manifest", "broken.manifest")
    body = json.dumps([head, *names, "matrix_99999.pbr"])
    pipeline.s3.put_object(Bucket=place.netloc, Key=key, Body=body)
    request = {
        name: job[name]
        for name in (
            "HyperParameters",
            "AlgorithmSpecification",
            "RoleArn",
            "InputDataConfig",
            "OutputDataConfig",
            "ResourceConfig",
            "StoppingCondition",
        )
    }
    channel = json.loads(json.dumps(request["InputDataConfig"]))
    channel[0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{place.netloc}/{key}"
    specification = {
        name: value
        for name, value in job["AlgorithmSpecification"].items()
        if name in ("TrainingImage", "TrainingInputMode")
    }
    name = f"{job['TrainingJobName'][:40]}-broken"
    pipeline.sagemaker.create_training_job(
        TrainingJobName=name,
        **{**request, "InputDataConfig": channel, "AlgorithmSpecification": specification},
    )
    with pytest.raises(WaiterError):
        pipeline.sagemaker.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    ended = pipeline.sagemaker.describe_training_job(TrainingJobName=name)
    assert ended["TrainingJobStatus"] == "Failed"
    assert "matrix_99999.pbr" in ended["FailureReason"]
