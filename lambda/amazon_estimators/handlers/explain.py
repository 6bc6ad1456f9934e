"""Explain a failure: the typed error and its remedy, for the Fail state and for people."""

from __future__ import annotations

from typing import Any

from amazon_estimators import s3
from amazon_estimators.explain import explain


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    return explain(s3.client(), event["error"], event.get("plan") or {}, event["execution"]["name"])
