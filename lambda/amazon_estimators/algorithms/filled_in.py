"""What ``fit_to`` fills in from the data, as the SageMaker Python SDK 2 did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from amazon_estimators.algorithms.training_data import Data

Fill = Callable[[Data], int]


def filling(**fills: Fill) -> Mapping[str, Fill]:
    """Hyperparameter to what computes it from the data."""
    return MappingProxyType(fills)


def features(data: Data) -> int:
    """The number of columns of the train channel."""
    return data.train.feature_dim


def records(data: Data) -> int:
    """The number of records of the train channel."""
    return data.train.num_records


def batch_up_to(limit: int) -> Fill:
    """As many records as one instance has, at most ``limit``."""

    def fill(data: Data) -> int:
        return min(limit, max(1, data.train.num_records // data.instance_count))

    return fill


def always(value: int) -> Fill:
    """A fixed value."""

    def fill(_: Data) -> int:
        return value

    return fill
