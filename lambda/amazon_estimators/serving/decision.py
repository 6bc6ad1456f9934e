"""Decide what to do next with an endpoint, from what it is and what is wanted. Nothing else is remembered.

An execution asks again after each step, so a lost answer, a redrive or another execution at the same time
changes what it sees and not what it ends with: the endpoint on the newest model.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
FAILED = "Failed"
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html"""


class Move(Enum):
    """The next step."""

    PREPARE = "make model and configuration, and note what is about to be deployed, and over what"
    CREATE = "create the endpoint"
    UPDATE = "update it to the wanted configuration"
    REPLACE = "delete it, as it has failed and nothing else can be done with it, and create it"
    WAIT = "wait until SageMaker is done with it"
    SERVED = "ask it: what this execution has deployed is in service"
    UNCHANGED = "end: the wanted configuration was in service before"
    REVERT = "go back to the configuration before: the model does not answer"
    ROLLED_BACK = "tell that the configuration before is in service again"
    BROKEN = "fail: what this execution has deployed did not come into service"


def decide(endpoint: Mapping[str, Any] | None, wanted: str, attempt: Mapping[str, Any], redrive: int) -> Move:
    """Return the next step.

    Args:
        endpoint: DescribeEndpoint's answer; None if there is no endpoint.
        wanted: The name of the configuration that the model in use calls for.
        attempt: What this execution has done: ``intended``, the configuration that it was about to deploy;
            ``config``, the one whose deployment SageMaker has taken on, ``redrive``, in which redrive; and
            ``refused``, why the model does not answer.
        redrive: The number of redrives so far.

    Example:
        >>> serving = {"EndpointStatus": "InService", "EndpointConfigName": "new"}
        >>> attempt = {"intended": "new", "config": "new", "redrive": 0}
        >>> decide(serving, "new", attempt, 0).name
        'SERVED'
        >>> decide({**serving, "EndpointConfigName": "old"}, "new", attempt, 0).name
        'ROLLED_BACK'
    """
    status = endpoint["EndpointStatus"] if endpoint else None
    serving = endpoint["EndpointConfigName"] if endpoint else None
    if status in IN_PROGRESS:
        return Move.WAIT
    if attempt.get("refused"):
        return Move.REVERT if serving == attempt["config"] else Move.ROLLED_BACK
    intended, deployed = (attempt.get(name) == wanted for name in ("intended", "config"))
    if status in (None, FAILED):
        if deployed and attempt.get("redrive") == redrive:
            return Move.BROKEN
        begin = Move.CREATE if endpoint is None else Move.REPLACE
    elif serving == wanted:
        # If the answer to the request was lost, the intention tells whose deployment it was.
        return Move.SERVED if intended else Move.UNCHANGED
    elif deployed:
        return Move.ROLLED_BACK
    else:
        begin = Move.UPDATE
    return begin if intended else Move.PREPARE
