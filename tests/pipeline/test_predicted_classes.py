"""Labels that were words are words again where predictions are read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pipeline_runs import Pipeline
from pyarrow import parquet
from scoring_runs import Scoring
from test_pipeline_predict import deployed

from amazon_estimators.cli import predict as command
from amazon_estimators.cli.app import run
from amazon_estimators.inference import Predictions
from amazon_estimators.inference.models.linear_learner import LocalLinearLearner

pytestmark = pytest.mark.filterwarnings("ignore::amazon_estimators.inference.ModelWarning")

TRAINING = {"label": "species", "classes": ["setosa", "São Tomé", "7"], "exclude": ["note"]}
ROWS = np.array([[3, 0], [0, 3], [-2, -2], [4, 1]], np.float32)
WORDS = ["setosa", "São Tomé", "7", "setosa"]
FRAME = pd.DataFrame({"id": [1, 2, 3, 4], "a": ROWS[:, 0], "b": ROWS[:, 1], "note": "x"})


class Species(Scoring):
    """LinearLearner of three classes."""

    algorithm = "LinearLearner"
    hyperparameters: ClassVar[dict[str, str]] = {
        "predictor_type": "multiclass_classifier",
        "num_classes": "3",
    }

    def model_of(self, dim: int) -> Any:
        assert dim == 2
        weight = np.array([[1, 0], [0, 1], [-1, -1]], np.float32)
        return LocalLinearLearner(weight, np.zeros(3, np.float32), "multiclass_classifier", "auto")


@pytest.fixture
def species(pipeline: Pipeline) -> Species:
    pipeline.put("train/a.csv", "a,b,note,species\n1,0,x,setosa\n0,1,y,São Tomé\n-1,-1,z,7\n".encode())
    return Species(pipeline, **TRAINING)


@pytest.mark.parametrize("kind", ["csv", "jsonlines", "parquet"])
def test_a_prediction_pipeline_names_the_class(species: Species, kind: str) -> None:
    species.settings |= {"format": kind, "keep": ["id"]}
    species.put("a.csv", FRAME.to_csv(index=False).encode())
    manifest, (part,) = species.run()
    frame = {
        "csv": lambda: pd.DataFrame([*csv.DictReader(io.StringIO(part.decode()))]),
        "jsonlines": lambda: pd.DataFrame([json.loads(line) for line in part.splitlines()]),
        "parquet": lambda: parquet.read_table(io.BytesIO(part)).to_pandas(),
    }[kind]()
    assert [int(label) for label in frame["predicted_label"]] == [0, 1, 2, 0]
    assert [*frame["predicted_class"]] == WORDS
    assert manifest["columns"][-1] == {"name": "predicted_class", "type": "text"}


def test_the_model_in_use_names_the_class(
    species: Species, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = deployed(species, TRAINING)
    assert estimator.predict(FRAME)["predicted_class"].tolist() == WORDS
    assert estimator.predict(ROWS)["predicted_class"].tolist() == WORDS
    monkeypatch.setattr(command, "find", lambda **_: estimator)
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    assert run(["predict", "--stack", "Species", str(tmp_path / "a.csv")]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert [row["predicted_class"] for row in rows] == WORDS


def test_a_model_file_names_the_classes_of_the_source(
    species: Species, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.tar.gz").write_bytes(species.pipeline.get(species.uri.split("/", 3)[3]))
    (tmp_path / "a.csv").write_text("a,b,species\n3,0,b\n0,3,b\n")
    options = [f"--source=classes={word}" for word in "abc"]
    files = [str(tmp_path / "model.tar.gz"), str(tmp_path / "a.csv")]
    assert run(["predict", *files, "--source=label=species", *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["predictions"]
    assert [row["predicted_class"] for row in told] == ["a", "b"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([1, 0], ["no", "yes"]),
        ([1.0, 0.0], ["no", "yes"]),
        ([2, -1], ["", ""]),
        ([0.5, np.nan], ["", ""]),
    ],
)
def test_numbers_that_no_class_has_have_no_word(labels: list[float], words: list[str]) -> None:
    named = Predictions({"predicted_label": np.array(labels)}).with_classes(["no", "yes"])
    assert sorted(named["predicted_class"].tolist()) == words
    assert "predicted_class" not in Predictions({"predicted_label": np.array(labels)}).with_classes([])
    assert [*Predictions({"score": np.array(labels)}).with_classes(["no", "yes"])] == ["score"]
