"""Implement ``hyperparameters``: show an algorithm's hyperparameters, or validate values."""

from __future__ import annotations

import warnings
from typing import Any

import click
from click.shell_completion import CompletionItem
from rich.markup import escape
from rich.table import Table

from amazon_estimators.cli.terminal import as_json, assignments, errors, output, print_json


class AlgorithmName(click.ParamType[str]):
    """The name of an algorithm, with shell completion."""

    name = "algorithm"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from amazon_estimators.algorithms import ALGORITHMS  # noqa: PLC0415 - only when completing

        return [
            CompletionItem(name) for name in sorted(ALGORITHMS) if name.lower().startswith(incomplete.lower())
        ]


@click.command()
@click.argument("algorithm", type=AlgorithmName())
@click.option("--validate", is_flag=True, help="Validate VALUES and print what CreateTrainingJob gets.")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@as_json
def hyperparameters(algorithm: str, validate: bool, values: tuple[str, ...], as_json: bool) -> int:
    """Show the hyperparameters of an ALGORITHM with ranges and defaults, or validate VALUES (NAME=VALUE).

    \b
    amazon-estimators hyperparameters KMeans
    amazon-estimators hyperparameters KMeans --validate k=10 init_method=kmeans++
    """
    from amazon_estimators.algorithms import algorithm_named  # noqa: PLC0415 - not for --help

    kind = algorithm_named(algorithm)
    if not validate:
        if values:
            raise click.UsageError("VALUES need --validate")
        rows = [_row(name, declared) for name, declared in kind.declared().items()]
        if as_json:
            print_json(rows)
        else:
            output().print(_table(kind.__name__, rows))
            output().print(kind.documentation, style="dim", soft_wrap=True, markup=False)
        return 0
    with warnings.catch_warnings(record=True) as cautions:
        warnings.simplefilter("always")
        sent = kind(**assignments(values)).hyperparameters()
    messages = [str(caution.message) for caution in cautions]
    if as_json:
        print_json({"hyperparameters": sent, "warnings": messages})
        return 0
    for message in messages:
        errors().print(f"[yellow]Warning[/] {escape(message)}", soft_wrap=True)
    for name, value in sent.items():
        output().print(f"{name} = {value}", markup=False, soft_wrap=True)
    output().print(
        "[green]✓[/] valid; rules that depend on the data are checked when there is data", soft_wrap=True
    )
    return 0


def _row(name: str, declared: Any) -> dict[str, Any]:
    tuning = declared.tuning
    return {
        "name": name,
        "sdk_name": declared.alias,
        "required": declared.required,
        "default": declared.default,
        "allowed": declared.kind.expecting,
        "tuning": None if tuning is None else ([*tuning.values] or [tuning.low, tuning.high]),
        "documented": declared.documented,
        "description": declared.doc,
    }


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{title}: {len(rows)} hyperparameters", title_justify="left", row_styles=("", "dim"))
    for heading in ("name", "default", "allowed", "tuning", "description"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        name = f"[bold]{row['name']}[/]" + (f"\n({row['sdk_name']})" if row["sdk_name"] else "")
        default = "[red]required[/]" if row["required"] else escape(_shown(row["default"]))
        tuning = (
            ""
            if row["tuning"] is None
            else " … ".join(f"{end:g}" if isinstance(end, int | float) else end for end in row["tuning"])
        )
        table.add_row(name, default, *map(escape, (row["allowed"], tuning, row["description"])))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
