"""The SageMaker SDK's predictors: one per algorithm, each with its serializer and deserializer."""

from __future__ import annotations

from typing import Any, ClassVar

from amazon_estimators import algorithms
from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client import predictor
from amazon_estimators.client.hosting import variant
from amazon_estimators.sdk.common import RecordDeserializer, RecordSerializer
from amazon_estimators.sdk.serializers import (
    BYTES,
    BytesDeserializer,
    CSVSerializer,
    IdentitySerializer,
    JSONDeserializer,
)
from amazon_estimators.storage.sessions import client_of


class Predictor(predictor.Predictor):
    """Asks an endpoint as SDK 2 does: ``predict(data)`` returns what the deserializer reads.

    Attributes:
        serializer: Writes the body of a request; in SDK 1 a function of the data. Default: sends bytes
            unchanged.
        deserializer: Reads the body of a response; in SDK 1 a function of the stream and its content type.
            Default: returns bytes.
        content_type: Content type of requests; the serializer's unless set.
        accept: Content types of responses; the deserializer's unless set.
    """

    algorithm_class: ClassVar[type[Algorithm] | None] = None
    serializer_class: ClassVar[type[Any]] = IdentitySerializer
    deserializer_class: ClassVar[type[Any]] = BytesDeserializer

    def __init__(
        self,
        endpoint_name: str,
        sagemaker_session: Any = None,
        serializer: Any = None,
        deserializer: Any = None,
        component_name: str | None = None,
    ) -> None:
        super().__init__(endpoint_name, self.algorithm_class, session=sagemaker_session)
        self.sagemaker_session = sagemaker_session
        self.serializer = self.serializer_class() if serializer is None else serializer
        self.deserializer = self.deserializer_class() if deserializer is None else deserializer
        self.component_name = component_name
        self._content_type: str | None = None
        self._accept: str | tuple[str, ...] | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint's name, under SDK 1's name for it."""
        return self.endpoint_name

    @property
    def content_type(self) -> str:
        """The content type of requests."""
        return self._content_type or str(getattr(self.serializer, "CONTENT_TYPE", BYTES))

    @content_type.setter
    def content_type(self, content_type: str) -> None:
        self._content_type = content_type

    @property
    def accept(self) -> str | tuple[str, ...]:
        """The content types of responses."""
        accept: str | tuple[str, ...] = getattr(self.deserializer, "ACCEPT", "*/*")
        return self._accept or accept

    @accept.setter
    def accept(self, accept: str | tuple[str, ...]) -> None:
        self._accept = accept

    def predict(  # type: ignore[override]  # noqa: PLR0917  # the SDK's order
        self,
        data: Any,
        initial_args: dict[str, Any] | None = None,
        target_model: str | None = None,
        target_variant: str | None = None,
        inference_id: str | None = None,
        custom_attributes: str | None = None,
        component_name: str | None = None,
    ) -> Any:
        """Return what the deserializer reads from the response to serialized data.

        Args:
            data: Input of the serializer.
            initial_args: Arguments of InvokeEndpoint; they take precedence. Default: none.
            target_model: The archive to ask at a multi-model endpoint.
            target_variant: The variant to ask.
            inference_id: Kept with captured data.
            custom_attributes: Passed on to the container.
            component_name: The inference component to ask.

        Raises:
            EndpointError: The container refused the request.
        """
        accept = self.accept
        options = {
            "TargetModel": target_model,
            "TargetVariant": target_variant,
            "InferenceId": inference_id,
            "CustomAttributes": custom_attributes,
            "InferenceComponentName": component_name or self.component_name,
        }
        request = {
            "EndpointName": self.endpoint_name,
            "ContentType": self.content_type,
            "Accept": accept if isinstance(accept, str) else ", ".join(accept),
            **{name: value for name, value in options.items() if value is not None},
            **(initial_args or {}),
            "Body": getattr(self.serializer, "serialize", self.serializer)(data),
        }
        answer = self.ask(request)
        deserialize = getattr(self.deserializer, "deserialize", self.deserializer)
        return deserialize(answer["Body"], answer["ContentType"])

    def update_endpoint(
        self,
        initial_instance_count: int,
        instance_type: str,
        *,
        model_name: str | None = None,
        wait: bool = True,
    ) -> None:
        """Give the endpoint a new configuration.

        Args:
            initial_instance_count: Number of instances.
            instance_type: Their type.
            model_name: Another model. Default: the one it serves.
            wait: Wait until the update is complete. Default: True.
        """
        client = client_of(self.session, "sagemaker")
        name = predictor.new_config_name(self.endpoint_name)
        client.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                variant(
                    model_name=model_name or self._model_names()[0],
                    instance_type=instance_type,
                    instance_count=initial_instance_count,
                    serverless=None,
                )
            ],
        )
        client.update_endpoint(EndpointName=self.endpoint_name, EndpointConfigName=name)
        if wait:
            self.wait()


class RealTimePredictor(Predictor):
    """The predictor of SDK 1, with its arguments."""

    def __init__(  # noqa: PLR0917  # the SDK's order
        self,
        endpoint: str,
        sagemaker_session: Any = None,
        serializer: Any = None,
        deserializer: Any = None,
        content_type: str | None = None,
        accept: str | None = None,
    ) -> None:
        super().__init__(endpoint, sagemaker_session, serializer, deserializer)
        self._content_type, self._accept = content_type, accept


class _RecordPredictor(Predictor):
    """Sends arrays as RecordIO-protobuf and returns a Record per row, with the predictions in ``label``."""

    serializer_class = RecordSerializer
    deserializer_class = RecordDeserializer


class KMeansPredictor(_RecordPredictor):
    algorithm_class = algorithms.KMeans


class PCAPredictor(_RecordPredictor):
    algorithm_class = algorithms.PCA


class LDAPredictor(_RecordPredictor):
    algorithm_class = algorithms.LDA


class LinearLearnerPredictor(_RecordPredictor):
    algorithm_class = algorithms.LinearLearner


class FactorizationMachinesPredictor(_RecordPredictor):
    algorithm_class = algorithms.FactorizationMachines


class NTMPredictor(_RecordPredictor):
    algorithm_class = algorithms.NTM


class RandomCutForestPredictor(_RecordPredictor):
    algorithm_class = algorithms.RandomCutForest


class KNNPredictor(_RecordPredictor):
    algorithm_class = algorithms.KNN


class IPInsightsPredictor(Predictor):
    """Sends pairs as CSV and returns the JSON document."""

    algorithm_class = algorithms.IPInsights
    serializer_class = CSVSerializer
    deserializer_class = JSONDeserializer


class Object2VecPredictor(Predictor):
    """Sends and returns bytes, unless you pass a serializer: the SDK has no predictor for Object2Vec."""

    algorithm_class = algorithms.Object2Vec
