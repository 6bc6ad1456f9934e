"""The settings of a pipeline, as the construct writes them into the state machine, and the input of an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.errors import RequestError
from amazon_estimators.sources import Source

INPUT_KEYS = ("hyperparameters",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One pipeline. ``hyperparameters`` as the service takes them, ``channels`` by name, sizes in bytes."""

    pipeline: str
    algorithm: str
    hyperparameters: Mapping[str, str]
    instance_type: str
    instance_count: int
    data_bucket: str
    prefix: str
    job_name_prefix: str
    target_shard_bytes: int
    channels: Mapping[str, Source]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Raises RequestError for a setting that is missing or unknown."""
        known = {one.name for one in fields(cls)}
        if set(values) != known:
            missing, unknown = sorted(known - set(values)), sorted(set(values) - known)
            raise RequestError(
                f"pipeline settings: missing {missing or 'none'}, unknown {unknown or 'none'}",
                remedy="Deploy the state machine and the Lambda functions from one version of the library.",
            )
        channels = {name: Source.from_dict(source) for name, source in values["channels"].items()}
        return cls(**{**values, "channels": channels})

    def algorithm_for(self, execution_input: Mapping[str, Any]) -> Algorithm:
        """The algorithm with the execution's overrides merged in and the whole set validated.

        Raises RequestError for an unknown key of the input, HyperparameterError naming the parameter.
        """
        unknown = sorted(set(execution_input) - set(INPUT_KEYS))
        if unknown:
            raise RequestError(
                f"execution input has {', '.join(map(repr, unknown))}; allowed: {', '.join(INPUT_KEYS)}"
            )
        overrides = execution_input.get("hyperparameters", {})
        if not isinstance(overrides, Mapping):
            raise RequestError(f"hyperparameters is {overrides!r}; allowed: an object of names and values")
        algorithm = algorithm_named(self.algorithm).from_hyperparameters(self.hyperparameters)
        return algorithm.override(overrides) if overrides else algorithm
