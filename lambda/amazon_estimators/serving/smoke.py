"""Smoke: ask a freshly deployed endpoint about one record, and look at what it answers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.errors import ResponseError, ServiceError
from amazon_estimators.inference.requests import InferenceWarning, write_request
from amazon_estimators.inference.responses import accept_for, read_response
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.serving.calls import call
from amazon_estimators.serving.sample import sample_of
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import target_model
from amazon_estimators.storage.faults import whole_body

MODEL_ERROR = "ModelError"
LONGEST_REASON = 1_000


def smoke(
    s3: Any, sagemaker: Any, runtime: Any, settings: EndpointSettings, attempt: Mapping[str, Any]
) -> dict[str, Any]:
    """Send one request; return the attempt with ``smoke``, what was asked, and ``refused``.

    ``refused`` says why the model must not stay: the container answered with an error, or with something that
    the algorithm does not answer. It is None if the answer is good.

    Raises:
        ServiceError: The request could not be sent. That says nothing of the model.
    """
    algorithm = algorithm_named(settings.algorithm)
    model = CurrentModel(**attempt["model"])
    job = call(sagemaker.describe_training_job, model.job, TrainingJobName=model.job)
    row, said = sample_of(s3, algorithm, job)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)
        request, accept = write_request(algorithm, row), accept_for(algorithm)
    target = target_model(settings, model)

    def invoke_endpoint(**asked: Any) -> tuple[bytes, str]:
        def ask() -> tuple[bytes, str]:
            answer = runtime.invoke_endpoint(**asked)
            return bytes(answer["Body"].read()), str(answer["ContentType"])

        return whole_body(ask, settings.name, operation="InvokeEndpoint")

    try:
        body, content_type = call(
            invoke_endpoint,
            settings.name,
            EndpointName=settings.name,
            Body=request.body,
            ContentType=request.content_type,
            Accept=accept,
            **({"TargetModel": target} if target else {}),
        )
        refused = _problem(algorithm, body, content_type)
    except ServiceError as error:
        refused = _refusal(error)
    return {**attempt, "smoke": said, "refused": refused}


def _refusal(error: ServiceError) -> str:
    """Return the container's own refusal. Raises the error if it is another one, such as a denial."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not needed without AWS

    cause = error.__cause__
    if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == MODEL_ERROR:
        return f"it refuses the smoke request: {error.message}"[:LONGEST_REASON]
    raise error


def _problem(algorithm: type[Algorithm], body: bytes, content_type: str) -> str | None:
    try:
        predictions = read_response(algorithm, body, content_type)
    except ResponseError as error:
        return f"its answer to the smoke request cannot be read: {error.message}"[:LONGEST_REASON]
    if predictions.rows != 1:
        return f"it answers {predictions.rows} predictions to a smoke request of one record"
    for name, values in predictions.items():
        if not np.isfinite(values).all():
            return f"its answer to the smoke request has {name} {values.tolist()[0]}"
    return None
