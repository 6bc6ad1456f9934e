"""Implement ``profile``: suggest the Source of local tables from what their columns hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from amazon_estimators.cli.input_options import Column
from amazon_estimators.cli.terminal import as_json, assignment, output, print_json
from amazon_estimators.sources.options import HELP, source_options


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--label", type=Column(), help="Column of the label. Default: none, and candidates are named.")
@click.option("--source", "sources", multiple=True, metavar="NAME=VALUE", help=HELP)
@click.option(
    "--rows",
    default=1_000_000,
    type=click.IntRange(1),
    help="Rows to read; of longer tables the first ones. Default: 1,000,000.",
)
@as_json
def profile(
    files: tuple[Path, ...], as_json: bool, label: int | str | None, rows: int, **options: Any
) -> int:
    """Suggest a Source for the tables FILES: what to do about gaps, words, ids and magnitudes.

    FILES are CSV, Parquet, .npz or .npy files of the same columns, or directories of them. A column is named
    as the label by you alone.

    \b
    amazon-estimators profile customers.csv
    amazon-estimators profile customers.csv --label churned --source exclude=name
    """
    from amazon_estimators.client.local_encoding import local_errors  # noqa: PLC0415 - not for --help
    from amazon_estimators.sources import Source  # noqa: PLC0415

    chosen = source_options(map(assignment, options["sources"]), label=label)
    with local_errors():
        from amazon_estimators.client.suggested_source import suggested  # noqa: PLC0415 - pyarrow
        from amazon_estimators.client.table_survey import survey  # noqa: PLC0415

        source_so_far = Source.from_dict(chosen)
        surveyed = survey(files, source_so_far, most_rows=rows)
        suggestion = suggested(surveyed, source_so_far)
    source = Source(**suggestion.options)
    if as_json:
        print_json(
            {
                "rows": surveyed.rows,
                "complete": surveyed.complete,
                "source": {name: source.to_dict()[name] for name in suggestion.options},
                "reasons": suggestion.reasons,
                "label_candidates": suggestion.questions,
            }
        )
        return 0
    more = "" if surveyed.complete else ", the first ones"
    output().print(f"{surveyed.rows:,} rows{more}, {len(surveyed.columns):,} columns", markup=False)
    for reason in suggestion.reasons:
        output().print(f"  {reason}", markup=False, soft_wrap=True)
    for question in suggestion.questions:
        output().print(f"  the label? {question}", markup=False, soft_wrap=True)
    output().print(suggestion.code(), markup=False, soft_wrap=True)
    return 0
