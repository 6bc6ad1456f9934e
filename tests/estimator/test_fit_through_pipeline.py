"""fit() through a deployed pipeline: the same call, waiting and logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from client_account import Account

from amazon_estimators import Estimator, HyperparameterError, PipelineEstimator, RecordSet, RequestError
from amazon_estimators.cli import main
from amazon_estimators.client import training_job
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators_rehearsal.samples import SAMPLES

pytestmark = pytest.mark.deployed


@pytest.fixture
def pipeline(
    account: Account, outputs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PipelineEstimator:
    """The deployed PCA pipeline, with data under its input."""
    monkeypatch.setattr(training_job, "POLL_SECONDS", 0.2)
    found = Estimator.from_pipeline(state_machine_arn=outputs["PCAStateMachine"], session=account.session)
    bucket, _, prefix = found.data_locations["train"].removeprefix("s3://").partition("/")
    for path in SAMPLES["PCA"](tmp_path).files["train"]:
        account.s3.upload_file(str(path), bucket, f"{prefix}{path.name}")
    return found


def test_fit_follows_states_shards_and_the_training_job(
    pipeline: PipelineEstimator, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.fit(hyperparameters={"num_components": 3}, mini_batch_size=50)
    shown = capsys.readouterr().out
    for pattern in (
        r"^\d\d:\d\d:\d\d Plan",
        r"of \d+ shards encoded",
        r"^\d\d:\d\d:\d\d Train$",
        r"^  Training job ",
        r"^algo-1 ",
        r"^\d\d:\d\d:\d\d Completed",
        r"^\d\d:\d\d:\d\d Execution succeeded",
    ):
        assert re.search(pattern, shown, re.MULTILINE), pattern
    job = pipeline.latest_training_job
    assert job is not None
    sent = job.describe()["HyperParameters"]
    assert (sent["num_components"], sent["mini_batch_size"]) == ("3", "50")
    assert pipeline.model_data == job.describe()["ModelArtifacts"]["S3ModelArtifacts"]
    name = pipeline.executions(most=1)[0].name
    assert pipeline.attach(name).latest_training_job is not None
    assert "Execution succeeded" in capsys.readouterr().out


def test_an_execution_that_fails_raises_its_error(pipeline: PipelineEstimator) -> None:
    with pytest.raises(AmazonEstimatorsError, match="feature_dim") as failure:
        pipeline.fit(hyperparameters={"feature_dim": 100})
    assert "https://console.aws.amazon.com/states/" in str(failure.value)
    assert isinstance(failure.value, HyperparameterError)


def test_overrides_are_checked_before_anything_starts(pipeline: PipelineEstimator) -> None:
    before = [one.arn for one in pipeline.executions()]
    with pytest.raises(HyperparameterError, match="num_components"):
        pipeline.fit(hyperparameters={"num_components": "many"})
    with pytest.raises(RequestError, match="trains on its own data, under s3://"):
        pipeline.fit(RecordSet("s3://b/m", 10, 2))  # type: ignore[arg-type]
    with pytest.raises(HyperparameterError, match="mini_batch_size"):
        pipeline.fit(mini_batch_size=0)
    with pytest.raises(RequestError, match="execution name"):
        pipeline.fit(job_name="a b")
    assert [one.arn for one in pipeline.executions()] == before


def test_a_stack_of_several_pipelines_lists_them(account: Account, outputs: dict[str, str]) -> None:
    with pytest.raises(RequestError, match="holds 10 training pipelines") as error:
        Estimator.from_pipeline(stack_name="AmazonEstimators", session=account.session)
    assert outputs["PCAStateMachine"] in str(error.value)
    with pytest.raises(RequestError, match="either"):
        Estimator.from_pipeline()


def test_a_failure_is_redriven_and_fails_by_the_same_name(
    pipeline: PipelineEstimator, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    where = [
        "--state-machine",
        outputs["PCAStateMachine"],
        "--region",
        "us-east-1",
        "--execution",
        "too-many",
    ]
    assert main(["start", *where[:4], "feature_dim=100", "--name", "too-many", "--follow"]) == 1
    assert main(["redrive", *where, "--follow"]) == 1
    shown = capsys.readouterr()
    assert "Redriven too-many" in shown.out
    assert "HyperparameterError" in shown.err
    assert main(["status", *where, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["status"], facts["error"]) == ("FAILED", "HyperparameterError")
    assert facts["cause"].startswith("PCA: feature_dim is 100")
    assert main(["logs", *where]) == 1
    assert "It has no training job. Execution too-many FAILED: PCA" in capsys.readouterr().err


def test_start_status_logs_stop(
    pipeline: PipelineEstimator, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--state-machine", outputs["PCAStateMachine"], "--region", "us-east-1"]
    assert main(["start", *where, "num_components=2", "--name", "by-hand", "--follow"]) == 0
    assert "Execution succeeded" in capsys.readouterr().out
    assert main(["status", *where, "--execution", "by-hand", "--json"]) == 0
    assert '"training_status": "Completed"' in capsys.readouterr().out
    assert main(["status", *where]) == 0
    assert main(["logs", *where, "--execution", "by-hand"]) == 0
    assert "algo-1" in capsys.readouterr().out
    assert main(["logs", *where, "--execution", "by-hand", "--follow", "--json"]) == 0
    followed = capsys.readouterr()
    assert {line["host"] for line in json.loads(followed.out)} >= {"algo-1"}
    assert "Execution succeeded" in followed.err
    assert main(["stop", *where, "--execution", "by-hand", "--yes"]) == 1
    assert "has already ended: SUCCEEDED" in capsys.readouterr().err
    assert main(["redrive", *where, "--execution", "by-hand"]) == 1
    assert "is SUCCEEDED" in capsys.readouterr().err
    assert main(["start", *where, "num_components=none"]) == 1
    assert "HyperparameterError" in capsys.readouterr().err
