"""Log the retries that botocore makes by itself: throttling, service faults, broken connections."""

from __future__ import annotations

from typing import Any

from amazon_estimators.logs import retrying

CAUSE = "amazon-estimators-cause"
"""Key in a request's context, which all attempts share."""


def log_retries(client: Any) -> None:
    """Log a line for every attempt of the boto3 client ``client`` after the first."""
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"response-received.{service}", _remember)
    client.meta.events.register(f"request-created.{service}", _log)


def _remember(parsed_response: Any, exception: Any, context: dict[str, Any], **_: Any) -> None:
    error = (parsed_response or {}).get("Error", {})
    context[CAUSE] = type(exception).__name__ if exception else error.get("Code", "unknown")


def _log(request: Any, operation_name: str, **_: Any) -> None:
    attempt = request.context.get("retries", {}).get("attempt", 1)
    if attempt > 1:
        retrying(
            operation_name, attempt, request.context.get(CAUSE, "unknown"), url=request.url.partition("?")[0]
        )
