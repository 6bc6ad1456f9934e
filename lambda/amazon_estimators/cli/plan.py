"""Implement ``plan``: show how a pipeline would read its input and cut it into shards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amazon_estimators.cli.input_options import MIB, algorithm_and_source, input_options
from amazon_estimators.cli.terminal import as_json, output, print_json
from amazon_estimators.errors import RequestError
from amazon_estimators.text import counted

if TYPE_CHECKING:
    from amazon_estimators.sources import Piece

S3 = "s3://"
MOST_SHARDS = 8
"""Most shards to show; of the others it shows their number."""


@click.command()
@click.argument("files", nargs=-1, required=True)
@input_options
@as_json
def plan(files: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Show how a pipeline would read FILES and cut them into shards.

    FILES are local files and directories, or one S3 URI, the prefix of objects. The command reads only
    metadata and first rows. It encodes and writes nothing.

    \b
    amazon-estimators plan iris.csv --label species
    amazon-estimators plan s3://my-bucket/iris/ --algorithm LinearLearner --label species
    """
    from amazon_estimators.client.local_encoding import plan_files, plan_prefix  # noqa: PLC0415 - slow to import, not for --help

    algorithm, source = algorithm_and_source(options)
    settings = {
        "channel": options["channel"],
        "source": source,
        "instance_count": options["instance_count"],
        "target_shard_bytes": options["shard_mb"] * MIB,
    }
    if any(name.startswith(S3) for name in files):
        if len(files) > 1:
            raise RequestError(f"{len(files)} inputs, some on S3; allowed: one S3 URI, or local files")
        read_as, shards = plan_prefix(files[0], algorithm, **settings)
    else:
        read_as, shards = plan_files([Path(name) for name in files], algorithm, **settings)
    if as_json:
        print_json(
            {**read_as.to_dict(), "shards": [[piece.to_dict() for piece in shard] for shard in shards]}
        )
        return 0
    for line in read_as.lines:
        output().print(line, markup=False, soft_wrap=True)
    output().print(f"shards: {len(shards):,} for {counted(options['instance_count'], 'instance')}")
    for number, shard in enumerate(shards[:MOST_SHARDS]):
        output().print(f"  {number}: {_shown(shard)}", markup=False, soft_wrap=True)
    if len(shards) > MOST_SHARDS:
        output().print(f"  and {len(shards) - MOST_SHARDS:,} more")
    return 0


def _shown(pieces: list[Piece]) -> str:
    """Describe a shard: its start and the number of its pieces."""
    if not pieces:
        return "empty"
    first = pieces[0]
    start = f"byte {first.start:,}" if first.first_row is None else f"row {first.first_row:,}"
    others = f", and {len(pieces) - 1:,} more" if len(pieces) > 1 else ""
    return f"{first.source.key} from {start}{others}"
