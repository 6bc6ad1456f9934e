"""Implement ``start``, ``status``, ``logs``, ``stop`` and ``redrive`` of a deployed pipeline."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from amazon_estimators.cli.status_table import show_all
from amazon_estimators.cli.terminal import as_json, assignments, output, print_json
from amazon_estimators.pipeline.explain import text_of

if TYPE_CHECKING:
    from amazon_estimators.client.execution import Execution
    from amazon_estimators.client.pipeline import PipelineEstimator

STYLES = {"SUCCEEDED": "green", "Completed": "green", "FAILED": "red", "Failed": "red", "RUNNING": "cyan"}


def of_pipeline(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select a pipeline."""
    for option in (
        click.option("--region", help="AWS region. Default: from the environment."),
        click.option("--profile", help="Profile of the AWS configuration. Default: from the environment."),
        click.option("--state-machine", metavar="ARN", help="State machine of the pipeline."),
        click.option("--stack", metavar="NAME", help="Stack of the pipeline, if it has only one."),
    ):
        command = option(command)
    return command


def _execution_option(command: Callable[..., Any]) -> Callable[..., Any]:
    text = "Name or ARN of the execution. Default: the newest."
    return click.option("--execution", metavar="NAME", help=text)(command)


def find(
    stack: str | None, state_machine: str | None, profile: str | None, region: str | None
) -> PipelineEstimator:
    if (stack is None) == (state_machine is None):
        raise click.UsageError("name the pipeline with --stack or --state-machine")
    from amazon_estimators.client.find_pipelines import find_pipeline  # noqa: PLC0415 - not needed for --help

    session = session_of_options(profile, region)
    return find_pipeline(stack_name=stack, state_machine_arn=state_machine, session=session)


def find_all(
    stack: str | None, state_machine: str | None, profile: str | None, region: str | None
) -> list[PipelineEstimator]:
    """Return the pipelines of a stack, the one with a state machine, or all of the account and region.

    Raises:
        RequestError: There is none.
    """
    from amazon_estimators.client.find_pipelines import find_pipelines  # noqa: PLC0415 - not needed for --help

    if stack is not None and state_machine is not None:
        raise click.UsageError("give either --stack or --state-machine")
    if state_machine is not None:
        return [find(None, state_machine, profile, region)]
    return find_pipelines(stack, session=session_of_options(profile, region))


def session_of_options(profile: str | None, region: str | None) -> Any:
    """Return the session that ``--profile`` and ``--region`` select."""
    import boto3  # noqa: PLC0415 - slow to import

    return boto3.Session(profile_name=profile, region_name=region)


@click.command()
@of_pipeline
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--name", help="Name of the execution. Default: generated.")
@click.option(
    "--data-set",
    metavar="VERSION",
    help="Version of the data to train on, as record_set.json, events and the job's tags name it. "
    "Default: the input as it is now.",
)
@click.option("--reason", help="Why; the events about the result repeat it. Default: none.")
@click.option("--follow/--no-follow", default=False, help="Wait for the end and show progress. Default: no.")
@as_json
def start(
    values: tuple[str, ...],
    *,
    name: str | None,
    data_set: str | None,
    reason: str | None,
    follow: bool,
    as_json: bool,
    **where: Any,
) -> int:
    """Start an execution of a deployed pipeline. NAME=VALUE overrides a hyperparameter."""
    pipeline = find(**where)
    execution = pipeline.start(assignments(values), name=name, data_set=data_set, reason=reason)
    if not as_json:
        output().print(f"Started {execution.name}\n{execution.console_url}", markup=False, soft_wrap=True)
    if follow:
        execution.wait(logs=not as_json, stream=_stream(as_json))
    if as_json:
        print_json(_facts(execution))
    return 0


@click.command()
@of_pipeline
@_execution_option
@as_json
def status(execution: str | None, as_json: bool, **where: Any) -> int:
    """Show an execution of a pipeline: state, shards, training job. Without options, show all pipelines.

    All are those of the account and region, or of a --stack that has several: the last training, the model in
    use with its metrics, what waits and the dead letters.
    """
    pipelines = [find(**where)] if execution else find_all(**where)
    named = execution or where["stack"] or where["state_machine"]
    if len(pipelines) > 1 or not named:
        return show_all(pipelines, as_json=as_json)
    chosen = _execution_of(pipelines[0], execution)
    facts = _facts(chosen)
    if as_json:
        print_json(facts)
        return 0
    for name, value in facts.items():
        if value is not None:
            title, style = f"{name.replace('_', ' '):<16}", STYLES.get(str(value), "")
            output().print(Text.assemble(title, (str(value), style)), soft_wrap=True)
    return 0


@click.command()
@of_pipeline
@_execution_option
@click.option(
    "--follow/--no-follow", default=False, help="Show new lines until the execution ends. Default: no."
)
@as_json
def logs(execution: str | None, follow: bool, as_json: bool, **where: Any) -> int:
    """Show the log of an execution's training job."""
    chosen = _execution_of(find(**where), execution)
    if follow:
        chosen.wait(logs=True, stream=_stream(as_json))
    if follow and not as_json:
        return 0
    job = chosen.training_job()
    if job is None:
        raise chosen.without_job()
    lines = job.logs()
    if as_json:
        print_json([{"time": line.time.isoformat(), "host": line.host, "text": line.text} for line in lines])
        return 0
    from amazon_estimators.client.console import Console  # noqa: PLC0415 - not for --help

    console = Console()
    for line in lines:
        console.log(line.host, line.text)
    return 0


@click.command()
@of_pipeline
@_execution_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@as_json
def stop(execution: str | None, yes: bool, as_json: bool, **where: Any) -> int:
    """Stop a running execution and its training job."""
    chosen = _execution_of(find(**where), execution)
    if chosen.describe()["status"] != "RUNNING":
        raise click.ClickException(
            f"execution {chosen.name} has already ended: {chosen.describe()['status']}"
        )
    if not yes:
        click.confirm(f"Stop {chosen.name}?", abort=True, err=True)
    chosen.stop()
    if as_json:
        print_json(_facts(chosen))
    else:
        output().print(f"Stopped {chosen.name}", markup=False, soft_wrap=True)
    return 0


@click.command()
@of_pipeline
@_execution_option
@click.option("--follow/--no-follow", default=False, help="Wait for the end and show progress. Default: no.")
@as_json
def redrive(execution: str | None, follow: bool, as_json: bool, **where: Any) -> int:
    """Resume an execution that failed, was stopped or timed out. It redoes only what is missing."""
    chosen = _execution_of(find(**where), execution)
    standing = chosen.describe()["status"]
    if standing in ("RUNNING", "SUCCEEDED"):
        raise click.ClickException(
            f"execution {chosen.name} is {standing}; redrive needs one that failed, was stopped or timed out"
        )
    chosen.redrive()
    if not as_json:
        output().print(f"Redriven {chosen.name}\n{chosen.console_url}", markup=False, soft_wrap=True)
    if follow:
        chosen.wait(logs=not as_json, stream=_stream(as_json))
    if as_json:
        print_json(_facts(chosen))
    return 0


def _execution_of(pipeline: PipelineEstimator, execution: str | None) -> Execution:
    chosen = pipeline.attach(execution, wait=False).latest_execution
    assert chosen is not None
    return chosen


def _facts(execution: Execution) -> dict[str, Any]:
    described, job, shards = execution.describe(), execution.training_job(), execution.shards()
    training = job.describe() if job else {}
    return {
        "execution": execution.name,
        "status": described["status"],
        "state": execution.state(),
        "started": described["startDate"].isoformat(),
        "ended": described["stopDate"].isoformat() if "stopDate" in described else None,
        "shards_encoded": shards[0] if shards else None,
        "shards": shards[1] if shards else None,
        "training_job": job.name if job else None,
        "training_status": training.get("TrainingJobStatus"),
        "model": training.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        "error": described.get("error"),
        "cause": text_of(described["cause"]) if "cause" in described else None,
        "console": execution.console_url,
    }


def _stream(as_json: bool) -> Any:
    return sys.stderr if as_json else None
