"""The reference of all algorithms as Markdown: ``python -m amazon_estimators.algorithms.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.instances import GPU_FAMILIES
from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter

HEADER = """\
# Algorithms and their hyperparameters

Made from the code by `python -m amazon_estimators.algorithms.reference`; a test holds the two together.
Hyperparameters have the service's names. *Required* ones must be given, those *filled in* are computed
from the data when they are left out. The default is what the service takes for one that is not sent. The
recommended range is what AWS suggests to automatic model tuning. Rules between hyperparameters are in
[rules.md](rules.md).
"""


def reference() -> str:
    """Return the whole page."""
    sections = [HEADER]
    for name in sorted(ALGORITHMS):
        sections += _section(ALGORITHMS[name])
    return "\n".join(sections) + "\n"


def _section(algorithm: type[Algorithm]) -> Iterator[str]:
    yield f"## {algorithm.__name__}\n\n{(algorithm.__doc__ or '').splitlines()[0]}\n"
    yield f"- Image: `{algorithm.repo_name}:{algorithm.repo_version}`"
    yield f"- Documentation: <{algorithm.documentation}>"
    yield f"- Instances: {_instances(algorithm)}"
    objectives = [metric.name for metric in algorithm.metrics if metric.objective]
    yield f"- Objective metrics: {', '.join(f'`{name}`' for name in objectives) or 'none documented'}\n"
    yield "| Channel | | Content type | Distribution | Labels |\n|---|---|---|---|---|"
    for channel in algorithm.channels.values():
        required = "required" if channel.required else "optional"
        others = [name for name in channel.distributions if name != channel.distribution]
        distribution = channel.distribution + "".join(f", or {name}" for name in others)
        types = ", ".join((channel.content_type, *channel.also))
        yield f"| `{channel.name}` | {required} | {types} | {distribution} | {channel.label} |"
    yield "\n| Hyperparameter | Takes | Default | Recommended range | |\n|---|---|---|---|---|"
    for declared in algorithm.declared().values():
        if declared.name not in algorithm.container_settings:
            yield _row(algorithm, declared)
    settings = ", ".join(f"`{name}`" for name in algorithm.container_settings)
    yield f"\nPassed on unchecked, as AWS does not document them: {settings}.\n"


def _instances(algorithm: type[Algorithm]) -> str:
    families = ", ".join(GPU_FAMILIES)
    gpu = {
        "refused": "CPU",
        "none": "CPU (an accelerator stays idle)",
        "single": f"CPU, or one GPU per instance ({families})",
        "any": f"CPU or GPU ({families})",
    }[algorithm.instances.gpu]
    return gpu + ("; one instance" if algorithm.instances.single_instance else "; any number")


def _row(algorithm: type[Algorithm], declared: Hyperparameter[Any]) -> str:
    default = "" if declared.default is None else f"`{_shown(declared.default)}`"
    if declared.name in algorithm.fills:
        default = f"{default} *filled in*".strip()
    elif declared.required:
        default = "*required*"
    tuning = ""
    if declared.tuning is not None:
        names, low, high = declared.tuning.values, declared.tuning.low, declared.tuning.high
        tuning = ", ".join(f"`{name}`" for name in names) or f"{low:,} to {high:,}"
    alias = f" (`{declared.alias}` in the SageMaker Python SDK 2)" if declared.alias else ""
    return f"| `{declared.name}`{alias} | {declared.kind.expecting} | {default} | {tuning} | {declared.doc} |"


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        return ", ".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default) or '""'


if __name__ == "__main__":
    sys.stdout.write(reference())
