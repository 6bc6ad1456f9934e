"""The SageMaker SDK's HyperparameterTuner, its ranges and its analytics."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Self

from amazon_estimators.algorithms.tuning_ranges import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
    Range,
    ranges_of,
    ranges_request,
)
from amazon_estimators.client import tuner
from amazon_estimators.client.described_job import algorithm_of
from amazon_estimators.client.tuner import TuningJob, training_row
from amazon_estimators.errors import RequestError
from amazon_estimators.sdk.base import AmazonAlgorithmEstimatorBase
from amazon_estimators.sdk.estimators import ESTIMATORS


class WarmStartTypes(Enum):
    """The ways in which a search continues from others."""

    IDENTICAL_DATA_AND_ALGORITHM = "IdenticalDataAndAlgorithm"
    TRANSFER_LEARNING = "TransferLearning"


class WarmStartConfig:
    """The tuning jobs that a search continues from.

    Args:
        warm_start_type: A :class:`WarmStartTypes`.
        parents: Names of one to five tuning jobs.
    """

    def __init__(self, warm_start_type: WarmStartTypes, parents: Any) -> None:
        self.type, self.parents = WarmStartTypes(warm_start_type), set(parents)
        if not self.parents:
            raise RequestError("a warm start needs at least one parent: the name of a tuning job")

    @classmethod
    def of_request(cls, request: Mapping[str, Any]) -> Self:
        """Return the warm start that the API's ``WarmStartConfig`` states."""
        parents = request["ParentHyperParameterTuningJobs"]
        return cls(
            WarmStartTypes(request["WarmStartType"]),
            [parent["HyperParameterTuningJobName"] for parent in parents],
        )

    def to_input_req(self) -> dict[str, Any]:
        """Return ``WarmStartConfig`` in the API's form."""
        return {
            "WarmStartType": self.type.value,
            "ParentHyperParameterTuningJobs": [
                {"HyperParameterTuningJobName": parent} for parent in sorted(self.parents)
            ],
        }


class HyperparameterTuner(tuner.Tuner):
    """Searches hyperparameters of a classic estimator; arguments as in SDK 2.

    Attributes:
        latest_tuning_job: The latest search, with its ``name``; None if there is none yet.
    """

    def __init__(  # noqa: PLR0917  # the SDK's order
        self,
        estimator: Any,
        objective_metric_name: str,
        hyperparameter_ranges: Mapping[str, Any],
        metric_definitions: Any = None,
        strategy: str = "Bayesian",
        objective_type: str = "Maximize",
        max_jobs: int | None = None,
        max_parallel_jobs: int = 1,
        max_runtime_in_seconds: int | None = None,
        tags: Any = None,
        base_tuning_job_name: str | None = None,
        warm_start_config: Any = None,
        early_stopping_type: str = "Off",
        random_seed: int | None = None,
    ) -> None:
        if metric_definitions is not None:
            raise RequestError(
                "metric_definitions is set; the first-party algorithms have their own",
                remedy="Leave it out.",
            )
        super().__init__(
            estimator,
            objective_metric_name,
            {name: _range(one) for name, one in hyperparameter_ranges.items()},
            max_jobs=1 if max_jobs is None and strategy != "Grid" else max_jobs,
            max_parallel_jobs=max_parallel_jobs,
            strategy=strategy,
            objective_type=objective_type,
            early_stopping=early_stopping_type,
            max_runtime=max_runtime_in_seconds,
            random_seed=random_seed,
            warm_start=None if warm_start_config is None else warm_start_config.to_input_req(),
            base_job_name=base_tuning_job_name,
            tags=tags,
        )
        self.objective_metric_name = objective_metric_name

    @classmethod
    def attach(
        cls,
        tuning_job_name: str,
        sagemaker_session: Any = None,
        job_details: Mapping[str, Any] | None = None,
        estimator_cls: type[AmazonAlgorithmEstimatorBase] | None = None,
    ) -> Self:
        """Return a tuner of a job that exists.

        Args:
            tuning_job_name: The job's name.
            sagemaker_session: A session of the SDK, or a ``boto3.Session``. Default: a new one.
            job_details: The job's description. Default: it is asked for.
            estimator_cls: The class of the estimator. Default: that of the algorithm.

        Raises:
            RequestError: The job tunes several definitions, or not a first-party algorithm.
        """
        job = TuningJob(tuning_job_name, session=sagemaker_session)
        described = job_details or job.describe()
        if "TrainingJobDefinition" not in described:
            raise RequestError(f"tuning job {tuning_job_name} has several training job definitions")
        config, definition = described["HyperParameterTuningJobConfig"], described["TrainingJobDefinition"]
        training = {
            **definition,
            "TrainingJobName": tuning_job_name,
            "HyperParameters": definition.get("StaticHyperParameters", {}),
        }
        if estimator_cls is None:
            estimator_cls = ESTIMATORS[type(algorithm_of(training))]
        objective, limits = config["HyperParameterTuningJobObjective"], config["ResourceLimits"]
        warm = described.get("WarmStartConfig")
        tuner = cls(
            estimator_cls.of_definition(training, sagemaker_session),
            objective["MetricName"],
            ranges_of(config.get("ParameterRanges", {})),
            strategy=config["Strategy"],
            objective_type=objective["Type"],
            max_jobs=limits.get("MaxNumberOfTrainingJobs"),
            max_parallel_jobs=limits["MaxParallelTrainingJobs"],
            max_runtime_in_seconds=limits.get("MaxRuntimeInSeconds"),
            base_tuning_job_name=tuning_job_name.rpartition("-")[0] or tuning_job_name,
            warm_start_config=None if warm is None else WarmStartConfig.of_request(warm),
            early_stopping_type=config.get("TrainingJobEarlyStoppingType", "Off"),
            random_seed=config.get("RandomSeed"),
        )
        tuner.latest_job = job
        return tuner

    @property
    def latest_tuning_job(self) -> TuningJob | None:
        """The latest search."""
        return self.latest_job

    @property
    def sagemaker_session(self) -> Any:
        """The estimator's session."""
        return self.estimator.session

    def fit(  # type: ignore[override]  # the SDK's order
        self,
        inputs: Any,
        job_name: str | None = None,
        include_cls_metadata: bool = False,
        estimator_kwargs: Any = None,
        wait: bool = True,
        *,
        mini_batch_size: int | None = None,
    ) -> None:
        """Start the search and, by default, wait for its end; see the SDK's ``HyperparameterTuner.fit``."""
        super().fit(inputs, mini_batch_size=mini_batch_size, job_name=job_name, wait=wait)

    def hyperparameter_ranges(self) -> dict[str, Any]:
        """Return the ranges in the API's form."""
        return ranges_request(self.ranges, self._algorithm)

    def best_training_job(self) -> str:
        """Return the name of the training job with the best objective. Raises RequestError if there is
        none."""
        return self._job().best_training_job()

    def best_estimator(self, best_training_job: Mapping[str, str] | None = None) -> Any:
        """Return an estimator of the best training, or of the named one, with the tuned estimator's class."""
        name = (best_training_job or {}).get("TrainingJobName") or self.best_training_job()
        return type(self.estimator).attach(name, session=self.estimator.session, wait=False)

    def deploy(self, initial_instance_count: int, instance_type: str, *more: Any, **settings: Any) -> Any:
        """Deploy the model of the best training."""
        return self.best_estimator().deploy(initial_instance_count, instance_type, *more, **settings)

    def describe(self) -> dict[str, Any]:
        """Return the description of the latest search."""
        return self._job().describe()

    def wait(self) -> None:
        """Wait for the latest search. Raises TuningJobError if it does not complete."""
        self._job().wait()

    def stop_tuning_job(self) -> None:
        """Stop the latest search and its trainings."""
        self._job().stop()

    def analytics(self) -> HyperparameterTuningJobAnalytics:
        """Return the analytics of the latest search's trainings."""
        return HyperparameterTuningJobAnalytics(self._job().name, self.sagemaker_session)

    def identical_dataset_and_algorithm_tuner(self, additional_parents: Any = None) -> Self:
        """Return a tuner that continues from the latest search, with the same data and algorithm."""
        return self._warm(WarmStartTypes.IDENTICAL_DATA_AND_ALGORITHM, additional_parents, self.estimator)

    def transfer_learning_tuner(self, additional_parents: Any = None, estimator: Any = None) -> Self:
        """Return a tuner that continues from the latest search, with other data or another image."""
        return self._warm(WarmStartTypes.TRANSFER_LEARNING, additional_parents, estimator or self.estimator)

    def _warm(self, kind: WarmStartTypes, additional_parents: Any, estimator: Any) -> Self:
        return type(self)(
            estimator,
            self.objective,
            self.ranges,
            strategy=self.strategy,
            objective_type=self.objective_type,
            max_jobs=self.max_jobs,
            max_parallel_jobs=self.max_parallel_jobs,
            max_runtime_in_seconds=self.max_runtime,
            tags=self.tags,
            base_tuning_job_name=self.base_job_name,
            warm_start_config=WarmStartConfig(kind, {self._job().name, *(additional_parents or ())}),
            early_stopping_type=self.early_stopping,
            random_seed=self.random_seed,
        )

    def _job(self) -> TuningJob:
        if self.latest_job is None:
            raise RequestError("No tuning job available", remedy="Call fit() first.")
        return self.latest_job


class HyperparameterTuningJobAnalytics:
    """The trainings of a tuning job."""

    def __init__(self, hyperparameter_tuning_job_name: str, sagemaker_session: Any = None) -> None:
        self.name, self._session = hyperparameter_tuning_job_name, sagemaker_session
        self._summaries: list[dict[str, Any]] | None = None

    def dataframe(self, force_refresh: bool = False) -> Any:
        """Return a pandas frame with a row per training: tuned values, objective, status, times."""
        import pandas as pd  # noqa: PLC0415 - optional

        return pd.DataFrame([training_row(summary) for summary in self.training_job_summaries(force_refresh)])

    def training_job_summaries(self, force_refresh: bool = False) -> list[dict[str, Any]]:
        """Return the trainings as the API lists them."""
        if self._summaries is None or force_refresh:
            self._summaries = TuningJob(self.name, session=self._session).summaries()
        return self._summaries

    def description(self, force_refresh: bool = False) -> dict[str, Any]:
        """Return the tuning job's description."""
        return TuningJob(self.name, session=self._session).describe()

    @property
    def tuning_ranges(self) -> dict[str, Any]:
        """The ranges, by hyperparameter."""
        ranges = self.description()["HyperParameterTuningJobConfig"]["ParameterRanges"]
        return {parameter["Name"]: parameter for kind in ranges.values() for parameter in kind}


def _range(parameter: Any) -> Range:
    """Return a range of this library. Accepts the SDK's own ranges as well."""
    if isinstance(parameter, ContinuousParameter | CategoricalParameter):
        return parameter
    if hasattr(parameter, "min_value"):
        whole = type(parameter).__name__.startswith("Integer")
        kind = IntegerParameter if whole else ContinuousParameter
        return kind(parameter.min_value, parameter.max_value, parameter.scaling_type)
    return CategoricalParameter(parameter.values)
