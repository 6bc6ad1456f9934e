"""Put a prediction pipeline's events on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators.pipeline.announce import Tell, about_execution, announce, announce_no_model
from amazon_estimators.pipeline.event_names import NOT_PREDICTED, PREDICTED, PREDICTIONS_WAITING

TOLD_OF_MODEL = ("model", "job", "model_package")


def announce_execution(tell: Tell, s3: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of an execution that is about to end, of a pipeline that trains or of one that predicts."""
    if "trained" in state["pipeline"]:
        return announce_predictions(tell, state)
    return announce(tell, s3, state)


def announce_predictions(tell: Tell, state: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of an execution that is about to end, and return the detail; ``state`` is Announce's event."""
    about = about_execution(state)
    unready = announce_no_model(tell, state, about, failed=NOT_PREDICTED, waiting=PREDICTIONS_WAITING)
    if unready is not None:
        return unready
    detail = {
        **about,
        **{name: state["model"][name] for name in TOLD_OF_MODEL},
        "engine": state["pipeline"]["engine"],
        "transform_job": (state.get("transform") or {}).get("TransformJobName"),
        **state["predictions"],
    }
    tell(PREDICTED, detail)
    return detail
