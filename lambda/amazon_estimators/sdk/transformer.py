"""The SageMaker SDK's Transformer: transform jobs of an existing model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from amazon_estimators.client.job_settings import tag_list
from amazon_estimators.client.training_job import checked_job_name
from amazon_estimators.client.transformer import TransformJob, TransformSettings
from amazon_estimators.errors import RequestError
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of, default_location


class Transformer:
    """Runs transform jobs of the model with this name; arguments as in SDK 2.

    Attributes:
        output_path: S3 prefix of the outputs; by default that of the latest job in the account's default
            bucket.
        latest_transform_job: The latest job; None if there is none yet.
    """

    def __init__(  # noqa: PLR0917  # the SDK's order
        self,
        model_name: str,
        instance_count: int,
        instance_type: str,
        strategy: str | None = None,
        assemble_with: str | None = None,
        output_path: str | None = None,
        output_kms_key: str | None = None,
        accept: str | None = None,
        max_concurrent_transforms: int | None = None,
        max_payload: int | None = None,
        tags: Any = None,
        env: Mapping[str, str] | None = None,
        base_transform_job_name: str | None = None,
        sagemaker_session: Any = None,
        volume_kms_key: str | None = None,
    ) -> None:
        self.model_name = model_name
        self.instance_count, self.instance_type = instance_count, instance_type
        self.strategy, self.assemble_with, self.accept = strategy, assemble_with, accept
        self.output_path, self.output_kms_key = output_path, output_kms_key
        self.max_concurrent_transforms, self.max_payload = max_concurrent_transforms, max_payload
        self.tags, self.env, self.volume_kms_key = tags, env, volume_kms_key
        self.base_transform_job_name = base_transform_job_name
        self.sagemaker_session = sagemaker_session
        self.latest_transform_job: TransformJob | None = None
        self._path_per_job = output_path is None

    def transform(  # noqa: PLR0917  # the SDK's order
        self,
        data: str,
        data_type: str = "S3Prefix",
        content_type: str | None = None,
        compression_type: str | None = None,
        split_type: str | None = None,
        job_name: str | None = None,
        input_filter: str | None = None,
        output_filter: str | None = None,
        join_source: str | None = None,
        experiment_config: Mapping[str, str] | None = None,
        model_client_config: Mapping[str, Any] | None = None,
        batch_data_capture_config: Any = None,
        wait: bool = True,
        logs: bool = True,
    ) -> None:
        """Start a job on objects on S3; see the SDK's ``Transformer.transform``.

        Raises:
            RequestError: ``data`` is not an S3 URI.
            TransformJobError: The job did not complete.
            Detached: Ctrl-C was pressed; the job continues.
        """
        uri = Place.of(data, what="data").uri
        name = checked_job_name(job_name, base=self.base_transform_job_name or self.model_name)
        if self._path_per_job:
            self.output_path = f"{default_location(self.sagemaker_session).uri}{name}"
        transform_input: dict[str, Any] = {
            "DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}}
        }
        optional = {
            "ContentType": content_type,
            "CompressionType": compression_type,
            "SplitType": split_type,
        }
        transform_input |= {member: value for member, value in optional.items() if value is not None}
        processing = {
            "InputFilter": input_filter,
            "OutputFilter": output_filter,
            "JoinSource": join_source,
        }
        more = {
            "DataProcessing": {name: value for name, value in processing.items() if value is not None},
            "ExperimentConfig": experiment_config,
            "ModelClientConfig": model_client_config,
            "DataCaptureConfig": request_form(batch_data_capture_config),
        }
        request = {
            "TransformJobName": name,
            "ModelName": self.model_name,
            "TransformInput": transform_input,
            **self._settings().request(str(self.output_path)),
            **{member: value for member, value in more.items() if value},
        }
        client_of(self.sagemaker_session, "sagemaker").create_transform_job(**request)
        self.latest_transform_job = TransformJob(name, session=self.sagemaker_session)
        if wait:
            self.latest_transform_job.wait()

    def wait(self, logs: bool = True) -> None:
        """Wait for the latest job. Raises TransformJobError if it does not complete."""
        self._job().wait()

    def stop_transform_job(self, wait: bool = True) -> None:
        """Stop the latest job."""
        self._job().stop()
        if wait:
            self._job().wait_for_end()

    def delete_model(self) -> None:
        """Delete the model from the account."""
        client_of(self.sagemaker_session, "sagemaker").delete_model(ModelName=self.model_name)

    @classmethod
    def attach(cls, transform_job_name: str, sagemaker_session: Any = None) -> Self:
        """Return a transformer of an existing job."""
        job = TransformJob(transform_job_name, session=sagemaker_session)
        described = job.describe()
        resources, output = described["TransformResources"], described["TransformOutput"]
        transformer = cls(
            described["ModelName"],
            resources["InstanceCount"],
            resources["InstanceType"],
            strategy=described.get("BatchStrategy"),
            assemble_with=output.get("AssembleWith"),
            output_path=output["S3OutputPath"],
            output_kms_key=output.get("KmsKeyId"),
            accept=output.get("Accept"),
            max_concurrent_transforms=described.get("MaxConcurrentTransforms"),
            max_payload=described.get("MaxPayloadInMB"),
            base_transform_job_name=transform_job_name,
            sagemaker_session=sagemaker_session,
            volume_kms_key=resources.get("VolumeKmsKeyId"),
        )
        transformer.latest_transform_job = job
        return transformer

    def _job(self) -> TransformJob:
        if self.latest_transform_job is None:
            raise RequestError("No transform job available", remedy="Call transform() first.")
        return self.latest_transform_job

    def _settings(self) -> TransformSettings:
        return TransformSettings(
            instance_type=self.instance_type,
            instance_count=self.instance_count,
            accept=self.accept,
            strategy=self.strategy,
            assemble_with=self.assemble_with,
            max_payload=self.max_payload,
            max_concurrent_transforms=self.max_concurrent_transforms,
            output_kms_key=self.output_kms_key,
            volume_kms_key=self.volume_kms_key,
            environment=self.env,
            tags=None if self.tags is None else tag_list(self.tags),
        )


def request_form(config: Any) -> Any:
    """Return a configuration object of the SDK in the API's form; other values unchanged."""
    return config._to_request_dict() if hasattr(config, "_to_request_dict") else config
