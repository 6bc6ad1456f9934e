"""A LinearLearner pipeline whose RecordSets are encoded, and training jobs that somebody else has run."""

from __future__ import annotations

from typing import Any

import numpy as np
from pipeline_runs import Pipeline

from amazon_estimators.inference.archive import write_archive
from amazon_estimators.inference.models import LocalLinearLearner
from amazon_estimators.pipeline.settings import Settings

ROWS = np.random.default_rng(11).normal(size=(60, 2)).astype(np.float32)
TRUE = np.array([2.0, -1.0], np.float32)


class AfterTraining:
    """The pipeline after Seal. ``planned`` is Plan's result with Seal's request."""

    def __init__(self, pipeline: Pipeline, **settings: Any) -> None:
        self.pipeline, self.s3, self.bucket = pipeline, pipeline.s3, pipeline.bucket
        pipeline.settings |= {
            "algorithm": "LinearLearner",
            "hyperparameters": {"predictor_type": "regressor"},
            "channels": {"train": {"label": 0}, "test": {"label": 0}},
            **settings,
        }
        self.put("train", ROWS)
        self.put("test", ROWS[:20])
        self.planned = pipeline.train()

    @property
    def settings(self) -> Settings:
        return Settings.from_dict(self.pipeline.settings)

    def put(self, channel: str, rows: np.ndarray, label: np.ndarray | None = None) -> None:
        """Upload a channel's rows, labelled by ``TRUE`` unless they have labels."""
        label = rows @ TRUE if label is None else label
        self.pipeline.put_array(f"{channel}/rows.npy", np.column_stack([label, rows]).astype(np.float32))

    def job(self, name: str, weight: Any = TRUE, **metrics: float) -> dict[str, Any]:
        """The description of a training job, whose model lies on S3."""
        key = f"models/{name}/output/model.tar.gz"
        model = LocalLinearLearner(np.array([weight], np.float32), np.zeros(1, np.float32), "regressor")
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=write_archive(model.to_bytes()))
        return {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}",
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://{self.bucket}/{key}"},
            "AlgorithmSpecification": {
                "TrainingImage": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
            },
            "HyperParameters": {"predictor_type": "regressor", "feature_dim": "2"},
            "InputDataConfig": self.planned["request"]["input_data_config"],
            "FinalMetricDataList": [
                {"MetricName": name.replace("_", ":", 1), "Value": value} for name, value in metrics.items()
            ],
        }
