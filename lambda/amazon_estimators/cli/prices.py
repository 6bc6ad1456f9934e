"""Implement ``prices``: show the table of prices, and ask AWS for new ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from amazon_estimators.cli.terminal import as_json, errors, output, print_json
from amazon_estimators.costs.prices import UNITS, PriceTable
from amazon_estimators.storage.sessions import region_of

if TYPE_CHECKING:
    from amazon_estimators.client.price_list import Update

FILE = "prices.json"


@click.command()
@click.option("--update", is_flag=True, help="Ask the Price List API, and write the answer into --file.")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of prices that count before those of the package. Default: none; of --update, prices.json.",
)
@click.option(
    "--region", "regions", multiple=True, help="Region; may be repeated. Default: all of the table."
)
@click.option("--profile", help="Profile of the AWS configuration. Default: from the environment.")
@as_json
def prices(
    update: bool, path: Path | None, regions: tuple[str, ...], profile: str | None, as_json: bool
) -> int:
    """Show the prices of instances by which costs are told, each with its day, or --update them.

    --update needs pricing:GetProducts. It reads the prices of --region, by default of your configuration, and
    replaces those that an earlier update wrote into the file; your own stay, and count first.
    """
    if update:
        table, regions = _update(path or Path(FILE), regions, profile, quiet=as_json)
    else:
        own = [PriceTable.of_file(path)] if path else []
        table = PriceTable([one for each in own for one in each.lists]).over(PriceTable.of_package())
    today = datetime.now(UTC).date()
    rows = [row for row in table.rows() if not regions or row[0] in regions]
    if as_json:
        print_json(
            [
                {
                    "region": region,
                    "use": use,
                    "name": name,
                    "price": float(price.amount),
                    "currency": price.currency,
                    "per": UNITS[use],
                    "date": price.day.isoformat(),
                    "is_old": price.is_stale(today),
                    "source": price.source,
                }
                for region, use, name, price in rows
            ]
        )
        return 0
    shown = Table(box=None)
    for heading in ("region", "use", "instance", "price", "per", "read on"):
        shown.add_column(heading)
    for region, use, name, price in rows:
        day = (
            Text(f"{price.day.isoformat()}, old", "yellow")
            if price.is_stale(today)
            else price.day.isoformat()
        )
        shown.add_row(region, use, name, f"{price.amount.normalize():f} {price.currency}", UNITS[use], day)
    output().print(shown)
    return 0


def _update(
    path: Path, regions: tuple[str, ...], profile: str | None, *, quiet: bool
) -> tuple[PriceTable, tuple[str, ...]]:
    """Write the prices of the regions into the file; return its table, and the regions."""
    import boto3  # noqa: PLC0415 - slow to import

    from amazon_estimators.client.price_list import SOURCE, read_prices  # noqa: PLC0415 - not for --help

    session = boto3.Session(profile_name=profile)
    regions = regions or (region_of(session),)
    before = PriceTable.of_file(path).lists if path.exists() else []
    kept = [one for one in before if one.region not in regions or not one.source.startswith(SOURCE)]
    today = datetime.now(UTC).date()
    updates = [read_prices(region, today=today, session=session) for region in regions]
    table = PriceTable([*kept, *(update.prices for update in updates)])
    path.write_text(table.to_json(), encoding="utf-8")
    for update in () if quiet else updates:
        _tell(update, path)
    return table, regions


def _tell(update: Update, path: Path) -> None:
    """Say what an update found, and what it did not."""
    found: Any = update.prices
    count = sum(map(len, found.prices.values()))
    console = errors()
    console.print(f"Wrote {count:,} prices of {found.region} to {path}", markup=False, soft_wrap=True)
    for what in update.unclear:
        console.print(f"AWS tells several prices of {what}: left out", style="yellow", soft_wrap=True)
    for use in update.missing:
        text = f"AWS tells no price for {use} in {found.region}"
        console.print(text, style="yellow", soft_wrap=True)
