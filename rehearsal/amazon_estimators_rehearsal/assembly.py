"""Read a cloud assembly: its stacks, and if they can be deployed to the local platform."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amazon_estimators.errors import RequestError
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

HANDLERS = "amazon_estimators.handlers."


@dataclass(frozen=True)
class AssembledStack:
    """A stack of an assembly: its name, its template, and where it is bound to, ``aws://account/region``."""

    name: str
    template: Path
    environment: str


def stacks_of(assembly: Path) -> list[AssembledStack]:
    """Return an assembly's stacks, those of its stages included.

    Raises:
        RequestError: A stack is bound to an account or region that the local platform is not, or its
            functions are built for another machine.
    """
    stacks = [*_stacks(assembly)]
    for stack in stacks:
        _check_environment(stack)
        _check_functions(stack)
    return stacks


def _stacks(assembly: Path) -> Iterator[AssembledStack]:
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    for identifier, artifact in manifest["artifacts"].items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _stacks(assembly / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            name = properties.get("stackName", identifier)
            yield AssembledStack(name, assembly / properties["templateFile"], artifact["environment"])


def _check_environment(stack: AssembledStack) -> None:
    account, region = stack.environment.removeprefix("aws://").split("/")
    if account not in (ACCOUNT, "unknown-account") or region not in (REGION, "unknown-region"):
        raise RequestError(
            f"stack {stack.name} is bound to account {account} and region {region}; the local platform is "
            f"account {ACCOUNT} in {REGION}",
            remedy="Take both from where the app is deployed to: env=Environment(account=os.environ["
            '"CDK_DEFAULT_ACCOUNT"], region=os.environ["CDK_DEFAULT_REGION"]).',
        )


def _check_functions(stack: AssembledStack) -> None:
    here = (f"python{sys.version_info[0]}.{sys.version_info[1]}", _architecture())
    template = json.loads(stack.template.read_text(encoding="utf-8"))
    for resource in template.get("Resources", {}).values():
        properties: dict[str, Any] = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function" and str(properties.get("Handler")).startswith(
            HANDLERS
        ):
            built = (properties["Runtime"], *properties.get("Architectures", ["x86_64"]))
            if built != here:
                raise RequestError(
                    f"the functions of stack {stack.name} are built for {' on '.join(built)}; this machine "
                    f"has {' on '.join(here)}",
                    remedy="Make the app with App(context=ON_THIS_MACHINE), from "
                    "amazon_estimators_rehearsal.testing, or deploy its directory with rehearse --app.",
                )


def _architecture() -> str:
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
