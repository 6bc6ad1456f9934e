"""Check the settings that a construct wrote against the ones that this version of the functions knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from amazon_estimators.errors import RequestError

REMEDY = "Deploy the state machine and the Lambda functions from one version of the library."


def check_names(kind: type[Any], values: Mapping[str, Any], what: str) -> None:
    """Raise RequestError unless ``values`` are fields of a dataclass, and all of those without a default.

    Args:
        kind: The dataclass.
        values: The settings by name.
        what: What they are of, such as ``"pipeline"``.
    """
    known = {entry.name for entry in fields(kind)}
    required = {entry.name for entry in fields(kind) if entry.default is entry.default_factory is MISSING}
    missing, unknown = sorted(required - set(values)), sorted(set(values) - known)
    if missing or unknown:
        listed = f"missing {', '.join(missing) or 'none'}, unknown {', '.join(unknown) or 'none'}"
        raise RequestError(f"{what} settings: {listed}", remedy=REMEDY)
