"""SageMaker's error shapes."""

from __future__ import annotations


class ServiceError(Exception):
    """An API call refused. ``code`` is the service's error code, ``message`` its text."""

    code = "InternalFailure"
    status = 400

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(f"{self.code}: {message}")


class ValidationError(ServiceError):
    """The request, or a thing it names, is not as the service demands."""

    code = "ValidationException"


class AccessDeniedError(ServiceError):
    """The caller lacks a permission the call needs beyond its own action, such as iam:PassRole."""

    code = "AccessDeniedException"


class ResourceInUseError(ServiceError):
    """A job of that name exists. Names are taken for good."""

    code = "ResourceInUse"


class ResourceNotFoundError(ServiceError):
    """No job of that name."""

    code = "ResourceNotFound"


class ConflictError(ServiceError):
    """A resource that is in use by others."""

    code = "ConflictException"


class ModelAnswerError(ServiceError):
    """The container behind an endpoint answered a request with an error."""

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
    """An operation of SageMaker that the stand-in does not have."""

    code = "UnknownOperationException"


class JobFailedError(Exception):
    """A training job that fails; the text becomes its ``FailureReason``."""
