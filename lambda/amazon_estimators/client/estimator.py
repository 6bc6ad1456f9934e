"""Turn data into RecordSets and RecordSets into a trained model, in the terms of the SageMaker Python SDK 2.

::

    est = Estimator(KMeans(k=10), role=role, instance_count=2, instance_type="ml.m5.large")
    est.fit(est.record_set(X))
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.after_training import AfterTraining
from amazon_estimators.client.console import UploadBar
from amazon_estimators.client.described_job import algorithm_of, instances_of
from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.client.known_instances import check_training_type
from amazon_estimators.client.training_job import TrainingJob, checked_job_name, timestamp
from amazon_estimators.client.training_records import Given, Records, training_data
from amazon_estimators.errors import InstanceError, RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Source
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of, default_location, region_of, role_arn

if TYPE_CHECKING:
    from amazon_estimators.client.pipeline import PipelineEstimator
    from amazon_estimators.client.upload_record_set import Progress


class Estimator(AfterTraining):
    """Trains an algorithm on instances, with SageMaker training jobs.

    Args:
        algorithm: The algorithm with its hyperparameters, such as ``KMeans(k=10)``.
        role: Name or ARN of the IAM role that SageMaker assumes; it reads the data and writes the model.
        instance_count: Training instances, at least 1.
        instance_type: Instance type, such as ``"ml.m5.large"``.
        data_location: S3 prefix for RecordSets. Default: ``sagemaker-record-sets/`` in the account's default
            bucket, ``sagemaker-<region>-<account>``, which must exist.
        session: A ``boto3.Session``. Default: a new one, from the environment.
        settings: Further settings of the training job, as in :class:`JobSettings`.

    Raises HyperparameterError, InstanceError or RequestError, before anything is sent.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        *,
        role: str,
        instance_count: int,
        instance_type: str,
        data_location: str | None = None,
        session: Any = None,
        **settings: Any,
    ) -> None:
        if not isinstance(algorithm, Algorithm):
            raise RequestError(f"algorithm is {algorithm!r}; expecting one such as KMeans(k=10)")
        if not role or not isinstance(role, str):
            raise RequestError(
                f"role is {role!r}; expecting the name or ARN of the IAM role that SageMaker assumes"
            )
        algorithm.check_instances(instance_type, instance_count)
        self._begin(algorithm, role, (instance_type, instance_count), JobSettings.named(settings), session)
        if data_location is not None:
            self.data_location = data_location

    def _begin(
        self, algorithm: Algorithm, role: str, instances: tuple[str, int], settings: JobSettings, session: Any
    ) -> None:
        self.algorithm = algorithm
        self.role = role
        self.instance_type, self.instance_count = instances
        self.settings = settings
        self.session = session
        self.latest_training_job: TrainingJob | None = None
        self._fitted: Algorithm | None = None
        self._data_location: Place | None = None

    @classmethod
    def from_pipeline(
        cls, *, stack_name: str | None = None, state_machine_arn: str | None = None, session: Any = None
    ) -> PipelineEstimator:
        """Return an estimator whose ``fit()`` is an execution of a deployed TrainingPipeline.

        Pass the stack, if it holds one pipeline, or the ARN of the state machine. Raises RequestError if
        there is no pipeline, or several, which it lists.
        """
        from amazon_estimators.client.find_pipelines import find_pipeline  # noqa: PLC0415

        return find_pipeline(stack_name=stack_name, state_machine_arn=state_machine_arn, session=session)

    @classmethod
    def attach(
        cls, training_job_name: str, *, session: Any = None, wait: bool = True, logs: bool = True
    ) -> Self:
        """Return an estimator of an existing job, from any client. Follows the job unless ``wait`` is False.

        Values that this library would refuse are kept, with a warning. Raises RequestError if the job does
        not run a first-party algorithm, TrainingJobError if it fails.
        """
        job = client_of(session, "sagemaker").describe_training_job(TrainingJobName=training_job_name)
        estimator = cls._of_job(job, session)
        estimator.latest_training_job = estimator._job(training_job_name)
        if wait:
            estimator.latest_training_job.wait(logs=logs)
        return estimator

    _algorithm_of = staticmethod(algorithm_of)

    @classmethod
    def _of_job(cls, job: Mapping[str, Any], session: Any) -> Self:
        # Bypass the constructor: a subclass's may differ, and the job ran with these settings.
        estimator = cls.__new__(cls)
        algorithm, instances = cls._algorithm_of(job), instances_of(job)
        try:
            algorithm.check_instances(*instances)
        except InstanceError as error:
            warnings.warn(str(error), HyperparameterWarning, stacklevel=3)
        estimator._begin(algorithm, job["RoleArn"], instances, JobSettings.of_job(job), session)
        return estimator

    @property
    def data_location(self) -> str:
        """S3 prefix for RecordSets, ending in a slash."""
        if self._data_location is None:
            self._data_location = default_location(self.session, "sagemaker-record-sets/")
        return self._data_location.uri

    @data_location.setter
    def data_location(self, uri: str) -> None:
        self._data_location = Place.prefix(uri, what="data_location")

    @property
    def model_data(self) -> str:
        """S3 URI of the latest job's model. Raises RequestError until there is one."""
        if self.latest_training_job is None:
            raise RequestError(
                "there is no model yet", remedy="Call fit() first, or Estimator.attach(job_name)."
            )
        job = self.latest_training_job.describe()
        artifacts = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
        if not artifacts:
            raise RequestError(
                f"training job {job['TrainingJobName']} has no model: it is {job['TrainingJobStatus']}"
            )
        return str(artifacts)

    def train_image(self) -> str:
        """Return the URI of the training image in the session's region. Raises RegionError if there is
        none."""
        return self.algorithm.train_image(region_of(self.session))

    training_image_uri = train_image

    def hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters to send; after ``fit()`` including those set from the data."""
        return (self._fitted or self.algorithm).hyperparameters()

    def record_set(
        self,
        train: Any,
        labels: Any = None,
        channel: str = "train",
        encrypt: bool = False,
        distribution: str | None = None,
        *,
        kms_key: str | None = None,
        target_shard_bytes: int = DEFAULT_SHARD_BYTES,
        progress: Progress | bool | None = None,
        source: Source | None = None,
    ) -> RecordSet:
        """Encode data, upload it under ``data_location``, and return the RecordSet to train on.

        Args:
            train: One record per row: an array of shape (records, features), in memory or mapped from disk; a
                pandas or polars data frame; a SciPy sparse matrix or its parts ``(data, indices, indptr,
                shape)``; or, for data larger than memory, an iterator of blocks of these, alone or in pairs
                with their labels. Values are sent as float32. Object2Vec takes pairs of token lists,
                IPInsights pairs of entity and IPv4 address.
            labels: One number per row, or the name of a data frame's column. Default: none.
            channel: One of the algorithm's channels. Default: ``"train"``.
            encrypt: True encrypts with S3's own keys (SSE-S3). Default: False, the bucket's own encryption.
            distribution: ``"ShardedByS3Key"`` or ``"FullyReplicated"``. Default: as the algorithm documents.
            kms_key: KMS key to encrypt with (SSE-KMS). Default: none.
            target_shard_bytes: The most bytes of a shard; there are at least as many shards as instances.
                Default: 256 MiB.
            progress: False for no progress bar, or a function called with the bytes uploaded and the total.
                Default: a bar on a terminal or in a notebook.
            source: How columns become features, as in a pipeline: ``label``, ``classes``, ``features``,
                ``exclude``, ``fill``, ``drop_incomplete``, ``one_hot``, ``unknown``, ``hashed`` and ``scale``
                of a ``Source``. Default: every column is a feature, and holds numbers.


        The manifest is written last; if anything fails, everything written is deleted. Rows of an array keep
        their order; blocks of an iterator are distributed over the shards. Raises InputError naming row and
        column, and InstanceError for an unknown instance type before anything is sent.
        """
        from amazon_estimators.client.upload_record_set import Destination, encryption, upload_record_set  # noqa: PLC0415

        check_training_type(self.instance_type, session=self.session)
        place = Place.prefix(self.data_location, what="data_location")
        # The random part keeps two RecordSets of the same millisecond apart.
        folder = f"{type(self.algorithm).__name__}-{timestamp()}-{secrets.token_hex(4)}/"
        destination = Destination(
            s3=client_of(self.session, "s3"),
            bucket=place.bucket,
            prefix=place.key + folder,
            extra=encryption(encrypt=encrypt, kms_key=kms_key),
            instance_count=self.instance_count,
            target_shard_bytes=target_shard_bytes,
        )
        with nullcontext(progress) if callable(progress) or progress is False else UploadBar() as show:
            return upload_record_set(
                destination,
                self.algorithm,
                train,
                labels,
                channel=channel,
                distribution=distribution,
                progress=show or None,
                source=source,
            )

    def fit(
        self,
        records: Given | Sequence[Records] | Mapping[str, Given],
        mini_batch_size: int | None = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        *,
        experiment_config: Mapping[str, str] | None = None,
    ) -> Self:
        """Train on a RecordSet, or on several with distinct channels, as a new training job.

        Args:
            records: A RecordSet or a list of them; the S3 URI of a prefix, for channel train; an input such
                as the SageMaker SDK's ``TrainingInput``; or a mapping of channels to these. Of data on S3,
                the first object is checked.
            mini_batch_size: Records per mini-batch. Default: the algorithm's setting, or else the SDK's.
            wait: Follow the job to its end. Default: True.
            logs: Show the job's log meanwhile. Default: True.
            job_name: Default: ``base_job_name`` or the image's name, and the time.
            experiment_config: ``ExperimentConfig`` of CreateTrainingJob. Default: none.

        Hyperparameters are completed from the data and checked against it: HyperparameterError comes before
        anything is paid for. Raises TrainingJobError if the job does not complete, Detached on Ctrl-C.
        """
        request = self.training_request(
            records, mini_batch_size, job_name, experiment_config=experiment_config
        )
        job = self._job(request["TrainingJobName"])
        self._send(request)
        self.latest_training_job = job
        if wait:
            self._follow(job, logs=logs)
        return self

    def _send(self, request: Mapping[str, Any]) -> None:
        client_of(self.session, "sagemaker").create_training_job(**request)

    def _follow(self, job: TrainingJob, *, logs: bool) -> None:
        job.wait(logs=logs)

    def training_request(
        self,
        records: Given | Sequence[Records] | Mapping[str, Given],
        mini_batch_size: int | None = None,
        job_name: str | None = None,
        *,
        experiment_config: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the CreateTrainingJob request that :meth:`fit` would send, checked against the data."""
        check_training_type(self.instance_type, session=self.session)
        data = training_data(
            records, self.algorithm, in_vpc=self.settings.subnets is not None, session=self.session
        )
        self._fitted = self._fit_to(data.record_sets, mini_batch_size)
        request = self.settings.request()
        request["AlgorithmSpecification"]["TrainingImage"] = self.train_image()
        request["ResourceConfig"].update(InstanceCount=self.instance_count, InstanceType=self.instance_type)
        request.setdefault("OutputDataConfig", {})["S3OutputPath"] = self._output_path()
        request.update(
            TrainingJobName=checked_job_name(
                job_name, base=self.settings.base_job_name or self.algorithm.repo_name
            ),
            RoleArn=self._role_arn(),
            HyperParameters=self.hyperparameters(),
            InputDataConfig=data.channels,
        )
        if experiment_config:
            request["ExperimentConfig"] = dict(experiment_config)
        return request

    def _fit_to(self, record_sets: Mapping[str, RecordSet], mini_batch_size: int | None) -> Algorithm:
        algorithm = self.algorithm
        if mini_batch_size is not None:
            algorithm = algorithm.override({"mini_batch_size": mini_batch_size})
        return algorithm.fit_to(
            record_sets, instance_count=self.instance_count, instance_type=self.instance_type
        )

    def _job(self, name: str) -> TrainingJob:
        return TrainingJob(name, session=self.session, metrics=self.algorithm.metrics)

    def _role_arn(self) -> str:
        return role_arn(self.session, self.role)

    def _output_path(self) -> str:
        if self.settings.output_path:
            return self.settings.output_path
        if self._data_location is not None:
            return f"{self._data_location.uri}output/"
        return default_location(self.session).uri

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.algorithm!r}, {self.instance_count} of {self.instance_type})"
