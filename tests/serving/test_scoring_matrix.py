"""Every algorithm scored by a prediction pipeline's steps, with a transform job of the stand-in."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from serving_account import CASES, ServingAccount, unique, until

from amazon_estimators import ALGORITHMS, TransformJobError
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.without_container import numpy_problem
from amazon_estimators.pipeline.encode import encode_shard
from amazon_estimators.pipeline.explain import explain
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.engines import transform_input, transform_output
from amazon_estimators.scoring.model import find_model
from amazon_estimators.scoring.plan import plan_scoring
from amazon_estimators.scoring.publish import publish_predictions
from amazon_estimators.scoring.score import score_shard
from amazon_estimators.scoring.seal import seal_scoring
from amazon_estimators.scoring.settings import ScoringSettings

UNTRAINED = {"NTM", "Object2Vec", "IPInsights"}
"""The stand-in trains no model of these: the job is asked for, and says so."""


def body_of(rows: Any) -> tuple[str, bytes]:
    """A file of rows, with its name."""
    if isinstance(rows, np.ndarray):
        file = io.BytesIO()
        np.save(file, rows)
        return "rows.npy", file.getvalue()
    if isinstance(rows[0], dict):
        return "rows.jsonl", "".join(json.dumps({**row, "label": 1}) + "\n" for row in rows).encode()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return "rows.csv", text.getvalue().encode()


class Scoring:
    """The steps of one execution, in this process."""

    def __init__(self, serving: ServingAccount, name: str, engine: str) -> None:
        self.serving, self.name, self.root = serving, name, f"{unique('scores')}/"
        model = serving.trained(name).model_data
        models = f"{model.removesuffix('/output/model.tar.gz').rpartition('/')[0]}/"
        self.settings = ScoringSettings.from_dict(
            {
                "pipeline": "Stack/Scores",
                "algorithm": name,
                "engine": engine,
                "data_bucket": serving.bucket,
                "prefix": self.root,
                "target_shard_bytes": 2**20,
                "channels": {"rows": {"prefix": f"{self.root}input/"}},
                "has_own_source": False,
                "keep": [],
                "format": "jsonlines",
                "trained": {
                    "data_bucket": serving.bucket,
                    "prefix": "",
                    "models": models,
                },
                "job_name_prefix": "scores-1a2b3c4d",
            }
        )
        file, body = body_of(serving.rows(name))
        serving.put(f"s3://{serving.bucket}/{self.root}input/{file}", body)
        asked = {"model": model}
        self.model = find_model(serving.s3, serving.sagemaker, self.settings, asked).to_dict()
        execution = {"name": unique("run"), "start_time": "2026-11-28T10:00:00.000Z", "redrive": 0}
        self.planned = plan_scoring(serving.s3, self.settings, self.model, asked, execution)

    def lines(self, key: str) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in self.serving.get(f"s3://{self.serving.bucket}/{key}").splitlines()
        ]

    def encode(self) -> None:
        plan = Plan.load(self.serving.s3, self.planned["bucket"], self.planned["prefix"])
        for item in self.lines(self.planned["shards_key"]):
            encode_shard(self.serving.s3, plan, item["offset"], item["length"])
        self.sealed = seal_scoring(self.serving.s3, self.planned)

    def transform(self) -> None:
        """Run the job as the state machine asks for it."""
        kind, sagemaker = ALGORITHMS[self.name], self.serving.sagemaker
        sagemaker.create_model(
            ModelName=self.planned["model_name"],
            PrimaryContainer={"Image": self.model["image"], "ModelDataUrl": self.model["model"]},
            ExecutionRoleArn=self.serving.role,
            Tags=self.planned["tags"],
        )
        name = f"{self.planned['job_name']}-0-0"
        source = {"S3DataType": "ManifestFile", "S3Uri": self.sealed["record_set"]}
        sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=self.planned["model_name"],
            TransformInput={"DataSource": {"S3DataSource": source}, **transform_input(kind)},
            TransformOutput={
                "S3OutputPath": f"s3://{self.serving.bucket}/{self.planned['answers']}",
                **transform_output(kind),
            },
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            BatchStrategy="MultiRecord",
        )
        job = until(
            lambda: sagemaker.describe_transform_job(TransformJobName=name),
            lambda found: found["TransformJobStatus"] != "InProgress",
        )
        sagemaker.delete_model(ModelName=self.planned["model_name"])
        if job["TransformJobStatus"] != "Completed":
            cause = json.dumps(job, default=str)
            explained = explain(self.serving.s3, {"Error": "States.TaskFailed", "Cause": cause}, {})
            assert explained["error"] == "TransformJobError"
            raise TransformJobError(explained["cause"])

    def score(self) -> list[dict[str, Any]]:
        for item in self.lines(self.sealed["parts_key"]):
            score_shard(self.serving.s3, self.settings, {**item, "plan": self.planned, "model": self.model})
        told = publish_predictions(
            self.serving.s3, self.settings, planned=self.planned, sealed=self.sealed, model=self.model
        )
        assert told["rows"] == len(self.serving.rows(self.name))
        parts = json.loads(self.serving.get(told["manifest"]))["parts"]
        return [line for part in parts for line in self.lines(part["key"])]


def assert_same(found: list[dict[str, Any]], expected: Predictions) -> None:
    records = expected.records()
    assert [set(one) for one in found] == [set(one) for one in records]
    for one, other in zip(found, records, strict=True):
        for name, value in other.items():
            np.testing.assert_allclose(one[name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_transform_job_scores_the_models_of_every_algorithm(serving: ServingAccount, name: str) -> None:
    scoring = Scoring(serving, name, "transform")
    scoring.encode()
    if name in UNTRAINED:
        with pytest.raises(TransformJobError, match="trains no model"):
            scoring.transform()
        return
    scoring.transform()
    expected = serving.trained(name).transform(serving.rows(name), instance_type="ml.m5.large")
    assert_same(scoring.score(), expected)


@pytest.mark.parametrize("name", [name for name in CASES if not numpy_problem(ALGORITHMS[name])])
def test_numpy_scores_as_the_container_does(serving: ServingAccount, name: str) -> None:
    scoring = Scoring(serving, name, "numpy")
    scoring.encode()
    expected = serving.trained(name).transform(serving.rows(name), instance_type="ml.m5.large")
    assert_same(scoring.score(), expected)


def test_lines_to_predict_lose_their_labels(serving: ServingAccount) -> None:
    scoring = Scoring(serving, "Object2Vec", "transform")
    scoring.encode()
    root = f"s3://{serving.bucket}/{scoring.planned['prefix']}rows/part_"
    (shard,) = serving.keys(root)
    text = serving.get(f"{root}{shard}")
    assert [json.loads(line) for line in text.splitlines()] == serving.rows("Object2Vec")
