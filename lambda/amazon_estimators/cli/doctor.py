"""Implement ``doctor``: examine the account for deployed pipelines."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from amazon_estimators.cli.pipeline import find_all, of_pipeline
from amazon_estimators.cli.terminal import as_json, output, print_json

STYLES = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command()
@of_pipeline
@as_json
def doctor(as_json: bool, **where: Any) -> int:
    """Check the account before a pipeline runs: quotas, buckets, roles, image, keys, network, clock.

    Without --stack and --state-machine it examines all pipelines of the account and region. It changes
    nothing. The exit code is 1 if it finds an error, not for a warning.
    """
    from amazon_estimators.doctor.checks import examine  # noqa: PLC0415 - botocore is slow to import

    lines = [line for pipeline in find_all(**where) for line in examine(pipeline)]
    if as_json:
        print_json([{"pipeline": line.pipeline, "check": line.check, **vars(line.finding)} for line in lines])
    else:
        _show(lines)
    return 1 if any(line.finding.level == "error" for line in lines) else 0


def _show(lines: list[Any]) -> None:
    shown = ""
    for line in lines:
        if line.pipeline != shown:
            shown = line.pipeline
            output().print(Text.assemble((shown, "bold")), soft_wrap=True)
        finding = line.finding
        level = (f"{finding.level:<8}", STYLES[finding.level])
        output().print(Text.assemble("  ", level, f"{line.check}: {finding.message}"), soft_wrap=True)
        if finding.remedy:
            output().print(Text.assemble(" " * 10, (finding.remedy, "green")), soft_wrap=True)
    counts = {level: sum(line.finding.level == level for line in lines) for level in STYLES}
    output().print(", ".join(f"{count} {level}" for level, count in counts.items()))
