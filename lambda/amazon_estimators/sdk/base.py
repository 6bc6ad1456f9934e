"""The classic spelling: one class is both the algorithm's hyperparameters and the estimator."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.described_job import algorithm_of, instances_of
from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.client.training_job import checked_job_name, timestamp
from amazon_estimators.client.training_records import training_data
from amazon_estimators.errors import RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.hyperparameters.other_names import OTHER_NAMES
from amazon_estimators.record_sets.record_set import RecordSet as AnyRecordSet
from amazon_estimators.sdk.attribute import HyperparameterAttribute
from amazon_estimators.sdk.hyperparameter import Hyperparameter
from amazon_estimators.sdk.jobs import SdkJobs
from amazon_estimators.sdk.keywords import ATTRIBUTES, OFF, SETTINGS, sorted_keywords
from amazon_estimators.sdk.own_algorithm import own_algorithm
from amazon_estimators.sdk.record_sets import RecordSet
from amazon_estimators.sdk.renamed import RENAMED, warn_renamed
from amazon_estimators.sdk.serving import Serving
from amazon_estimators.sdk.session import config_defaults
from amazon_estimators.text import is_template, nearest


def _positive(value: int) -> bool:
    return value > 0


class AmazonAlgorithmEstimatorBase(Serving, SdkJobs):
    """An estimator of the SageMaker Python SDK 2, for existing code. New code uses :class:`Estimator`.

    It takes ``role``, the name or ARN of the IAM role that SageMaker assumes; ``instance_count``;
    ``instance_type``, such as ``"ml.m5.large"``; ``data_location``, the S3 prefix for RecordSets, by default
    ``sagemaker-record-sets/`` in the session's default bucket, or the account's, which must exist; and
    ``sagemaker_session``, a session of the SageMaker SDK, which then sends and follows the jobs, or of boto3,
    by default a new one.

    Pass hyperparameters by position in the SDK's order, or by keyword under the SDK's or the service's name.
    All other keywords are settings of the job, as in :class:`JobSettings`, under their names in SDK 2 or 1.
    Hyperparameters and settings are attributes that you can read, set and delete. A subclass with a
    ``repo_name`` and :class:`Hyperparameter` attributes trains that image. Raises HyperparameterError,
    InstanceError or RequestError.
    """

    algorithm_class: ClassVar[type[Algorithm] | None] = None
    first: ClassVar[tuple[str, ...]] = ATTRIBUTES
    positional: ClassVar[tuple[str, ...]] = ("data_location", "enable_network_isolation")
    """The arguments after :attr:`first`, in the SDK's order."""

    repo_name: ClassVar[str | None] = None
    repo_version: ClassVar[str] = "1"
    feature_dim: Any = Hyperparameter("feature_dim", _positive, "an integer of at least 1", int)
    mini_batch_size: Any = Hyperparameter("mini_batch_size", _positive, "an integer of at least 1", int)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        algorithm = cls.algorithm_class
        if algorithm is None:
            return
        if "algorithm_class" in vars(cls):
            cls.repo_name, cls.repo_version = algorithm.repo_name, algorithm.repo_version
            cls.__doc__ = cls.__doc__ or algorithm.__doc__
            for name, declared in algorithm.declared().items():
                attribute = HyperparameterAttribute(
                    declared, in_constructor=bool({name, declared.alias} & {*cls.positional})
                )
                for spelling in filter(None, (name, declared.alias)):
                    setattr(cls, spelling, attribute)
        cls.__signature__ = _signature(cls.first, cls.positional)  # type: ignore[attr-defined]  # help() looks for it

    def __init__(self, *positional: Any, **keywords: Any) -> None:
        vars(self).update(
            _hyperparameters={}, _deleted=set(), _current_job_name=None, jobs=[], image_uri=None
        )
        named = self._named(positional, keywords)
        names = _spellings(self.algorithm_class) if self.algorithm_class else ()
        settings, hyperparameters = sorted_keywords(type(self).__name__, named, names)
        self.image_uri = settings.pop("image_uri", None)
        for name, value in config_defaults(settings.get("session")).items():
            if settings.get(name) is None:
                settings[name] = value
        super().__init__(self._algorithm(hyperparameters), **settings)

    def _algorithm(self, hyperparameters: dict[str, Any]) -> Algorithm:
        if self.algorithm_class is not None:
            return self.algorithm_class(**hyperparameters)
        if not self.repo_name:
            raise RequestError(
                f"{type(self).__name__} has no repo_name: the repository of its training image"
            )
        vars(self)["_hyperparameters"].update(hyperparameters)
        return own_algorithm(type(self).__name__, self.repo_name, self.repo_version)(self)

    @classmethod
    def _named(cls, positional: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        names = (*cls.first, *cls.positional)
        if len(positional) > len(names):
            raise TypeError(f"{cls.__name__} takes {len(names)} positional arguments, not {len(positional)}")
        named = dict(zip(names, positional, strict=False))
        if twice := sorted(set(named) & set(keywords)):
            raise TypeError(f"{cls.__name__} got several values for {', '.join(twice)}")
        return {**named, **keywords}

    def __getattr__(self, name: str) -> Any:
        if name in RENAMED:
            warn_renamed(name, RENAMED[name])
            return getattr(self, RENAMED[name])
        if name in JobSettings.__dataclass_fields__ and "settings" in vars(self):
            return getattr(self.settings, name)
        if name in OFF:
            return OFF[name][0]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in RENAMED:
            warn_renamed(name, RENAMED[name])
            name = RENAMED[name]
        if name in JobSettings.__dataclass_fields__ and "settings" in vars(self):
            name, value = "settings", replace(self.settings, **{name: value})
        elif name in OFF and value not in OFF[name]:
            raise RequestError(f"{name} is {value!r}; leave it out: this library does not do that")
        elif not name.startswith("_") and name not in vars(self) and not hasattr(type(self), name):
            self._warn_of_misspelling(name)
        super().__setattr__(name, value)

    def _warn_of_misspelling(self, name: str) -> None:
        own = {"algorithm", "settings", "latest_training_job", "jobs", *SETTINGS, *ATTRIBUTES}
        known = {*own, *(known for known in dir(type(self)) if not known.startswith("_"))}
        if name not in known and (near := nearest(name, known, others=OTHER_NAMES)):
            warnings.warn(
                f"{type(self).__name__} has no attribute {name!r}, so setting it has no effect: "
                f"did you mean {near!r}?",
                UserWarning,
                stacklevel=3,
            )

    @property
    def fitted_algorithm(self) -> Algorithm:
        """The hyperparameters; after ``fit()`` including those set from the data."""
        return self._fitted or self.algorithm

    def assign(self, name: str, value: Any) -> None:
        """Set a hyperparameter; None unsets it."""
        self.algorithm.assign(name, value)
        self._deleted.discard(name)
        self._fitted = None

    def discard(self, name: str) -> None:
        """Unset a hyperparameter, even one that ``fit()`` requires."""
        self.algorithm.discard(name)
        self._deleted.add(name)
        self._fitted = None

    def train_image(self) -> str:
        """Return the URI of the training image: ``image_uri`` if set, otherwise the region's."""
        return self.image_uri or super().train_image()

    training_image_uri = train_image

    def hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters to send, with booleans in the SDK's spelling: ``"True"`` and
        ``"False"``."""
        algorithm = self.fitted_algorithm
        declared = algorithm.declared()
        return {
            name: text.capitalize() if text in getattr(declared.get(name), "booleans", ()) else text
            for name, text in algorithm.hyperparameters().items()
        }

    def record_set(self, *arguments: Any, **keywords: Any) -> RecordSet:
        """Encode data, upload it, and return the RecordSet, like :meth:`Estimator.record_set`."""
        made = super().record_set(*arguments, **keywords)
        return RecordSet(**{field.name: getattr(made, field.name) for field in fields(made)})

    def fit(  # noqa: PLR0917  # the SDK's order
        self,
        records: Any = None,
        mini_batch_size: int | None = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        experiment_config: Mapping[str, str] | None = None,
        *,
        inputs: Any = None,
    ) -> Self:
        """Train like :meth:`Estimator.fit`; ``inputs`` is another name for ``records``."""
        return super().fit(
            inputs if records is None else records,
            mini_batch_size,
            wait,
            logs,
            job_name,
            experiment_config=experiment_config,
        )

    def _prepare_for_training(
        self, records: Any, mini_batch_size: int | None = None, job_name: str | None = None
    ) -> None:
        """Set the hyperparameters that depend on the data, for tuners and workflow helpers of the SDK."""
        data = training_data(
            records, self.algorithm, in_vpc=self.settings.subnets is not None, session=self.session
        )
        fitted = self._fit_to(data.record_sets, mini_batch_size)
        if "feature_dim" not in fitted.declared():
            vars(self)["_hyperparameters"]["feature_dim"] = data.record_sets["train"].feature_dim
        self._fitted = fitted
        base = self.settings.base_job_name or self.algorithm.repo_name
        if job_name is None and is_template(base):
            job_name = f"{base}-{timestamp()}"
        self._current_job_name = job_name if is_template(job_name) else checked_job_name(job_name, base=base)
        if self.settings.output_path is None:
            self.output_path = self._output_path()

    def prepare_workflow_for_training(
        self, records: Any = None, mini_batch_size: int | None = None, job_name: str | None = None
    ) -> None:
        """Set the hyperparameters that depend on the data, for a workflow that starts the job itself."""
        self._prepare_for_training(records, mini_batch_size, job_name)

    def _fit_to(self, record_sets: Mapping[str, AnyRecordSet], mini_batch_size: int | None) -> Algorithm:
        """Set feature_dim from the data, like the SDK; a workflow's templates are resolved later."""
        train, count = record_sets.get("train"), self.instance_count
        feature_dim = self.algorithm.values.get("feature_dim")
        if train and train.feature_dim and isinstance(feature_dim, int) and feature_dim != train.feature_dim:
            warnings.warn(
                f"feature_dim is set to {train.feature_dim:,}, that of the data, instead of {feature_dim:,}",
                HyperparameterWarning,
                stacklevel=4,
            )
            self.assign("feature_dim", train.feature_dim)
        if not is_template(count):
            return super()._fit_to(record_sets, mini_batch_size)
        algorithm = self.algorithm
        if mini_batch_size is not None:
            algorithm = algorithm.override({"mini_batch_size": mini_batch_size})
        return algorithm.fit_to(record_sets, instance_count=1)

    def _output_path(self) -> str:
        return self.settings.output_path or super()._output_path()

    @classmethod
    def attach(
        cls,
        training_job_name: str,
        sagemaker_session: Any = None,
        model_channel_name: str = "model",
        *,
        session: Any = None,
        wait: bool = True,
        logs: bool = False,
    ) -> Self:
        """Return an estimator of an existing job; by default waits for its end."""
        return super().attach(training_job_name, session=session or sagemaker_session, wait=wait, logs=logs)

    def _begin(self, algorithm: Algorithm, *more: Any) -> None:
        for name, value in (("_hyperparameters", {}), ("_deleted", set()), ("jobs", []), ("image_uri", None)):
            vars(self).setdefault(name, value)
        vars(self).setdefault("_current_job_name", None)
        super()._begin(algorithm, *more)

    @classmethod
    def _of_job(cls, job: Mapping[str, Any], session: Any) -> Self:
        estimator = super()._of_job(job, session)
        estimator._current_job_name = job["TrainingJobName"]
        estimator.jobs.append(estimator._job(job["TrainingJobName"]))
        return estimator

    @classmethod
    def of_definition(cls, definition: Mapping[str, Any], session: Any) -> Self:
        """Return an estimator that trains what a tuning job's definition does; it has no job yet."""
        estimator = super()._of_job(definition, session)
        estimator._current_job_name = None
        return estimator

    @classmethod
    def _algorithm_of(cls, job: Mapping[str, Any]) -> Algorithm:
        algorithm = algorithm_of(job)
        if cls.algorithm_class is not None and not isinstance(algorithm, cls.algorithm_class):
            raise RequestError(
                f"training job {job['TrainingJobName']} is of {type(algorithm).__name__}, not of "
                f"{cls.__name__}",
                remedy=f"Use {type(algorithm).__name__}.attach().",
            )
        return algorithm

    @classmethod
    def _prepare_init_params_from_job_description(
        cls, job_details: Mapping[str, Any], model_channel_name: str | None = None
    ) -> dict[str, Any]:
        """Return the constructor's keywords that make an estimator of a described job."""
        settings = JobSettings.of_job(job_details)
        instance_type, instance_count = instances_of(job_details)
        changed = {
            field.name: getattr(settings, field.name)
            for field in fields(settings)
            if getattr(settings, field.name) != field.default
        }
        sent = job_details.get("HyperParameters", {})
        declared = cls.algorithm_class.declared() if cls.algorithm_class else {}
        hyperparameters = {
            one.alias or name: sent[name]
            for name, one in declared.items()
            if name in sent and name not in cls.algorithm_class.container_settings  # type: ignore[union-attr]
        }
        return {
            **changed,
            **hyperparameters,
            "role": job_details["RoleArn"],
            "output_kms_key": job_details["OutputDataConfig"].get("KmsKeyId"),
            "instance_count": instance_count,
            "instance_type": instance_type,
        }


def _spellings(algorithm: type[Algorithm]) -> set[str]:
    declared = algorithm.declared()
    return {
        *declared,
        *(hyperparameter.alias for hyperparameter in declared.values() if hyperparameter.alias),
    }


def _signature(first: tuple[str, ...], positional: tuple[str, ...]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [inspect.Parameter(name, kind, default=None) for name in (*first, *positional)]
    return inspect.Signature([*names, inspect.Parameter("more", inspect.Parameter.VAR_KEYWORD)])
