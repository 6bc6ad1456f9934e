"""Ask an endpoint for predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np
from botocore.exceptions import ClientError

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.client.label_words import words_of_labels
from amazon_estimators.client.training_job import checked_job_name, console_host
from amazon_estimators.client.waiting import wait_for
from amazon_estimators.errors import EndpointError, InputError, RequestError
from amazon_estimators.inference import Predictions, accept_for, read_response, write_request
from amazon_estimators.inference.responses import LABEL
from amazon_estimators.inference.rows import row_count, vectors
from amazon_estimators.storage.sessions import client_of, region_of

MAX_REQUEST_BYTES = 4 * 2**20
"""Bytes of a request; more rows take several requests. It is the limit of a serverless endpoint.

https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
"""
GOING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class Predictor:
    """An endpoint by name. As a context manager, it deletes endpoint, configuration and model at the end."""

    def __init__(
        self,
        endpoint_name: str,
        algorithm: type[Algorithm] | Algorithm | None = None,
        *,
        classes: Sequence[str] | None = None,
        session: Any = None,
    ) -> None:
        """Name the endpoint.

        Args:
            endpoint_name: An endpoint of the account.
            algorithm: The algorithm that answers. Default: from the image of the endpoint's model.
            classes: The words of the labels, of which the predictions then have ``predicted_class``. Default:
                those of the RecordSet that the endpoint's model was trained on, if its labels were words.
            session: A ``boto3.Session``. Default: a new one.
        """
        self.endpoint_name, self.session = endpoint_name, session
        self._algorithm = algorithm if isinstance(algorithm, type) or algorithm is None else type(algorithm)
        self._classes = None if classes is None else tuple(classes)
        self._sagemaker, self._runtime = (
            client_of(session, one) for one in ("sagemaker", "sagemaker-runtime")
        )

    @property
    def algorithm(self) -> type[Algorithm]:
        """The algorithm that answers. Raises RequestError if the endpoint serves another image."""
        if self._algorithm is None:
            names = self._model_names()
            images = {self._image(name) for name in names}
            known = {one.repo_name: one for one in ALGORITHMS.values()}
            found = {known.get(image.rpartition("/")[2].partition(":")[0]) for image in images}
            algorithm = found.pop() if len(found) == 1 else None
            if algorithm is None:
                raise RequestError(
                    f"endpoint {self.endpoint_name} serves {', '.join(sorted(images))}",
                    remedy=f"Use an endpoint of one of {', '.join(sorted(ALGORITHMS))}.",
                )
            self._algorithm = algorithm
        return self._algorithm

    def predict(
        self,
        rows: Any,
        *,
        content_type: str | None = None,
        accept: str | None = None,
        verbose: bool = False,
        target_model: str | None = None,
        target_variant: str | None = None,
        max_sequences: tuple[int, int] | None = None,
    ) -> Predictions:
        """Return the predictions for rows, in their order.

        Args:
            rows: Feature vectors: an array of (rows, features) or (features,), a data frame, a SciPy sparse
                matrix. For Object2Vec, mappings with ``in0`` and ``in1``; for IPInsights, pairs.
            content_type: Content type of the requests. Default: the algorithm's preferred one.
            accept: Content type of the responses. Default: the algorithm's preferred one.
            verbose: Ask for the optional fields too: KNN's neighbours, IPInsights' embeddings.
            target_model: The archive to ask at a multi-model endpoint, such as ``"a.tar.gz"``.
            target_variant: The variant to ask. Default: chosen by the variants' weights.
            max_sequences: Lengths of Object2Vec's longest sequences, for embeddings.

        Returns:
            An array per field; ``.records()`` returns a dictionary per row. Rows that exceed one request of 4
            MiB are sent in several.

        Raises:
            InputError: The rows cannot be written.
            EndpointError: The container refused a request; with its message and the location of its log.
            ResponseError: An answer is not in the algorithm's documented format.
        """
        algorithm = self.algorithm
        options = {"TargetModel": target_model, "TargetVariant": target_variant}
        headers = {
            "EndpointName": self.endpoint_name,
            "Accept": accept_for(algorithm, accept, verbose=verbose),
            **{name: value for name, value in options.items() if value is not None},
        }
        parts = [vectors(rows) if algorithm.inference.rows == "vector" else [*rows]]
        answers = []
        while parts:
            part = parts.pop()
            request = write_request(algorithm, part, content_type, max_sequences=max_sequences)
            if len(request.body) > MAX_REQUEST_BYTES:
                parts += reversed(_halves(part, len(request.body)))
                continue
            response = self.ask({**headers, "Body": request.body, "ContentType": request.content_type})
            answer = read_response(algorithm, response["Body"].read(), response["ContentType"])
            if answer.rows != request.rows:
                raise EndpointError(
                    f"endpoint {self.endpoint_name} returned {answer.rows} rows for {request.rows}"
                )
            answers.append(answer)
        answer = joined(answers)
        return answer.with_classes(self.classes) if LABEL in answer and target_model is None else answer

    @property
    def classes(self) -> tuple[str, ...]:
        """The words of the labels that the endpoint's model was trained on; none if they are numbers, or if
        its variants have different models."""
        if self._classes is None:
            files = {self._container(name).get("ModelDataUrl", "") for name in self._model_names()}
            self._classes = words_of_labels(files.pop(), self.session) if len(files) == 1 else ()
        return self._classes

    def wait(self, *, poll: float | None = None) -> Self:
        """Wait until the endpoint is in service.

        Raises:
            EndpointError: It failed, or an update was rolled back.
            Detached: Ctrl-C was pressed; the endpoint continues.
        """
        described = wait_for(
            lambda: dict(self._sagemaker.describe_endpoint(EndpointName=self.endpoint_name)),
            status="EndpointStatus",
            going=GOING,
            detail=lambda _: f"endpoint {self.endpoint_name}",
            way_back=self._way_back(),
            poll=poll,
        )
        if described["EndpointStatus"] != "InService" or described.get("FailureReason"):
            reason = described.get("FailureReason") or "no reason given"
            raise EndpointError(
                f"Endpoint {self.endpoint_name} is {described['EndpointStatus']}: {reason}",
                remedy=f"See its log: {self._log_url()}. Then delete it: "
                f"Predictor({self.endpoint_name!r}).delete_endpoint()",
            )
        return self

    def delete_endpoint(self, delete_endpoint_config: bool = True) -> None:
        """Delete the endpoint and, by default, its configuration: billing ends."""
        config = self._sagemaker.describe_endpoint(EndpointName=self.endpoint_name)["EndpointConfigName"]
        self._sagemaker.delete_endpoint(EndpointName=self.endpoint_name)
        if delete_endpoint_config:
            with already_gone():
                self._sagemaker.delete_endpoint_config(EndpointConfigName=config)

    def delete_model(self) -> None:
        """Delete the models that the endpoint serves. Call it before :meth:`delete_endpoint`: the
        configuration names them."""
        for name in self._model_names():
            with already_gone():
                self._sagemaker.delete_model(ModelName=name)

    def delete(self) -> None:
        """Delete models, endpoint and configuration, as far as they still exist."""
        with already_gone():
            self.delete_model()
        with already_gone():
            self.delete_endpoint()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of InvokeEndpoint. Raises EndpointError if the container refuses the request."""
        try:
            answer: dict[str, Any] = self._runtime.invoke_endpoint(**request)
        except ClientError as error:
            detail = error.response["Error"]
            if detail["Code"] != "ModelError":
                raise
            status = error.response.get("OriginalStatusCode", "")
            reason = error.response.get("OriginalMessage") or detail["Message"]
            raise EndpointError(
                f"the container of endpoint {self.endpoint_name} answered {status}: {reason}",
                remedy=f"Its log: {self._log_url()}",
            ) from error
        return answer

    def _model_names(self) -> list[str]:
        endpoint = self._sagemaker.describe_endpoint(EndpointName=self.endpoint_name)
        config = self._sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        return [variant["ModelName"] for variant in config["ProductionVariants"]]

    def _image(self, model_name: str) -> str:
        return str(self._container(model_name).get("Image", ""))

    def _container(self, model_name: str) -> Mapping[str, Any]:
        model = self._sagemaker.describe_model(ModelName=model_name)
        container: Mapping[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
        return container

    def _way_back(self) -> str:
        name = self.endpoint_name
        return (
            f"Stopped waiting; endpoint {name} is still being created, and is billed once in service.\n"
            f"  Wait again:  Predictor({name!r}).wait()\n"
            f"  Delete it:   Predictor({name!r}).delete()"
        )

    def _log_url(self) -> str:
        region = region_of(self.session)
        return (
            f"https://{console_host(region)}/cloudwatch/home?region={region}"
            f"#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FEndpoints$252F{self.endpoint_name}"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()

    def __repr__(self) -> str:
        return f"Predictor({self.endpoint_name!r})"


def new_config_name(endpoint_name: str) -> str:
    """Return a name for another configuration of an endpoint."""
    return checked_job_name(None, base=endpoint_name)


@contextmanager
def already_gone() -> Iterator[None]:
    """Ignore the service's error for a resource that does not exist."""
    try:
        yield
    except ClientError as error:
        if not error.response["Error"].get("Message", "").startswith("Could not find"):
            raise


def joined(answers: list[Predictions]) -> Predictions:
    """Return the predictions of several answers as one, in their order."""
    if len(answers) == 1:
        return answers[0]
    filled = [answer for answer in answers if answer.rows]
    names = filled[0] if filled else ()
    return Predictions({name: np.concatenate([answer[name] for answer in filled]) for name in names})


def _halves(part: Any, size: int) -> list[Any]:
    """Return the two halves of rows that exceed one request."""
    count = len(part) if isinstance(part, list) else row_count(part)
    if count == 1:
        raise InputError(
            f"one row is {size:,} bytes; a request takes {MAX_REQUEST_BYTES:,}",
            remedy="Transform it in batch: a transform job accepts up to 100 MB per record.",
        )
    return [sliced(part, 0, count // 2), sliced(part, count // 2, count)]


def sliced(part: Any, start: int, stop: int) -> Any:
    if not hasattr(part, "indptr"):
        return part[start:stop]
    pointers = part.indptr[start : stop + 1]
    values = slice(int(pointers[0]), int(pointers[-1]))
    return part._replace(
        data=part.data[values],
        indices=part.indices[values],
        indptr=pointers - pointers[0],
        shape=(stop - start, part.shape[1]),
    )
