"""Support algorithms that a program declares by subclassing the documented base class with ``repo_name``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.algorithms.channel_rules import (
    CSV,
    JSON_LINES,
    PLAIN_TEXT,
    REPLICATED,
    ChannelRule,
    channels,
)
from amazon_estimators.algorithms.common_rules import common_findings
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sdk.hyperparameter import Hyperparameter


class OwnAlgorithm(Algorithm):
    """An algorithm with the hyperparameters that the estimator's class declares. Only the class checks their
    values."""

    documentation = ""
    channels = channels(
        ChannelRule("train", required=True, also=(CSV, JSON_LINES)),
        ChannelRule("validation", required=False, distribution=REPLICATED, also=(CSV, JSON_LINES)),
        ChannelRule("test", required=False, distribution=REPLICATED, also=(CSV, JSON_LINES)),
        ChannelRule("auxiliary", required=False, content_type=PLAIN_TEXT, vectors=False),
    )
    instances = Instances()

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        self._estimator = estimator

    @property
    def values(self) -> Mapping[str, Any]:
        """The values that are set, by the service's names."""
        return cast(Mapping[str, Any], vars(self._estimator).get("_hyperparameters", {}))

    def hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters in the form of CreateTrainingJob."""
        return Hyperparameter.serialize_all(self._estimator)

    def override(self, values: Mapping[str, Any]) -> Self:
        """Set values on the estimator."""
        for name, value in values.items():
            setattr(self._estimator, name, value)
        return self

    def fit_to(
        self,
        record_sets: Mapping[str, RecordSet],
        *,
        instance_count: int,
        instance_type: str | Sequence[str] | None = None,
    ) -> Self:
        """Set ``feature_dim`` from the data and check the channels."""
        data = Data(record_sets, instance_count, instance_type)
        if "train" in record_sets and data.train.feature_dim:
            self._estimator.feature_dim = data.train.feature_dim
        self._check([], list(common_findings(self, data)))
        return self


def own_algorithm(name: str, repo_name: str, repo_version: str) -> type[OwnAlgorithm]:
    """Return the algorithm of an image. For one of the ten, it has their channels, instances and metrics."""
    facts: dict[str, Any] = {"repo_name": repo_name, "repo_version": repo_version}
    for known in ALGORITHMS.values():
        if known.repo_name == repo_name:
            for fact in ("channels", "instances", "metrics", "encoding", "content_type", "dtypes"):
                facts[fact] = getattr(known, fact)
    return cast(type[OwnAlgorithm], type(name, (OwnAlgorithm,), facts))
