"""``check``: would the training container read these files?"""

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
    """Check RecordIO-protobuf FILES of one channel against all that the first-party algorithms ask of them.

    FILES are paths or S3 URIs of .pbr files or of manifests, or directories. Names file, record, byte offset
    and reason of the first fault and ends with exit code 1.
    """
    from amazon_estimators.recordio import check as strict_check  # noqa: PLC0415 - numpy is slow to import

    found = readables(files)
    with byte_progress("Checking", sum(one.size for one in found)) as read:

        def opened() -> Iterator[Any]:
            for one in found:
                with one.open() as file:
                    yield Counted(file, one.name, read)

        summary = strict_check(opened(), allow_nonfinite=allow_nonfinite)
    if as_json:
        print_json({"files": len(found), **asdict(summary)})
        return 0
    kind = "sparse" if summary.sparse else "dense"
    labels = ", labelled" if summary.labels else ""
    output().print(
        f"[green]✓[/] {counted(len(found), 'file')}, {counted(summary.records, 'record')} of "
        f"{counted(summary.feature_dim, 'feature')}, {kind} {summary.dtype}{labels}, {summary.bytes:,} bytes",
        soft_wrap=True,
    )
    return 0
