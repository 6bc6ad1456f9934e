"""Define SageMaker's error shapes."""

from __future__ import annotations


class ServiceError(Exception):
    """Raised if an API call is refused. ``code`` is the service's error code, ``message`` its text."""

    code = "InternalFailure"
    status = 400

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(f"{self.code}: {message}")


class ValidationError(ServiceError):
    """Raised if the request, or a resource it names, is not valid."""

    code = "ValidationException"


class AccessDeniedError(ServiceError):
    """Raised if the caller lacks a permission beyond the call's own action, such as iam:PassRole."""

    code = "AccessDeniedException"


class ResourceInUseError(ServiceError):
    """Raised if a job with that name exists. A name can never be used again."""

    code = "ResourceInUse"


class ResourceNotFoundError(ServiceError):
    """Raised if there is no resource with that name."""

    code = "ResourceNotFound"


class ConflictError(ServiceError):
    """Raised for a resource that others use."""

    code = "ConflictException"


class ModelAnswerError(ServiceError):
    """Raised if the container behind an endpoint answers a request with an error."""

    code = "ModelError"
    status = 424

    def __init__(self, status: int, message: str, log: str) -> None:
        self.original_status, self.original_message = status, message
        whose = "client" if status < 500 else "server"
        super().__init__(
            f'Received {whose} error ({status}) from primary with message "{message}". See {log} for more '
            "information."
        )


class UnknownOperationError(ServiceError):
    """Raised for an operation of SageMaker that the stand-in does not have."""

    code = "UnknownOperationException"


class JobFailedError(Exception):
    """Raised if a training job fails. The text becomes its ``FailureReason``."""
