"""Reckon what a training, a tuning job, a scoring or an endpoint can cost, will likely cost, or did cost.

All of it is instances: storage, requests, data transfer and the Lambda functions of a pipeline are not in it.
An amount that cannot be told is None, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any

from amazon_estimators.costs.prices import (
    HOSTING,
    SERVERLESS,
    TRAINING,
    TRANSFORM,
    WAY_OUT,
    Price,
    PriceTable,
)

HOUR = 3600
DIGITS = 8
"""Digits of an amount in JSON, after the point."""
LEAST_SHOWN = Decimal("0.0001")
"""What is less is shown with all its digits."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """An amount of money, or the reason why there is none.

    Attributes:
        amount: The amount; None if it is unknown.
        currency: Such as ``"USD"``; None if the amount is unknown.
        basis: How it is reckoned: ``"86,400 s x 2 x 0.115 USD/h"``. Empty if the amount is unknown.
        because: Why it is unknown; None if it is known.
        price: The price that it is reckoned with; None if the amount is unknown.
    """

    amount: Decimal | None = None
    currency: str | None = None
    basis: str = ""
    because: str | None = None
    price: Price | None = None

    def __str__(self) -> str:
        """Return ``"5.52 USD"`` or ``"unknown: …"``."""
        return f"unknown: {self.because}" if self.amount is None else f"{shown(self.amount)} {self.currency}"

    def age(self, today: date) -> str:
        """Return a note on a price of more than 180 days, with its source; empty if it is newer."""
        if self.price is None or not self.price.is_stale(today):
            return ""
        days = (today - self.price.day).days
        return f"the price is {days:,} days old ({self.price.source})"

    def to_dict(self) -> dict[str, Any]:
        """Return the cost as JSON has it: ``amount``, ``currency``, ``basis`` and ``because``."""
        amount = None if self.amount is None else float(round(self.amount, DIGITS))
        return {"amount": amount, "currency": self.currency, "basis": self.basis, "because": self.because}


def unknown(because: str) -> Cost:
    """Return a cost that cannot be told, for a reason."""
    return Cost(because=because)


def shown(amount: Decimal) -> str:
    """Return an amount for people: cents, or more digits if it is small.

    Example:
        >>> shown(Decimal("5.5199")), shown(Decimal("0.00346")), shown(Decimal("0.00001"))
        ('5.52', '0.0035', '0.00001')
    """
    if amount >= 1:
        return f"{amount:,.2f}"
    return f"{amount:.4f}" if amount >= LEAST_SHOWN else f"{amount.normalize():f}"


def most_of_training(
    table: PriceTable,
    region: str | None,
    instance_types: Sequence[str],
    *,
    count: int,
    max_runtime: float | None,
    jobs: int | None = 1,
    keep_alive: float = 0,
) -> Cost:
    """Return the most that one training can cost; with tuning, all its trainings together.

    ``max_runtime x count x price``. Spot capacity costs no more than that. Of several types, the dearest
    counts.

    Args:
        table: The prices.
        region: The region; None if it is not known yet.
        instance_types: The types that the training may run on.
        count: The number of instances.
        max_runtime: Seconds after which SageMaker stops the training; None if they are not known yet.
        jobs: The most trainings of a tuning job; None if they are not known.
        keep_alive: Seconds for which instances are kept afterwards. AWS bills a warm pool at the price of
            training.

    Example:
        >>> table, types = PriceTable.of_package(), ["ml.m5.large"]
        >>> cost = most_of_training(table, "us-east-1", types, count=2, max_runtime=3600)
        >>> str(cost), cost.basis
        ('0.2300 USD', '3,600 s x 2 x 0.115 USD/h')
    """
    if max_runtime is None:
        return unknown("max_runtime is not known yet")
    if jobs is None:
        return unknown("the number of trainings of the tuning job is not known")
    seconds = Decimal(str(max_runtime)) + Decimal(str(keep_alive))
    return _dearest(table, region, TRAINING, instance_types, lambda price: _job(price, seconds, count, jobs))


def most_of_transform(
    table: PriceTable, region: str | None, instance_type: str, *, count: int, longest: float | None
) -> Cost:
    """Return the most that one batch scoring can cost, if it is stopped after ``longest`` seconds."""
    if longest is None:
        return unknown("timeout is not known yet")
    seconds = Decimal(str(longest))
    return _dearest(table, region, TRANSFORM, [instance_type], lambda price: _job(price, seconds, count, 1))


def endpoint_hour(table: PriceTable, region: str | None, instance_type: str, *, count: int) -> Cost:
    """Return what an hour of ``count`` instances of an endpoint costs.

    While traffic moves to a new model, both fleets are billed.
    """
    return _dearest(
        table, region, HOSTING, [instance_type], lambda price: _job(price, Decimal(HOUR), count, 1)
    )


def serverless_hour(
    table: PriceTable, region: str | None, *, memory_mb: int, concurrency: int, provisioned: bool = False
) -> Cost:
    """Return the most that an hour of a serverless endpoint can cost: all its concurrency busy all of it."""
    if provisioned:
        return unknown("the table has no prices of provisioned concurrency")
    seconds, name = Decimal(HOUR) * concurrency, f"{memory_mb // 1024}GB"

    def cost(price: Price) -> Cost:
        basis = f"{HOUR:,} s x {concurrency} x {price.amount.normalize():f} {price.currency}/s"
        return Cost(amount=seconds * price.amount, currency=price.currency, basis=basis, price=price)

    return _dearest(table, region, SERVERLESS, [name], cost)


def cost_of_job(table: PriceTable, region: str, job: Mapping[str, Any]) -> Cost:
    """Return what a training job did cost: ``BillableTimeInSeconds x InstanceCount x price / 3600``.

    Args:
        table: The prices.
        region: The region of the job.
        job: DescribeTrainingJob's answer.

    Example:
        >>> resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
        >>> job = {"BillableTimeInSeconds": 90, "ResourceConfig": resources}
        >>> cost_of_job(PriceTable.of_package(), "us-east-1", job).amount
        Decimal('0.00575')
    """
    seconds = job.get("BillableTimeInSeconds")
    if not isinstance(seconds, int | float):
        return unknown("SageMaker does not tell its billable seconds")
    instance_type, count = instances_of(job)
    if not isinstance(instance_type, str) or not isinstance(count, int):
        return unknown("SageMaker does not tell its instances")
    return cost_of_seconds(table, region, instance_type, seconds=seconds, count=count)


def cost_of_seconds(
    table: PriceTable, region: str, instance_type: str, *, seconds: float, count: int
) -> Cost:
    """Return what ``count`` training instances cost for so many billed seconds each."""
    billed = Decimal(str(seconds))
    return _dearest(table, region, TRAINING, [instance_type], lambda price: _job(price, billed, count, 1))


def cost_of_training(
    settings: Mapping[str, Any], region: str, job: Mapping[str, Any], tuned: Mapping[str, Any] | None = None
) -> Cost:
    """Return what one execution of a pipeline did cost: its training job, or all trainings of its tuning job.

    AWS bills a training from its ``TrainingStartTime`` to its ``TrainingEndTime``, which is what the
    summaries of a tuning job's trainings have; on spot it bills less.

    Args:
        settings: The pipeline's settings; prices in them count before those of the package.
        region: The region of the pipeline.
        job: DescribeTrainingJob's answer; with tuning, that of the best training.
        tuned: The result of the tuning job, with the ``seconds`` of all trainings. Default: none, no tuning.
    """
    table = PriceTable.of_settings(settings)
    if tuned is None:
        return cost_of_job(table, region, job)
    seconds = tuned.get("seconds")
    if job.get("EnableManagedSpotTraining"):
        return unknown("SageMaker does not list the billable seconds of a tuning job's trainings on spot")
    if seconds is None:
        return unknown("SageMaker does not tell when each training of the tuning job began and ended")
    return cost_of_job(table, region, {**job, "BillableTimeInSeconds": seconds})


def instances_of(job: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """Return type and number of a training job's instances; of several allowed types, the one it got."""
    resources = job.get("ResourceConfig") or {}
    return (
        resources.get("SelectedInstanceType") or resources.get("InstanceType"),
        resources.get("SelectedInstanceCount") or resources.get("InstanceCount"),
    )


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier training.

    Attributes:
        instance_type: The type of its instances.
        count: Their number.
        seconds: Its billable seconds.
        size: The bytes of its input.
    """

    instance_type: str
    count: int
    seconds: float
    size: int


def likely_of_training(
    table: PriceTable,
    region: str,
    instance_type: str,
    *,
    count: int,
    size: int,
    earlier: Sequence[Earlier],
) -> Cost:
    """Return what a training will likely cost, if it takes as long per byte of input as earlier ones did.

    The median of the seconds per byte of the earlier trainings on as many instances of the type. It assumes
    that hyperparameters and the kind of data stay alike.

    Args:
        table: The prices.
        region: The region.
        instance_type: The type of the instances.
        count: Their number.
        size: The bytes of the input to come.
        earlier: Trainings of the same pipeline.
    """
    alike = [
        one
        for one in earlier
        if (one.instance_type, one.count) == (instance_type, count) and one.size > 0 and one.seconds > 0
    ]
    if not alike:
        return unknown(f"no training on {count} x {instance_type} of this pipeline has ended yet")
    per_byte = median(Decimal(str(one.seconds)) / one.size for one in alike)
    cost = cost_of_seconds(
        table, region, instance_type, seconds=float(round(per_byte * size, 3)), count=count
    )
    if cost.amount is None:
        return cost
    trainings = f"{len(alike)} earlier training" + ("s" if len(alike) > 1 else "")
    basis = f"{cost.basis}; seconds from {size:,} bytes, at the median seconds per byte of {trainings}"
    return Cost(amount=cost.amount, currency=cost.currency, basis=basis, price=cost.price)


def total(costs: Sequence[Cost]) -> Cost:
    """Return the sum; unknown if one of them is, or if their currencies differ."""
    lacking = [cost for cost in costs if cost.amount is None]
    if lacking:
        known = [cost for cost in costs if cost.amount is not None]
        least = f"; the others come to {total(known)}" if known else ""
        return unknown(f"{len(lacking)} of {len(costs)}: {lacking[0].because}{least}")
    currencies = sorted({cost.currency for cost in costs if cost.currency is not None})
    if len(currencies) > 1:
        return unknown(f"the prices are in {' and '.join(currencies)}")
    amount = sum((cost.amount for cost in costs if cost.amount is not None), Decimal(0))
    currency = currencies[0] if currencies else "USD"
    return Cost(amount=amount, currency=currency, basis=f"{len(costs)} together")


def _job(price: Price, seconds: Decimal, count: int, jobs: int) -> Cost:
    times = f" x {jobs} trainings" if jobs != 1 else ""
    per_hour = f"{price.amount.normalize():f} {price.currency}/h"
    return Cost(
        amount=seconds * count * jobs * price.amount / HOUR,
        currency=price.currency,
        basis=f"{seconds.normalize():,f} s x {count} x {per_hour}{times}",
        price=price,
    )


def _dearest(
    table: PriceTable,
    region: str | None,
    use: str,
    names: Sequence[str],
    cost: Callable[[Price], Cost],
) -> Cost:
    """Return the cost at the dearest price; unknown if a name has none, for that might be the dearest."""
    if region is None:
        return unknown("the region is not known yet: give the stack an explicit env")
    prices = {name: table.price(region, use, name) for name in names}
    if lacking := sorted(name for name, price in prices.items() if price is None):
        return unknown(f"no price of {', '.join(lacking)} for {use} in {region} is known. {WAY_OUT}")
    known = [price for price in prices.values() if price is not None]
    if len({price.currency for price in known}) > 1:
        return unknown(f"the prices of {', '.join(names)} are in several currencies")
    return cost(max(known, key=lambda price: price.amount))
