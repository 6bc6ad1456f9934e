"""Record each API call, and what it was held to: who, which action, on which resource, with which context.

``calls.jsonl`` in the rehearsal's directory has a line of JSON for each question of a permission. A line with
``shape`` begins an API call; lines without are more permissions that a call, or a service by itself, needs.
"""

from __future__ import annotations

import contextvars
import functools
import json
import logging
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, router

from amazon_estimators_rehearsal.emulator.request_shapes import (
    Request,
    UnreadableRequestError,
    faults_in,
    refusal,
)
from amazon_estimators_rehearsal.environment import ACCESS_KEY
from amazon_estimators_rehearsal.server import CALLS

logger = logging.getLogger("rehearsal")

VALID, UNCHECKED = "valid", "unchecked"

_shape: contextvars.ContextVar[str | None] = contextvars.ContextVar("shape", default=None)
"""What came of the check of the request's shape, until the permission of its call is asked for."""


def record_calls(directory: Path) -> None:
    """Check the shape of every call of a role, and record it with the answers to its permissions."""
    file = (directory / CALLS).open("a", buffering=1, encoding="utf-8")
    enforce, dispatch = iam_evaluator.enforce, app._dispatch_service_request

    @functools.wraps(enforce)
    def recorded(key: str, action: str, service: str, region: str, *rest: Any, **named: Any) -> Any:
        result = enforce(key, action, service, region, *rest, **named)
        caller = iam_evaluator.resolve_caller_identity(key)
        call = {
            "principal": caller["userArn"] if caller else "",
            "action": action,
            "resource": named.get("resource_arn") or (rest[0] if rest else "*"),
            "context": named.get("service_context") or (rest[1] if len(rest) > 1 else None) or {},
            "allowed": result is None,
        }
        if shape := _shape.get():
            call["shape"] = shape
            _shape.set(None)
        file.write(f"{json.dumps(call)}\n")
        return result

    async def dispatched(*received: Any) -> Any:
        method, path, headers, body, query, _ = received
        _shape.set(UNCHECKED)
        if router.extract_access_key_id(headers, query) not in (ACCESS_KEY, ""):
            parameters = app._routing_params(method, path, headers, body, query)
            service = router.detect_service(method, path, headers, parameters)
            try:
                faults = faults_in(Request(service, method, path, headers, body, parameters))
            except UnreadableRequestError as problem:
                _shape.set(f"{UNCHECKED}: {problem}")
            else:
                if faults:
                    logger.warning("REFUSED %s %s %s: %s", service, method, path, "; ".join(faults))
                    return refusal(service, faults)
                _shape.set(VALID)
        return await dispatch(*received)

    iam_evaluator.enforce, app._dispatch_service_request = recorded, dispatched
