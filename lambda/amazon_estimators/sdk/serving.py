"""Add ``create_model``, ``deploy`` and ``transformer`` to classic estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from amazon_estimators.client.after_training import AfterTraining, Trained
from amazon_estimators.errors import RequestError
from amazon_estimators.sdk.models import MODELS, AmazonModel
from amazon_estimators.sdk.predictors import Predictor
from amazon_estimators.sdk.transformer import Transformer

VPC_CONFIG_DEFAULT = "VPC_CONFIG_DEFAULT"
"""Means the VPC of the estimator."""


class Fitted(Trained, Protocol):
    """The classic estimator's members that this module uses."""

    latest_training_job: Any

    def get_vpc_config(self) -> dict[str, list[str]] | None: ...


class Serving(AfterTraining):
    """The part of a classic estimator that comes after ``fit()``, with the SDK's arguments."""

    def create_model(self, vpc_config_override: Any = VPC_CONFIG_DEFAULT, **kwargs: Any) -> AmazonModel:
        """Return the model that the latest training job wrote, such as a :class:`KMeansModel`.

        Args:
            vpc_config_override: Another VPC, or None for no VPC. Default: that of the estimator.
            kwargs: Further arguments of the model; ``role`` and ``sagemaker_session`` are the estimator's.

        Raises:
            RequestError: There is no model yet.
        """
        estimator = cast("Fitted", self)
        training = estimator.settings
        own = vpc_config_override == VPC_CONFIG_DEFAULT
        vpc_config = estimator.get_vpc_config() if own else vpc_config_override
        defaults = {
            "role": estimator.role,
            "sagemaker_session": estimator.session,
            "vpc_config": vpc_config,
            "enable_network_isolation": training.enable_network_isolation,
            "tags": training.tags,
        }
        return MODELS[type(estimator.algorithm)](estimator.model_data, **{**defaults, **kwargs})

    def deploy(  # noqa: PLR0917  # the SDK's order
        self,
        initial_instance_count: int | None = None,
        instance_type: str | None = None,
        serializer: Any = None,
        deserializer: Any = None,
        accelerator_type: str | None = None,
        endpoint_name: str | None = None,
        use_compiled_model: bool = False,
        wait: bool = True,
        model_name: str | None = None,
        kms_key: str | None = None,
        data_capture_config: Any = None,
        tags: Any = None,
        serverless_inference_config: Any = None,
        async_inference_config: Any = None,
        volume_size: int | None = None,
        **more: Any,
    ) -> Predictor:
        """Create a model and an endpoint, and return its predictor; see the SDK's ``Estimator.deploy``.

        Raises:
            RequestError: There is no model yet, or AWS does not serve the algorithm this way.
            EndpointError: The endpoint failed.
            Detached: Ctrl-C was pressed; the endpoint is still being created.
        """
        if use_compiled_model:
            raise RequestError(
                "use_compiled_model is True; the first-party algorithms are not compiled",
                remedy="Leave it out.",
            )
        model = self.create_model(name=model_name)
        return model.deploy(
            initial_instance_count,
            instance_type,
            serializer,
            deserializer,
            accelerator_type,
            endpoint_name,
            tags,
            kms_key,
            wait,
            data_capture_config,
            async_inference_config,
            serverless_inference_config,
            volume_size,
            **more,
        )

    def transformer(  # noqa: PLR0917  # the SDK's order
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
        role: str | None = None,
        volume_kms_key: str | None = None,
        vpc_config_override: Any = VPC_CONFIG_DEFAULT,
        enable_network_isolation: bool | None = None,
        model_name: str | None = None,
    ) -> Transformer:
        """Create the model and return a Transformer; see the SDK's ``Estimator.transformer``."""
        settings: dict[str, Any] = {"name": model_name, "env": env}
        if role is not None:
            settings["role"] = role
        if enable_network_isolation is not None:
            settings["enable_network_isolation"] = enable_network_isolation
        model = self.create_model(vpc_config_override, **settings)
        return model.transformer(
            instance_count,
            instance_type,
            strategy,
            assemble_with,
            output_path,
            output_kms_key,
            accept,
            env,
            max_concurrent_transforms,
            max_payload,
            tags,
            volume_kms_key,
        )

    def delete_endpoint(self) -> None:
        """Delete the endpoint named after the latest training job, as SDK 1 does."""
        estimator = cast("Fitted", self)
        if estimator.latest_training_job is None:
            raise RequestError("Endpoint was not created yet", remedy="Call predictor.delete_endpoint().")
        Predictor(estimator.latest_training_job.name, estimator.session).delete_endpoint()
