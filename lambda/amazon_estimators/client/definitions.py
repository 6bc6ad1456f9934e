"""Read the definitions of deployed state machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from amazon_estimators.storage.sessions import client_of


def definitions(session: Any = None) -> dict[str, Any]:
    """Return the definitions of all state machines of the account and region, by ARN."""
    states = client_of(session, "stepfunctions")
    pages = states.get_paginator("list_state_machines").paginate()
    arns = [machine["stateMachineArn"] for page in pages for machine in page["stateMachines"]]
    return {arn: json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"]) for arn in arns}


def objects_with(value: Any, keys: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the objects anywhere in ``value`` that have these keys; none inside another.

    Example:
        >>> list(objects_with({"States": [{"a": 1, "b": {"a": 2}}, {"c": 3}]}, {"a"}))
        [{'a': 1, 'b': {'a': 2}}]
    """
    if isinstance(value, dict) and keys <= set(value):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from objects_with(inner, keys)
