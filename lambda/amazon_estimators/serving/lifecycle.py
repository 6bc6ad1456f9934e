"""Lifecycle: when its stack is deployed an endpoint is brought up to date, when it is deleted it goes too.

CloudFormation does not know the endpoint, which appears with the first model; a custom
resource stands for it:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from amazon_estimators.errors import ServiceError
from amazon_estimators.serving.calls import call
from amazon_estimators.serving.clean import CONFIGS, MODELS, delete_all, names_of
from amazon_estimators.serving.decision import IN_PROGRESS
from amazon_estimators.serving.deploy import described

PAUSE = 5
"""Seconds between two looks at an endpoint that is being deleted."""
PATIENCE = 13 * 60
"""Seconds that the function waits for SageMaker; its timeout is a little longer."""
LONGEST_REASON = 1_000


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
        reason = json.dumps({"reason": f"stack {event['RequestType'].lower()}"})
        call(
            stepfunctions.start_execution,
            properties["state_machine"],
            stateMachineArn=properties["state_machine"],
            input=reason,
        )
        return str(properties["name"])
    name = str(event["PhysicalResourceId"])
    if properties["retain"] != "true":
        remove(sagemaker, name, sleep)
    return name


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
            call(sagemaker.delete_endpoint, name, EndpointName=name)
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
    """Send the answer to CloudFormation's presigned URL, which was signed without a content type."""
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - not needed without AWS
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    session = URLLib3Session(verify=os.environ.get("AWS_CA_BUNDLE") or True)
    request = AWSRequest("PUT", url, data=body, headers={"Content-Type": ""})
    answered = session.send(request.prepare())
    if answered.status_code >= 400:
        raise ServiceError(f"CloudFormation took no answer: {answered.status_code} {answered.text[:200]}")
