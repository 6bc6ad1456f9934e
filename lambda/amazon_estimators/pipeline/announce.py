"""Put a pipeline's events on the bus, and write the record of the last training."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import Any

from amazon_estimators.costs.reckoning import cost_of_training
from amazon_estimators.errors import DamagedFileError, ServiceError
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.capacity import waited_seconds
from amazon_estimators.pipeline.current_model import SCHEMA as CURRENT_MODEL_SCHEMA
from amazon_estimators.pipeline.current_model import CurrentModel, current_model_values
from amazon_estimators.pipeline.event_names import (
    FAILED,
    LINEAGE,
    LINEAGE_SOURCE,
    REJECTED,
    SOURCE,
    TRAINED,
    WAITING,
)
from amazon_estimators.pipeline.explain import details_of, reason_of, text_of
from amazon_estimators.pipeline.lineage import COMPLETE, FAIL, attempt_of, run_event
from amazon_estimators.pipeline.metrics import count
from amazon_estimators.pipeline.trainings import add_training, model_age, trainings
from amazon_estimators.storage.documents import get_document, put_document
from amazon_estimators.storage.faults import naming
from amazon_estimators.storage.s3 import is_there, put_json

LAST_TRAINED_SCHEMA = "last-trained/1"
TELL_ATTEMPTS = 4
"""Attempts to put an event on the bus before it counts as refused; the client itself retries whole
requests."""

LONGEST_TEXT = 20_000
"""Characters of a cause; an event may have 256 KiB in total, and so may a topic's message."""
LONGEST_SAID = 1_000
"""Characters of a text in the execution input; Plan refuses a longer one."""
REMEDY = "Fix the cause, then redrive the execution or start another one with the same data_set."
LOG = logging.getLogger(__name__)

Tell = Callable[[str, Mapping[str, Any]], None]
"""Puts an event on the bus, by detail type and detail."""


def announce(tell: Tell, s3: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Announce the end of an execution; ``state`` is the Announce step's event. Returns the event's detail.

    After a success, ``last_trained.json`` is written first: it records that the data set was trained. If the
    model is good enough and no registry decides, ``current_model.json`` makes it the model in use. If either
    write fails, the event is still sent and says so: a model that nobody knows of is worse than an outdated
    record.

    The lineage of each end is written and told too; that it cannot be fails nothing.

    If it is announced late, after the execution has ended (then ``stop_time`` is known), neither replaces the
    record of an execution that ended after it.
    """
    about = about_execution(state)
    failed = {"cost": _cost_of_failure(state), **_model_age(s3, state)} if state.get("explained") else {}
    untrained = announce_no_model(tell, state, {**about, **failed}, failed=FAILED, waiting=WAITING)
    if untrained is not None:
        if state.get("explained"):
            # The description of the job that failed, if one did, names the RecordSets that it trained on.
            described = details_of(state["error"].get("Cause", ""))
            tell_lineage(tell, s3, {"job": described, **state}, untrained, event_type=FAIL)
        return untrained
    plan, job, prefix = state["plan"], state["job"], state["pipeline"]["prefix"]
    cost = _cost(state, job, state.get("tuned"))
    judged, warnings = _judged(state), state.get("warnings") or []
    name = (state.get("tuned") or {}).get("job_name") or job["TrainingJobName"]
    trained_as = {**_trained(plan, job), "waited_seconds": waited_seconds(name)}
    detail = {**about, **trained_as, "cost": cost, **judged, "warnings": warnings}
    good = (state.get("verdict") or {}).get("good", True)
    trained = {name: detail[name] for name in ("data_set", "execution", "job", "model")}
    records = {keys.last_trained_key(prefix): (LAST_TRAINED_SCHEMA, trained)}
    if good and state.get("package") is None:
        records[keys.current_model_key(prefix)] = (
            CURRENT_MODEL_SCHEMA,
            current_model_values(_current(detail)),
        )
    ended, unrecorded = state["execution"].get("stop_time"), []
    at = ended or utc_text(datetime.now(UTC))
    for key, (schema, values) in records.items():
        try:
            if ended is None or not _is_recorded_since(s3, plan["bucket"], key, schema, ended):
                put_document(s3, plan["bucket"], key, schema, {**values, "at": at})
        except Exception as error:
            LOG.exception("s3://%s/%s was not written", plan["bucket"], key)
            unrecorded.append(f"s3://{plan['bucket']}/{key}: {error}")
    try:
        listed = add_training(s3, plan["bucket"], prefix, detail, at=at, good=good)
        others = [training for training in listed if training["job"] != detail["job"]]
        detail["model_age_seconds"] = model_age(others, at=at)
    except Exception as error:
        LOG.exception("the list of trainings was not written")
        unrecorded.append(f"s3://{plan['bucket']}/{keys.trainings_key(prefix)}: {error}")
    if unrecorded:
        detail["unrecorded"] = "; ".join(unrecorded)[:LONGEST_SAID]
    tell(TRAINED if good else REJECTED, detail)
    tell_lineage(tell, s3, state, detail, event_type=COMPLETE)
    return detail


def tell_lineage(
    tell: Tell, s3: Any, state: Mapping[str, Any], detail: Mapping[str, Any], *, event_type: str
) -> None:
    """Write the lineage of an attempt to S3 and put it on the bus. What does not work is only logged."""
    settings, execution = state["pipeline"], state["execution"]
    bucket, key = settings["data_bucket"], keys.lineage_key(settings["prefix"], attempt_of(execution))
    try:
        ended = execution.get("stop_time") or utc_text(datetime.now(UTC))
        event = run_event(state, detail, event_type=event_type, event_time=ended)
    except Exception:
        LOG.exception("the lineage of %s cannot be told", execution["name"])
        return
    acts: dict[str, Callable[[], None]] = {
        f"s3://{bucket}/{key}": partial(put_json, s3, bucket, key, event),
        LINEAGE: partial(tell, LINEAGE, event),
    }
    for what, act in acts.items():
        try:
            act()
        except Exception:
            LOG.exception("%s of %s is missing", what, execution["name"])


def about_execution(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members about the execution that every event has."""
    execution, settings = state["execution"], state["pipeline"]
    # An execution can start with any input: Plan refuses one that is not an object, and that is announced.
    asked = state["input"] if isinstance(state.get("input"), Mapping) else {}
    return {
        "pipeline": settings["pipeline"],
        "state_machine": execution["state_machine"],
        "algorithm": settings["algorithm"],
        "execution": execution["name"],
        "data_set": (state.get("plan") or {}).get("data_set") or _said(asked, "data_set"),
        "reason": _said(asked, "reason"),
        "seconds": _seconds_since(execution["start_time"]),
    }


def announce_no_model(
    tell: Tell, state: Mapping[str, Any], about: Mapping[str, Any], *, failed: str, waiting: str
) -> dict[str, Any] | None:
    """Announce an execution that waits for instances or has failed; return the detail, or None.

    ``failed`` and ``waiting`` are the detail types.
    """
    if state.get("waiting"):
        error = state["waiting"]
        detail = {
            **about,
            "error": error.get("Error"),
            "cause": reason_of(error.get("Cause", ""))[:LONGEST_TEXT],
        }
        tell(waiting, detail)
        return detail
    explained = state.get("explained")
    if not explained:
        return None
    # The failed job, if one failed: then the cause is its description.
    described = details_of(state["error"].get("Cause", ""))
    job = described.get("TrainingJobName") or described.get("TransformJobName")
    error, cause, remedy = explained["error"], explained["cause"], explained.get("remedy", "")
    detail = failure({**about, "job": job}, error, cause, remedy)
    tell(failed, detail)
    return detail


def _trained(plan: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything about a training job that a consumer would otherwise have to look up."""
    resources = job.get("ResourceConfig") or {}
    return {
        "record_set": f"s3://{plan['bucket']}/{plan['prefix']}",
        "job": job["TrainingJobName"],
        "model": job["ModelArtifacts"]["S3ModelArtifacts"],
        "metrics": {one["MetricName"]: _json(one["Value"]) for one in job.get("FinalMetricDataList") or ()},
        "image": (job.get("AlgorithmSpecification") or {}).get("TrainingImage"),
        "hyperparameters": job.get("HyperParameters") or {},
        # Of several allowed types, the one that had capacity.
        "instance_type": resources.get("SelectedInstanceType") or resources.get("InstanceType"),
        "instance_count": resources.get("SelectedInstanceCount") or resources.get("InstanceCount"),
        "training_seconds": job.get("TrainingTimeInSeconds"),
        "billable_seconds": job.get("BillableTimeInSeconds"),
    }


def _cost(
    state: Mapping[str, Any], job: Mapping[str, Any], tuned: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the training did cost, as the event has it."""
    _, _, after = state["execution"]["state_machine"].partition(":states:")
    region = after.partition(":")[0]
    return cost_of_training(state["pipeline"], region, job, tuned).to_dict()


def _cost_of_failure(state: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a training job that failed did cost; None if no training job failed."""
    job = details_of(state["error"].get("Cause", ""))
    return _cost(state, job) if "TrainingJobName" in job else None


def _model_age(s3: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the age of the model in use, as the event of a failure has it; nothing if it cannot be read."""
    settings, at = state["pipeline"], state["execution"].get("stop_time") or utc_text(datetime.now(UTC))
    try:
        listed = trainings(s3, settings["data_bucket"], settings["prefix"])
    except Exception:
        LOG.exception("the age of the model in use is not known")
        return {}
    return {"model_age_seconds": model_age(listed, at=at)}


def _json(number: Any) -> Any:
    """Return a metric as JSON has it: EventBridge refuses an event with NaN in it."""
    return number if not isinstance(number, float) or isfinite(number) else str(number)


def _is_recorded_since(s3: Any, bucket: str, key: str, schema: str, ended: str) -> bool:
    """Return True if the record at ``key`` is of an execution that ended later. A damaged one is replaced."""
    try:
        return (
            is_there(s3, bucket, key) and str(get_document(s3, bucket, key, schema, remedy="")["at"]) > ended
        )
    except (DamagedFileError, KeyError):
        return False


def _judged(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of the steps after training; None for a step that the pipeline does not have."""
    package = state.get("package") or {}
    return {
        **_reported(state.get("report") or {"Cause": "the step that writes it did not run"}),
        "verdict": state.get("verdict"),
        "model_package": package.get("ModelPackageArn"),
        **_incomplete_lineage(package.get("lineage") or {}),
        "tuning": state.get("tuned"),
    }


def _reported(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the page about the training is, or why there is none."""
    if "uri" in report:
        return {"report": report["uri"]}
    reason = _failure_of(report)
    LOG.warning("there is no report: %s", reason)
    return {"report": None, "report_missing": reason}


def _incomplete_lineage(lineage: Mapping[str, Any]) -> dict[str, Any]:
    """Return why SageMaker's own lineage is incomplete; nothing if it is complete, or not asked for."""
    if "missing" in lineage:
        return {"lineage_missing": lineage["missing"]}
    if "Error" in lineage:
        reason = _failure_of(lineage)
        LOG.warning("SageMaker's own lineage is incomplete: %s", reason)
        return {"lineage_missing": reason}
    return {}


def _failure_of(step: Mapping[str, Any]) -> str:
    """Return the error of a step that was caught, as text."""
    error = str(step.get("Error") or "")
    reason = text_of(str(step.get("Cause") or ""))[:LONGEST_SAID]
    return f"{error}: {reason}" if error else reason


def _current(detail: Mapping[str, Any]) -> CurrentModel:
    return CurrentModel(
        job=detail["job"],
        model=detail["model"],
        data_set=detail["data_set"],
        metrics=detail["metrics"],
        test_data=(detail["verdict"] or {}).get("test_data", {}),
    )


def failure(about: Mapping[str, Any], error: str, cause: str, remedy: str = "") -> dict[str, Any]:
    """Return the detail of Training Failed. A remedy at the end of the cause is removed from it."""
    message = cause.removesuffix(f"\n{remedy}") if remedy else cause
    return {**about, "error": error, "cause": message[:LONGEST_TEXT], "remedy": remedy or REMEDY}


def tell(events: Any, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Put an event on the default bus, and count it. Raises ServiceError if EventBridge refuses it."""
    source = LINEAGE_SOURCE if detail_type == LINEAGE else SOURCE
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    for attempt in range(1, TELL_ATTEMPTS + 1):
        with naming("PutEvents", f"{detail_type} of {detail.get('pipeline')}"):
            answer = events.put_events(Entries=[entry])
        if not answer["FailedEntryCount"]:
            count(detail_type, detail)
            return
        if attempt < TELL_ATTEMPTS:
            time.sleep(random.uniform(0, 0.2 * 4**attempt))  # noqa: S311 - jitter, not a secret
    refused = answer["Entries"][0]
    raise ServiceError(
        f"EventBridge refused {detail_type}: {refused['ErrorCode']}: {refused['ErrorMessage']}"
    )


def _said(asked: Mapping[str, Any], name: str) -> str | None:
    """Return a text from the execution input, even from an input that Plan refused."""
    value = asked.get(name)
    return value[:LONGEST_SAID] if isinstance(value, str) else None


def utc_text(moment: datetime) -> str:
    """Return a time as records have it: texts of two times compare as the times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _seconds_since(start: str) -> int:
    return round((datetime.now(UTC) - datetime.fromisoformat(start)).total_seconds())
