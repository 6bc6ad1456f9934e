"""A scoring as the state machine runs it, with NumPy, in this process; and the training before it."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import numpy as np
from pipeline_runs import Pipeline

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.inference.archive import write_archive
from amazon_estimators.inference.models import LocalKMeans
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.scoring.encode import encode
from amazon_estimators.scoring.model import find_model
from amazon_estimators.scoring.plan import plan_scoring
from amazon_estimators.scoring.publish import publish_predictions
from amazon_estimators.scoring.score import score_shard
from amazon_estimators.scoring.seal import seal_scoring
from amazon_estimators.scoring.settings import ScoringSettings, check_input

JOB = "digits-1a2b3c4d-00000000-run-0-0"


class SageMaker:
    """Describes one training job, which trained on what ``pipeline`` has encoded."""

    def __init__(self, planned: dict[str, Any], model: str, repository: str) -> None:
        self.planned, self.model = planned, model
        self.image = f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{repository}:1"

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        assert TrainingJobName == JOB
        return {
            "TrainingJobName": JOB,
            "AlgorithmSpecification": {"TrainingImage": self.image},
            "HyperParameters": self.planned["request"]["hyperparameters"],
            "InputDataConfig": self.planned["request"]["input_data_config"],
        }


class Scoring:
    """A pipeline that has trained, and a prediction pipeline of its models under ``scores/``."""

    algorithm = "KMeans"
    hyperparameters: ClassVar[dict[str, str]] = {"k": "2"}

    def model_of(self, dim: int) -> Any:
        """What training has made."""
        return LocalKMeans(np.random.default_rng(7).normal(size=(2, dim)).astype(np.float32))

    def __init__(self, pipeline: Pipeline, **training: Any) -> None:
        """``training`` is the Source of the training channel."""
        self.pipeline, self.s3, self.bucket = pipeline, pipeline.s3, pipeline.bucket
        pipeline.settings |= {"algorithm": self.algorithm, "hyperparameters": self.hyperparameters}
        pipeline.settings["channels"] = {"train": training}
        self.trained = pipeline.train()
        dim = pipeline.facts(self.trained)["feature_dim"]
        self.model = self.model_of(dim)
        key = f"models/{JOB}/output/model.tar.gz"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=write_archive(self.model.to_bytes()))
        self.uri = f"s3://{self.bucket}/{key}"
        self.sagemaker = SageMaker(self.trained, self.uri, algorithm_named(self.algorithm).repo_name)
        self.settings: dict[str, Any] = {
            "pipeline": "Stack/Scores",
            "algorithm": self.algorithm,
            "engine": "numpy",
            "data_bucket": self.bucket,
            "prefix": "scores/",
            "target_shard_bytes": 2**20,
            "channels": {"rows": {**training, "prefix": "scores/input/"}},
            "has_own_source": False,
            "keep": [],
            "format": "csv",
            "trained": {"data_bucket": self.bucket, "prefix": "", "models": f"s3://{self.bucket}/models/"},
            "job_name_prefix": "scores-1a2b3c4d",
        }

    def put(self, name: str, body: bytes) -> None:
        """Upload rows to score."""
        self.s3.put_object(Bucket=self.bucket, Key=f"scores/input/{name}", Body=body)

    def find(self, **asked: Any) -> dict[str, Any]:
        settings = ScoringSettings.from_dict(self.settings)
        return find_model(self.s3, self.sagemaker, settings, check_input(asked)).to_dict()

    def plan(self, execution: str = "first") -> dict[str, Any]:
        self.found = self.find(model=self.uri)
        named = {"name": execution, "start_time": "2026-11-28T10:00:00.000Z", "redrive": 0}
        settings = ScoringSettings.from_dict(self.settings).with_columns(self.s3)
        self.planned = plan_scoring(self.s3, settings, self.found, {}, named)
        return self.planned

    def encode(self) -> None:
        plan = Plan.load(self.s3, self.planned["bucket"], self.planned["prefix"])
        if not self.planned["complete"]:
            for item in self._lines(self.planned["shards_key"]):
                encode(self.s3, plan, item["offset"], item["length"])
        self.sealed = seal_scoring(self.s3, self.planned)

    def score(self, *, leave_out: int | None = None) -> None:
        settings = ScoringSettings.from_dict(self.settings)
        for item in self._lines(self.sealed["parts_key"]):
            if item["shard"] != leave_out:
                score_shard(self.s3, settings, {**item, "plan": self.planned, "model": self.found})

    def publish(self) -> dict[str, Any]:
        settings = ScoringSettings.from_dict(self.settings)
        return publish_predictions(
            self.s3, settings, planned=self.planned, sealed=self.sealed, model=self.found
        )

    def run(self, execution: str = "first") -> tuple[dict[str, Any], list[bytes]]:
        """Run it all; returns the manifest and the parts that it lists."""
        self.plan(execution)
        self.encode()
        self.score()
        told = self.publish()
        manifest = json.loads(self.pipeline.get(told["manifest"].removeprefix(f"s3://{self.bucket}/")))
        return manifest, [self.pipeline.get(part["key"]) for part in manifest["parts"]]

    def _lines(self, key: str) -> list[dict[str, int]]:
        return [json.loads(line) for line in self.pipeline.get(key).splitlines()]
