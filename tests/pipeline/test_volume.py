"""The data of an instance fits its disk, or the execution fails before anything is paid for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pipeline_runs import Pipeline

from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.training_request import training_request
from amazon_estimators.record_sets.record_set import RecordSet

SHARDED, REPLICATED = "ShardedByS3Key", "FullyReplicated"
CASES: dict[str, dict[str, Any]] = {
    "fits": {"gib": 29, "instances": 1, "distribution": SHARDED, "volume": 30, "fails": False},
    "does not": {"gib": 31, "instances": 1, "distribution": SHARDED, "volume": 30, "fails": True},
    "shared": {"gib": 31, "instances": 2, "distribution": SHARDED, "volume": 30, "fails": False},
    "to each": {"gib": 31, "instances": 2, "distribution": REPLICATED, "volume": 30, "fails": True},
    "own disks": {"gib": 31, "instances": 1, "distribution": SHARDED, "volume": None, "fails": False},
}


def request(
    settings: Settings, train: RecordSet, execution: str = "first", started: str = "2026-11-28T10:00:00.000Z"
) -> dict[str, Any]:
    return training_request(
        settings,
        settings.algorithm_for({}),
        {"train": train},
        fingerprint="0" * 24,
        data_set="1" * 24,
        execution=execution,
        started=started,
    )


@pytest.mark.parametrize("case", CASES)
def test_bytes_of_an_instance(pipeline: Pipeline, case: str) -> None:
    given = CASES[case]
    settings = Settings.from_dict({**pipeline.settings, "volume_gib": given["volume"]})
    settings = replace(settings, instance_count=given["instances"])
    train = RecordSet(
        "s3://b/m",
        10**6,
        20,
        distribution=given["distribution"],
        num_bytes=given["gib"] * 2**30,
        num_shards=8,
    )
    if given["fails"]:
        with pytest.raises(
            RequestError, match=r"volume_size is 30 GiB\nRaise volume_size to at least 36 GiB"
        ):
            request(settings, train)
    else:
        assert request(settings, train)


def test_an_execution_of_the_same_name_has_jobs_of_another(pipeline: Pipeline) -> None:
    settings = Settings.from_dict(pipeline.settings)
    train = RecordSet("s3://b/m", 10**6, 20, num_shards=8)
    names = {
        request(settings, train, execution, started)["job_name"]
        for execution in ("first", "second")
        for started in ("2026-11-28T10:00:00.000Z", "2027-03-01T10:00:00.000Z")
    }
    assert len(names) == 4


def test_doubts_about_the_data_are_part_of_the_request(pipeline: Pipeline) -> None:
    """What only this library infers refuses nothing, so it is told with the model."""
    settings = Settings.from_dict({**pipeline.settings, "hyperparameters": {"k": "10"}})
    few = RecordSet("s3://b/m", 5, 20, num_shards=1)
    (doubt,) = request(settings, few)["warnings"]
    assert "k is 10" in doubt and "5 records" in doubt
    assert request(settings, RecordSet("s3://b/m", 500, 20, num_shards=1))["warnings"] == []
