"""The client: data to RecordSets, RecordSets to a trained model, as the SageMaker Python SDK 2 spelt it.

::

    est = Estimator(KMeans(k=10), role=role, instance_count=2, instance_type="ml.m5.large")
    est.fit(est.record_set(X))
"""

from __future__ import annotations

import math
import re
import secrets
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.client.console import UploadBar
from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.client.places import Place, client_of, region_of
from amazon_estimators.client.training_job import TrainingJob, timestamp
from amazon_estimators.errors import RequestError
from amazon_estimators.file_system_record_set import FileSystemRecordSet
from amazon_estimators.hyperparameter import HyperparameterWarning
from amazon_estimators.record_set import Labels, RecordSet

if TYPE_CHECKING:
    from amazon_estimators.client.pipeline import PipelineEstimator
    from amazon_estimators.client.record_sets import Progress

Records = RecordSet | FileSystemRecordSet
JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
JOB_NAME_CHARACTERS = 63
UNKNOWN_LABELS = Labels(math.nan, math.nan, True)
"""Of a RecordSet that was written down by hand: there are labels, and no rule about their range can speak."""


class Estimator:
    """Trains one algorithm on given instances, as jobs of its own.

    algorithm: its hyperparameters, such as ``KMeans(k=10)``.
    role: name or ARN of the IAM role that SageMaker acts as; it reads the data and writes the model.
    instance_count: training instances, at least 1.
    instance_type: such as ``"ml.m5.large"``.
    data_location: S3 prefix for RecordSets. Default: ``sagemaker-record-sets/`` in the account's default
        bucket, ``sagemaker-<region>-<account>``, which must exist.
    session: a ``boto3.Session``. Default: a new one, from the environment.
    settings: further settings of the training job, as in :class:`JobSettings`.

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
                f"role is {role!r}; expecting the name or ARN of the IAM role SageMaker acts as"
            )
        algorithm.check_instances(instance_type, instance_count)
        self.algorithm = algorithm
        self.role = role
        self.instance_count = instance_count
        self.instance_type = instance_type
        self.settings = _job_settings(settings)
        self.session = session
        self.latest_training_job: TrainingJob | None = None
        self._fitted: Algorithm | None = None
        self._data_location = (
            None if data_location is None else Place.prefix(data_location, what="data_location")
        )

    @classmethod
    def from_pipeline(
        cls, *, stack_name: str | None = None, state_machine_arn: str | None = None, session: Any = None
    ) -> PipelineEstimator:
        """An estimator whose ``fit()`` is an execution of a deployed TrainingPipeline.

        Give the stack, if it holds one pipeline, or the ARN of the state machine.
        Raises RequestError if there is none, or several: the text lists them.
        """
        from amazon_estimators.client.pipeline import find_pipeline  # noqa: PLC0415

        return find_pipeline(stack_name=stack_name, state_machine_arn=state_machine_arn, session=session)

    @classmethod
    def attach(
        cls, training_job_name: str, *, session: Any = None, wait: bool = True, logs: bool = True
    ) -> Self:
        """An estimator of a job that exists, of whatever client. Follows it unless ``wait`` is False.

        Raises RequestError if the job is not of a first-party algorithm, TrainingJobError if it fails.
        """
        job = client_of(session, "sagemaker").describe_training_job(TrainingJobName=training_job_name)
        estimator = cls._of_job(job, session)
        estimator.latest_training_job = estimator._job(training_job_name)
        if wait:
            estimator.latest_training_job.wait(logs=logs)
        return estimator

    @classmethod
    def _of_job(cls, job: Mapping[str, Any], session: Any) -> Self:
        estimator = cls(
            algorithm_of(job),
            role=job["RoleArn"],
            instance_count=job["ResourceConfig"]["InstanceCount"],
            instance_type=job["ResourceConfig"]["InstanceType"],
            session=session,
        )
        estimator.settings = JobSettings.of_job(job)
        return estimator

    @property
    def data_location(self) -> str:
        """S3 prefix for RecordSets, with a slash at the end."""
        if self._data_location is None:
            self._data_location = Place(self._default_bucket(), "sagemaker-record-sets/")
        return self._data_location.uri

    @data_location.setter
    def data_location(self, uri: str) -> None:
        self._data_location = Place.prefix(uri, what="data_location")

    @property
    def model_data(self) -> str:
        """S3 URI of the model the latest job wrote; RequestError while there is none."""
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
        """URI of the training image in the session's region; RegionError if there is none."""
        return self.algorithm.train_image(region_of(self.session))

    training_image_uri = train_image

    def hyperparameters(self) -> dict[str, str]:
        """What is sent: after ``fit()`` with what the data filled in."""
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
        target_shard_bytes: int = 256 * 2**20,
        progress: Progress | bool | None = None,
    ) -> RecordSet:
        """Encode data, upload it under ``data_location``, and return the RecordSet to train on.

        train: records in rows: an array of shape (records, features), mapped from disk or in memory, a data
            frame of
            pandas or polars, a SciPy sparse matrix or its parts ``(data, indices, indptr, shape)``; or an
            iterator of blocks of those, alone or as pairs with their labels, for data larger than memory.
            Values are sent as float32. Object2Vec takes pairs of token lists, IPInsights pairs of entity and
            IPv4 address.
        labels: one number a row, or the name of a data frame's column. Default: none.
        channel: one of the algorithm's channels. Default: ``"train"``.
        encrypt: encrypt with S3's own keys (SSE-S3). Default: False, which leaves it to the bucket.
        distribution: ``"ShardedByS3Key"`` or ``"FullyReplicated"``. Default: what the algorithm documents.
        kms_key: KMS key to encrypt with (SSE-KMS). Default: none.
        target_shard_bytes: shards are kept under it, and there are as many as instances at least. Default:
            256 MiB.
        progress: False for no progress bar, or a function called with bytes uploaded and bytes in all.
            Default: a bar on a terminal or in a notebook.

        The manifest is written last; if anything fails, what was written is deleted. Rows of an array keep
        their order; blocks of an iterator are dealt out to the shards. Raises InputError naming row and
        column.
        """
        from amazon_estimators.client.record_sets import Destination, encryption, upload_record_set  # noqa: PLC0415

        place = Place.prefix(self.data_location, what="data_location")
        # Two RecordSets made within a millisecond must not share a prefix: the random part sees to it.
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
            )

    def fit(
        self,
        records: Records | Sequence[Records],
        mini_batch_size: int | None = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        *,
        experiment_config: Mapping[str, str] | None = None,
    ) -> Self:
        """Train on a RecordSet, or on several with distinct channels, as a new training job.

        mini_batch_size: records a mini-batch. Default: the algorithm's setting, else as the SDK fills it in.
        wait: follow the job to its end. Default: True.
        logs: show the job's log meanwhile. Default: True.
        job_name: default: ``base_job_name`` or the image's name, and the time.
        experiment_config: as CreateTrainingJob takes it. Default: none.

        Hyperparameters are completed from the data and checked against them: raises HyperparameterError
        before anything is paid for. Raises TrainingJobError if the job does not complete, Detached on Ctrl-C.
        """
        request = self.training_request(
            records, mini_batch_size, job_name, experiment_config=experiment_config
        )
        job = self._job(request["TrainingJobName"])
        client_of(self.session, "sagemaker").create_training_job(**request)
        self.latest_training_job = job
        if wait:
            job.wait(logs=logs)
        return self

    def training_request(
        self,
        records: Records | Sequence[Records],
        mini_batch_size: int | None = None,
        job_name: str | None = None,
        *,
        experiment_config: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The CreateTrainingJob request that :meth:`fit` would send, checked against the data."""
        given: list[Records] = [*records] if isinstance(records, list | tuple) else [records]  # type: ignore[list-item]  # checked below
        by_channel = self._by_channel(given)
        algorithm = self.algorithm
        if mini_batch_size is not None:
            algorithm = algorithm.override({"mini_batch_size": mini_batch_size})
        fitted = algorithm.fit_to(
            by_channel, instance_count=self.instance_count, instance_type=self.instance_type
        )
        request = self.settings.request()
        request["AlgorithmSpecification"]["TrainingImage"] = self.train_image()
        request["ResourceConfig"].update(InstanceCount=self.instance_count, InstanceType=self.instance_type)
        encrypted = {"KmsKeyId": self.settings.output_kms_key} if self.settings.output_kms_key else {}
        request.update(
            TrainingJobName=self._job_name(job_name),
            RoleArn=self._role_arn(),
            HyperParameters=fitted.hyperparameters(),
            InputDataConfig=[one.data_channel() for one in given],
            OutputDataConfig={"S3OutputPath": self._output_path(), **encrypted},
        )
        if experiment_config:
            request["ExperimentConfig"] = dict(experiment_config)
        self._fitted = fitted
        return request

    def _by_channel(self, given: Sequence[Records]) -> dict[str, RecordSet]:
        """The RecordSets by channel, as the checks look at them."""
        by_channel: dict[str, RecordSet] = {}
        for one in given:
            if not isinstance(one, RecordSet | FileSystemRecordSet):
                raise RequestError(
                    f"records are {type(one).__name__}; expecting a RecordSet",
                    remedy="Make one from arrays first: estimator.record_set(array).",
                )
            if one.channel in by_channel:
                raise RequestError(
                    f"two RecordSets are of channel {one.channel!r}",
                    remedy="Give each its own: record_set(channel=…).",
                )
            rule = self.algorithm.channels.get(one.channel)
            if isinstance(one, FileSystemRecordSet):
                if self.settings.subnets is None:
                    raise RequestError(
                        f"channel {one.channel} lies on a file system, which is reached from a VPC only",
                        remedy="Give the estimator subnets and security_group_ids.",
                    )
                one = one.as_record_set(rule.distribution if rule else "FullyReplicated")  # noqa: PLW2901  # same records
            if rule and rule.label == "required" and not one.num_shards and one.labels is None:
                one = replace(one, labels=UNKNOWN_LABELS)  # noqa: PLW2901  # same records
            by_channel[one.channel] = one
        return by_channel

    def _job(self, name: str) -> TrainingJob:
        return TrainingJob(name, session=self.session, metrics=self.algorithm.metrics)

    def _job_name(self, given: str | None) -> str:
        if given is None:
            base, now = self.settings.base_job_name or self.algorithm.repo_name, timestamp()
            given = f"{base[: JOB_NAME_CHARACTERS - len(now) - 1]}-{now}"
        if not isinstance(given, str) or len(given) > JOB_NAME_CHARACTERS or not JOB_NAME.fullmatch(given):
            raise RequestError(
                f"job name is {given!r}; allowed: up to {JOB_NAME_CHARACTERS} letters, digits and hyphens, "
                "a letter or digit at both ends"
            )
        return given

    def _role_arn(self) -> str:
        if self.role.startswith("arn:"):
            return self.role
        return str(client_of(self.session, "iam").get_role(RoleName=self.role)["Role"]["Arn"])

    def _output_path(self) -> str:
        if self.settings.output_path:
            return self.settings.output_path
        if self._data_location is not None:
            return f"{self._data_location.uri}output/"
        return f"s3://{self._default_bucket()}/"

    def _default_bucket(self) -> str:
        account = client_of(self.session, "sts").get_caller_identity()["Account"]
        bucket = f"sagemaker-{region_of(self.session)}-{account}"
        s3 = client_of(self.session, "s3")
        try:
            # The name can be guessed: only a bucket of the account itself will do.
            s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
        except s3.exceptions.ClientError as error:
            raise RequestError(
                f"there is no data_location, and the account's default bucket {bucket} cannot be used: "
                f"{error}",
                remedy=(
                    "Pass data_location='s3://<bucket>/<prefix>/' and, if models go elsewhere, output_path."
                ),
            ) from error
        return bucket

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.algorithm!r}, {self.instance_count} of {self.instance_type})"


def algorithm_of(job: Mapping[str, Any]) -> Algorithm:
    """The algorithm of a described training job, with the hyperparameters it was sent.

    A name the algorithm does not document, such as one the service adds for tuning, is left out with a
    warning.
    """
    image = job["AlgorithmSpecification"].get("TrainingImage", "")
    repository = image.rpartition("/")[2].partition(":")[0]
    for known in ALGORITHMS.values():
        if known.repo_name == repository:
            sent = job.get("HyperParameters", {})
            dropped = sorted(set(sent) - set(known.declared()))
            if dropped:
                warnings.warn(
                    f"{known.__name__}: left out what it does not document: {', '.join(dropped)}",
                    HyperparameterWarning,
                    stacklevel=3,
                )
            return known.from_hyperparameters(
                {name: value for name, value in sent.items() if name not in dropped}
            )
    raise RequestError(
        f"training job {job['TrainingJobName']} runs {image or 'an algorithm of its own'}",
        remedy=f"Attach to a job of {', '.join(sorted(ALGORITHMS))}.",
    )


def _job_settings(given: Mapping[str, Any]) -> JobSettings:
    from difflib import get_close_matches  # noqa: PLC0415

    known = list(JobSettings.__dataclass_fields__)
    unknown = []
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            unknown.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    if unknown:
        raise RequestError(f"Estimator has no setting {', '.join(unknown)}; it has {', '.join(known)}")
    return JobSettings(**given)
