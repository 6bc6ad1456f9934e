"""How a command is told to read its input: the options that ``encode`` and ``plan`` share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from amazon_estimators.cli.hyperparameters import AlgorithmName
from amazon_estimators.cli.terminal import assignment
from amazon_estimators.pipeline.channels import channel_options
from amazon_estimators.sources.options import HELP, source_options

if TYPE_CHECKING:
    from amazon_estimators.algorithms import Algorithm
    from amazon_estimators.sources import Source

MIB = 2**20


class Column(click.ParamType[int | str]):
    """A column of the input: a position, or a name."""

    name = "column"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


OPTIONS = (
    click.option(
        "--algorithm", default="KMeans", type=AlgorithmName(), help="Who will read them. Default: KMeans."
    ),
    click.option("--channel", default="train", help="Default: train."),
    click.option("--format", help="Default: by the file's extension."),
    click.option("--header", type=click.Choice(["auto", "present", "absent"]), help="Of CSV. Default: auto."),
    click.option(
        "--label", type=Column(), help="The label's column, by position or name. Default: no label."
    ),
    click.option(
        "--feature", "features", multiple=True, type=Column(), help="May be repeated. Default: all others."
    ),
    click.option("--source", "sources", multiple=True, metavar="NAME=VALUE", help=HELP),
    click.option(
        "--instance-count", default=1, type=click.IntRange(1), help="Instances that share it. Default: 1."
    ),
    click.option(
        "--shard-mb", default=256, type=click.IntRange(1), help="Most MiB of a shard. Default: 256."
    ),
)


def input_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that tell how input is read and cut."""
    return reduce(lambda decorated, option: option(decorated), reversed(OPTIONS), command)


def algorithm_and_source(options: dict[str, Any]) -> tuple[type[Algorithm], Source]:
    """Take what :func:`input_options` adds out of ``options``: whose input it is, and how it is read."""
    from amazon_estimators.algorithms import algorithm_named  # noqa: PLC0415 - slow to import, not for --help
    from amazon_estimators.sources import Source  # noqa: PLC0415

    algorithm = algorithm_named(options.pop("algorithm"))
    given = source_options(
        map(assignment, options.pop("sources")),
        features=list(options.pop("features")) or None,
        **{name: options.pop(name) for name in ("format", "header", "label")},
    )
    return algorithm, Source.from_dict(channel_options(algorithm, options["channel"], given))
