"""Announce the end of an execution if it did not, or could not, announce it itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from amazon_estimators.pipeline.announce import failure, tell_lineage
from amazon_estimators.pipeline.event_names import FAILED, NOT_PREDICTED, PREDICTED, REJECTED, TRAINED
from amazon_estimators.pipeline.lineage import ABORT, FAIL
from amazon_estimators.scoring.announce import announce_execution
from amazon_estimators.triggers.executions import Executions
from amazon_estimators.triggers.settings import StarterSettings
from amazon_estimators.triggers.state import SUCCEEDED

Tell = Callable[[str, Mapping[str, Any]], None]
"""Puts an event, by detail type and detail."""
TOLD_BY_NOBODY = ("ABORTED", "TIMED_OUT")
"""Final statuses that leave the state machine no time to announce the failure."""
ANNOUNCED = {
    TRAINED: SUCCEEDED,
    REJECTED: SUCCEEDED,
    FAILED: "FAILED",
    PREDICTED: SUCCEEDED,
    NOT_PREDICTED: "FAILED",
}
"""The final status of an execution that announced this event."""
ENDS = {*ANNOUNCED, SUCCEEDED, "FAILED", *TOLD_BY_NOBODY}
"""What a message about an end may have as its status."""


def tell_end(
    name: str,
    status: str,
    *,
    is_new: bool,
    redrives: int,
    settings: StarterSettings,
    executions: Executions,
    s3: Any,
    tell: Tell,
) -> None:
    """Announce the end of execution ``name`` unless it has done so.

    Args:
        name: The execution.
        status: A member of ENDS: an event's detail type, or what Step Functions says.
        redrives: How often it was redriven.
        is_new: False if an earlier message told of this end.
        settings: The pipeline's.
        executions: The state machine's.
        s3: The client that writes the records of a model that was not announced.
        tell: What puts an event.
    """
    about = {**settings.identity, "execution": name}
    if status in TOLD_BY_NOBODY:
        detail = failure(about, f"Execution.{status}", f"The execution was {status.lower()}.")
        _tell_failure(tell, s3, settings, detail, redrives, ABORT if status == "ABORTED" else FAIL)
    elif status == "FAILED" and is_new:
        # The pipeline tells of it first. Told twice is better than never.
        _tell_failure(tell, s3, settings, failure(about, *executions.failure(name)), redrives, FAIL)
    elif ANNOUNCED.get(status, status) == SUCCEEDED:
        untold = executions.unannounced(name)
        if untold is not None:
            announce_execution(tell, s3, untold)


def _tell_failure(  # noqa: PLR0917 - of one end
    tell: Tell, s3: Any, settings: StarterSettings, detail: Mapping[str, Any], redrives: int, event_type: str
) -> None:
    """Announce a failure and, of a training, its lineage."""
    if settings.trains:
        execution = {
            "name": detail["execution"],
            "state_machine": settings.state_machine,
            "redrive": redrives,
        }
        pipeline = {"prefix": settings.prefix, "data_bucket": settings.data_bucket}
        state = {"pipeline": pipeline, "execution": execution}
        tell_lineage(tell, s3, state, detail, event_type=event_type)
    tell(FAILED, detail)
