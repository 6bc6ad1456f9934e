"""The steps after training that each algorithm can do, as a Markdown table.

``python -m amazon_estimators.inference.step_matrix`` prints it; docs/after_training.md holds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.tuning import objectives, reports_per_epoch
from amazon_estimators.inference.measure import can_measure
from amazon_estimators.inference.without_container import numpy_problem

HEADER = (
    "| algorithm | tune by | early stopping | gate by | measured again on new data | registered for "
    "| score | real time | serverless | multi-model |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)
SHORT = {
    "application/x-recordio-protobuf": "RecordIO",
    "application/json": "JSON",
    "application/jsonlines": "JSON Lines",
    "text/csv": "CSV",
}


def step_matrix() -> str:
    """Return the table, a row per algorithm."""
    return "\n".join([HEADER, *map(_row, sorted(ALGORITHMS))]) + "\n"


def _row(name: str) -> str:
    kind = ALGORITHMS[name]
    types = ", ".join(SHORT[content_type] for content_type in kind.inference.accepts)
    judged = ("no: it logs no metric of quality", "no", "no", "no")
    if objectives(kind):
        judged = (_metrics(kind), _early(kind), "the same", _again(kind))
    cells = (*judged, types, _scored(kind), *_served(kind))
    return f"| {name} | {' | '.join(cells)} |"


def _scored(kind: type[Algorithm]) -> str:
    """Return the engines that score a prefix of rows."""
    problem = numpy_problem(kind)
    return f"transform job; not NumPy: {problem}" if problem else "transform job, NumPy"


def _served(kind: type[Algorithm]) -> Iterator[str]:
    """Yield the ways in which an endpoint serves it: on instances, serverless, with other models."""
    yield "yes"
    caution = kind.inference.serverless_caution
    yield f"may not start: {caution}" if caution else "yes"
    yield "on CPU" if kind.inference.multi_model else "no: its container serves one model"


def _metrics(kind: type[Algorithm]) -> str:
    """Return the objectives by channel; many are counted."""
    return "; ".join(_of_channels(kind))


def _of_channels(kind: type[Algorithm]) -> Iterator[str]:
    by_channel: dict[str, list[str]] = {}
    for name in objectives(kind):
        channel, _, metric = name.partition(":")
        by_channel.setdefault(channel, []).append(metric)
    for channel, metrics in by_channel.items():
        if len(metrics) > 4:
            yield f"{len(metrics)} metrics of `{channel}`"
        else:
            yield ", ".join(f"`{channel}:{metric}`" for metric in metrics)


def _early(kind: type[Algorithm]) -> str:
    stoppable = [name for name in objectives(kind) if reports_per_epoch(kind, name)]
    if not stoppable:
        return "no: no metric per epoch"
    return (
        "yes"
        if len(stoppable) == len(objectives(kind))
        else f"by {', '.join(f'`{name}`' for name in stoppable)}"
    )


def _again(kind: type[Algorithm]) -> str:
    names = dict.fromkeys(name.partition(":")[2] for name in objectives(kind) if can_measure(kind, name))
    if names:
        return ", ".join(f"`{name}`" for name in names)
    return f"no: {kind.inference.undocumented_model or 'its metric needs the container'}"


if __name__ == "__main__":
    sys.stdout.write(step_matrix())
