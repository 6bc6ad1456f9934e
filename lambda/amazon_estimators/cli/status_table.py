"""Show pipelines in one table, for ``status``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from amazon_estimators.cli.terminal import output, print_json

if TYPE_CHECKING:
    from amazon_estimators.client.overview import Overview
    from amazon_estimators.client.pipeline import PipelineEstimator

COLUMNS = (
    "pipeline",
    "algorithm",
    "last training",
    "current model",
    "metrics",
    "waiting",
    "dead letters",
    "this month",
)
STYLES = {"SUCCEEDED": "green", "RUNNING": "cyan"}
MOST_METRICS = 3
"""Metrics that the table shows of a model; ``--json`` has all."""


def show_all(pipelines: list[PipelineEstimator], *, as_json: bool) -> int:
    """Print an overview of the pipelines, all of one session, and return the exit code."""
    from amazon_estimators.client.overview import overviews  # noqa: PLC0415 - not for --help

    shown = [*overviews(pipelines, session=pipelines[0].session)]
    if as_json:
        print_json([overview.facts() for overview in shown])
        return 0
    output().print(table_of(shown))
    return 0


def table_of(shown: Sequence[Overview], *, caption: str | None = None) -> Table:
    """Return the table of overviews."""
    first, *others = COLUMNS
    table = Table(box=None, caption=caption, caption_justify="left")
    # A name is what people copy: other columns make room for it.
    table.add_column(first, min_width=max(len(overview.pipeline) for overview in shown))
    for heading in others:
        table.add_column(heading)
    for overview in shown:
        table.add_row(*_row(overview))
    return table


def _row(overview: Overview) -> tuple[Any, ...]:
    current = overview.current
    return (
        Text(overview.pipeline, overflow="fold"),
        overview.algorithm,
        _last(overview),
        _current(overview),
        _metrics(current.metrics) if current else "",
        _count(overview.waiting, "yellow"),
        _count(overview.dead_letters, "red"),
        Text("unknown", "yellow") if overview.month.amount is None else str(overview.month),
    )


def _current(overview: Overview) -> Text:
    if overview.damaged is not None:
        return Text(f"damaged: {overview.damaged}", "red", overflow="fold")
    return Text(overview.current.job if overview.current else "none yet", overflow="fold")


def _last(overview: Overview) -> Text:
    if overview.last_status is None or overview.last_started is None:
        return Text("never")
    when = f"{overview.last_started:%Y-%m-%d %H:%M}"
    return Text.assemble((overview.last_status, STYLES.get(overview.last_status, "red")), f" {when}")


def _metrics(metrics: Any) -> str:
    """Return the metrics that say most: those of held-out data first."""
    ordered = sorted(metrics, key=lambda name: (name.startswith("train:"), name))
    more = "\n…" if len(ordered) > MOST_METRICS else ""
    return "\n".join(f"{name} = {metrics[name]:.6g}" for name in ordered[:MOST_METRICS]) + more


def _count(number: int | None, style: str) -> Text:
    """Return a count; ``-`` for a pipeline without triggers."""
    return Text("-" if number is None else f"{number:,}", style=style if number else "")
