"""What it can cost, will likely cost and did cost: ten configurations against a calculation by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import (
    Cost,
    Earlier,
    cost_of_job,
    endpoint_hour,
    likely_of_training,
    most_of_training,
    most_of_transform,
    serverless_hour,
    total,
    unknown,
)

REGION = "eu-west-1"
TABLE = PriceTable.from_json(
    """{"schema": "prices/1", "lists": [{
        "region": "eu-west-1", "currency": "USD", "date": "2026-11-01", "source": "by hand",
        "prices": {
            "training": {"ml.m5.large": 0.128, "ml.m5.xlarge": 0.257, "ml.g5.xlarge": 1.57},
            "transform": {"ml.m5.xlarge": 0.257},
            "hosting": {"ml.m5.large": 0.128},
            "serverless": {"2GB": 0.00004}
        }}]}""",
    name="by hand",
)
DAY, HOUR = 86_400, 3_600
EARLIER = [
    Earlier(instance_type="ml.m5.large", count=1, seconds=100, size=1_000_000),  # 100 s per MB
    Earlier(instance_type="ml.m5.large", count=1, seconds=600, size=2_000_000),  # 300 s per MB
    Earlier(instance_type="ml.m5.large", count=1, seconds=800, size=4_000_000),  # 200 s per MB
    Earlier(instance_type="ml.m5.large", count=2, seconds=1, size=1_000_000),
    Earlier(instance_type="ml.g5.xlarge", count=1, seconds=1, size=1_000_000),
]


def training(types: list[str], **more: float) -> Cost:
    settings = {"count": 1, "max_runtime": DAY, **more}
    return most_of_training(TABLE, REGION, types, **settings)  # type: ignore[arg-type]


BY_HAND: dict[str, tuple[Callable[[], Cost], str]] = {
    # 24 h x 1 x 0.128
    "one training, the defaults": (lambda: training(["ml.m5.large"]), "3.072"),
    # 1 h x 4 x 1.57
    "four instances for an hour": (lambda: training(["ml.g5.xlarge"], count=4, max_runtime=HOUR), "6.28"),
    # 24 h x 2 x 1.57, the dearest of three
    "several preferences": (
        lambda: training(["ml.m5.large", "ml.g5.xlarge", "ml.m5.xlarge"], count=2),
        "75.36",
    ),
    # 0.5 h x 2 x 0.128, and spot costs no more
    "on spot": (lambda: training(["ml.m5.large"], count=2, max_runtime=1_800), "0.128"),
    # (1 h + 10 min) x 3 x 0.257 = 7/6 x 0.771
    "a warm pool": (lambda: training(["ml.m5.xlarge"], count=3, max_runtime=HOUR, keep_alive=600), "0.8995"),
    # 20 x 2 h x 2 x 0.257
    "a tuning job": (
        lambda: training(["ml.m5.xlarge"], count=2, max_runtime=2 * HOUR, jobs=20),
        "20.56",
    ),
    # 48 h x 2 x 0.257
    "a batch scoring": (
        lambda: most_of_transform(TABLE, REGION, "ml.m5.xlarge", count=2, longest=2 * DAY),
        "24.672",
    ),
    # 1 h x 4 x 0.128, the most instances of its scaling
    "an hour of an endpoint": (lambda: endpoint_hour(TABLE, REGION, "ml.m5.large", count=4), "0.512"),
    # 3,600 s x 5 x 0.00004
    "an hour of a serverless endpoint": (
        lambda: serverless_hour(TABLE, REGION, memory_mb=2_048, concurrency=5),
        "0.72",
    ),
    # 542 s x 3 x 1.57 / 3,600 = 2,552.82 / 3,600
    "a training that has ended": (
        lambda: cost_of_job(
            TABLE,
            REGION,
            {
                "BillableTimeInSeconds": 542,
                "ResourceConfig": {"SelectedInstanceType": "ml.g5.xlarge", "SelectedInstanceCount": 3},
            },
        ),
        "0.709116666666666666666666667",
    ),
    # 200 s per MB x 9 MB = 1,800 s = 0.5 h x 0.128
    "a training to come": (
        lambda: likely_of_training(TABLE, REGION, "ml.m5.large", count=1, size=9_000_000, earlier=EARLIER),
        "0.064",
    ),
}


@pytest.mark.parametrize("configuration", BY_HAND)
def test_a_cost_equals_the_calculation_by_hand(configuration: str) -> None:
    reckon, by_hand = BY_HAND[configuration]
    cost = reckon()
    assert cost.amount is not None and abs(cost.amount - Decimal(by_hand)) < Decimal("1e-24")
    assert (cost.currency, cost.because) == ("USD", None)
    assert cost.price is not None and cost.price.source == "by hand"


def test_ten_configurations_at_least() -> None:
    assert len(BY_HAND) >= 10


def test_the_basis_lets_you_calculate_again() -> None:
    assert BY_HAND["a tuning job"][0]().basis == "7,200 s x 2 x 0.257 USD/h x 20 trainings"
    likely = BY_HAND["a training to come"][0]().basis
    assert likely == (
        "1,800 s x 1 x 0.128 USD/h; seconds from 9,000,000 bytes, at the median seconds per byte of "
        "3 earlier trainings"
    )


UNKNOWN: dict[str, tuple[Callable[[], Cost], str]] = {
    "a type": (
        lambda: training(["ml.m5.large", "ml.p5.48xlarge"]),
        "no price of ml.p5.48xlarge for training",
    ),
    "a region": (
        lambda: most_of_training(TABLE, "us-west-2", ["ml.m5.large"], count=1, max_runtime=DAY),
        "in us-west-2 is known",
    ),
    "a region that CloudFormation fills in": (
        lambda: most_of_training(TABLE, None, ["ml.m5.large"], count=1, max_runtime=DAY),
        "give the stack an explicit env",
    ),
    "a runtime that CloudFormation fills in": (
        lambda: most_of_training(TABLE, REGION, ["ml.m5.large"], count=1, max_runtime=None),
        "max_runtime is not known yet",
    ),
    "a number of trainings": (
        lambda: most_of_training(TABLE, REGION, ["ml.m5.large"], count=1, max_runtime=DAY, jobs=None),
        "the number of trainings",
    ),
    "a use": (lambda: endpoint_hour(TABLE, REGION, "ml.g5.xlarge", count=1), "for hosting"),
    "a timeout": (
        lambda: most_of_transform(TABLE, REGION, "ml.m5.xlarge", count=1, longest=None),
        "timeout is not known yet",
    ),
    "a memory": (lambda: serverless_hour(TABLE, REGION, memory_mb=6_144, concurrency=1), "no price of 6GB"),
    "provisioned concurrency": (
        lambda: serverless_hour(TABLE, REGION, memory_mb=2_048, concurrency=1, provisioned=True),
        "provisioned concurrency",
    ),
    "a job that was stopped before it ran": (
        lambda: cost_of_job(TABLE, REGION, {"ResourceConfig": {"InstanceType": "ml.m5.large"}}),
        "does not tell its billable seconds",
    ),
    "a job without instances": (
        lambda: cost_of_job(TABLE, REGION, {"BillableTimeInSeconds": 5}),
        "does not tell its instances",
    ),
    "a pipeline that has not trained": (
        lambda: likely_of_training(TABLE, REGION, "ml.m5.xlarge", count=1, size=1, earlier=EARLIER),
        "no training on 1 x ml.m5.xlarge",
    ),
}


@pytest.mark.parametrize("fact", UNKNOWN)
def test_what_is_unknown_is_never_an_amount(fact: str) -> None:
    reckon, because = UNKNOWN[fact]
    cost = reckon()
    assert (cost.amount, cost.currency, cost.price) == (None, None, None)
    assert because in str(cost.because)
    assert str(cost).startswith("unknown: ")
    assert cost.to_dict()["amount"] is None


def test_a_job_of_no_billable_seconds_costs_nothing() -> None:
    """SageMaker says so: that is known, and is 0."""
    job = {"BillableTimeInSeconds": 0, "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}}
    assert cost_of_job(TABLE, REGION, job).amount == 0


def test_a_sum_with_an_unknown_part_is_unknown_and_tells_the_rest() -> None:
    known = [training(["ml.m5.large"]), training(["ml.m5.large"], count=2)]
    assert total(known).amount == Decimal("9.216")
    assert total([]).amount == 0
    partly = total([*known, unknown("nobody knows")])
    assert partly.amount is None
    assert partly.because == "1 of 3: nobody knows; the others come to 9.22 USD"


def test_an_old_price_is_told_with_its_age() -> None:
    cost = training(["ml.m5.large"])
    assert cost.age(date(2026, 11, 2)) == ""
    assert cost.age(date(2027, 11, 1)) == "the price is 365 days old (by hand)"
    assert unknown("why").age(date(2027, 11, 1)) == ""
