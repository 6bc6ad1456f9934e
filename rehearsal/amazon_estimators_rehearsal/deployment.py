"""Bootstrap, synthesize and deploy with the real CDK CLI, which talks to the emulator only."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amazon_estimators.local_platform import ON_THIS_MACHINE
from amazon_estimators_rehearsal.command import Command
from amazon_estimators_rehearsal.environment import (
    ACCOUNT,
    REGION,
    cdk_script,
    client_environment,
    installer_environment,
    jsii_environment,
    node_binary,
)

_QUIET = ("--no-notices", "--no-color")
"""Options of every call. Without ``--no-notices`` the CLI fetches notices from a web site."""


QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
"""The key of cdk.json's context that names what ``cdk bootstrap`` makes."""


def app_of(named: Path | None = None) -> Path:
    """Return the CDK app: ``named``, else the working directory, else this project's.

    Args:
        named: A directory with a cdk.json, or a Python program. Default: None.

    Raises:
        FileNotFoundError: There is no such app.
    """
    if named and named.is_file() and named.suffix == ".py":
        return named
    folders = [named] if named else [Path.cwd(), Path(__file__).resolve().parents[2]]
    for folder in folders:
        if (folder / "cdk.json").is_file():
            return folder
    raise FileNotFoundError(
        f"There is no cdk.json in {folders[0]}. Run in the CDK app's directory, or name it with --app, "
        "or the app's Python program."
    )


def context_of(app: Path) -> dict[str, Any]:
    """Return the context in an app's cdk.json; none of a single program."""
    if app.is_file():
        return {}
    context: dict[str, Any] = json.loads((app / "cdk.json").read_text(encoding="utf-8")).get("context", {})
    return context


class Cdk:
    """Runs the CDK CLI against one emulator. Its output and the cloud assemblies are in ``directory``."""

    def __init__(self, directory: Path, endpoint: str) -> None:
        self.directory = directory
        self._assemblies = 0
        self._environment = {
            **client_environment(directory, endpoint),
            **installer_environment(),
            **jsii_environment(),
            "CDK_HOME": str(directory / "home" / "cdk"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
        }

    def bootstrap(self, qualifier: str | None = None) -> Command:
        """Start ``cdk bootstrap``.

        It runs in an empty directory: in an app's directory it would first synthesize the app.

        Args:
            qualifier: The app's own bootstrap qualifier. Default: CDK's.
        """
        empty = self.directory / "bootstrap"
        empty.mkdir(exist_ok=True)
        options = ("--qualifier", qualifier) if qualifier else ()
        return self._start("cdk bootstrap", empty, "bootstrap", f"aws://{ACCOUNT}/{REGION}", *options)

    def synthesize(self, app: Path, settings: Mapping[str, Any]) -> tuple[Command, Path]:
        """Start ``cdk synth`` of an app. Return the command and the assembly's path.

        Args:
            app: The app's directory, or its Python program.
            settings: CDK context.
        """
        self._assemblies += 1
        assembly = self.directory / f"cdk.out.{self._assemblies}"
        pairs: list[str] = []
        for name, value in {**ON_THIS_MACHINE, **settings}.items():
            pairs += ["--context", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        options = ["--quiet", "--no-version-reporting", "--output", str(assembly)]
        if app.is_file():
            options += ["--app", shlex.join([sys.executable, app.name])]
            app = app.parent
        return self._start("cdk synth", app, "synth", *options, *pairs), assembly

    def deploy(self, assembly: Path) -> dict[str, dict[str, str]]:
        """Run ``cdk deploy`` on all stacks of an assembly. Return the outputs of each stack."""
        outputs = self.directory / "outputs.json"
        outputs.unlink(missing_ok=True)
        options = (
            "**",  # --all leaves out the stacks of stages
            "--app",
            str(assembly),
            "--require-approval",
            "never",
            "--outputs-file",
            str(outputs),
        )
        self._start("cdk deploy", self.directory, "deploy", *options).finish()
        if not outputs.exists():  # no stack has an output
            return {}
        by_stack: dict[str, dict[str, str]] = json.loads(outputs.read_text(encoding="utf-8"))
        return by_stack

    def _start(self, name: str, cwd: Path, *arguments: str) -> Command:
        command = [str(node_binary()), str(cdk_script()), *arguments, *_QUIET]
        return Command(command, cwd=cwd, env=self._environment, log=self.directory / f"{name}.log")
