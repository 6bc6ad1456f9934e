"""Explain a failure: turn Step Functions' error into a typed error and a text that a reader can act on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amazon_estimators import errors
from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.remedies import REMEDIES
from amazon_estimators.storage.documents import fields_of, get_document, put_document
from amazon_estimators.storage.s3 import list_stored

SCHEMA = "failure/1"
MAP_FAILED = "States.ExceedToleratedFailureThreshold"
FAILURE_REMEDY = "Redrive the execution: the shard is encoded again, or says again why it cannot be."
MOST_READ = 5
"""Failures of shards that are tried; one is enough to tell why."""
CAUSE_LIMIT = 15_000
"""Bytes. Step Functions accepts a cause of 32,768, which is a function's error in JSON: up to twice as
many."""


def explain(s3: Any, error: Mapping[str, str], plan: Mapping[str, Any]) -> dict[str, str]:
    """Return ``{"error", "cause", "remedy"}`` of a failed state: the library's error, the shard's or the
    job's.

    ``cause`` is the full text: its last line is the remedy. ``remedy`` is ``""`` if none is known.
    """
    name, cause = error.get("Error", "Unknown"), error.get("Cause", "")
    if name == MAP_FAILED and plan:
        return _of_shards(s3, plan)
    details = details_of(cause)
    if "HyperParameterTuningJobName" in details:
        return _answer("TuningJobError", _of_tuning(details))
    if "TransformJobName" in details:
        return _answer("TransformJobError", _of_transform(details))
    if "TrainingJobName" in details:
        return _answer("TrainingJobError", _of_training(details))
    if "errorMessage" in details:
        return _of_function(str(details.get("errorType") or name), str(details["errorMessage"]))
    return _answer(name, cause)


def as_exception(error: str, cause: str) -> Exception:
    """Return an exception with which a function fails with this error and cause, as its class and message."""
    error, cause = _renamed(error, cause)
    raised: type[Exception] = type(error.replace("\0", "?"), (Exception,), {"__module__": "builtins"})
    return raised(cause)


def text_of(cause: str) -> str:
    """Return the readable text in an execution's cause, which is a function's error in JSON."""
    return str(details_of(cause).get("errorMessage", cause))


def reason_of(cause: str) -> str:
    """Return a failed training job's own reason, or the unchanged cause."""
    return str(details_of(cause).get("FailureReason") or cause)


def details_of(cause: str) -> Mapping[str, Any]:
    """Parse a cause as a JSON object; return an empty one if it is not JSON."""
    try:
        details = json.loads(cause)
    except (ValueError, RecursionError):  # thousands of nested brackets are a cause like any other
        return {}
    return details if isinstance(details, dict) else {}


def note_failure(s3: Any, plan: Mapping[str, Any], shard: int, answer: Mapping[str, str]) -> None:
    """Keep what :func:`explain` said of a shard, for the Explain of its execution."""
    put_document(s3, plan["bucket"], keys.failure_key(plan["prefix"], plan["attempt"], shard), SCHEMA, answer)


def _of_shards(s3: Any, plan: Mapping[str, Any]) -> dict[str, str]:
    """Return the error of the first failed shard: one bad file can fail many."""
    prefix = keys.failures_prefix(plan["prefix"], plan["attempt"])
    failures = [key for key, _, _ in list_stored(s3, plan["bucket"], prefix)]
    if not failures:
        return _answer(
            MAP_FAILED,
            "Shards could not be encoded, and the functions could not say why.",
            "The Map Run of this execution lists them with their causes; redriven, it encodes only those "
            "that failed.",
        )
    damaged: list[errors.AmazonEstimatorsError] = []
    for key in failures[:MOST_READ]:
        try:
            first = get_document(s3, plan["bucket"], key, SCHEMA, remedy=FAILURE_REMEDY)
            with fields_of(f"s3://{plan['bucket']}/{key}", remedy=FAILURE_REMEDY):
                error, cause, remedy = (first[name] + "" for name in ("error", "cause", "remedy"))
            break
        except errors.AmazonEstimatorsError as damage:
            damaged.append(damage)
    else:
        return _answer(MAP_FAILED, damaged[0].message, damaged[0].remedy)
    more = {1: "", 2: "\nOne more shard failed."}.get(
        len(failures), f"\n{len(failures) - 1:,} more shards failed."
    )
    message = cause.removesuffix(f"\n{remedy}")
    return _answer(error, f"{message}{more}", remedy)


def _of_training(job: Mapping[str, Any]) -> str:
    name, status = job["TrainingJobName"], job.get("TrainingJobStatus", "Failed")
    detail = job.get("SecondaryStatus")
    ended = f"{status}, {detail}" if detail and detail != status else status
    return (
        f"Training job {name} ended as {ended}: {job.get('FailureReason') or 'the service gave no reason'}\n"
        f"Its log: group /aws/sagemaker/TrainingJobs, streams {name}/…"
    )


def _of_tuning(job: Mapping[str, Any]) -> str:
    name, status = job["HyperParameterTuningJobName"], job.get("HyperParameterTuningJobStatus", "Failed")
    return (
        f"Tuning job {name} ended as {status}: {job.get('FailureReason') or 'the service gave no reason'}\n"
        f"The logs of its trainings: group /aws/sagemaker/TrainingJobs, streams {name}-…"
    )


def _of_transform(job: Mapping[str, Any]) -> str:
    name, status = job["TransformJobName"], job.get("TransformJobStatus", "Failed")
    return (
        f"Transform job {name} ended as {status}: "
        f"{job.get('FailureReason') or 'the service gave no reason'}\n"
        f"Its log: group /aws/sagemaker/TransformJobs, streams {name}/…"
    )


def _renamed(error: str, cause: str) -> tuple[str, str]:
    """Rename Lambda's own errors.

    Raised under its own name, the state machine would take it for a fault of the function that raises it,
    retry that function, and end in a state that no redrive continues from.
    """
    if error.startswith("Lambda."):
        return errors.FunctionError.__name__, f"{error}: {cause}"
    return error, cause


def _of_function(error: str, text: str) -> dict[str, str]:
    """Explain an error that a function raised. The last line of the library's own errors is the remedy."""
    message, newline, last = text.strip().rpartition("\n")
    ours = isinstance(getattr(errors, error, None), type) and bool(newline)
    return _answer(error, message, last) if ours else _answer(error, text)


def _answer(error: str, message: str, remedy: str = "") -> dict[str, str]:
    """Return an answer short enough for Step Functions: the beginning of a long message, and always the
    remedy."""
    error, message = _renamed(error, message)
    if not remedy:
        known = (remedy for word, remedy in REMEDIES.items() if word == error or word in message)
        remedy = next(known, "")
    remedy = _cut(remedy, CAUSE_LIMIT // 2)
    ending = f"\n{remedy}" if remedy else ""
    message = _cut(message, CAUSE_LIMIT - len(ending.encode()))
    return {"error": _cut(error, CAUSE_LIMIT), "cause": f"{message}{ending}", "remedy": remedy}


def _cut(text: str, limit: int) -> str:
    """Return the first ``limit`` bytes, in UTF-8. JSON can hold half a surrogate pair, which UTF-8 cannot."""
    return text.encode(errors="replace")[:limit].decode(errors="ignore")
