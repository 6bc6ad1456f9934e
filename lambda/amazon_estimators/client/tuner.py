"""Search hyperparameters: a tuning job starts training jobs and finds the best."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.rules import Caution, Finding, Problem
from amazon_estimators.algorithms.tuning import job_findings, objective_findings, objectives, range_findings
from amazon_estimators.algorithms.tuning_ranges import Range, declared_name, ranges_request
from amazon_estimators.client.job_settings import JobSettings, tag_list
from amazon_estimators.client.training_job import JOB_NAME, console_page
from amazon_estimators.client.training_records import Records
from amazon_estimators.client.waiting import JOB_GOING, wait_for
from amazon_estimators.errors import HyperparameterError, RequestError, TuningJobError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.storage.sessions import client_of, region_of

NAME_CHARACTERS = 32
_TRAINING_ONLY = ("TrainingJobName", "HyperParameters", "Tags", "ExperimentConfig")
"""Members of a training job's request that its definition in a tuning job lacks."""


class Tunable(Protocol):
    """The estimator's members that this module uses."""

    algorithm: Algorithm
    session: Any
    settings: JobSettings

    def training_request(self, records: Any, mini_batch_size: int | None = None) -> dict[str, Any]: ...
    @classmethod
    def attach(cls, training_job_name: str, *, session: Any = None, wait: bool = True) -> Any: ...


class TuningJob:
    """A hyperparameter tuning job by name."""

    def __init__(self, name: str, *, session: Any = None) -> None:
        self.name, self.session = name, session
        self._sagemaker = client_of(session, "sagemaker")

    @property
    def job_name(self) -> str:
        """The job's name, as the SDK calls it."""
        return self.name

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeHyperParameterTuningJob."""
        answer: dict[str, Any] = self._sagemaker.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=self.name
        )
        return answer

    def stop(self) -> None:
        """Ask the service to end the job and its trainings."""
        self._sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=self.name)

    def wait(self, *, poll: float | None = None) -> dict[str, Any]:
        """Wait for the job's end and return its description.

        Raises:
            TuningJobError: It did not complete.
            Detached: Ctrl-C was pressed; the job goes on.
        """
        job = wait_for(
            self.describe,
            status="HyperParameterTuningJobStatus",
            going=JOB_GOING,
            detail=_progress,
            way_back=f"Stopped waiting; tuning job {self.name} is still running, and its trainings "
            "are billed.\n"
            f"  Wait again:  TuningJob({self.name!r}).wait()\n"
            f"  Stop it:     TuningJob({self.name!r}).stop()",
            poll=poll,
        )
        if job["HyperParameterTuningJobStatus"] != "Completed":
            page = console_page(region_of(self.session), f"hyper-tuning-jobs/{self.name}")
            raise TuningJobError(
                f"Tuning job {self.name} is {job['HyperParameterTuningJobStatus']}: "
                f"{job.get('FailureReason') or 'no reason given'}",
                remedy=f"See it in the console: {page}",
            )
        return job

    def best_training_job(self) -> str:
        """Return the name of the training job with the best objective.

        Raises:
            RequestError: There is none, or none yet.
        """
        job = self.describe()
        best = job.get("BestTrainingJob") or {}
        if "TrainingJobName" not in best:
            raise RequestError(
                f"tuning job {self.name} has no best training job: it is "
                f"{job['HyperParameterTuningJobStatus']}"
            )
        return str(best["TrainingJobName"])

    def trainings(self) -> list[dict[str, Any]]:
        """Return a dictionary per training: its tuned hyperparameters, objective, status and seconds.

        Numbers are floats, categorical values are texts; the objective is None if none was reported.
        """
        return [training_row(summary) for summary in self.summaries()]

    def summaries(self) -> list[dict[str, Any]]:
        """Return the trainings as ListTrainingJobsForHyperParameterTuningJob lists them."""
        pages = self._sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=self.name
        )
        return [summary for page in pages for summary in page["TrainingJobSummaries"]]


class Tuner:
    """Tunes an estimator's hyperparameters."""

    def __init__(
        self,
        estimator: Tunable,
        objective: str,
        ranges: Mapping[str, Range],
        *,
        max_jobs: int | None = None,
        max_parallel_jobs: int = 1,
        strategy: str = "Bayesian",
        objective_type: str | None = None,
        early_stopping: str = "Off",
        max_runtime: int | None = None,
        random_seed: int | None = None,
        warm_start: Mapping[str, Any] | None = None,
        base_job_name: str | None = None,
        tags: Any = None,
    ) -> None:
        """Describe the search.

        Args:
            estimator: The estimator to tune. Hyperparameters that are not searched keep its values.
            objective: A metric of the algorithm, such as ``"test:msd"``.
            ranges: :class:`IntegerParameter`, :class:`ContinuousParameter` or :class:`CategoricalParameter`
                by hyperparameter.
            max_jobs: Total number of trainings. Required, except for Grid, which trains all combinations.
            max_parallel_jobs: Concurrent trainings. Default: 1.
            strategy: ``"Bayesian"``, ``"Random"``, ``"Grid"`` or ``"Hyperband"``. Default: Bayesian.
            objective_type: ``"Minimize"`` or ``"Maximize"``. Default: the better direction of the metric.
            early_stopping: ``"Off"`` or ``"Auto"``. Default: Off.
            max_runtime: Seconds that the search may take, at least 120. Default: the service's, 30 days.
            random_seed: Makes the search repeatable. Default: none.
            warm_start: ``WarmStartConfig`` of the API. Default: none.
            base_job_name: Prefix of the job's name. Default: the image's name.
            tags: Tags of the job and its trainings. Default: those of the estimator.

        Raises:
            HyperparameterError: The algorithm's tables do not allow the ranges or the objective; with all
                reasons.
        """
        self.estimator, self.objective, self.ranges = estimator, objective, dict(ranges)
        self.max_jobs, self.max_parallel_jobs, self.strategy = max_jobs, max_parallel_jobs, strategy
        known = objectives(self._algorithm)
        self.objective_type = objective_type or (
            str(known[objective].direction) if objective in known else "Minimize"
        )
        self.early_stopping, self.max_runtime, self.random_seed = early_stopping, max_runtime, random_seed
        self.warm_start = None if warm_start is None else dict(warm_start)
        self.base_job_name = base_job_name
        given = estimator.settings.tags if tags is None else tags
        self.tags = None if given is None else tag_list(given)
        self.latest_job: TuningJob | None = None
        self.check(None)

    @property
    def _algorithm(self) -> type[Algorithm]:
        return type(self.estimator.algorithm)

    def check(self, channels: Sequence[str] | None) -> None:
        """Check ranges, objective and numbers of jobs; also the channels of the trainings, once known."""
        settings = {
            name: value
            for name, value in self.estimator.algorithm.values.items()
            if name not in self._searched()
        }
        raise_problems(
            self._algorithm,
            [
                *range_findings(self._algorithm, self.ranges),
                *objective_findings(self._algorithm, self.objective, self.objective_type, channels, settings),
                *job_findings(
                    self._algorithm,
                    list(self.ranges.values()),
                    strategy=self.strategy,
                    early_stopping=self.early_stopping,
                    max_jobs=self.max_jobs,
                    objective=self.objective,
                ),
            ],
        )

    def request(
        self,
        records: Records | Sequence[Records],
        job_name: str | None = None,
        mini_batch_size: int | None = None,
    ) -> dict[str, Any]:
        """Return the checked CreateHyperParameterTuningJob request that :meth:`fit` would send."""
        training = self.estimator.training_request(records, mini_batch_size)
        self.check([channel["ChannelName"] for channel in training["InputDataConfig"]])
        searched = self._searched()
        statics = {name: value for name, value in training["HyperParameters"].items() if name not in searched}
        limits: dict[str, Any] = {"MaxParallelTrainingJobs": self.max_parallel_jobs}
        if self.max_jobs is not None and self.strategy != "Grid":
            limits["MaxNumberOfTrainingJobs"] = self.max_jobs
        if self.max_runtime is not None:
            limits["MaxRuntimeInSeconds"] = self.max_runtime
        config: dict[str, Any] = {
            "Strategy": self.strategy,
            "HyperParameterTuningJobObjective": {"Type": self.objective_type, "MetricName": self.objective},
            "ResourceLimits": limits,
            "ParameterRanges": ranges_request(self.ranges, self._algorithm),
            "TrainingJobEarlyStoppingType": self.early_stopping,
        }
        if self.random_seed is not None:
            config["RandomSeed"] = self.random_seed
        request: dict[str, Any] = {
            "HyperParameterTuningJobName": checked_tuning_name(
                job_name, base=self.base_job_name or self._algorithm.repo_name
            ),
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": {
                **{name: value for name, value in training.items() if name not in _TRAINING_ONLY},
                "StaticHyperParameters": statics,
            },
        }
        optional = {"WarmStartConfig": self.warm_start, "Tags": self.tags}
        return request | {name: value for name, value in optional.items() if value is not None}

    def fit(
        self,
        records: Records | Sequence[Records],
        *,
        mini_batch_size: int | None = None,
        job_name: str | None = None,
        wait: bool = True,
    ) -> TuningJob:
        """Start the search, by default wait for its end, and return the job.

        Raises:
            HyperparameterError: The hyperparameters do not fit the data; nothing has been started.
            TuningJobError: The job did not complete.
            Detached: Ctrl-C was pressed; the job goes on.
        """
        request = self.request(records, job_name, mini_batch_size)
        client_of(self.estimator.session, "sagemaker").create_hyper_parameter_tuning_job(**request)
        self.latest_job = TuningJob(request["HyperParameterTuningJobName"], session=self.estimator.session)
        if wait:
            self.latest_job.wait()
        return self.latest_job

    def best_estimator(self) -> Any:
        """Return the estimator of the best training, with the class of the tuned estimator.

        Raises:
            RequestError: No search has been started, or it has no best training yet.
        """
        if self.latest_job is None:
            raise RequestError("there is no tuning job yet", remedy="Call fit() first.")
        return type(self.estimator).attach(
            self.latest_job.best_training_job(), session=self.estimator.session, wait=False
        )

    def _searched(self) -> set[str]:
        """Return the service's names of the searched hyperparameters."""
        return {declared_name(self._algorithm, name) or name for name in self.ranges}


def raise_problems(algorithm: type[Algorithm], findings: Sequence[Finding]) -> None:
    """Raise HyperparameterError with all problems, and warn of each caution."""
    problems = [finding for finding in findings if isinstance(finding, Problem)]
    if problems:
        lines = problems[0] if len(problems) == 1 else "".join(f"\n- {one}" for one in problems)
        raise HyperparameterError(f"Tuning of {algorithm.__name__}: {lines}")
    for finding in findings:
        if isinstance(finding, Caution):
            warnings.warn(f"Tuning of {algorithm.__name__}: {finding}", HyperparameterWarning, stacklevel=4)


def checked_tuning_name(given: str | None, *, base: str) -> str:
    """Return the job name, by default ``base`` and the time.

    Raises:
        RequestError: The service refuses the name: it may have at most 32 characters.
    """
    if given is None:
        now = f"{datetime.now(UTC):%y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        given = f"{base[: NAME_CHARACTERS - len(now) - 1].rstrip('-')}-{now}"
    if not isinstance(given, str) or len(given) > NAME_CHARACTERS or not JOB_NAME.fullmatch(given):
        raise RequestError(
            f"tuning job name is {given!r}; allowed: up to {NAME_CHARACTERS} letters, digits and hyphens, "
            "a letter or digit at both ends"
        )
    return given


def training_row(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a training as a row, with the columns of the SageMaker SDK's analytics."""
    begin, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    return {
        **{name: _number(value) for name, value in summary["TunedHyperParameters"].items()},
        "TrainingJobName": summary["TrainingJobName"],
        "TrainingJobStatus": summary["TrainingJobStatus"],
        "FinalObjectiveValue": summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        "TrainingStartTime": begin,
        "TrainingEndTime": end,
        "TrainingElapsedTimeSeconds": (end - begin).total_seconds() if begin and end else None,
    }


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip('"')


def _progress(job: Mapping[str, Any]) -> str:
    counted = job["TrainingJobStatusCounters"]
    best = (job.get("BestTrainingJob") or {}).get("FinalHyperParameterTuningJobObjectiveMetric")
    shown = f"; best {best['MetricName']} = {best['Value']:g}" if best else ""
    return f"{counted['Completed']} completed, {counted['InProgress']} running{shown}"
