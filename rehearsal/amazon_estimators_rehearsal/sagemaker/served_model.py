"""Serve a model in its container: turn the bytes of a request into those of the response."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.inference.models import LocalModel
from amazon_estimators_rehearsal.sagemaker.channels import split_uri
from amazon_estimators_rehearsal.sagemaker.model_archive import (
    Predicting,
    UnservedModelError,
    unpack_model,
)
from amazon_estimators_rehearsal.sagemaker.payloads import (
    PayloadError,
    chosen_accept,
    read_rows,
    write_predictions,
)


class ServedModel:
    """The model at an S3 URI, in the image of an algorithm.

    Attributes:
        refusal: Why it cannot predict; "" if it can.
    """

    def __init__(self, s3: Any, algorithm: str, uri: str) -> None:
        """Fetch and load the model. Raises ClientError if the role may not read it."""
        self._algorithm = algorithm_named(algorithm)
        bucket, key = split_uri(uri)
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        self.refusal = ""
        self._model: Predicting | None = None
        try:
            self._model = unpack_model(body, algorithm)
        except UnservedModelError as error:
            self.refusal = str(error)

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the response to a request and its content type.

        Raises:
            PayloadError: The container answers with an HTTP error.
        """
        if self._model is None:
            raise PayloadError(self.refusal, 500)
        answered, verbose = chosen_accept(self._algorithm, accept)
        rows = read_rows(self._algorithm, body, content_type)
        if rows.shape[1] != self._model.feature_dim:
            raise PayloadError(
                f"unable to evaluate payload provided: records have {rows.shape[1]} features; the model was "
                f"trained on {self._model.feature_dim}"
            )
        try:
            sparse = hasattr(rows, "toarray") and not isinstance(self._model, LocalModel)
            predictions = self._model.predict(rows.toarray() if sparse else rows)
        except AmazonEstimatorsError as error:
            raise PayloadError(error.message, 500) from error
        return write_predictions(self._algorithm, predictions, answered, verbose=verbose), answered


def download_problem(error: ClientError, uri: str, role: str) -> str:
    """Return why a model cannot be downloaded, in the service's words."""
    if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NoSuchBucket"):
        return f"Could not find model data at {uri}."
    return (
        f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its '
        'trust relationship policy allows the action "sts:AssumeRole" for the service principal '
        '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
        "object is located in the region."
    )
