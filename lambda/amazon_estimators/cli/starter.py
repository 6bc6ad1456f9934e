"""Implement ``request`` and ``dead-letters`` for the starter of a deployed pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from amazon_estimators.cli.pipeline import find, of_pipeline
from amazon_estimators.cli.terminal import as_json, output, print_json

if TYPE_CHECKING:
    from amazon_estimators.client.starter import PipelineStarter


def _starter(**where: Any) -> PipelineStarter:
    from amazon_estimators.client.starter import PipelineStarter  # noqa: PLC0415 - not for --help

    pipeline = find(**where)
    return PipelineStarter(pipeline.state_machine_arn, session=pipeline.session)


@click.command()
@of_pipeline
@click.option("--reason", default="", help="Text for the execution's input and for events. Default: none.")
@click.option(
    "--retrain",
    default="",
    metavar="WHY",
    help="Train even if the data is unchanged, once per text. Default: only new data.",
)
@as_json
def request(reason: str, retrain: str, as_json: bool, **where: Any) -> int:
    """Queue a request for a training with a pipeline's starter. Events report the outcome."""
    starter = _starter(**where)
    starter.request(reason=reason, retrain=retrain)
    if as_json:
        print_json({"queue": starter.queue_url})
    else:
        output().print(f"Asked {starter.queue_url}", markup=False, soft_wrap=True)
    return 0


@click.group(name="dead-letters")
def dead_letters() -> None:
    """List messages that a pipeline's starter could not handle, or move them back to its queue."""


@dead_letters.command(name="list")
@of_pipeline
@as_json
def list_(as_json: bool, **where: Any) -> int:
    """Show up to 100 dead letters, each with its reason."""
    letters = list(_starter(**where).dead_letters())
    if as_json:
        print_json([vars(letter) for letter in letters])
        return 0
    for letter in letters:
        reason = f"{letter.error}: {letter.reason}" if letter.error else "the starter crashed: see its log"
        output().print(f"{letter.failed_at}  {reason}\n  {letter.body}", markup=False, soft_wrap=True)
    if not letters:
        output().print("No dead letters")
    return 0


@dead_letters.command()
@of_pipeline
@as_json
def redrive(as_json: bool, **where: Any) -> int:
    """Move all dead letters back to the starter's queue."""
    moved = _starter(**where).redrive()
    if as_json:
        print_json({"moved": moved})
    else:
        output().print(f"Moved {moved:,} messages back to the queue", markup=False)
    return 0
