"""``models``, ``approve``, ``reject``, ``rollback``: the trained models of a deployed pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from amazon_estimators.cli.pipeline import find, of_pipeline
from amazon_estimators.cli.terminal import as_json, output, print_json
from amazon_estimators.errors import RequestError

if TYPE_CHECKING:
    from amazon_estimators.client.registry import ModelRegistry, RegisteredModel

STYLES = {"Approved": "green", "Rejected": "red", "PendingManualApproval": "yellow"}

_version = click.option("--version", type=int, help="The version. Default: the newest that is pending.")
_reason = click.option("--reason", default="", help="Reason, stored with the version.")


@click.command()
@of_pipeline
@as_json
def models(as_json: bool, **where: Any) -> int:
    """List the registered models of a pipeline, newest first; without a registry, the model in use."""
    pipeline = find(**where)
    registry = pipeline.registry()
    current = pipeline.model_in_use()
    if registry is None:
        facts = [{**vars(current)}] if current else []
        if as_json:
            print_json({"current": current and current.job, "models": facts})
        elif current is None:
            output().print("There is no model yet.")
        else:
            _show_facts(facts[0])
        return 0
    listed = [model.facts() for model in registry.models()]
    in_use = current.model_package if current else None
    if as_json:
        print_json({"group": registry.group, "current": in_use, "models": listed})
        return 0
    table = Table("version", "status", "created", "job", "data set", box=None)
    for model in listed:
        mark = " *" if model["model_package"] == in_use else ""
        status = f"[{STYLES.get(model['status'], '')}]{model['status']}[/]"
        table.add_row(f"{model['version']}{mark}", status, model["created"], model["job"], model["data_set"])
    output().print(table)
    output().print(f"* the model in use. Group: {registry.group}", markup=False, soft_wrap=True)
    return 0


@click.command()
@of_pipeline
@_version
@_reason
@as_json
def approve(version: int | None, reason: str, as_json: bool, **where: Any) -> int:
    """Approve a registered model. The newest approved one is in use."""
    return _tell(_registry(**where).approve(version, reason=reason), as_json=as_json)


@click.command()
@of_pipeline
@_version
@_reason
@as_json
def reject(version: int | None, reason: str, as_json: bool, **where: Any) -> int:
    """Reject a registered model."""
    return _tell(_registry(**where).reject(version, reason=reason), as_json=as_json)


@click.command()
@of_pipeline
@_reason
@as_json
def rollback(reason: str, as_json: bool, **where: Any) -> int:
    """Reject the model in use, and return to the previously approved one."""
    return _tell(_registry(**where).rollback(reason=reason), as_json=as_json)


def _registry(**where: Any) -> ModelRegistry:
    pipeline = find(**where)
    registry = pipeline.registry()
    if registry is None:
        raise RequestError(
            f"the models of {pipeline.settings['pipeline']} are not registered",
            remedy="Deploy the pipeline with registration=Registration().",
        )
    return registry


def _tell(current: RegisteredModel | None, *, as_json: bool) -> int:
    if as_json:
        print_json({"current": current and current.facts()})
    elif current is None:
        output().print("No model is in use now.")
    else:
        _show_facts({"in use": f"version {current.version}", **current.facts()})
    return 0


def _show_facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        output().print(f"{name.replace('_', ' '):<16}{value}", markup=False, soft_wrap=True)
