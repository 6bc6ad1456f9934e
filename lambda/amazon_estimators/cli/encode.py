"""Implement ``encode``: encode local files into local shards and a manifest."""

from __future__ import annotations

import re
from pathlib import Path

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from amazon_estimators.cli.hyperparameters import AlgorithmName
from amazon_estimators.cli.terminal import as_json, assignment, errors, output, print_json
from amazon_estimators.pipeline.channels import channel_options
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from amazon_estimators.sources.options import HELP, source_options


class Column(click.ParamType[int | str]):
    """A column of the input, by position or by name."""

    name = "column"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Output directory, new or empty.",
)
@click.option(
    "--prefix", default="s3://bucket/prefix/", metavar="URI", help="S3 prefix the shards will be copied to."
)
@click.option(
    "--algorithm",
    default="KMeans",
    type=AlgorithmName(),
    help="Algorithm that will train on them. Default: KMeans.",
)
@click.option("--channel", default="train", help="Channel of the algorithm. Default: train.")
@click.option("--format", "file_format", help="Format of FILES. Default: by extension.")
@click.option(
    "--header", type=click.Choice(["auto", "present", "absent"]), help="Header row of CSV. Default: auto."
)
@click.option("--label", type=Column(), help="The label's column, by position or name. Default: no label.")
@click.option(
    "--feature",
    "features",
    multiple=True,
    type=Column(),
    help="Column of a feature; repeatable. Default: all but the label.",
)
@click.option("--source", "sources", multiple=True, metavar="NAME=VALUE", help=HELP)
@click.option(
    "--instance-count", default=1, type=click.IntRange(1), help="Training instances to shard for. Default: 1."
)
@click.option(
    "--shard-mb",
    default=DEFAULT_SHARD_BYTES // 2**20,
    type=click.IntRange(1),
    help=f"Largest size of a shard in MiB. Default: {DEFAULT_SHARD_BYTES // 2**20}.",
)
@as_json
def encode(  # noqa: PLR0917 - click passes options by name
    files: tuple[Path, ...],
    out: Path,
    prefix: str,
    algorithm: str,
    channel: str,
    file_format: str | None,
    header: str | None,
    label: int | str | None,
    features: tuple[int | str, ...],
    sources: tuple[str, ...],
    instance_count: int,
    shard_mb: int,
    as_json: bool,
) -> int:
    """Encode FILES of any format that a pipeline reads into shards and a manifest.

    FILES may be directories: all files below them are read, except hidden files and markers.

    \b
    amazon-estimators encode iris.csv --label species --out shards --prefix s3://my-bucket/iris/
    aws s3 sync shards s3://my-bucket/iris/
    """
    from amazon_estimators.algorithms import algorithm_named  # noqa: PLC0415 - slow to import, not for --help
    from amazon_estimators.client.local_encoding import encode_files  # noqa: PLC0415
    from amazon_estimators.sources import Source  # noqa: PLC0415
    from amazon_estimators.storage.s3_uri import Place  # noqa: PLC0415

    kind = algorithm_named(algorithm)
    options = source_options(
        map(assignment, sources),
        format=file_format,
        header=header,
        label=label,
        features=list(features) or None,
    )
    columns = (
        TextColumn("Encoding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("shards"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors(), transient=True, disable=not errors().is_terminal) as progress:
        task = progress.add_task("")
        record_set = encode_files(
            files,
            out,
            kind,
            channel=channel,
            source=Source.from_dict(channel_options(kind, channel, options)),
            instance_count=instance_count,
            target_shard_bytes=shard_mb * 2**20,
            prefix=Place.prefix(prefix, what="--prefix").uri,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({"directory": str(out), **record_set.to_dict()})
    else:
        output().print(record_set.describe(), markup=False, soft_wrap=True)
        output().print(f"[green]✓[/] in {escape(str(out))}", soft_wrap=True)
    return 0
