"""Implement ``completion``: print a shell's completion script for commands, options and algorithms."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    bash:  amazon-estimators completion bash >> ~/.bashrc
    zsh:   amazon-estimators completion zsh >> ~/.zshrc
    fish:  amazon-estimators completion fish > ~/.config/fish/completions/amazon-estimators.fish
    """
    root = click.get_current_context().find_root()
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root.command, {}, "amazon-estimators", "_AMAZON_ESTIMATORS_COMPLETE").source())
