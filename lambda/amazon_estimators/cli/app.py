"""Register all commands, and turn their errors into messages and exit codes."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from amazon_estimators.cli.aws_errors import as_ours
from amazon_estimators.cli.check import check
from amazon_estimators.cli.completion import completion
from amazon_estimators.cli.cost import cost
from amazon_estimators.cli.doctor import doctor
from amazon_estimators.cli.encode import encode
from amazon_estimators.cli.hyperparameters import hyperparameters
from amazon_estimators.cli.inspect import inspect
from amazon_estimators.cli.lineage import lineage
from amazon_estimators.cli.models import approve, models, reject, rollback
from amazon_estimators.cli.pipeline import logs, redrive, start, status, stop
from amazon_estimators.cli.plan import plan
from amazon_estimators.cli.predict import predict
from amazon_estimators.cli.prices import prices
from amazon_estimators.cli.profile import profile
from amazon_estimators.cli.rehearse import rehearse
from amazon_estimators.cli.report import report
from amazon_estimators.cli.starter import dead_letters, request
from amazon_estimators.cli.terminal import errors
from amazon_estimators.cli.verify import verify
from amazon_estimators.cli.watch import watch
from amazon_estimators.errors import AmazonEstimatorsError

PROGRAM = "amazon-estimators"
FAILED, INTERRUPTED = 1, 130

EPILOG = """Exit codes: 0 success; 1 failure (a bad file, an invalid hyperparameter, a failed training job);
2 wrong usage; 130 interrupted (what runs on AWS continues)."""


@click.group(name=PROGRAM, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdk-amazon-estimators", prog_name=PROGRAM)
def app() -> None:
    """Work with RecordSets, hyperparameters and pipelines of Amazon's first-party SageMaker algorithms."""


for command in (
    inspect,
    check,
    plan,
    profile,
    encode,
    predict,
    hyperparameters,
    prices,
    cost,
    doctor,
    verify,
    start,
    status,
    watch,
    logs,
    stop,
    redrive,
    models,
    approve,
    reject,
    rollback,
    lineage,
    report,
    request,
    dead_letters,
    rehearse,
    completion,
):
    app.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Expected errors print a message, not a traceback."""
    try:
        code = app.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        if "--json" in arguments:
            _show_json(type(error).__name__, error.format_message(), "")
        else:
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as interrupted:
        # The text of a Detached says how to resume watching; click raises its own error from it.
        click.echo(str(interrupted.__cause__ or interrupted) or "Interrupted.", err=True)
        return INTERRUPTED
    except Exception as error:
        ours = error if isinstance(error, AmazonEstimatorsError | OSError) else as_ours(error)
        if ours is None:
            raise
        _show(ours, as_json="--json" in arguments)
        return FAILED
    return code if isinstance(code, int) else 0


def _show(error: Exception, *, as_json: bool) -> None:
    message = error.message if isinstance(error, AmazonEstimatorsError) else str(error)
    remedy = error.remedy if isinstance(error, AmazonEstimatorsError) else ""
    name = type(error).__name__
    if as_json:
        _show_json(name, message, remedy)
        return
    console = errors()
    console.print(f"[bold red]{name}[/]", end=" ")
    console.print(message, markup=False, highlight=False, soft_wrap=True)
    if remedy:
        console.print(remedy, markup=False, highlight=False, soft_wrap=True, style="green")


def _show_json(name: str, message: str, remedy: str) -> None:
    click.echo(json.dumps({"error": name, "message": message, "remedy": remedy}))
