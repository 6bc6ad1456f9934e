"""The training instances that an algorithm runs on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from amazon_estimators.text import is_template

GPU_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "P2": ("p2",),
    "P3": ("p3", "p3dn"),
    "G4dn": ("g4dn",),
    "G5": ("g5",),
}
"""The GPU families the algorithms are documented for, with the names their instance types begin with."""

SINGLE_GPU_SIZES: Mapping[str, tuple[str, ...]] = {
    "p2": ("xlarge",),
    "p3": ("2xlarge",),
    "p3dn": (),
    "g4dn": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"),
    "g5": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"),
}
"""The sizes of those families that have one GPU."""

_INSTANCE_TYPE = re.compile(r"ml\.([a-z][a-z0-9-]*)\.([a-z0-9]+)")
_ACCELERATOR = re.compile(r"(p|g|gr|trn|inf|dl)[0-9]")


@dataclass(frozen=True)
class Instances:
    """Training instances an algorithm runs on.

    Attributes:
        gpu: How many GPUs of an instance it uses. AWS documents ``"refused"`` where it trains on CPU only.
        single_instance: AWS documents that it trains on one instance only.
    """

    gpu: Literal["refused", "none", "single", "any"] = "any"
    single_instance: bool = False

    def problems(self, instance_type: str, instance_count: int) -> list[str]:
        """Return what AWS refuses about the instances, each with what is allowed."""
        problems = []
        if is_template(instance_count):
            pass  # a workflow fills it in later
        elif isinstance(instance_count, bool) or not isinstance(instance_count, int) or instance_count < 1:
            problems.append(f"instance_count is {instance_count!r}; it must be an integer of at least 1.")
        elif self.single_instance and instance_count > 1:
            problems.append(f"instance_count is {instance_count}; it trains on a single instance: use 1.")
        match = _INSTANCE_TYPE.fullmatch(instance_type) if isinstance(instance_type, str) else None
        if is_template(instance_type):
            pass
        elif match is None:
            problems.append(
                f"{instance_type!r} is not a training instance type; write one such as 'ml.m5.large'."
            )
        elif is_accelerated(instance_type) and self.gpu == "refused":
            problems.append(
                f"{instance_type} has an accelerator; it trains on CPU only: take a CPU type, ml.m5.large."
            )
        elif is_accelerated(instance_type) and self.gpu != "none" and match[1] not in SINGLE_GPU_SIZES:
            problems.append(
                f"{instance_type} is of no GPU family it runs on: take {', '.join(GPU_FAMILIES)}, "
                "such as ml.g4dn.xlarge, or a CPU type such as ml.m5.large."
            )
        return problems

    def cautions(self, instance_type: str) -> list[str]:
        """Return what of an instance type the algorithm leaves idle."""
        match = _INSTANCE_TYPE.fullmatch(instance_type) if isinstance(instance_type, str) else None
        if match is None or not is_accelerated(instance_type):
            return []
        if self.gpu == "none":
            return [
                f"{instance_type} has an accelerator, which it does not use: take a CPU type, ml.m5.large."
            ]
        if (
            self.gpu == "single"
            and match[1] in SINGLE_GPU_SIZES
            and match[2] not in SINGLE_GPU_SIZES[match[1]]
        ):
            return [
                f"{instance_type} has several GPUs and it uses one of an instance: take a type with one, "
                "such as ml.g4dn.xlarge, and more instances if needed."
            ]
        return []


def types_of(instance_type: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the types that a job may run on: one, or several in order of preference.

    Example:
        >>> types_of("ml.m5.large"), types_of(["ml.m5.large", "ml.c5.xlarge"]), types_of(None)
        (('ml.m5.large',), ('ml.m5.large', 'ml.c5.xlarge'), ())
    """
    if instance_type is None:
        return ()
    return tuple(instance_type) if isinstance(instance_type, list | tuple) else (instance_type,)  # type: ignore[return-value]


def is_accelerated(instance_type: str) -> bool:
    """Return True if instances of this type carry GPUs or another accelerator, by the family's name."""
    match = _INSTANCE_TYPE.fullmatch(instance_type)
    return match is not None and _ACCELERATOR.match(match[1]) is not None
