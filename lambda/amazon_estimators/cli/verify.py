"""Implement ``verify``: run the library's state machines by AWS's own interpreter."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from amazon_estimators.cli.terminal import as_json, output, print_json


@click.command()
@click.option("--on-aws", is_flag=True, help="Call states:TestState with your credentials.")
@as_json
def verify(as_json: bool, on_aws: bool) -> int:
    """Check with AWS's own interpreter how the library's state machines behave.

    It runs recorded states by Step Functions' TestState, with the answers of their tasks mocked: successes,
    each failure, retries, redrives. It creates nothing, calls no other service and costs nothing; the one
    permission that it needs is states:TestState. The exit code is 1 if AWS does anything otherwise.
    """
    from amazon_estimators.storage.sessions import client_of  # noqa: PLC0415 - boto3 is slow to import
    from amazon_estimators.verification.on_aws import verify as run  # noqa: PLC0415
    from amazon_estimators.verification.recorded import Recorded  # noqa: PLC0415

    if not on_aws:
        raise click.UsageError("Say --on-aws: verify calls AWS, and nothing else.")
    verified = [*run(client_of(None, "stepfunctions"), Recorded.load())]
    wrong = [one for one in verified if one.differences]
    if as_json:
        print_json({"steps": len(verified), "differences": [_as_json(one) for one in wrong]})
        return 1 if wrong else 0
    counts = Counter(one.step.machine for one in verified)
    bad = Counter(one.step.machine for one in wrong)
    for machine, count in counts.items():
        output().print(f"{machine}: {count} states, {bad[machine]} differ", soft_wrap=True)
    for one in wrong:
        output().print(f"{one.step.machine}, {one.step.execution}: {one.step.state}", soft_wrap=True)
        for difference in one.differences:
            output().print(f"  {difference}", soft_wrap=True, markup=False)
    return 1 if wrong else 0


def _as_json(verified: Any) -> dict[str, Any]:
    step = verified.step
    return {
        "machine": step.machine,
        "execution": step.execution,
        "state": step.state,
        "differences": verified.differences,
    }
