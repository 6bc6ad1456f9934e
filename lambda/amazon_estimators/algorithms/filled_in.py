"""Values that ``fit_to`` fills in from the data, as the SageMaker Python SDK 2 did.

A fill raises ValueError if the data do not show the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from amazon_estimators.algorithms.training_data import UNKNOWN_RECORDS, Data

Fill = Callable[[Data], int]


def filling(**fills: Fill) -> Mapping[str, Fill]:
    """Return what computes each hyperparameter from the data."""
    return MappingProxyType(fills)


def features(data: Data) -> int:
    """Return the number of columns of the train channel."""
    if not data.train.feature_dim:
        raise ValueError("feature_dim is required, and the data of channel train do not tell it: give it.")
    return data.train.feature_dim


def records(data: Data) -> int:
    """Return the number of records of the train channel."""
    if data.train.num_records == UNKNOWN_RECORDS:
        raise ValueError(
            "mini_batch_size is required, and the records of channel train are not counted: "
            "give the number of documents."
        )
    return data.train.num_records


def batch_up_to(limit: int) -> Fill:
    """Fill in as many records as one instance has, at most ``limit``; ``limit`` if they are not counted."""

    def fill(data: Data) -> int:
        return min(limit, max(1, data.train.num_records // data.instance_count))

    return fill


def always(value: int) -> Fill:
    """Fill in a fixed value."""

    def fill(_: Data) -> int:
        return value

    return fill
