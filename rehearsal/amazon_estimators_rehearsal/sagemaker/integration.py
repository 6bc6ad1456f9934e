"""Call SageMaker as Step Functions does: with the state machine's role and no other permissions.

It implements the optimised integrations (``sagemaker:createTrainingJob`` and others, with ``.sync`` if AWS
has it) and the SDK integrations (``aws-sdk:sagemaker:describeTrainingJob`` and others).
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials
from amazon_estimators_rehearsal.sagemaker.resources import tags_of

OPTIMISED, SDK = "arn:aws:states:::sagemaker:", "arn:aws:states:::aws-sdk:sagemaker:"
"""Prefixes of the tasks' resources."""
SYNC = ".sync"
OTHER = "AmazonSageMakerException"
"""The error of an optimised integration that has no name of its own."""
POLL_SECONDS = 0.2
LOST_ANSWER_TAG = "rehearsal:lost-answer"
"""A tag of a job whose creation Step Functions gets no answer to: SageMaker makes it all the same."""
_ENDED = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True)
class Job:
    """A kind of job that ``.sync`` waits for.

    Attributes:
        noun: Its name in the API's operations and members, such as ``TrainingJob``.
        segment: Its name in ARNs, such as ``training-job``.
        rule: The managed EventBridge rule through which Step Functions learns of the job's end.
    """

    noun: str
    segment: str
    rule: str

    @property
    def name_member(self) -> str:
        return f"{self.noun}Name"


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        f"create{job.noun}": job
        for job in (
            Job("TrainingJob", "training-job", "StepFunctionsGetEventsForSageMakerTrainingJobsRule"),
            Job("TransformJob", "transform-job", "StepFunctionsGetEventsForSageMakerTransformJobsRule"),
            Job(
                "HyperParameterTuningJob",
                "hyper-parameter-tuning-job",
                "StepFunctionsGetEventsForSageMakerTuningJobsRule",
            ),
        )
    }
)
ACTIONS = frozenset({*JOBS, "createModel", "createEndpointConfig", "createEndpoint", "updateEndpoint"})
"""The optimised integrations that the stand-in implements."""


class TaskFailedError(Exception):
    """Raised if the task fails, with Step Functions' ``Error`` and ``Cause``."""

    def __init__(self, error: str, cause: str) -> None:
        self.error, self.cause = error, cause
        super().__init__(f"{error}: {cause}")


def run_task(
    client: Any,
    account: Account,
    role: Credentials,
    resource: str,
    parameters: Mapping[str, Any],
    *,
    running: Callable[[], bool],
) -> dict[str, Any]:
    """Make a task's call. With ``.sync``, wait for the job's end.

    Args:
        client: A SageMaker client that acts as ``role``.
        account: The account.
        role: Credentials of the state machine's role.
        resource: The task's resource.
        parameters: The call's parameters.
        running: Returns False once the execution is stopped; the job is then stopped too.

    Returns:
        The service's answer in Step Functions' JSON.

    Raises:
        TaskFailedError: The call was refused, or the job did not complete.
    """
    if resource.startswith(SDK):
        action = resource.removeprefix(SDK)
        answer: dict[str, Any] = to_states_json(
            _call(_method(client, action), other="SageMakerException", **parameters), _iso
        )
        return answer
    action = resource.removeprefix(OPTIMISED).removesuffix(SYNC)
    if action not in ACTIONS or (resource.endswith(SYNC) and action not in JOBS):
        raise TaskFailedError("States.Runtime", f"The stand-in has no integration {resource}.")
    if not resource.endswith(SYNC):
        created: dict[str, Any] = to_states_json(_call(_method(client, action), **parameters))
        return created
    return _run_job(client, account, role, JOBS[action], parameters, running)


def _run_job(  # noqa: PLR0917 - all of them belong to the task
    client: Any,
    account: Account,
    role: Credentials,
    job: Job,
    parameters: Mapping[str, Any],
    running: Callable[[], bool],
) -> dict[str, Any]:
    name = str(parameters.get(job.name_member, ""))
    _check_sync_permissions(account, role, job, name)
    _call(_method(client, f"create{job.noun}"), **parameters)
    if LOST_ANSWER_TAG in tags_of(parameters):
        raise TaskFailedError(f"SageMaker.{OTHER}", _cause("InternalFailure", "The answer is lost.", 500))
    while True:
        described = _call(_method(client, f"describe{job.noun}"), **{job.name_member: name})
        status = described[f"{job.noun}Status"]
        if status in _ENDED:
            break
        if not running():
            _call(_method(client, f"stop{job.noun}"), **{job.name_member: name})
            noun = job.segment.replace("-", " ")
            raise TaskFailedError("States.TaskFailed", f"The execution was stopped; so was the {noun}.")
        time.sleep(POLL_SECONDS)
    result: dict[str, Any] = to_states_json(described)
    if status != "Completed":
        raise TaskFailedError("States.TaskFailed", json.dumps(result))
    return result


def _check_sync_permissions(account: Account, role: Credentials, job: Job, name: str) -> None:
    """Check the other permissions that a ``.sync`` role needs on AWS: the managed rule, stopping, tagging."""
    place = f"{account.region}:{account.account_id}"
    rule = f"arn:aws:events:{place}:rule/{job.rule}"
    arn = f"arn:aws:sagemaker:{place}:{job.segment}/{name.lower()}"
    for action, resource in (
        ("events:PutTargets", rule),
        ("events:PutRule", rule),
        ("events:DescribeRule", rule),
        (f"sagemaker:Stop{job.noun}", arn),
        ("sagemaker:AddTags", arn),
    ):
        denial = account.denial(role.access_key_id, action, resource)
        if denial:
            raise TaskFailedError(f"SageMaker.{OTHER}", _cause("AccessDeniedException", denial, 400))


def _method(client: Any, action: str) -> Any:
    method = getattr(client, xform_name(action[:1].upper() + action[1:]), None)
    if method is None:
        raise TaskFailedError("States.Runtime", f"SageMaker has no action {action}.")
    return method


def _call(method: Callable[..., Any], *, other: str = OTHER, **parameters: Any) -> Any:
    """Make a call; ``other`` names errors that have no name of their own."""
    try:
        return method(**parameters)
    except ParamValidationError as error:
        raise TaskFailedError("States.Runtime", f"The parameters do not fit the API: {error}") from error
    except ClientError as error:
        detail = error.response["Error"]
        code = detail.get("Code", "Unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        modelled = re.fullmatch(r"(ResourceInUse|ResourceLimitExceeded|ResourceNotFound)", code)
        name = f"{code}Exception" if modelled else other
        raise TaskFailedError(f"SageMaker.{name}", _cause(code, detail.get("Message", ""), status)) from error


def _cause(code: str, message: str, status: int) -> str:
    return f"{message} (Service: AmazonSageMaker; Status Code: {status}; Error Code: {code}; Proxy: null)"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_states_json(value: Any, time_of: Callable[[datetime], Any] = _milliseconds) -> Any:
    """Convert an SDK's answer to Step Functions' JSON, without response metadata.

    Optimised integrations write times as milliseconds of the epoch, SDK integrations as ISO 8601.
    """
    if isinstance(value, datetime):
        return time_of(value)
    if isinstance(value, dict):
        return {
            key: to_states_json(item, time_of) for key, item in value.items() if key != "ResponseMetadata"
        }
    if isinstance(value, list):
        return [to_states_json(item, time_of) for item in value]
    return value
