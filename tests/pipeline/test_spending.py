"""What a pipeline has cost since the beginning of the month, and what its next training will likely cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from pipeline_runs import Pipeline

from amazon_estimators.algorithms import KMeans
from amazon_estimators.client import spending
from amazon_estimators.client.spending import likely, month_of, spent
from amazon_estimators.costs.prices import PriceTable

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
TABLE = PriceTable.from_json(
    """{"schema": "prices/1", "lists": [{
        "region": "us-east-1", "currency": "USD", "date": "2026-11-01", "source": "by hand",
        "prices": {"training": {"ml.m5.large": 0.36}}}]}""",
    name="by hand",
)
"""0.0001 a second."""
PREFIX, SEARCH = "digits-1a2b3c4d", "1a2b3c4d"


def job(
    name: str, seconds: int | None, *, at: datetime = MONTH, count: int = 1, data_set: str = "", **more: Any
) -> dict[str, Any]:
    billed = {} if seconds is None else {"BillableTimeInSeconds": seconds}
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}",
        "TrainingJobStatus": "Completed",
        "CreationTime": at,
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count},
        "data_set": data_set,
        **billed,
        **more,
    }


class SageMaker:
    """SageMaker with these training jobs, newest first."""

    def __init__(self, *jobs: dict[str, Any]) -> None:
        self.jobs = {one["TrainingJobName"]: one for one in jobs}

    def get_paginator(self, name: str) -> SageMaker:
        assert name == "list_training_jobs"
        return self

    def paginate(self, *, NameContains: str, **only: Any) -> list[dict[str, Any]]:
        assert (only.pop("SortBy"), only.pop("SortOrder")) == ("CreationTime", "Descending")
        since, status = only.pop("CreationTimeAfter", None), only.pop("StatusEquals", None)
        assert not only
        summaries = [
            {"TrainingJobName": name}
            for name, one in self.jobs.items()
            if NameContains in name
            and (since is None or one["CreationTime"] >= since)
            and status in (None, one["TrainingJobStatus"])
        ]
        return [{"TrainingJobSummaries": [summary]} for summary in summaries]

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        return self.jobs[TrainingJobName]

    def list_tags(self, *, ResourceArn: str) -> dict[str, Any]:
        version = self.jobs[ResourceArn.rpartition("/")[2]]["data_set"]
        return {"Tags": [{"Key": "amazon-estimators:data-set", "Value": version}] if version else []}


def deployed(
    monkeypatch: pytest.MonkeyPatch, sagemaker: Any, pipeline: Pipeline | None = None, **search: Any
) -> Any:
    """The pipeline as the client sees it."""
    clients = {"sagemaker": sagemaker, "s3": pipeline and pipeline.s3}
    monkeypatch.setattr(spending, "client_of", lambda _, service: clients[service])
    monkeypatch.setattr(spending, "region_of", lambda _: "us-east-1")
    settings = pipeline.settings if pipeline else {"job_name_prefix": PREFIX}
    definition = {"States": {"PrepareTuning": {"Parameters": {"tuning": search}}} if search else {}}
    return SimpleNamespace(
        session=None, settings=settings, algorithm=KMeans(k=2), describe=lambda: ({}, definition)
    )


def test_the_month_begins_at_its_first_second_in_utc() -> None:
    east = datetime(2026, 12, 1, 1, 30, tzinfo=UTC).astimezone(tz=None)
    assert month_of(east) == datetime(2026, 12, 1, tzinfo=UTC)


def test_all_jobs_of_the_month_count_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 s x 2 + 50 s + 7 s, at 0.0001."""
    before = MONTH - timedelta(seconds=1)
    jobs = [
        job(f"{PREFIX}-a", 100, count=2),
        job(f"{PREFIX}-b", 50, TrainingJobStatus="Failed"),
        job(f"{PREFIX}-c", 7, TrainingJobStatus="Stopped"),
        job(f"{PREFIX}-runs", None, TrainingJobStatus="InProgress", TrainingStartTime=MONTH),
        job(f"{PREFIX}-no-capacity", None, TrainingJobStatus="Failed", TrainingEndTime=MONTH),
        job(f"{PREFIX}-old", 1_000, at=before),
        job(f"other-{PREFIX}-a", 1_000),
        job(f"{PREFIX}x", 1_000),
    ]
    cost = spent(deployed(monkeypatch, SageMaker(*jobs)), TABLE, MONTH)
    assert (cost.amount, cost.currency) == (Decimal("0.0257"), "USD")


def test_the_trainings_of_a_search_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [job(f"{SEARCH}-run-0-0-001-x", 30), job(f"{SEARCH}-run-0-0-002-x", 20)]
    search: dict[str, Any] = {"objective": "test:msd", "searched": [], "job_name_prefix": SEARCH}
    assert spent(deployed(monkeypatch, SageMaker(*jobs), **search), TABLE, MONTH).amount == Decimal("0.005")
    assert spent(deployed(monkeypatch, SageMaker(*jobs)), TABLE, MONTH).amount == 0


def test_a_month_without_trainings_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(spent(deployed(monkeypatch, SageMaker()), TABLE, MONTH)) == "0 USD"


def test_a_job_of_unknown_price_makes_the_month_unknown_and_tells_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1}
    jobs = [job(f"{PREFIX}-a", 100), job(f"{PREFIX}-b", 100, ResourceConfig=other)]
    cost = spent(deployed(monkeypatch, SageMaker(*jobs)), TABLE, MONTH)
    assert cost.amount is None
    assert str(cost.because).startswith("1 of 2: no price of ml.p3.2xlarge for training in us-east-1")
    assert str(cost.because).endswith("; the others come to 0.0100 USD")


def test_a_caller_who_may_not_list_jobs_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def get_paginator(self, _: str) -> Any:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListTrainingJobs"
            )

    cost = spent(deployed(monkeypatch, Closed()), TABLE, MONTH)
    assert cost.amount is None and "AccessDeniedException" in str(cost.because)


ROWS = np.arange(40, dtype=np.float32).reshape(10, 4)


def test_a_training_takes_as_long_per_byte_of_input_as_those_before(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """288 bytes took 288 s and 864 s: the median is 2 s per byte; then there are two such files."""
    pipeline.put_array("train/a.npy", ROWS)
    size = len(pipeline.get("input/train/a.npy"))
    first = pipeline.plan()["data_set"]
    jobs = [
        job(f"{PREFIX}-a", size, data_set=first),
        job(f"{PREFIX}-b", 3 * size, data_set=first),
        job(f"{PREFIX}-failed", 9_999, data_set=first, TrainingJobStatus="Failed"),
        job(f"{PREFIX}-untagged", 9_999),
        job(f"{PREFIX}-larger", 9_999, count=2, data_set=first),
    ]
    pipeline.put_array("train/b.npy", ROWS)
    cost = likely(deployed(monkeypatch, SageMaker(*jobs), pipeline), TABLE)
    assert cost.amount == Decimal(4 * size) / 10_000
    assert cost.basis.endswith(
        f"seconds from {2 * size:,} bytes, at the median seconds per byte of 2 earlier trainings"
    )


def test_only_the_newest_trainings_are_looked_at(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.put_array("train/a.npy", ROWS)
    version = pipeline.plan()["data_set"]
    jobs = [job(f"{PREFIX}-{number}", 100, data_set=version) for number in range(9)]
    cost = likely(deployed(monkeypatch, SageMaker(*jobs), pipeline), TABLE)
    assert cost.basis.endswith("of 5 earlier trainings")


UNLIKELY = {
    "there is no input yet": [],
    "no training on 1 x ml.m5.large of this pipeline has ended yet": ["a.npy"],
}


@pytest.mark.parametrize("because", UNLIKELY)
def test_what_cannot_be_reckoned_is_unknown(
    because: str, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in UNLIKELY[because]:
        pipeline.put_array(f"train/{name}", ROWS)
    cost = likely(deployed(monkeypatch, SageMaker(), pipeline), TABLE)
    assert (cost.amount, cost.because) == (None, because)


def test_a_damaged_list_of_a_data_set_is_no_amount(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put_array("train/a.npy", ROWS)
    version = pipeline.plan()["data_set"]
    pipeline.s3.put_object(Bucket=pipeline.bucket, Key=f"datasets/{version}.jsonl.gz", Body=b"{}")
    jobs = [job(f"{PREFIX}-a", 100, data_set=version)]
    cost = likely(deployed(monkeypatch, SageMaker(*jobs), pipeline), TABLE)
    assert cost.amount is None and "it was changed" in str(cost.because)


def test_a_search_has_no_likely_cost(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    search: dict[str, Any] = {"objective": "test:msd", "searched": [], "job_name_prefix": SEARCH}
    assert likely(deployed(monkeypatch, SageMaker(), pipeline, **search), TABLE).amount is None
