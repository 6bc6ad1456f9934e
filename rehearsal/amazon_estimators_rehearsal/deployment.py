"""Bootstrap, synthesize and deploy with the real CDK CLI, which talks to the emulator only."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def app_directory(named: Path | None = None) -> Path:
    """Return the CDK app's directory: ``named``, else the working directory, else this project's.

    Raises:
        FileNotFoundError: It has no cdk.json.
    """
    folders = [named] if named else [Path.cwd(), Path(__file__).resolve().parents[2]]
    for folder in folders:
        if (folder / "cdk.json").is_file():
            return folder
    raise FileNotFoundError(
        f"There is no cdk.json in {folders[0]}. Run in the CDK app's directory, or name it with --app."
    )


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

    def bootstrap(self) -> Command:
        """Start ``cdk bootstrap``.

        It runs in an empty directory: in an app's directory it would first synthesize the app.
        """
        empty = self.directory / "bootstrap"
        empty.mkdir(exist_ok=True)
        return self._start("cdk bootstrap", empty, "bootstrap", f"aws://{ACCOUNT}/{REGION}")

    def synthesize(self, app: Path, settings: Mapping[str, Any]) -> tuple[Command, Path]:
        """Start ``cdk synth`` of the app in directory ``app``. Return the command and the assembly's path."""
        self._assemblies += 1
        assembly = self.directory / f"cdk.out.{self._assemblies}"
        context = {
            "lambda_python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "lambda_platform": "host",
        }
        pairs: list[str] = []
        for name, value in {**context, **settings}.items():
            pairs += ["--context", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
        options = ("--quiet", "--no-version-reporting", "--output", str(assembly))
        return self._start("cdk synth", app, "synth", *options, *pairs), assembly

    def deploy(self, assembly: Path) -> dict[str, dict[str, str]]:
        """Run ``cdk deploy --all`` on an assembly. Return the outputs of each stack."""
        outputs = self.directory / "outputs.json"
        outputs.unlink(missing_ok=True)
        options = (
            "--app",
            str(assembly),
            "--all",
            "--require-approval",
            "never",
            "--outputs-file",
            str(outputs),
        )
        self._start("cdk deploy", self.directory, "deploy", *options).finish()
        by_stack: dict[str, dict[str, str]] = json.loads(outputs.read_text(encoding="utf-8"))
        return by_stack

    def _start(self, name: str, cwd: Path, *arguments: str) -> Command:
        command = [str(node_binary()), str(cdk_script()), *arguments, *_QUIET]
        return Command(command, cwd=cwd, env=self._environment, log=self.directory / f"{name}.log")
