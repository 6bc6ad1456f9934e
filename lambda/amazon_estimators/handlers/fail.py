"""Fail: end the execution with the explained error. If the execution was redriven since, let it continue."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import logged
from amazon_estimators.pipeline.explain import as_exception


@logged("Failed")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    explained = event["explained"]
    if explained["redrive"] == event["execution"]["redrive"]:
        raise as_exception(explained["error"], explained["cause"])
    return {}
