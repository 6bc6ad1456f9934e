"""A rule between hyperparameters, or between them and the data: what breaks it and what does not.

``rule`` is the number of the documented cross rule (from 1, in the order of data/algorithms.json); 0 is a
rule of the platform or of good sense that the documentation does not list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.summaries import Labels

REAL = Labels(minimum=-1.5, maximum=7.25, integral=False)
ZERO_ONE = Labels(minimum=0, maximum=1, integral=True)


def classes(count: int, *, start: int = 0) -> Labels:
    """Labels start … start + count - 1."""
    return Labels(minimum=start, maximum=start + count - 1, integral=True)


def train(records: int = 1000, features: int = 20, **more: Any) -> RecordSet:
    """A RecordSet of the train channel."""
    return RecordSet("s3://bucket/.amazon.manifest", records, features, **{"num_shards": 4, **more})


def other(channel: str, records: int = 100, features: int = 20, **more: Any) -> RecordSet:
    """A RecordSet of another channel, whole on every instance."""
    return train(records, features, **{"channel": channel, "distribution": "FullyReplicated", **more})


@dataclass(frozen=True, kw_only=True)
class Case:
    """``hyperparameters`` and ``data`` break the rule; with the ``mended`` ones instead they do not."""

    algorithm: str
    rule: int
    outcome: Literal["error", "warning"]
    says: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    mended: dict[str, Any] = field(default_factory=dict)
    data: tuple[RecordSet, ...] | None = None
    mended_data: tuple[RecordSet, ...] | None = None
    instance_type: str | None = None
    mended_instance_type: str | None = None
    instance_count: int = 1


def idle(*, algorithm: str, rule: int, name: str, bad: dict[str, Any], good: dict[str, Any]) -> Case:
    """Return the case of a hyperparameter that is idle with ``bad`` and not with ``good``."""
    return Case(
        algorithm=algorithm,
        rule=rule,
        outcome="warning",
        says=f"{name} has no effect",
        hyperparameters=bad,
        mended=good,
    )
