"""Implement ``rehearse``: run a whole pipeline on this machine."""

from __future__ import annotations

from importlib import import_module

import click

NEEDS = (
    "The rehearsal is not installed. In a clone of the project: make rehearse, "
    "or pip install '.[cli,rehearsal]'"
)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def rehearse(arguments: tuple[str, ...]) -> int:
    """Deploy a CDK app into a local AWS and train on real data, without an AWS account.

    All options are passed on to the rehearsal.
    """
    try:
        cli = import_module("amazon_estimators_rehearsal.cli")
    except ModuleNotFoundError as error:
        if {"-h", "--help"} & {*arguments}:
            click.echo(f"{click.get_current_context().get_help()}\n\n{NEEDS} (missing: {error.name})")
            return 0
        raise click.ClickException(f"{NEEDS} (missing: {error.name})") from error
    try:
        code: int = cli.main(list(arguments))
    except SystemExit as ended:  # argparse exits for --help and for wrong usage
        return ended.code if isinstance(ended.code, int) else 0
    return code
