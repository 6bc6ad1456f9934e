"""Find the functions that Lambda polls a queue for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import lambda_svc, sqs


def pollers_of(queue_url: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the ARN of a queue that has messages, with the configuration of each function that gets them."""
    queue = sqs._queues.get(queue_url)
    if not queue or not queue["messages"]:
        return
    arn = queue["attributes"].get("QueueArn")
    for mapping in [*lambda_svc._esms.values()]:
        if arn and mapping.get("EventSourceArn") == arn:
            name, qualifier = mapping["FunctionName"], mapping.get("Qualifier")
            _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
            yield arn, config
