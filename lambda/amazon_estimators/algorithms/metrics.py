"""The metrics that an algorithm writes to its training log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """A metric in the training log.

    ``objective`` is True if automatic model tuning may optimise it, ``direction`` says which way. ``regex``
    finds its value in a log line; None if the line is not published. ``predictor_types`` are those it is
    logged for; empty if for all.
    """

    name: str
    direction: Literal["Minimize", "Maximize"] | None
    objective: bool
    regex: str | None
    predictor_types: tuple[str, ...] = ()


def _quality(
    name: str,
    *,
    value: Literal["loss", "score"],
    direction: Literal["Minimize", "Maximize"],
    objective: bool = True,
    logged: str = "",
    epoch: bool = False,
    batch: bool = False,
    of: tuple[str, ...] = (),
) -> Metric:
    """Return a line ``#quality_metric: host=…, [epoch=…, [batch=… ]]<channel> <logged> <<value>>=…``."""
    channel, _, rest = name.partition(":")
    when = (r"epoch=\S+, " if epoch else "") + (r"batch=\S+ " if batch else "")
    regex = rf"#quality_metric: host=\S+, {when}{channel} {logged or rest} <{value}>=(\S+)"
    return Metric(name, direction if objective else None, objective, regex, of)


score = partial(_quality, value="score", direction="Maximize")
"""A quality metric to maximise."""

loss = partial(_quality, value="loss", direction="Minimize")
"""A quality metric to minimise."""

PROGRESS = (
    Metric("train:progress", None, False, r"#progress_metric: host=\S+, completed (\S+) %"),
    Metric(
        "train:throughput",
        None,
        False,
        r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
    ),
)
"""Logged by most of the algorithms, never an objective."""
