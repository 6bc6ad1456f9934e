"""Tell at synth what a training, a scoring or an endpoint can cost, and refuse what could cost too much."""

from __future__ import annotations

from datetime import UTC, date, datetime

from aws_cdk import Annotations, Stack, Token
from constructs import Construct

from amazon_estimators.algorithms.instances import types_of
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import Cost, most_of_training, unknown
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known, known_seconds
from cdk_amazon_estimators.training.job import JobSettings

CONTEXT = "cdk-amazon-estimators:prices"
"""The context that names a file of prices for all pipelines of an app."""
COST = "cdk-amazon-estimators:cost"
"""The ID for acknowledging the notes."""


def own_prices(scope: Construct, path: str | None) -> PriceTable | None:
    """Return the prices of the file that a prop or the context names; None if neither does.

    Raises:
        PriceError: It is no file of prices.
    """
    named = path or scope.node.try_get_context(CONTEXT)
    return None if named is None else PriceTable.of_file(str(named))


def known_region(scope: Construct) -> str | None:
    """Return the region of the stack; None if it is known only when the stack is deployed."""
    region = Stack.of(scope).region
    return None if Token.is_unresolved(region) else region


def training_cost(scope: Construct, table: PriceTable, job: JobSettings, *, jobs: int | None) -> Cost:
    """Return the most that one execution of a pipeline can cost.

    Args:
        scope: The pipeline.
        table: The prices.
        job: The settings of its training job.
        jobs: The most trainings of a tuning job, None if they are not known; 1 without tuning.
    """
    types, count = known("instance_type", job.instance_type), known("instance_count", job.instance_count)
    if types is None or count is None or any(map(Token.is_unresolved, types_of(types))):
        return unknown("the instances are not known yet")
    return most_of_training(
        table,
        known_region(scope),
        types_of(types),
        count=count,
        max_runtime=known_seconds("max_runtime", job.max_runtime),
        jobs=jobs,
        keep_alive=known_seconds("keep_alive", job.keep_alive) or 0,
    )


def check_most(problems: Problems, cost: Cost, most: float | None) -> None:
    """Note a cost above ``max_cost_per_training``, and one that cannot be told.

    Args:
        problems: Where to note it.
        cost: The most that a training can cost.
        most: The prop; None for no limit.
    """
    if most is None:
        return
    problems.unless(most > 0, f"max_cost_per_training is {most}; allowed: above 0")
    problems.unless(
        cost.amount is not None,
        f"max_cost_per_training is {most}, but what one training can cost is {cost}",
    )
    problems.unless(
        cost.amount is None or cost.amount <= most,
        f"max_cost_per_training is {most}; one training can cost {cost} ({cost.basis}). Lower max_runtime, "
        "keep_alive, instance_count or Tuning.max_jobs, or choose a cheaper instance_type",
    )


def tell_cost(scope: Construct, what: str, cost: Cost) -> None:
    """Note on the construct what ``what`` can cost at most.

    Example:
        ``tell_cost(self, "one training", cost)``
    """
    if cost.amount is None:
        text = f"what {what} can cost is {cost}"
    else:
        assert cost.price is not None
        age = cost.age(today())
        read = f"a price of {cost.price.day.isoformat()}"
        text = f"{what} can cost up to {cost} in instances: {cost.basis}, {age or read}"
    Annotations.of(scope).add_info_v2(COST, text)


def today() -> date:
    """Return the day of the synth, in UTC."""
    return datetime.now(UTC).date()
