"""``sagemaker:createTrainingJob`` and ``.sync`` as Step Functions runs them: with the state machine's role,
nothing more.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials

SYNC_RULE = "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
_ENDED = frozenset({"Completed", "Failed", "Stopped"})


class TaskFailedError(Exception):
    """How the task ends if not well: Step Functions' ``Error`` and ``Cause``."""

    def __init__(self, error: str, cause: str) -> None:
        self.error, self.cause = error, cause
        super().__init__(f"{error}: {cause}")


def create_training_job(
    client: Any,
    account: Account,
    role: Credentials,
    parameters: Mapping[str, Any],
    *,
    sync: bool,
    running: Callable[[], bool],
) -> dict[str, Any]:
    """Create the job with ``client``, which acts as ``role``; with ``sync``, wait for its end.

    ``running()`` turns False when the execution is stopped: the job is stopped with it.
    Returns the service's answer in Step Functions' JSON. Raises :class:`TaskFailedError`.
    """
    if sync:
        _check_sync_permissions(account, role, parameters)
    answer = _call(client.create_training_job, **parameters)
    if not sync:
        return {"TrainingJobArn": answer["TrainingJobArn"]}
    name = parameters["TrainingJobName"]
    while True:
        job = _call(client.describe_training_job, TrainingJobName=name)
        if job["TrainingJobStatus"] in _ENDED:
            break
        if not running():
            _call(client.stop_training_job, TrainingJobName=name)
            raise TaskFailedError("States.TaskFailed", "The execution was stopped; so was the training job.")
        time.sleep(0.2)
    described: dict[str, Any] = to_states_json(job)
    if job["TrainingJobStatus"] != "Completed":
        raise TaskFailedError("States.TaskFailed", json.dumps(described))
    return described


def _check_sync_permissions(account: Account, role: Credentials, parameters: Mapping[str, Any]) -> None:
    """What AWS asks of a ``.sync`` role beside creating the job: a managed rule, stopping and tagging."""
    place = f"{account.region}:{account.account_id}"
    rule = f"arn:aws:events:{place}:rule/{SYNC_RULE}"
    job = f"arn:aws:sagemaker:{place}:training-job/{str(parameters.get('TrainingJobName', '')).lower()}"
    for action, resource in (
        ("events:PutTargets", rule),
        ("events:PutRule", rule),
        ("events:DescribeRule", rule),
        ("sagemaker:StopTrainingJob", job),
        ("sagemaker:AddTags", job),
    ):
        denial = account.denial(role.access_key_id, action, resource)
        if denial:
            raise TaskFailedError(
                "SageMaker.AmazonSageMakerException", _cause("AccessDeniedException", denial, 400)
            )


def _call(method: Callable[..., Any], **parameters: Any) -> Any:
    try:
        return method(**parameters)
    except ParamValidationError as error:
        raise TaskFailedError("States.Runtime", f"The parameters do not fit the API: {error}") from error
    except ClientError as error:
        detail = error.response["Error"]
        code = detail.get("Code", "Unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        modelled = re.fullmatch(r"(ResourceInUse|ResourceLimitExceeded|ResourceNotFound)", code)
        name = f"{code}Exception" if modelled else "AmazonSageMakerException"
        raise TaskFailedError(f"SageMaker.{name}", _cause(code, detail.get("Message", ""), status)) from error


def _cause(code: str, message: str, status: int) -> str:
    return f"{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code}; Proxy: null)"


def to_states_json(value: Any) -> Any:
    """An SDK answer as Step Functions writes it: times as epoch milliseconds, no response metadata."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: to_states_json(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [to_states_json(item) for item in value]
    return value
