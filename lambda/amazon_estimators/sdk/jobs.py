"""Start and follow the jobs of a classic estimator; read logs and metrics, register models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amazon_estimators.client.estimator import Estimator
from amazon_estimators.client.job_settings import tag_list
from amazon_estimators.client.training_job import Detached, TrainingJob
from amazon_estimators.errors import RequestError
from amazon_estimators.sdk.analytics import TrainingJobAnalytics
from amazon_estimators.sdk.registration import ModelPackage, model_package_request
from amazon_estimators.sdk.serving import VPC_CONFIG_DEFAULT
from amazon_estimators.sdk.session import Session, train_arguments
from amazon_estimators.storage.sessions import client_of


class SdkJobs(Estimator):
    """Starts and follows jobs like the SDK. If there is an SDK session, it does both itself."""

    jobs: list[TrainingJob]
    _current_job_name: str | None

    @property
    def model_data(self) -> str:
        """S3 URI of the latest job's model, or of the model of the job that a workflow will start."""
        if self.latest_training_job is None and self._current_job_name:
            return f"{self._output_path().rstrip('/')}/{self._current_job_name}/output/model.tar.gz"
        return super().model_data

    @property
    def sagemaker_session(self) -> Any:
        """The SageMaker SDK session that you passed, or a stand-in for one."""
        if not hasattr(self.session, "boto_session"):
            self.session = Session(self.session)
        return self.session

    def enable_network_isolation(self) -> bool:
        """Return True if the container gets no network."""
        return self.settings.enable_network_isolation

    def get_vpc_config(self, vpc_config_override: Any = VPC_CONFIG_DEFAULT) -> dict[str, list[str]] | None:
        """Return ``VpcConfig`` for the subnets and security groups, or for an override; None without a
        VPC."""
        if vpc_config_override != VPC_CONFIG_DEFAULT:
            return dict(vpc_config_override) if vpc_config_override else None
        config: dict[str, list[str]] | None = self.settings.request().get("VpcConfig")
        return config

    def get_remote_debug_config(self) -> None:
        """Return None: this library does not start remote debugging."""

    def get_session_chaining_config(self) -> None:
        """Return None: this library does not chain session tags."""

    def _send(self, request: Mapping[str, Any]) -> None:
        if hasattr(self.session, "train"):
            self.session.train(**train_arguments(request))
        else:
            super()._send(request)
        self._current_job_name = request["TrainingJobName"]
        self.jobs.append(self._job(request["TrainingJobName"]))

    def _follow(self, job: TrainingJob, *, logs: bool | str) -> None:
        """Follow a job through the session. An SDK session shows and raises what it always did."""
        if not hasattr(self.session, "logs_for_job"):
            super()._follow(job, logs=bool(logs) and logs != "None")
            return
        try:
            if logs and logs != "None":
                self.session.logs_for_job(job.name, wait=True, log_type="All" if logs is True else logs)
            else:
                self.session.wait_for_job(job.name)
        except KeyboardInterrupt:
            raise Detached(job.way_back()) from None
        described = job.describe()
        if described.get("TrainingJobStatus") == "Stopped":
            job.check(described)

    def logs(self) -> None:
        """Show the log of the latest job, and follow it to its end."""
        self._follow(self._latest_job(), logs=True)

    @property
    def training_job_analytics(self) -> TrainingJobAnalytics:
        """The metrics of the latest job. Raises RequestError until there is one."""
        return TrainingJobAnalytics(self._latest_job().name, sagemaker_session=self.session)

    def _latest_job(self) -> TrainingJob:
        if self.latest_training_job is None:
            raise RequestError(
                "the estimator is not associated with a training job", remedy="Call fit() first."
            )
        return self.latest_training_job

    def register(  # noqa: PLR0917  # the SDK's order
        self,
        content_types: Sequence[str],
        response_types: Sequence[str],
        inference_instances: Sequence[str] | None = None,
        transform_instances: Sequence[str] | None = None,
        image_uri: str | None = None,
        model_package_name: str | None = None,
        model_package_group_name: str | None = None,
        *,
        approval_status: str | None = None,
        description: str | None = None,
        marketplace_cert: bool = False,
        customer_metadata_properties: Mapping[str, str] | None = None,
    ) -> ModelPackage:
        """Register the model of the latest job as a model package, by name or as a version of a group.

        approval_status: ``"Approved"``, ``"Rejected"`` or ``"PendingManualApproval"``, the default.
        """
        request = model_package_request(
            image_uri or self.train_image(),
            self.model_data,
            content_types=content_types,
            response_types=response_types,
            inference_instances=inference_instances,
            transform_instances=transform_instances,
            model_package_name=model_package_name,
            model_package_group_name=model_package_group_name,
            approval_status=approval_status,
            description=description,
            marketplace_cert=marketplace_cert,
            customer_metadata_properties=customer_metadata_properties,
            tags=tag_list(self.settings.tags) if self.settings.tags else None,
        )
        answer = client_of(self.session, "sagemaker").create_model_package(**request)
        return ModelPackage(answer["ModelPackageArn"])
