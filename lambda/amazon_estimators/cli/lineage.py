"""``lineage``: from a model back to the versions of the objects that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.tree import Tree

from amazon_estimators.cli.pipeline import session_of_options
from amazon_estimators.cli.terminal import as_json, output, print_json
from amazon_estimators.text import counted

if TYPE_CHECKING:
    from amazon_estimators.client.lineage import ModelLineage
    from amazon_estimators.pipeline.channel_origin import ChannelOrigin


@click.command()
@click.argument("model")
@click.option("--region", help="AWS region. Default: from the environment.")
@click.option("--profile", help="Profile of the AWS configuration. Default: from the environment.")
@click.option(
    "--objects",
    default=20,
    type=click.IntRange(0),
    help="Objects of each channel to show. Default: 20; --json has all.",
)
@as_json
def lineage(model: str, region: str | None, profile: str | None, objects: int, as_json: bool) -> int:
    """Show where MODEL comes from: job, RecordSets, data set version, versions of objects.

    MODEL is a training job, the S3 URI of its model.tar.gz, or the ARN of a model package.
    """
    from amazon_estimators.client.lineage import lineage_of  # noqa: PLC0415 - not for --help

    origin = lineage_of(model, session=session_of_options(profile, region))
    if as_json:
        print_json(origin.facts())
    else:
        output().print(_tree(origin, objects), soft_wrap=True)
    return 0


def _tree(origin: ModelLineage, objects: int) -> Tree:
    """Return the model at the root, and its data at the leaves."""
    tree = Tree(f"[bold]model[/] {escape(origin.model or 'none')}")
    by = f", execution {origin.execution} of {origin.pipeline}" if origin.execution else ""
    job = tree.add(f"[bold]training job[/] {escape(origin.job)}: {origin.status}{escape(by)}")
    job.add(f"image {escape(origin.image or 'unknown')}")
    if origin.hyperparameters:
        job.add(escape("  ".join(f"{name}={value}" for name, value in origin.hyperparameters.items())))
    for channel in origin.channels:
        branch = job.add(f"[bold]channel {escape(channel.channel)}[/] {escape(channel.record_set)}")
        for line in _lines(channel):
            branch.add(escape(line))
        if channel.objects is not None and channel.data_set is not None:
            leaf = branch.add(
                f"[bold]data set[/] {channel.data_set}: {counted(len(channel.objects), 'object')}"
            )
            for number in range(min(objects, len(channel.objects))):
                entry = channel.objects[number]
                version = f"version {entry.version_id}" if entry.version_id else f"ETag {entry.etag}"
                leaf.add(escape(f"{entry.uri}  {version}  {entry.size:,} bytes"))
            if (more := len(channel.objects) - objects) > 0:
                leaf.add(f"… and {more:,} more")
        if channel.missing:
            branch.add(f"[yellow]![/] {escape(channel.missing)}")
    return tree


def _lines(channel: ChannelOrigin) -> Iterator[str]:
    if channel.records is not None and channel.shards is not None:
        made = f", RecordSet {channel.fingerprint}" if channel.fingerprint else ""
        yield f"{counted(channel.records, 'record')} in {counted(channel.shards, 'shard')}{made}"
