"""Every error that a user can meet: its name, its meaning and its remedy.

The class name is the contract: it is the ``Error`` of a failed execution, so Step Functions catchers and
dashboards can match on it. ``str(error)`` says what is wrong and, on its last line, what to do about it.
"""

from __future__ import annotations

__all__ = [
    "AmazonEstimatorsError",
    "DamagedFileError",
    "EndpointError",
    "FunctionError",
    "HyperparameterError",
    "InputError",
    "InstanceError",
    "InvalidRequestError",
    "ModelError",
    "NoInputError",
    "ObjectChangedError",
    "PredictionsError",
    "PriceError",
    "RecordIOError",
    "RecordSetError",
    "RegionError",
    "RequestError",
    "ResponseError",
    "SchemaError",
    "ServiceError",
    "TrainingJobError",
    "TransformJobError",
    "TuningJobError",
]


class AmazonEstimatorsError(Exception):
    """Base of all errors raised on purpose. ``remedy`` is the one sentence that says what to do."""

    remedy: str = ""

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        self.message = message
        if remedy is not None:
            self.remedy = remedy
        super().__init__(f"{message}\n{self.remedy}" if self.remedy else message)


class HyperparameterError(AmazonEstimatorsError, ValueError, TypeError):
    """A hyperparameter, or a set of them, that the algorithm does not take, alone or for this data.

    ``problems`` lists what is wrong, one text each. It is a TypeError too: the SageMaker Python SDK raises
    one for a value of the wrong type.
    """

    problems: tuple[str, ...] = ()


class InstanceError(AmazonEstimatorsError, ValueError):
    """Training instances (type or count) that the algorithm does not run on."""


class RegionError(AmazonEstimatorsError, ValueError):
    """A region in which Amazon publishes no image of the algorithm."""


class RequestError(AmazonEstimatorsError, ValueError, TypeError):
    """An execution input, a pipeline setting, a keyword or a data channel that cannot be understood.

    It is a TypeError too: Python raises one for an unknown keyword.
    """


class InputError(AmazonEstimatorsError, ValueError):
    """Input data that cannot become a RecordSet. The message names object, and row and column where known."""


class NoInputError(InputError):
    """There is no object under a channel's prefix, or none has a row."""

    remedy = "Upload at least one file of a supported format under the prefix, then start again."


class ObjectChangedError(InputError):
    """An input object was replaced or deleted between Plan and Encode."""

    remedy = "Start a new execution: it plans from the current objects."


class SchemaError(InputError):
    """Two input files, or two shards, disagree on features, labels or type."""


class RecordIOError(AmazonEstimatorsError, ValueError):
    """Bytes that are not a RecordIO-protobuf file the first-party algorithms read.

    ``file`` is its name ("" if it has none), ``record`` the number of the record in it, counted from 0,
    ``offset`` the byte at which that record starts and ``reason`` what is wrong with it; record and offset
    are None where the file as a whole is wrong.
    """

    remedy = "Write the file again with amazon_estimators.recordio."

    def __init__(
        self, reason: str, *, file: str = "", record: int | None = None, offset: int | None = None
    ) -> None:
        self.reason = reason
        self.file = file
        self.record = record
        self.offset = offset
        where = [file] if file else []
        if record is not None:
            where.append(f"record {record} at byte {offset}")
        super().__init__(": ".join([*where, reason]))


class ModelError(AmazonEstimatorsError, ValueError):
    """A model file that cannot be read, or a model that needs its container for the request."""


class ResponseError(AmazonEstimatorsError, ValueError):
    """A response of an endpoint or a transform job that is not in the algorithm's documented format."""

    remedy = (
        "Ask again; if the answer is the same, look in the container's log, and at which algorithm it is of."
    )


class RecordSetError(AmazonEstimatorsError):
    """A RecordSet that is incomplete or differs from what its encoders recorded."""

    remedy = "Redrive the execution, or start another: it encodes the missing shards again."


class PredictionsError(AmazonEstimatorsError):
    """Predictions that are not one for each row, or parts of them that are missing or were changed."""

    remedy = "Redrive the execution, or start another: it predicts again."


class ServiceError(AmazonEstimatorsError):
    """A call to an AWS service still failed after all retries. The message names call and object."""

    remedy = "Redrive the execution: it continues with what is missing."


class InvalidRequestError(ServiceError):
    """SageMaker did not accept a request: a name is taken or unknown, or an endpoint is being updated."""


class DamagedFileError(AmazonEstimatorsError):
    """A file the pipeline keeps on S3 for itself was cut or changed, or is of another release.

    The message names the object, the remedy says how to go on without it.
    """

    remedy = "Delete the object, then redrive the execution: it is written again."


class TrainingJobError(AmazonEstimatorsError):
    """A training job ended without a model. The message carries the service's failure reason."""


class FunctionError(AmazonEstimatorsError):
    """Lambda did not run a function: after all retries it was still at its limit, or it had a fault.

    The message begins with Lambda's own name for it, such as ``Lambda.TooManyRequestsException``.
    """

    remedy = "Redrive the execution: it continues with what is missing."


class EndpointError(AmazonEstimatorsError):
    """An endpoint did not come into service, or its container refused a request: the service's reason."""


class TransformJobError(AmazonEstimatorsError):
    """A transform job did not complete. The message carries the service's failure reason."""


class TuningJobError(AmazonEstimatorsError):
    """A tuning job ended without a model. The message carries the service's failure reason."""


class PriceError(AmazonEstimatorsError, ValueError):
    """A file that holds no prices, or a price that AWS does not tell."""

    remedy = "Write the file with amazon-estimators prices --update, or see docs/cost.md for its form."
