"""A pipeline asked where its user sits: rows become the features of training, by name and by rule."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pipeline_runs import Pipeline
from scoring_runs import JOB, Scoring

from amazon_estimators.cli import predict as command
from amazon_estimators.cli.app import run
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.errors import InputError, ModelError, RequestError, SchemaError
from amazon_estimators.pipeline.current_model import SCHEMA as CURRENT_SCHEMA
from amazon_estimators.pipeline.current_model import CurrentModel, current_model_values
from amazon_estimators.pipeline.keys import current_model_key
from amazon_estimators.sources import Source
from amazon_estimators.storage.documents import put_document

pytestmark = pytest.mark.filterwarnings("ignore::amazon_estimators.inference.ModelWarning")

RULES = {"one_hot": {"city": ["Rome", "Bonn"]}, "fill": {"age": 5}, "scale": {"age": (10, 2)}}


def deployed(scoring: Scoring, training: dict[str, Any], *, has_model: bool = True) -> PipelineEstimator:
    """The training pipeline of a scoring, as a notebook sees it."""
    if has_model:
        values = current_model_values(CurrentModel(job=JOB, model=scoring.uri, data_set="0" * 24))
        values["at"] = "2026-03-01T12:00:00.000+00:00"
        put_document(scoring.s3, scoring.bucket, current_model_key(""), CURRENT_SCHEMA, values)
    clients = {
        "s3": scoring.s3,
        "sagemaker": scoring.sagemaker,
        "stepfunctions": SimpleNamespace(describe_state_machine=lambda **_: {"definition": "{}"}),
    }
    session = SimpleNamespace(client=lambda service, **_: clients[service], region_name="us-east-1")
    settings = {
        "pipeline": "Stack/Digits",
        "algorithm": scoring.algorithm,
        "hyperparameters": scoring.trained["request"]["hyperparameters"],
        "instance_type": "ml.m5.large",
        "instance_count": 1,
        "data_bucket": scoring.bucket,
        "prefix": "",
        "channels": {"train": training},
    }
    return PipelineEstimator("arn:aws:states:us-east-1:1:stateMachine:Digits", settings, session=session)


@pytest.fixture
def by_rules(pipeline: Pipeline) -> tuple[Scoring, PipelineEstimator]:
    """Trained on words and gaps, with a label that rows to predict lack."""
    pipeline.put("train/rows.csv", b"city,age,price\nRome,20,1\nBonn,,2\nRome,30,3\n")
    training = {"label": "price", **RULES}
    scoring = Scoring(pipeline, **training)
    return scoring, deployed(scoring, training)


FEATURES = np.array([[0, 1, 1], [1, 0, -2.5]], np.float32)
FRAME = pd.DataFrame({"id": [7, 8], "age": [12, None], "city": ["Bonn", "Rome"]})
"""The same rows, in other columns than training had."""


def test_a_data_frame_goes_by_name_and_by_the_rules_of_training(
    by_rules: tuple[Scoring, PipelineEstimator],
) -> None:
    scoring, estimator = by_rules
    found, expected = estimator.predict(FRAME), scoring.model.predict(FEATURES)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    with pytest.raises(SchemaError, match="no column 'city'"):
        estimator.predict(FRAME[["age"]])
    with pytest.raises(RequestError, match="by rules, and the rows have no names"):
        estimator.predict(FEATURES)
    with pytest.raises(InputError, match="or take rows with gaps out of the input"):
        estimator.predict(pd.DataFrame({"age": [12], "city": pd.Series([None], dtype="string")}))


def test_the_command_reads_a_file_as_the_pipeline_reads_its_input(
    by_rules: tuple[Scoring, PipelineEstimator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scoring, estimator = by_rules
    monkeypatch.setattr(command, "find", lambda **_: estimator)
    rows = tmp_path / "rows.csv"
    rows.write_text("id,age,city\n7,12,Bonn\n8,,Rome\n")
    assert run(["predict", "--stack", "Digits", str(rows)]) == 0
    found = [*csv.DictReader(capsys.readouterr().out.splitlines())]
    expected = scoring.model.predict(FEATURES)
    assert [int(row["closest_cluster"]) for row in found] == expected["closest_cluster"].tolist()
    rows.write_text("id,age\n7,12\n")
    assert run(["predict", "--stack", "Digits", str(rows), "--json"]) == 1
    assert "no column 'city'" in json.loads(capsys.readouterr().out)["message"]
    rows.write_text("age,city\n12,\n13,Rome\n")
    assert run(["predict", "--stack", "Digits", str(rows), "--json"]) == 1
    assert "or take rows with gaps out of the input" in json.loads(capsys.readouterr().out)["remedy"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["rows.csv"],
        ["model.tar.gz", "rows.csv", "--stack", "Digits"],
        ["rows.csv", "--stack", "D", "--algorithm", "KMeans"],
    ],
)
def test_a_pipeline_or_a_model_is_asked_and_not_both(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict", *arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "UsageError"


def test_arrays_are_features_in_the_order_of_training(pipeline: Pipeline) -> None:
    rows = np.random.default_rng(3).normal(size=(20, 3)).astype(np.float32)
    pipeline.put_array("train/rows.npy", rows)
    scoring = Scoring(pipeline)
    estimator = deployed(scoring, {})
    expected = scoring.model.predict(rows)["closest_cluster"]
    np.testing.assert_array_equal(estimator.predict(rows)["closest_cluster"], expected)
    wider = np.c_[np.arange(20), rows]
    found = estimator.predict(wider, source=Source(features=(1, 2, 3)))
    np.testing.assert_array_equal(found["closest_cluster"], expected)


def test_positions_of_training_are_not_those_of_other_rows(pipeline: Pipeline) -> None:
    pipeline.put_array("train/rows.npy", np.ones((20, 4)))
    scoring = Scoring(pipeline, exclude=[0])
    with pytest.raises(RequestError, match="by position") as refused:
        deployed(scoring, {"exclude": [0]}).predict(np.ones((2, 3)))
    assert "source=Source(features=[0, 1])" in str(refused.value.remedy)


def test_before_there_is_a_model_the_way_to_one_is_told(pipeline: Pipeline) -> None:
    pipeline.put_array("train/rows.npy", np.ones((20, 3)))
    with pytest.raises(ModelError, match="no model in use yet"):
        deployed(Scoring(pipeline), {}, has_model=False).predict(np.ones((2, 3)))
