"""Lifecycle: deploy to an endpoint when its stack is deployed, delete it with the stack."""

from __future__ import annotations

from functools import partial
from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.serving.lifecycle import answer, live
from amazon_estimators.storage.sessions import function_client


@logged("Lifecycle")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    stepfunctions, sagemaker = (function_client(name) for name in ("stepfunctions", "sagemaker"))
    return answer(event, partial(live, stepfunctions, sagemaker, event))
