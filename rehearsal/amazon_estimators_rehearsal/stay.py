"""Keep the local AWS running after a rehearsal, for the estimator and the command line in another shell."""

from __future__ import annotations

import shlex
import threading

from rich.console import Console

from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.view import say

VARIABLES = "environment.sh"


def stay(platform: Platform, console: Console) -> None:
    """Write the variables that select the account, say how to use them, and wait for Ctrl-C."""
    path = platform.directory / VARIABLES
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in platform.environment().items()]
    lines.append("unset AWS_PROFILE AWS_SESSION_TOKEN\n")
    path.write_text("".join(lines), encoding="utf-8")
    say(console, "\nThe local AWS goes on until Ctrl-C. In another shell:\n")
    say(console, f"  source {shlex.quote(str(path))}")
    for pipeline in platform.pipelines():
        say(console, f"  amazon-estimators status --state-machine {pipeline.state_machine_arn}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say(console, "\nStopped.")
