"""Decide how many shards are encoded at a time, so that the account's other functions can run meanwhile.

A new account has 10 concurrent executions, and Lambda reserves none of them for a function: "Specified
ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum
value of [10]". If Encode took them all, triggers would wait for the starter as long as the Map runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators.logs import note

SPARE = 2
"""Concurrent executions that are left to other functions: the starter, and one of another pipeline."""


def lambda_client() -> Any:
    """Return a client of Lambda that soon gives up: the question can do without an answer."""
    import boto3  # noqa: PLC0415 - not needed without AWS
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
    return boto3.client("lambda", config=config)


def shards_at_once(client: Any, told: Mapping[str, Any]) -> int:
    """Return the number of shards that are encoded at a time, 1 or more.

    If Lambda does not say what the account has, which a VPC may not let through, it is what was asked for.

    Args:
        client: boto3's client of Lambda.
        told: ``most``, what the pipeline asks for; ``reserved``, what is reserved for Encode, if anything is.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    most, reserved = int(told["most"]), told.get("reserved")
    if reserved is not None:
        return min(most, int(reserved))
    try:
        limit = client.get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        note(concurrency_unknown=str(error))
        return most
    return max(1, min(most, int(limit["UnreservedConcurrentExecutions"]) - SPARE))
