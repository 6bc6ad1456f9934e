"""How tasks fail: the error and the cause, as Step Functions reports them."""

from __future__ import annotations

import json

from tasks import LostAnswer, TaskError

THROTTLED = TaskError("Lambda.TooManyRequestsException", "Rate Exceeded.")
FAULT = TaskError("Lambda.ServiceException", "An internal error occurred.")
CRASH = TaskError(
    "Runtime.ExitError", '{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error"}'
)
IN_USE = TaskError("SageMaker.ResourceInUseException", "Training job names must be unique.")
REFUSED = TaskError("SageMaker.AmazonSageMakerException", "Rate exceeded (Error Code: ThrottlingException)")
LOST = LostAnswer(REFUSED.error, "The service did not answer (Error Code: InternalFailure)")
SDK_FAULT = TaskError("SageMaker.SageMakerException", "Rate exceeded (Service: SageMaker, Status Code: 400)")
FULL = TaskError(
    "SageMaker.ResourceLimitExceededException",
    "The account-level service limit 'ml.m5.large for training job usage' is 1 Instances, with current "
    "utilization of 1 Instances and a request delta of 1 Instances. (Error Code: ResourceLimitExceeded)",
)
NEVER = TaskError(FULL.error, FULL.cause.replace("utilization of 1", "utilization of 0"))


def job_failed(reason: str, kind: str = "TrainingJob") -> TaskError:
    """How ``.sync`` reports a job that failed: its description is the cause."""
    described = {f"{kind}Name": "job", f"{kind}Status": "Failed", "FailureReason": reason}
    return TaskError("States.TaskFailed", json.dumps(described))


NO_CAPACITY = job_failed("CapacityError: Unable to provision requested ML compute capacity.")
CLIENT_ERROR = job_failed("ClientError: k must not exceed the number of records")
