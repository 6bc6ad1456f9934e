"""Implement ``encode``: encode local files into local shards and a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from amazon_estimators.cli.input_options import MIB, algorithm_and_source, input_options
from amazon_estimators.cli.terminal import as_json, errors, output, print_json


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
@input_options
@as_json
def encode(files: tuple[Path, ...], out: Path, prefix: str, as_json: bool, **options: Any) -> int:
    """Encode FILES of any format that a pipeline reads into shards and a manifest.

    FILES may be directories: all files below them are read, except hidden files and markers.

    \b
    amazon-estimators encode iris.csv --label species --out shards --prefix s3://my-bucket/iris/
    aws s3 sync shards s3://my-bucket/iris/
    """
    from amazon_estimators.client.local_encoding import encode_files  # noqa: PLC0415 - slow to import, not for --help
    from amazon_estimators.storage.s3_uri import Place  # noqa: PLC0415

    algorithm, source = algorithm_and_source(options)
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
            algorithm,
            channel=options["channel"],
            source=source,
            instance_count=options["instance_count"],
            target_shard_bytes=options["shard_mb"] * MIB,
            prefix=Place.prefix(prefix, what="--prefix").uri,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({"directory": str(out), **record_set.to_dict()})
    else:
        output().print(record_set.describe(), markup=False, soft_wrap=True)
        output().print(f"[green]✓[/] in {escape(str(out))}", soft_wrap=True)
    return 0
