"""Implement ``watch``: the table of ``status`` or an execution's progress, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.live import Live

from amazon_estimators.cli.pipeline import find_all, of_pipeline
from amazon_estimators.cli.status_table import table_of
from amazon_estimators.cli.terminal import output

if TYPE_CHECKING:
    from amazon_estimators.client.overview import Overview
    from amazon_estimators.client.pipeline import PipelineEstimator

SECONDS = 10.0


@click.command()
@of_pipeline
@click.option(
    "--interval",
    type=click.FloatRange(min=1),
    default=SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Time between looks.",
)
def watch(interval: float, **where: Any) -> int:
    """Show all pipelines until Ctrl-C, or follow the newest execution of one to its end.

    All are those of the account and region, or of a --stack that has several, in the table of status. If
    standard output is not a terminal, the table is printed once, and again whenever it changes.
    """
    pipelines = find_all(**where)
    if len(pipelines) == 1 and (where["stack"] or where["state_machine"]):
        execution = pipelines[0].attach(wait=False).latest_execution
        assert execution is not None
        execution.wait(poll=interval)
        return 0
    looks = _looks(pipelines, interval)
    if not output().is_terminal:
        before: list[Overview] | None = None
        for shown in looks:
            if shown != before:
                output().print(table_of(shown, caption=_now()))
            before = shown
        return 0
    with Live(console=output(), auto_refresh=False) as live:
        for shown in looks:
            live.update(table_of(shown, caption=f"{_now()}, every {interval:g} s; Ctrl-C ends"), refresh=True)
    return 0


def _looks(pipelines: list[PipelineEstimator], interval: float) -> Iterator[list[Overview]]:
    """Yield the overviews of the pipelines, all of one session, again and again."""
    from amazon_estimators.client.overview import overviews  # noqa: PLC0415 - not for --help

    while True:
        yield [*overviews(pipelines, session=pipelines[0].session)]
        time.sleep(interval)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
