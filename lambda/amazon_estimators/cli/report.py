"""``report``: one HTML page about a training job, a RecordSet or RecordIO files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amazon_estimators.cli.pipeline import session_of_options
from amazon_estimators.cli.terminal import as_json, output, print_json
from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.keys import REPORT

if TYPE_CHECKING:
    from amazon_estimators.reports.facts import ReportFacts

JOB = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""The names that CreateTrainingJob takes."""


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="JOB|RECORDSET|FILES")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(REPORT),
    help="File to write. Default: report.html.",
)
@click.option("--force", is_flag=True, help="Replace the file.")
@click.option("--against", metavar="RECORDSET", help="RecordSet to compare a RecordSet or files with.")
@click.option("--region", help="AWS region. Default: from the environment.")
@click.option("--profile", help="Profile of the AWS configuration. Default: from the environment.")
@as_json
def report(  # noqa: PLR0917 - click passes options by name
    what: tuple[str, ...],
    out: Path,
    force: bool,
    against: str | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> int:
    """Write one self-contained HTML page about a training job, a RecordSet or RecordIO files.

    A JOB is the name of a training job, or the S3 URI of its model. A RECORDSET is a manifest, a directory or
    an S3 prefix. FILES are .pbr files, whose records are read.

    \b
    amazon-estimators report churn-1a2b3c4d-5e6f7081-0123456789-0-0
    amazon-estimators report shards --against last-month/shards --out report.html
    """
    if out.exists() and not force:
        raise RequestError(
            f"{out} exists", remedy="Name another file with --out, or replace it with --force."
        )
    from amazon_estimators.reports.page import page  # noqa: PLC0415 - numpy is slow to import

    facts = _facts(what, against, session_of_options(profile, region))
    text = page(facts)
    out.write_text(text, encoding="utf-8")
    told = {"report": str(out), "bytes": len(text.encode()), "job": facts.job, "title": facts.title}
    if as_json:
        print_json(told)
    else:
        output().print(f"{out}: {told['bytes']:,} bytes", markup=False, soft_wrap=True)
    return 0


def _facts(what: tuple[str, ...], against: str | None, session: Any) -> ReportFacts:
    from amazon_estimators.cli.record_set_report import record_set_facts  # noqa: PLC0415
    from amazon_estimators.client.job_report import job_facts  # noqa: PLC0415 - numpy, as above

    one = what[0]
    is_model = one.startswith("s3://") and one.endswith("/output/model.tar.gz")
    if len(what) == 1 and (is_model or (JOB.fullmatch(one) and not Path(one).exists())):
        if against is not None:
            raise click.UsageError(
                "--against is for RecordSets and files; a training knows the one before it"
            )
        return job_facts(one, session=session)
    return record_set_facts(what, against)
