"""What a pipeline tells the world: events of our own source, one for each training, failure and skip.

A pipeline's last trained data set is kept beside its data too, so that a schedule knows whether there is
news.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.pipeline.explain import details_of, reason_of
from amazon_estimators.storage.s3 import put_json

SOURCE = "amazon-estimators"
TRAINED = "Model Trained"
FAILED = "Training Failed"
SKIPPED = "Training Skipped"
WAITING = "Training Waiting"

LONGEST_TEXT = 20_000
"""Characters of a cause; an event takes 256 KiB in all, and a topic's message as much."""
LONGEST_SAID = 1_000
"""Characters of a text of the execution input; Plan takes none that is longer."""
REMEDY = "Read the execution's history, mend it, then redrive it or start another with the same data_set."


def announce(events: Any, s3: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of an execution that is about to end; ``state`` is the Announce step's event. Returns the detail.

    Of a success ``last_trained.json`` is written before anyone is told.
    """
    execution, settings = state["execution"], state["pipeline"]
    plan, job, explained = (state.get(name) or {} for name in ("plan", "job", "explained"))
    # An execution can be started with anything: Plan refuses what is no object, and this tells of that.
    asked = state["input"] if isinstance(state.get("input"), Mapping) else {}
    about = {
        "pipeline": settings["pipeline"],
        "algorithm": settings["algorithm"],
        "execution": execution["name"],
        "data_set": plan.get("data_set") or _said(asked, "data_set"),
        "reason": _said(asked, "reason"),
        "seconds": _seconds_since(execution["start_time"]),
    }
    if state.get("waiting"):
        error = state["waiting"]
        detail = {
            **about,
            "error": error.get("Error"),
            "cause": reason_of(error.get("Cause", ""))[:LONGEST_TEXT],
        }
        tell(events, WAITING, detail)
        return detail
    if explained:
        # The training job that failed, if it was one: then the cause is its description.
        about["job"] = details_of(state["error"].get("Cause", "")).get("TrainingJobName")
        detail = failure(about, explained["error"], explained["cause"], explained.get("remedy", ""))
        tell(events, FAILED, detail)
        return detail
    detail = {
        **about,
        "record_set": f"s3://{plan['bucket']}/{plan['prefix']}",
        "job": job["TrainingJobName"],
        "model": job["ModelArtifacts"]["S3ModelArtifacts"],
        "metrics": {one["MetricName"]: one["Value"] for one in job.get("FinalMetricDataList") or ()},
        "billable_seconds": job.get("BillableTimeInSeconds"),
    }
    trained = {name: detail[name] for name in ("data_set", "execution", "job", "model")}
    put_json(s3, plan["bucket"], last_trained_key(settings["prefix"]), trained)
    tell(events, TRAINED, detail)
    return detail


def failure(about: Mapping[str, Any], error: str, cause: str, remedy: str = "") -> dict[str, Any]:
    """The detail of Training Failed. A cause that ends with its remedy is told without it."""
    message = cause.removesuffix(f"\n{remedy}") if remedy else cause
    return {**about, "error": error, "cause": message[:LONGEST_TEXT], "remedy": remedy or REMEDY}


def tell(events: Any, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Put one event on the default bus. Raises RuntimeError if EventBridge does not take it."""
    entry = {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        refused = answer["Entries"][0]
        raise RuntimeError(
            f"EventBridge refused {detail_type}: {refused['ErrorCode']}: {refused['ErrorMessage']}"
        )


def last_trained_key(prefix: str) -> str:
    return f"{prefix}datasets/last_trained.json"


def _said(asked: Mapping[str, Any], name: str) -> str | None:
    """A text of the execution input, which may be one that Plan has refused for it."""
    value = asked.get(name)
    return value[:LONGEST_SAID] if isinstance(value, str) else None


def _seconds_since(start: str) -> int:
    return round((datetime.now(UTC) - datetime.fromisoformat(start)).total_seconds())
