"""Lifecycle: when its stack is deployed an endpoint is brought up to date, when it is deleted it goes too.

CloudFormation does not know the endpoint, which appears with the first model; a custom
resource stands for it:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from amazon_estimators.errors import ServiceError
from amazon_estimators.serving.calls import call
from amazon_estimators.serving.clean import CONFIGS, MODELS, delete_all, names_of
from amazon_estimators.serving.decision import IN_PROGRESS
from amazon_estimators.serving.deploy import delete, described

PAUSE = 5
"""Seconds between two looks at an endpoint that is being deleted."""
PATIENCE = 13 * 60
"""Seconds that the function waits for SageMaker; its timeout is a little longer."""
LONGEST_REASON = 1_000
STARTED = "ExecutionAlreadyExists"
ANSWERS = 5
"""Attempts at an answer: without one, CloudFormation waits for an hour."""
ANSWER_SECONDS = 10


def live(
    stepfunctions: Any,
    sagemaker: Any,
    event: Mapping[str, Any],
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Do what CloudFormation asks; return the name of the endpoint, which identifies the resource.

    Args:
        stepfunctions: A client.
        sagemaker: A client.
        event: CloudFormation's request. Its properties are ``name``, of the endpoint, ``state_machine``,
            ``retain`` ("true" to leave the endpoint) and ``settings``, whose change is a reason to deploy.
        sleep: Waits for so many seconds.
    """
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete":
        _start(stepfunctions, properties["state_machine"], event)
        return str(properties["name"])
    name = str(event["PhysicalResourceId"])
    if properties["retain"] != "true":
        remove(sagemaker, name, sleep)
    return name


def _start(stepfunctions: Any, state_machine: str, event: Mapping[str, Any]) -> None:
    """Start an execution, one for each request, however often this is called for it."""
    reason = json.dumps({"reason": f"stack {event['RequestType'].lower()}"})
    try:
        call(
            stepfunctions.start_execution,
            state_machine,
            stateMachineArn=state_machine,
            name=event["RequestId"],
            input=reason,
        )
    except ServiceError as error:
        if STARTED not in error.message:
            raise


def remove(sagemaker: Any, name: str, sleep: Callable[[float], None]) -> None:
    """Delete an endpoint, then its configurations and models.

    The endpoint is waited for: SageMaker deletes it as the execution role, which goes next.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpoint.html
    """
    asked = False
    for _ in range(PATIENCE // PAUSE):
        endpoint = described(sagemaker, name)
        if endpoint is None:
            break
        if endpoint["EndpointStatus"] not in IN_PROGRESS and not asked:
            delete(sagemaker, name, endpoint)
            asked = True
        sleep(PAUSE)
    for kind in (CONFIGS, MODELS):
        delete_all(sagemaker, kind, list(names_of(sagemaker, kind, name)))


def answer(event: Mapping[str, Any], act: Callable[[], str]) -> dict[str, Any]:
    """Act, and tell CloudFormation how it went: without an answer it waits for an hour."""
    told = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    identity = event.get("PhysicalResourceId") or event["ResourceProperties"]["name"]
    try:
        told |= {"Status": "SUCCESS", "PhysicalResourceId": act()}
    except Exception as error:
        told |= {"Status": "FAILED", "PhysicalResourceId": identity, "Reason": str(error)[:LONGEST_REASON]}
    _put(event["ResponseURL"], json.dumps(told).encode())
    return told


def _put(url: str, body: bytes) -> None:
    """Send the answer to CloudFormation's presigned URL, which was signed without a content type.

    Raises:
        ServiceError: It was not taken. Lambda then calls the function again.
    """
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - not needed without AWS
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    session = URLLib3Session(verify=os.environ.get("AWS_CA_BUNDLE") or True, timeout=ANSWER_SECONDS)
    refused = ""
    for attempt in range(ANSWERS):
        if attempt:
            time.sleep(random.uniform(0, 0.5 * 2**attempt))  # noqa: S311 - jitter, not a secret
        request = AWSRequest("PUT", url, data=body, headers={"Content-Type": ""})
        try:
            answered = session.send(request.prepare())
        except HTTPClientError as error:
            refused = f"{type(error).__name__}: {error}"
            continue
        if answered.status_code < 400:
            return
        refused = f"{answered.status_code} {answered.text[:200]}"
    raise ServiceError(f"CloudFormation took no answer: {refused}")
