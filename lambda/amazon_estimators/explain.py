"""Explain: from what Step Functions says of a failure to the typed error and a text a reader can act on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAP_FAILED = "States.ExceedToleratedFailureThreshold"
CAUSE_LIMIT = 30_000
"""Characters; Step Functions takes 32,768 bytes of cause."""


def failures_prefix(prefix: str, execution: str) -> str:
    return f"{prefix}failures/{execution}/"


def failure_key(prefix: str, execution: str, shard: int) -> str:
    """Where Encode leaves a user's error; under the execution, so that an old failure never explains a new one."""
    return f"{failures_prefix(prefix, execution)}{shard:05d}.json"


def explain(s3: Any, error: Mapping[str, str], plan: Mapping[str, Any], execution: str) -> dict[str, str]:
    """``{"error", "cause"}`` of a failed state: the library's own error, the shard's, or the training job's."""
    name, cause = error.get("Error", "Unknown"), error.get("Cause", "")
    if name == MAP_FAILED and plan:
        failures = failures_prefix(plan["prefix"], execution)
        listed = s3.list_objects_v2(Bucket=plan["bucket"], Prefix=failures, MaxKeys=1)
        for found in listed.get("Contents", ()):
            answer = s3.get_object(Bucket=plan["bucket"], Key=found["Key"])
            first: dict[str, str] = json.loads(answer["Body"].read())
            return {"error": first["error"], "cause": first["cause"]}
    try:
        details = json.loads(cause)
    except ValueError:
        details = None
    if isinstance(details, dict) and "errorMessage" in details:
        return {"error": details.get("errorType", name), "cause": str(details["errorMessage"])[:CAUSE_LIMIT]}
    if isinstance(details, dict) and "TrainingJobName" in details:
        reason = details.get("FailureReason") or f"status {details.get('TrainingJobStatus')}"
        return {
            "error": "TrainingJobError",
            "cause": f"Training job {details['TrainingJobName']}: {reason}"[:CAUSE_LIMIT],
        }
    return {"error": name, "cause": cause[:CAUSE_LIMIT]}
