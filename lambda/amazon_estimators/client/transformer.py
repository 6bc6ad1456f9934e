"""Predict in batch: a transform job reads objects on S3 and writes ``<key>.out`` for each."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.client.job_settings import tag_list
from amazon_estimators.client.label_words import words_of_labels
from amazon_estimators.client.predictor import joined, sliced
from amazon_estimators.client.training_job import Detached, checked_job_name, console_page, timestamp
from amazon_estimators.client.waiting import JOB_GOING, wait_for
from amazon_estimators.errors import RequestError, TransformJobError
from amazon_estimators.inference import Predictions, read_response, write_request
from amazon_estimators.inference.requests import InferenceWarning, content_type_for
from amazon_estimators.inference.responses import LABEL
from amazon_estimators.inference.rows import vectors
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of, default_location, region_of

SPLIT_TYPES = {RECORDIO: "RecordIO", CSV: "Line", JSON_LINES: "Line", JSON: "None"}
"""How an object is split into records, by content type."""
UPLOAD_BYTES = 64 * 2**20
"""Approximate size of an uploaded object. An object goes to one instance."""


class TransformJob:
    """A transform job by name."""

    def __init__(
        self,
        name: str,
        algorithm: type[Algorithm] | None = None,
        *,
        model_data: str = "",
        session: Any = None,
    ) -> None:
        """Name the job.

        Args:
            name: The job's name.
            algorithm: The algorithm whose outputs :meth:`predictions` reads. Default: none, it cannot read
                them.
            model_data: S3 URI of the model: if it was trained on words as labels, predictions have
                ``predicted_class``. Default: unknown, they have numbers alone.
            session: A ``boto3.Session``. Default: a new one.
        """
        self.name, self.session = name, session
        self._algorithm, self._model_data = algorithm, model_data
        self._sagemaker = client_of(session, "sagemaker")

    @property
    def job_name(self) -> str:
        """The job's name, as the SDK calls it."""
        return self.name

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeTransformJob."""
        answer: dict[str, Any] = self._sagemaker.describe_transform_job(TransformJobName=self.name)
        return answer

    def stop(self) -> None:
        """Ask the service to end the job."""
        self._sagemaker.stop_transform_job(TransformJobName=self.name)

    def wait_for_end(self, *, poll: float | None = None) -> dict[str, Any]:
        """Wait until the job ends, whatever its status, and return its description."""
        return wait_for(
            self.describe,
            status="TransformJobStatus",
            going=JOB_GOING,
            detail=lambda _: f"transform job {self.name}",
            way_back=f"Stopped waiting; transform job {self.name} is still running, and is billed.\n"
            f"  Wait again:  TransformJob({self.name!r}).wait()\n"
            f"  Stop it:     TransformJob({self.name!r}).stop()",
            poll=poll,
        )

    def wait(self, *, poll: float | None = None) -> dict[str, Any]:
        """Wait for the job's end and return its description.

        Raises:
            TransformJobError: The job did not complete. Objects without a bad record have outputs.
            Detached: Ctrl-C was pressed; the job goes on.
        """
        job = self.wait_for_end(poll=poll)
        if job["TransformJobStatus"] != "Completed":
            page = console_page(region_of(self.session), f"transform-jobs/{self.name}")
            raise TransformJobError(
                f"Transform job {self.name} is {job['TransformJobStatus']}: "
                f"{job.get('FailureReason') or 'no reason given'}",
                remedy="An object with a bad record has no output, the others have: "
                f"{job['TransformOutput']['S3OutputPath']}. See it in the console: {page}",
            )
        return job

    def predictions(self) -> Predictions:
        """Read all outputs of the completed job: an array per field, with objects in the order of their keys.

        Raises:
            RequestError: The algorithm is unknown, or the job has no output.
            ResponseError: An output is not in the algorithm's documented format.
        """
        if self._algorithm is None:
            raise RequestError(
                "the algorithm of the job is not known", remedy="Give TransformJob(name, KMeans)."
            )
        algorithm, output = self._algorithm, self.describe()["TransformOutput"]
        accept = output.get("Accept") or JSON
        place, s3 = Place.prefix(output["S3OutputPath"], what="output_path"), client_of(self.session, "s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
        keys = sorted(one["Key"] for page in pages for one in page.get("Contents", ()))
        answers = [
            read_response(algorithm, s3.get_object(Bucket=place.bucket, Key=key)["Body"].read(), accept)
            for key in keys
            if key.endswith(".out")
        ]
        if not answers:
            raise RequestError(f"transform job {self.name} has no output under {place.uri}")
        answer = joined(answers)
        if LABEL not in answer:
            return answer
        return answer.with_classes(words_of_labels(self._model_data, self.session))


class Creatable(Protocol):
    """The model's members that this module uses."""

    name: str
    algorithm: type[Algorithm]
    model_data: str
    session: Any
    tags: list[dict[str, str]] | None

    def create(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class TransformSettings:
    """The settings that all jobs of a transformer share. None leaves a setting to the service."""

    instance_type: str
    instance_count: int = 1
    accept: str | None = None
    assemble_with: str | None = None
    strategy: str | None = None
    max_payload: int | None = None
    max_concurrent_transforms: int | None = None
    output_kms_key: str | None = None
    volume_kms_key: str | None = None
    environment: Mapping[str, str] | None = None
    tags: list[dict[str, str]] | None = None

    def request(self, output_path: str) -> dict[str, Any]:
        """Return the members of a CreateTransformJob request that these settings define."""
        output = {
            "S3OutputPath": output_path,
            "Accept": self.accept,
            "AssembleWith": self.assemble_with,
            "KmsKeyId": self.output_kms_key,
        }
        resources = {
            "InstanceType": self.instance_type,
            "InstanceCount": self.instance_count,
            "VolumeKmsKeyId": self.volume_kms_key,
        }
        request = {
            "TransformOutput": _given(output),
            "TransformResources": _given(resources),
            "BatchStrategy": self.strategy,
            "MaxPayloadInMB": self.max_payload,
            "MaxConcurrentTransforms": self.max_concurrent_transforms,
            "Environment": None if self.environment is None else dict(self.environment),
            "Tags": self.tags,
        }
        return _given(request)


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


class Transformer:
    """Runs transform jobs with one model."""

    def __init__(
        self,
        model: Creatable,
        *,
        instance_type: str,
        instance_count: int = 1,
        output_path: str | None = None,
        accept: str | None = None,
        strategy: str | None = None,
        assemble_with: str | None = None,
        max_payload: int | None = None,
        max_concurrent_transforms: int | None = None,
        output_kms_key: str | None = None,
        volume_kms_key: str | None = None,
        environment: Mapping[str, str] | None = None,
        tags: Any = None,
    ) -> None:
        """Describe the jobs.

        Args:
            model: The model. It is created when the first job starts.
            instance_type: Such as ``"ml.m5.large"``.
            instance_count: Instances; an object goes to one of them. Default: 1.
            output_path: S3 prefix of the outputs; each job writes to a folder with its name. Default: in the
                account's default bucket.
            accept: Content type of the outputs. Default: JSON Lines if the algorithm writes them, otherwise
                RecordIO.
            strategy: ``"MultiRecord"`` or ``"SingleRecord"``. Default: the service's, MultiRecord.
            assemble_with: ``"Line"`` or ``"None"``. Default: Line for lines.
            max_payload: The most MB per request to the container. Default: the service's, 6.
            max_concurrent_transforms: Concurrent requests per instance. Default: chosen by the container.
            output_kms_key: KMS key of the outputs. Default: the bucket's encryption.
            volume_kms_key: KMS key of the instances' volumes. Default: SageMaker's own.
            environment: Environment variables of the container. Default: none.
            tags: Tags of the jobs. Default: those of the model.
        """
        returns = model.algorithm.inference.returns
        accept = accept or (JSON_LINES if JSON_LINES in returns else returns[0])
        lines = accept.partition(";")[0] in (JSON_LINES, CSV)
        self.model, self.output_path = model, output_path
        self.settings = TransformSettings(
            instance_type=instance_type,
            instance_count=instance_count,
            accept=accept,
            assemble_with=assemble_with or ("Line" if lines else "None"),
            strategy=strategy,
            max_payload=max_payload,
            max_concurrent_transforms=max_concurrent_transforms,
            output_kms_key=output_kms_key,
            volume_kms_key=volume_kms_key,
            environment=environment,
            tags=model.tags if tags is None else tag_list(tags),
        )
        self.latest_job: TransformJob | None = None

    def start(
        self,
        data: str | RecordSet,
        *,
        content_type: str | None = None,
        split_type: str | None = None,
        data_type: str = "S3Prefix",
        compression_type: str | None = None,
        data_processing: Mapping[str, str] | None = None,
        job_name: str | None = None,
        wait: bool = True,
    ) -> TransformJob:
        """Start a job on objects on S3.

        Args:
            data: S3 URI of a prefix, an object or a manifest; or a RecordSet.
            content_type: Content type of the objects. Default: the algorithm's preferred one; a RecordSet's
                own.
            split_type: ``"Line"``, ``"RecordIO"`` or ``"None"``. Default: the one for the content type.
            data_type: ``"S3Prefix"`` or ``"ManifestFile"``.
            compression_type: ``"Gzip"`` or ``"None"``. Default: none.
            data_processing: ``DataProcessing`` of the API. Default: none.
            job_name: Default: the image's name and the time.
            wait: Wait for its end. Default: True.

        Raises:
            RequestError: The algorithm does not accept the content type.
            TransformJobError: The job did not complete.
            Detached: Ctrl-C was pressed; the job goes on.
        """
        algorithm = self.model.algorithm
        if isinstance(data, RecordSet):
            content_type, uri = data.content_type, data.s3_data
            if data.labels is not None:
                warnings.warn(
                    "the RecordSet has labels; AWS does not say that containers ignore them",
                    InferenceWarning,
                    stacklevel=2,
                )
            data_type = "ManifestFile" if data.s3_data_type == "ManifestFile" else "S3Prefix"
        else:
            uri = Place.of(data, what="data").uri
            content_type = content_type_for(algorithm, content_type)
        name = checked_job_name(job_name, base=algorithm.repo_name)
        given: dict[str, Any] = {
            "DataSource": {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}},
            "ContentType": content_type,
            "SplitType": split_type or SPLIT_TYPES[content_type],
        }
        if compression_type:
            given["CompressionType"] = compression_type
        request = {
            "TransformJobName": name,
            "ModelName": self.model.name,
            "TransformInput": given,
            **self.settings.request(f"{self._outputs().uri}{name}/"),
        }
        if data_processing:
            request["DataProcessing"] = dict(data_processing)
        self.model.create()
        client_of(self.model.session, "sagemaker").create_transform_job(**request)
        self.latest_job = TransformJob(
            name, algorithm, model_data=self.model.model_data, session=self.model.session
        )
        if wait:
            self.latest_job.wait()
        return self.latest_job

    def transform(self, rows: Any, *, location: str, content_type: str | None = None) -> Predictions:
        """Upload rows, run a job, and return the predictions in the order of the rows. Deletes the upload.

        Args:
            rows: As for :meth:`Predictor.predict`; or a RecordSet or an S3 URI.
            location: S3 prefix for the upload.
            content_type: Default: the algorithm's preferred one.
        """
        if isinstance(rows, RecordSet | str):
            return self.start(rows, content_type=content_type).predictions()
        folder = Place.prefix(location, what="location")
        folder = Place(folder.bucket, f"{folder.key}transform-{timestamp()}-{secrets.token_hex(4)}/")
        kind, bodies = self._bodies(rows, content_type)
        s3, keys = client_of(self.model.session, "s3"), []
        try:
            for number, body in enumerate(bodies):
                key = f"{folder.key}rows_{number:05d}"
                s3.put_object(Bucket=folder.bucket, Key=key, Body=body)
                keys.append(key)
            return self.start(folder.uri, content_type=kind).predictions()
        except Detached:
            keys = []  # the job continues and reads them
            raise
        finally:
            for key in keys:
                s3.delete_object(Bucket=folder.bucket, Key=key)

    def _bodies(self, rows: Any, content_type: str | None) -> tuple[str, list[bytes]]:
        """Return the content type and the objects for rows: at least one object per instance, none too
        large."""
        algorithm = self.model.algorithm
        lines = JSON_LINES if JSON_LINES in algorithm.inference.accepts else None
        kind = content_type or (lines if algorithm.inference.rows == "token_pair" else None)
        taken = vectors(rows) if algorithm.inference.rows == "vector" else [*rows]
        whole = write_request(algorithm, taken, kind)
        parts = max(-(-len(whole.body) // UPLOAD_BYTES), min(self.settings.instance_count, whole.rows))
        bare = whole.content_type.partition(";")[0]
        if parts == 1:
            return bare, [whole.body]
        ends = np.linspace(0, whole.rows, parts + 1).astype(int).tolist()
        return bare, [
            write_request(algorithm, sliced(taken, start, stop), kind).body for start, stop in pairwise(ends)
        ]

    def _outputs(self) -> Place:
        if self.output_path is None:
            return default_location(self.model.session)
        return Place.prefix(self.output_path, what="output_path")
