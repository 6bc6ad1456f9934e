"""Implement ``cost``: what deployed pipelines can cost, will likely cost, and have cost this month."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from amazon_estimators.cli.pipeline import find_all, of_pipeline
from amazon_estimators.cli.terminal import as_json, output, print_json
from amazon_estimators.costs.prices import PriceTable

if TYPE_CHECKING:
    from amazon_estimators.client.pipeline import PipelineEstimator
    from amazon_estimators.costs.reckoning import Cost

Line = tuple[str, str, "Cost"]
"""A construct or endpoint, what the cost is of, and the cost."""


@click.command()
@of_pipeline
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of prices that count before those of the pipeline and of the package. Default: none.",
)
@as_json
def cost(path: Path | None, as_json: bool, **where: Any) -> int:
    """Show what trainings can cost, will likely cost and did cost this month; endpoints and scorings too.

    Without --stack and --state-machine it shows all pipelines of the account and region. Amounts are of
    instances; docs/cost.md says how they are reckoned. One is unknown if a price is: see prices --update.
    """
    own = PriceTable.of_file(path) if path else PriceTable([])
    pipelines = find_all(**where)
    lines = [(pipeline, line) for pipeline, its in _all(pipelines, own) for line in its]
    if as_json:
        print_json(
            [
                {"pipeline": pipeline.name, "name": name, "of": what, **reckoned.to_dict()}
                for pipeline, (name, what, reckoned) in lines
            ]
        )
        return 0
    shown = ""
    for pipeline, line in lines:
        if pipeline.name != shown:
            shown = pipeline.name
            output().print(Text(shown, "bold"), soft_wrap=True)
        _show(line, pipeline.name, datetime.now(UTC).date())
    return 0


def _all(pipelines: list[PipelineEstimator], own: PriceTable) -> list[tuple[PipelineEstimator, list[Line]]]:
    from amazon_estimators.client.definitions import definitions  # noqa: PLC0415 - not for --help

    machines = [*definitions(pipelines[0].session).values()]
    return [(pipeline, _lines(pipeline, own, machines)) for pipeline in pipelines]


def _lines(pipeline: PipelineEstimator, own: PriceTable, machines: list[Any]) -> list[Line]:
    from amazon_estimators.client.asked_instances import followers, training_of  # noqa: PLC0415
    from amazon_estimators.client.spending import likely, month_of, spent  # noqa: PLC0415
    from amazon_estimators.storage.sessions import region_of  # noqa: PLC0415

    table, region = own.over(PriceTable.of_settings(pipeline.settings)), region_of(pipeline.session)
    month = month_of(datetime.now(UTC))
    training = training_of(pipeline.name, pipeline.describe()[1])
    asked = [training, *followers(pipeline.settings, machines)]
    most = [(one.name, f"{one.what}, at most", one.most(table, region)) for one in asked]
    trained = [
        (pipeline.name, f"{training.what}, likely", likely(pipeline, table)),
        (pipeline.name, f"trainings since {month:%Y-%m-%d}", spent(pipeline, table, month)),
    ]
    return [most[0], *trained, *most[1:]]


def _show(line: Line, pipeline: str, today: date) -> None:
    name, what, reckoned = line
    of = what if name == pipeline else f"{name}: {what}"
    amount = "unknown" if reckoned.amount is None else str(reckoned)
    why = reckoned.because or ", ".join(filter(None, (reckoned.basis, reckoned.age(today))))
    text = Text.assemble(
        f"  {of:<32} ", (f"{amount:<14}", "yellow" if reckoned.amount is None else ""), f" {why}"
    )
    output().print(text, soft_wrap=True)
