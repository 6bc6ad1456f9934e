"""The starter of a prediction pipeline: its executions' settings, and predictions that were not announced."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

from starter_world import World
from test_executions import MACHINE, Ended, States

from amazon_estimators.pipeline.event_names import OF_PREDICTIONS
from amazon_estimators.scoring.announce import announce_execution
from amazon_estimators.triggers.executions import Executions

SETTINGS: dict[str, Any] = {
    "pipeline": "Stack/Scores",
    "algorithm": "KMeans",
    "engine": "transform",
    "channels": {"rows": {"prefix": "scores/input/"}},
    "trained": {"models": "s3://models/"},
    "prefix": "scores/",
}
DEFINITION: dict[str, Any] = {
    "States": {
        "Plan": {"Type": "Task", "Parameters": {"pipeline": SETTINGS}},
        "Transform": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
            "Parameters": {"TransformResources": {"InstanceType": "ml.m5.large"}},
        },
    }
}
OUTPUT = {
    "input": {"reason": "nightly"},
    "plan": {"data_set": "0" * 24},
    "model": {"model": "s3://models/a/output/model.tar.gz", "job": "a", "model_package": None},
    "transform": {"TransformJobName": "scores-1"},
    "predictions": {"manifest": "s3://data/scores/predictions/a/_manifest.json", "rows": 3},
    "announced": {"Error": "ServiceError"},
}


def test_other_instances_and_other_settings_are_other_scorings() -> None:
    before = Executions(States(DEFINITION), MACHINE).settings()
    larger = copy.deepcopy(DEFINITION)
    larger["States"]["Transform"]["Parameters"]["TransformResources"]["InstanceType"] = "ml.m5.xlarge"
    assert Executions(States(larger), MACHINE).settings() != before
    renamed = copy.deepcopy(DEFINITION)
    renamed["States"]["Plan"]["Parameters"]["pipeline"]["pipeline"] = "Other/Scores"
    assert Executions(States(renamed), MACHINE).settings() == before
    kept = copy.deepcopy(DEFINITION)
    kept["States"]["Plan"]["Parameters"]["pipeline"]["keep"] = ["id"]
    assert Executions(States(kept), MACHINE).settings() != before


def test_predictions_that_announce_could_not_tell_of_are_told_of() -> None:
    untold = Executions(Ended(DEFINITION, output=json.dumps(OUTPUT)), MACHINE).unannounced("night")
    assert untold is not None
    told: list[tuple[str, Any]] = []
    announce_execution(lambda name, detail: told.append((name, detail)), None, untold)
    ((name, detail),) = told
    assert name == "Predictions Ready"
    assert (detail["rows"], detail["transform_job"], detail["reason"]) == (3, "scores-1", "nightly")
    assert detail["manifest"] == OUTPUT["predictions"]["manifest"]


def test_what_a_starter_of_predictions_tells_is_of_scorings() -> None:
    world = World()
    world.settings = replace(world.settings, tells=OF_PREDICTIONS)
    message = world.batch("a.csv")
    world.handle(message, message)
    assert world.because().endswith(f"execution {world.names[0]} is scoring it")
    world.end(world.names[0])
    world.handle(message)
    assert world.because().endswith(f"execution {world.names[0]} has scored it")
    words = " ".join(world.settings.work)
    assert "train" not in words
