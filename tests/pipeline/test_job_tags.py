"""A training job has the tags of its pipeline's resources beside the library's own."""

from __future__ import annotations

from pipeline_runs import Pipeline

from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.training_request import training_request
from amazon_estimators.record_sets.record_set import RecordSet


def test_tags(pipeline: Pipeline) -> None:
    settings = Settings.from_dict({**pipeline.settings, "tags": {"team": "forecast", "cost": "7"}})
    request = training_request(
        settings,
        settings.algorithm_for({}),
        {"train": RecordSet("s3://b/m", 10**6, 20)},
        fingerprint="0" * 24,
        data_set="1" * 24,
        execution="first",
        started="2026-11-28T10:00:00.000Z",
    )
    tags = {tag["Key"]: tag["Value"] for tag in request["tags"]}
    assert tags == {
        "team": "forecast",
        "cost": "7",
        "amazon-estimators:pipeline": settings.pipeline,
        "amazon-estimators:execution": "first",
        "amazon-estimators:record-set": "0" * 24,
        "amazon-estimators:data-set": "1" * 24,
    }
