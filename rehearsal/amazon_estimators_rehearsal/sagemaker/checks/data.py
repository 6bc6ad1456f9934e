"""Check that hyperparameters, channels and records agree, as a container does before it trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import ChannelRule
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError


def check_agreement(algorithm: Algorithm, channels: Mapping[str, Records]) -> None:
    """Raise JobFailedError for the first channel whose records do not fit the hyperparameters."""
    for name, records in channels.items():
        for problem in _problems(algorithm, algorithm.channels[name], records):
            raise JobFailedError(f"ClientError: Channel {name}: {problem}")


def _problems(algorithm: Algorithm, rule: ChannelRule, records: Records) -> Iterator[str]:
    if not rule.vectors:
        return
    dimension = algorithm.values.get("feature_dim")
    if isinstance(dimension, int) and dimension != records.features:
        yield f"feature_dim is {dimension}, the records have {records.features} features."
    if str(records.values.dtype) not in algorithm.dtypes:
        yield f"its values are {records.values.dtype}; allowed: {', '.join(algorithm.dtypes)}."
    if rule.label == "required" and records.labels is None:
        yield "its records have no labels."
    if rule.label == "none" and records.labels is not None:
        yield "its records have labels, and the algorithm takes none there."
