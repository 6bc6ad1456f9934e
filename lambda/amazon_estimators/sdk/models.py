"""The SageMaker SDK's models: one per algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from amazon_estimators import algorithms
from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client import model
from amazon_estimators.errors import RequestError
from amazon_estimators.sdk import predictors
from amazon_estimators.sdk.transformer import Transformer, request_form

IGNORED = {"image_uri", "image", "predictor_cls", "source_dir", "entry_point"}
"""Keywords of the SDK for which a first-party model has its own values."""


class AmazonModel(model.Model):
    """A trained model in the style of SDK 2: ``KMeansModel(model_data, role, sagemaker_session)``.

    Args:
        model_data: S3 URI of the ``model.tar.gz``.
        role: Name or ARN of the IAM role that SageMaker assumes.
        sagemaker_session: A session of the SageMaker SDK, or a ``boto3.Session``. Default: a new one.
        name: The model's name. Default: the image's name and the time.
        vpc_config: ``{"Subnets": […], "SecurityGroupIds": […]}``. Default: no VPC.
        env: Environment variables of the container. Default: none.
        enable_network_isolation: No network for the container. Default: False.
        tags: A mapping, or the service's list. Default: none.
    """

    algorithm_class: ClassVar[type[Algorithm]]
    predictor_class: ClassVar[type[predictors.Predictor]]

    def __init__(
        self,
        model_data: str,
        role: str | None = None,
        sagemaker_session: Any = None,
        *,
        name: str | None = None,
        vpc_config: Mapping[str, list[str]] | None = None,
        env: Mapping[str, str] | None = None,
        enable_network_isolation: bool = False,
        tags: Any = None,
        **ignored: Any,
    ) -> None:
        if unknown := sorted(set(ignored) - IGNORED):
            raise RequestError(f"{type(self).__name__} takes no {', '.join(unknown)}")
        if role is None:
            raise RequestError("role is missing: the IAM role that SageMaker assumes")
        super().__init__(
            self.algorithm_class,
            model_data,
            role=role,
            name=name,
            environment=env,
            subnets=None if vpc_config is None else vpc_config["Subnets"],
            security_group_ids=None if vpc_config is None else vpc_config["SecurityGroupIds"],
            enable_network_isolation=enable_network_isolation,
            tags=tags,
            session=sagemaker_session,
        )
        self.sagemaker_session = sagemaker_session
        self.image_uri = self.image
        self.endpoint_name: str | None = None

    def deploy(  # noqa: PLR0917  # the SDK's order
        self,
        initial_instance_count: int | None = None,
        instance_type: str | None = None,
        serializer: Any = None,
        deserializer: Any = None,
        accelerator_type: str | None = None,
        endpoint_name: str | None = None,
        tags: Any = None,
        kms_key: str | None = None,
        wait: bool = True,
        data_capture_config: Any = None,
        async_inference_config: Any = None,
        serverless_inference_config: Any = None,
        volume_size: int | None = None,
        **unsupported: Any,
    ) -> predictors.Predictor:
        """Create an endpoint and return its predictor; see the SDK's ``Model.deploy``.

        Raises:
            RequestError: A feature that the first-party containers lack, or that this library does not pass
                on.
            EndpointError: The endpoint failed.
            Detached: Ctrl-C was pressed; the endpoint is still being created.
        """
        not_passed = {
            "accelerator_type": accelerator_type,
            "async_inference_config": async_inference_config,
            **unsupported,
        }
        if refused := sorted(name for name, value in not_passed.items() if value is not None):
            raise RequestError(
                f"deploy() does not pass on {', '.join(refused)}",
                remedy="Leave it out, or create the endpoint with boto3.",
            )
        # An SDK session waits as it always did.
        waits = getattr(self.sagemaker_session, "wait_for_endpoint", None)
        deployed = super().deploy(
            instance_type=instance_type,
            instance_count=initial_instance_count,
            serverless=serverless_inference_config,
            endpoint_name=endpoint_name,
            kms_key=kms_key,
            volume_size=volume_size,
            data_capture=request_form(data_capture_config),
            tags=tags,
            wait=wait and waits is None,
        )
        self.endpoint_name = deployed.endpoint_name
        if wait and waits is not None:
            waits(deployed.endpoint_name)
        return self.predictor_class(deployed.endpoint_name, self.sagemaker_session, serializer, deserializer)

    def transformer(  # type: ignore[override]  # noqa: PLR0917  # the SDK's order
        self,
        instance_count: int,
        instance_type: str,
        strategy: str | None = None,
        assemble_with: str | None = None,
        output_path: str | None = None,
        output_kms_key: str | None = None,
        accept: str | None = None,
        env: Mapping[str, str] | None = None,
        max_concurrent_transforms: int | None = None,
        max_payload: int | None = None,
        tags: Any = None,
        volume_kms_key: str | None = None,
    ) -> Transformer:
        """Create the model and return a Transformer; see the SDK's ``Model.transformer``."""
        self.create()
        return Transformer(
            self.name,
            instance_count,
            instance_type,
            strategy=strategy,
            assemble_with=assemble_with,
            output_path=output_path,
            output_kms_key=output_kms_key,
            accept=accept,
            max_concurrent_transforms=max_concurrent_transforms,
            max_payload=max_payload,
            tags=tags,
            env=env,
            base_transform_job_name=self.algorithm.repo_name,
            sagemaker_session=self.sagemaker_session,
            volume_kms_key=volume_kms_key,
        )

    def prepare_container_def(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the container of a CreateModel request, for workflow helpers."""
        return {"Image": self.image, "Environment": {}, **self.request()["PrimaryContainer"]}

    @property
    def vpc_config(self) -> dict[str, list[str]] | None:
        """The VPC of the model, or None."""
        return self._network

    def enable_network_isolation(self) -> bool:
        """Return True if the container gets no network."""
        return self._isolated

    def create(self, *_: Any, **__: Any) -> Any:
        """Create the model in the account. It does not need the SDK's hints on instances."""
        return super().create()

    def delete_model(self) -> None:
        """Delete the model from the account."""
        self.delete()


class KMeansModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.KMeans, predictors.KMeansPredictor


class PCAModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.PCA, predictors.PCAPredictor


class LDAModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.LDA, predictors.LDAPredictor


class LinearLearnerModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.LinearLearner, predictors.LinearLearnerPredictor


class FactorizationMachinesModel(AmazonModel):
    algorithm_class = algorithms.FactorizationMachines
    predictor_class = predictors.FactorizationMachinesPredictor


class NTMModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.NTM, predictors.NTMPredictor


class RandomCutForestModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.RandomCutForest, predictors.RandomCutForestPredictor


class KNNModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.KNN, predictors.KNNPredictor


class IPInsightsModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.IPInsights, predictors.IPInsightsPredictor


class Object2VecModel(AmazonModel):
    algorithm_class, predictor_class = algorithms.Object2Vec, predictors.Object2VecPredictor


MODELS: Mapping[type[Algorithm], type[AmazonModel]] = {
    model.algorithm_class: model for model in AmazonModel.__subclasses__()
}
