"""Implement ``check``: validate files as the training container does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from amazon_estimators.cli.files import readables
from amazon_estimators.cli.terminal import Counted, as_json, byte_progress, output, print_json
from amazon_estimators.text import counted


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--allow-nonfinite", is_flag=True, help="Let NaN and infinities pass.")
@as_json
def check(files: tuple[str, ...], allow_nonfinite: bool, as_json: bool) -> int:
    """Check RecordIO-protobuf FILES of one channel against all rules of the first-party algorithms.

    FILES are paths or S3 URIs of .pbr files, manifests, directories or S3 prefixes. The first error
    ends the command with exit code 1; it names the file, record, byte offset and reason.
    """
    from amazon_estimators.recordio import check as strict_check  # noqa: PLC0415 - numpy is slow to import

    inputs = readables(files)
    with byte_progress("Checking", sum(entry.size for entry in inputs)) as read:

        def opened() -> Iterator[Any]:
            for entry in inputs:
                with entry.open() as file:
                    yield Counted(file, entry.name, read)

        summary = strict_check(opened(), allow_nonfinite=allow_nonfinite)
    if as_json:
        print_json({"files": len(inputs), **asdict(summary)})
        return 0
    kind = "sparse" if summary.sparse else "dense"
    labels = ", labelled" if summary.labels else ""
    output().print(
        f"[green]✓[/] {counted(len(inputs), 'file')}, {counted(summary.records, 'record')} of "
        f"{counted(summary.feature_dim, 'feature')}, {kind} {summary.dtype}{labels}, {summary.bytes:,} bytes",
        soft_wrap=True,
    )
    return 0
