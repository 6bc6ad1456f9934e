"""Tell how a deployment ended, as an event on the bus and a metric."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.pipeline.announce import LONGEST_TEXT, Tell, failure
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.pipeline.event_names import ENDPOINT_FAILED, ROLLED_BACK, UPDATED
from amazon_estimators.pipeline.explain import text_of
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import target_model


def tell_of(tell: Tell, settings: EndpointSettings, state: Mapping[str, Any]) -> dict[str, Any]:
    """Put Endpoint Updated, Endpoint Rolled Back or Endpoint Failed on the bus; return its detail.

    Args:
        tell: Puts an event on the bus.
        settings: The endpoint.
        state: The event of the Tell step: ``pipeline`` (the endpoint's path), ``execution``, ``attempt``, and
            of a failure ``explained``.
    """
    execution, attempt = state["execution"], state["attempt"]
    model = attempt.get("model")
    about = {
        "pipeline": state["pipeline"],
        "state_machine": execution["state_machine"],
        "algorithm": settings.algorithm,
        "execution": execution["name"],
        "endpoint": settings.name,
        "endpoint_config": attempt.get("config"),
        "previous_config": attempt.get("previous"),
        **{name: (model or {}).get(name) for name in ("job", "model", "data_set", "model_package")},
        "target_model": target_model(settings, CurrentModel(**model)) if model else None,
        "seconds": _seconds_since(execution["start_time"]),
    }
    explained = state.get("explained")
    if explained:
        told = ENDPOINT_FAILED
        detail = failure(about, explained["error"], explained["cause"], explained.get("remedy", ""))
    elif attempt["phase"] == "rolled_back":
        told = ROLLED_BACK
        detail = {**about, "serving": attempt["serving"], "because": attempt["because"][:LONGEST_TEXT]}
    else:
        told = UPDATED
        detail = {**about, "smoke": attempt["smoke"]}
    if "Cause" in (state.get("cleaned") or {}):
        detail["not_cleaned"] = text_of(state["cleaned"]["Cause"])[:LONGEST_TEXT]
    tell(told, detail)
    return detail


def _seconds_since(start: str) -> int:
    return round((datetime.now(UTC) - datetime.fromisoformat(start)).total_seconds())
