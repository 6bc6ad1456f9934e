"""``cost`` of deployed pipelines: what their state machines ask for, at the prices of a file."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amazon_estimators.cli import cost as command
from amazon_estimators.cli import main
from amazon_estimators.client import definitions, spending
from amazon_estimators.client.asked_instances import Asked, followers, training_of
from amazon_estimators.costs.reckoning import unknown

SETTINGS: dict[str, Any] = {"data_bucket": "data", "prefix": "churn/"}
JOB: dict[str, Any] = {
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "KeepAlivePeriodInSeconds": 600},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3_000},
}
PRICES = {
    "region": "eu-west-1",
    "currency": "USD",
    "date": "2026-11-01",
    "source": "our contract",
    "prices": {
        "training": {"ml.m5.large": 0.12, "ml.g5.xlarge": 1.5},
        "transform": {"ml.m5.large": 0.12},
        "hosting": {"ml.m5.large": 0.12},
    },
}


def machine(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}
    return {"States": {"Run": task}, **more}


def tuned(ranges: dict[str, Any], **limits: int) -> dict[str, Any]:
    job = {
        "HyperParameterTuningResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3_600},
    }
    config = {"ResourceLimits": {"MaxParallelTrainingJobs": 3, **limits}, "ParameterRanges": ranges}
    parameters = {"TrainingJobDefinition": job, "HyperParameterTuningJobConfig": config}
    return machine("sagemaker:createHyperParameterTuningJob.sync", parameters)


def endpoint(**more: Any) -> dict[str, Any]:
    settings = {"name": "online", "algorithm": "KMeans", "scaling": None, **SETTINGS, **more}
    return {"States": {name: {"Parameters": {"endpoint": settings}} for name in ("Deploy", "Smoke")}}


def scoring(**more: Any) -> dict[str, Any]:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3}
    made = machine(
        "sagemaker:createTransformJob.sync", {"TransformResources": resources}, TimeoutSeconds=7_200
    )
    settings = {"pipeline": "Shop/Scores", "trained": {**SETTINGS, **more}, "channels": {}}
    made["States"]["Plan"] = {"Parameters": {"pipeline": settings}}
    return made


ONE_HOUR = Asked(name="Shop/Churn", use="training", types=("ml.m5.large",), count=1, seconds=3_600)
TRAIN = machine("sagemaker:createTrainingJob.sync", JOB)
INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2_048, "MaxConcurrency": 5}}


def test_what_a_state_machine_asks_for_is_in_its_definition() -> None:
    assert training_of("Shop/Churn", TRAIN) == Asked(
        name="Shop/Churn", use="training", types=("ml.m5.large",), count=2, seconds=3_000, keep_alive=600
    )
    preferences = [{"InstanceType": name, "InstanceCount": 4} for name in ("ml.m5.large", "ml.g5.xlarge")]
    several = {**JOB, "ResourceConfig": {"InstancePreferences": preferences}}
    asked = training_of("Shop/Churn", machine("sagemaker:createTrainingJob.sync", several))
    assert (asked.types, asked.count) == (("ml.m5.large", "ml.g5.xlarge"), 4)


def test_the_number_of_trainings_of_a_search() -> None:
    grid = {"CategoricalParameterRanges": [{"Values": ["a", "b"]}, {"Values": ["1", "2", "3"]}]}
    numbers = {"IntegerParameterRanges": [{"Name": "k"}]}
    for made, jobs in (
        (tuned(numbers, MaxNumberOfTrainingJobs=20), 20),
        (tuned(grid), 6),
        (tuned(numbers), None),
    ):
        asked = training_of("Shop/Churn", made)
        assert (asked.jobs, asked.what) == (jobs, "one search")


def test_followers_are_those_of_the_pipeline() -> None:
    machines = [
        TRAIN,
        endpoint(variant=INSTANCES),
        endpoint(variant=INSTANCES, scaling={"most": 7}),
        endpoint(variant=SERVERLESS),
        endpoint(variant=INSTANCES, prefix="other/"),
        scoring(),
        scoring(data_bucket="other"),
    ]
    assert [*followers(SETTINGS, machines)] == [
        Asked(name="online", use="hosting", types=("ml.m5.large",), count=2),
        Asked(name="online", use="hosting", types=("ml.m5.large",), count=7),
        Asked(name="online", use="serverless", count=5, memory_mb=2_048),
        Asked(name="Shop/Scores", use="transform", types=("ml.m5.large",), count=3, seconds=7_200),
    ]


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of prices; and one pipeline of the account, with an endpoint and a prediction pipeline."""
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"schema": "prices/1", "lists": [PRICES]}), encoding="utf-8")
    session = SimpleNamespace(region_name="eu-west-1")
    churn = SimpleNamespace(
        name="Shop/Churn", session=session, settings=SETTINGS, describe=lambda: ({}, TRAIN)
    )
    machines = {"train": TRAIN, "online": endpoint(variant=INSTANCES), "scores": scoring()}
    monkeypatch.setattr(command, "find_all", lambda **_: [churn])
    monkeypatch.setattr(definitions, "definitions", lambda session: machines)
    monkeypatch.setattr(spending, "likely", lambda *_: unknown("there is no input yet"))
    monkeypatch.setattr(spending, "spent", lambda pipeline, table, since: ONE_HOUR.most(table, "eu-west-1"))
    command.output.cache_clear()
    return str(path)


def test_everything_is_reckoned_at_the_prices_of_the_file(
    prices: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """3,600 s x 2 x 0.12; 0.12 of the month; 1 h x 2 x 0.12; 2 h x 3 x 0.12."""
    assert main(["cost", "--file", prices, "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert {line["pipeline"] for line in lines} == {"Shop/Churn"}
    assert [(line["name"], line["of"].partition(" since ")[0], line["amount"]) for line in lines] == [
        ("Shop/Churn", "one training, at most", 0.24),
        ("Shop/Churn", "one training, likely", None),
        ("Shop/Churn", "trainings", 0.12),
        ("online", "an hour, at most", 0.24),
        ("Shop/Scores", "one scoring, at most", 0.72),
    ]
    assert lines[1]["because"] == "there is no input yet"


def test_without_prices_nothing_is_an_amount(prices: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost"]) == 0
    shown = capsys.readouterr().out
    heading, most, *_ = shown.splitlines()
    assert heading == "Shop/Churn"
    assert most.split()[:5] == ["one", "training,", "at", "most", "unknown"]
    assert "no price of ml.m5.large for training in eu-west-1 is known" in most
