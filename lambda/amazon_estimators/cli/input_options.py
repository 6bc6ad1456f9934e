"""Declare the input options that ``encode`` and ``plan`` share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from amazon_estimators.cli.hyperparameters import AlgorithmName
from amazon_estimators.cli.terminal import assignment
from amazon_estimators.pipeline.channels import channel_options
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from amazon_estimators.sources.options import HELP, source_options

if TYPE_CHECKING:
    from amazon_estimators.algorithms import Algorithm
    from amazon_estimators.sources import Source

MIB = 2**20


class Column(click.ParamType[int | str]):
    """A column of the input, by position or by name."""

    name = "column"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


OPTIONS = (
    click.option(
        "--algorithm",
        default="KMeans",
        type=AlgorithmName(),
        help="Algorithm that will train on them. Default: KMeans.",
    ),
    click.option("--channel", default="train", help="Channel of the algorithm. Default: train."),
    click.option("--format", help="Format of FILES. Default: by extension."),
    click.option(
        "--header", type=click.Choice(["auto", "present", "absent"]), help="Header row of CSV. Default: auto."
    ),
    click.option(
        "--label", type=Column(), help="Column of the label, by position or name. Default: no label."
    ),
    click.option(
        "--feature",
        "features",
        multiple=True,
        type=Column(),
        help="Column of a feature; repeatable. Default: all but the label.",
    ),
    click.option("--source", "sources", multiple=True, metavar="NAME=VALUE", help=HELP),
    click.option(
        "--instance-count",
        default=1,
        type=click.IntRange(1),
        help="Training instances to shard for. Default: 1.",
    ),
    click.option(
        "--shard-mb",
        default=DEFAULT_SHARD_BYTES // MIB,
        type=click.IntRange(1),
        help=f"Largest size of a shard in MiB. Default: {DEFAULT_SHARD_BYTES // MIB}.",
    ),
)


def input_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that set how to read and cut the input."""
    return reduce(lambda decorated, option: option(decorated), reversed(OPTIONS), command)


def algorithm_and_source(options: dict[str, Any]) -> tuple[type[Algorithm], Source]:
    """Move the options of :func:`input_options` out of ``options``; return the algorithm and the Source."""
    from amazon_estimators.algorithms import algorithm_named  # noqa: PLC0415 - slow to import, not for --help
    from amazon_estimators.sources import Source  # noqa: PLC0415

    algorithm = algorithm_named(options.pop("algorithm"))
    chosen = source_options(
        map(assignment, options.pop("sources")),
        features=list(options.pop("features")) or None,
        **{name: options.pop(name) for name in ("format", "header", "label")},
    )
    return algorithm, Source.from_dict(channel_options(algorithm, options["channel"], chosen))
