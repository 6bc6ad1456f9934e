"""The classic spelling: one class is both the algorithm's hyperparameters and the estimator."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.described_job import algorithm_of
from amazon_estimators.client.estimator import Estimator
from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.errors import RequestError
from amazon_estimators.sdk.serving import Serving

OFF: Mapping[str, tuple[object, ...]] = {
    "debugger_hook_config": (None, False),
    "disable_profiler": (None, True),
    "disable_output_compression": (None, False),
}
"""Settings of the SDK for what this library never does, with the values that say "not"."""


class AmazonAlgorithmEstimatorBase(Serving, Estimator):
    """An estimator of the SageMaker Python SDK 2, for code that exists; new code takes :class:`Estimator`.

    role: name or ARN of the IAM role that SageMaker acts as.
    instance_count: training instances, at least 1.
    instance_type: such as ``"ml.m5.large"``.
    data_location: S3 prefix for RecordSets. Default: the account's default bucket, which must exist.
    sagemaker_session: a session of the SageMaker SDK, or ``session``, a ``boto3.Session``. Default: a new
        one.

    Hyperparameters follow by position in the SDK's order, or by keyword under the SDK's or the service's
    name; all other keywords are settings of the job, as in :class:`JobSettings`. Hyperparameters can be read
    and set as attributes, by either name. Raises HyperparameterError, InstanceError or RequestError.
    """

    algorithm_class: ClassVar[type[Algorithm]]
    positional: ClassVar[tuple[str, ...]] = ()
    """The hyperparameters after ``instance_type``, in the SDK's order."""

    repo_name: ClassVar[str]
    repo_version: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.repo_name, cls.repo_version = cls.algorithm_class.repo_name, cls.algorithm_class.repo_version
        cls.__doc__ = cls.__doc__ or cls.algorithm_class.__doc__
        for name, declared in cls.algorithm_class.declared().items():
            for spelling in filter(None, (name, declared.alias)):
                setattr(cls, spelling, _HyperparameterAttribute(name, declared.doc))
        cls.__signature__ = _signature(cls.first, cls.positional)  # type: ignore[attr-defined]  # help() looks for it

    first: ClassVar[tuple[str, ...]] = ("role", "instance_count", "instance_type")

    def __init__(self, *positional: Any, **keywords: Any) -> None:
        given = self._named(positional, keywords)
        settings, hyperparameters = self._sorted(given)
        super().__init__(self.algorithm_class(**hyperparameters), **settings)

    @classmethod
    def _named(cls, positional: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        names = (*cls.first, *cls.positional)
        if len(positional) > len(names):
            raise TypeError(
                f"{cls.__name__} takes {len(names)} positional arguments, {len(positional)} were given"
            )
        given = dict(zip(names, positional, strict=False))
        if twice := sorted(set(given) & set(keywords)):
            raise TypeError(f"{cls.__name__} got several values for {', '.join(twice)}")
        return {**given, **keywords}

    @classmethod
    def _sorted(cls, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Settings of the estimator, and hyperparameters. RequestError for what is neither."""
        attributes = {"role": None, "instance_count": None, "instance_type": None}
        settings: dict[str, Any] = {**attributes}
        hyperparameters, unknown = {}, []
        known = {*attributes, "data_location", "session", *JobSettings.__dataclass_fields__}
        names = _spellings(cls.algorithm_class)
        for name, value in given.items():
            if name == "sagemaker_session":
                settings["session"] = given.get("session") or value
            elif name in known:
                settings[name] = value
            elif name in names:
                hyperparameters[name] = value
            elif name not in OFF:
                near = get_close_matches(name, [*known, *names], n=1)
                unknown.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
            elif value not in OFF[name]:
                unknown.append(f"{name}={value!r} (leave it out: this library does not do that)")
        if unknown:
            raise RequestError(f"{cls.__name__} takes no {', '.join(unknown)}")
        unset = {name: value for name, value in settings.items() if value is not None or name in attributes}
        return unset, hyperparameters

    @classmethod
    def attach(
        cls,
        training_job_name: str,
        sagemaker_session: Any = None,
        *,
        session: Any = None,
        wait: bool = True,
        logs: bool = False,
    ) -> Self:
        """An estimator of a job that exists; waits for its end, as the SDK does, unless told otherwise."""
        return super().attach(training_job_name, session=session or sagemaker_session, wait=wait, logs=logs)

    @classmethod
    def _algorithm_of(cls, job: Mapping[str, Any]) -> Algorithm:
        algorithm = algorithm_of(job)
        if not isinstance(algorithm, cls.algorithm_class):
            raise RequestError(
                f"training job {job['TrainingJobName']} is of {type(algorithm).__name__}, not of "
                f"{cls.__name__}",
                remedy=f"Use {type(algorithm).__name__}.attach().",
            )
        return algorithm

    def __getattr__(self, name: str) -> Any:
        """Settings of the job, by their names in the SDK."""
        if name in JobSettings.__dataclass_fields__:
            return getattr(self.settings, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class _HyperparameterAttribute:
    """A hyperparameter of the estimator's algorithm; None if it is unset."""

    def __init__(self, name: str, doc: str) -> None:
        self._name = name
        self.__doc__ = doc

    def __get__(self, estimator: AmazonAlgorithmEstimatorBase | None, owner: type) -> Any:
        if estimator is None:
            return self
        return (estimator._fitted or estimator.algorithm).values.get(self._name)

    def __set__(self, estimator: AmazonAlgorithmEstimatorBase, value: object) -> None:
        estimator.algorithm.assign(self._name, value)
        estimator._fitted = None


def _spellings(algorithm: type[Algorithm]) -> set[str]:
    declared = algorithm.declared()
    return {*declared, *(one.alias for one in declared.values() if one.alias)}


def _signature(first: tuple[str, ...], positional: tuple[str, ...]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [inspect.Parameter(name, kind, default=None) for name in (*first, *positional)]
    return inspect.Signature([*names, inspect.Parameter("more", inspect.Parameter.VAR_KEYWORD)])
