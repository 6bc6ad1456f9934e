"""Replace the single training by a search for hyperparameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import ceil, isfinite, prod
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.rules import Finding, Problem
from amazon_estimators.algorithms.tuning import (
    API,
    GUIDE,
    RANGES,
    STRATEGIES,
    job_findings,
    objective_findings,
    objectives,
    range_findings,
    reports_per_epoch,
)
from amazon_estimators.algorithms.tuning_ranges import (
    CategoricalParameter,
    Range,
    declared_name,
    documented_ranges,
    ranges_request,
)
from cdk_amazon_estimators.after_training.step import Context, note_findings, warn
from cdk_amazon_estimators.after_training.tuning_states import tuning_states
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds
from cdk_amazon_estimators.training.capacity import Training

STRATEGY_NAMES = ("Bayesian", "Random", "Hyperband", "Grid")
MAX_JOBS, MAX_PARALLEL_JOBS = 750, 100
"""https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html"""
LIMITS = f"{GUIDE}automatic-model-tuning-limits.html"
EARLY_STOPPING_PAGE = f"{GUIDE}automatic-model-tuning-early-stopping.html"
LEAST_RUNTIME, MOST_RUNTIME = Duration.minutes(2), Duration.seconds(15_768_000)
LONGEST = Duration.days(30)
"""The longest time of a tuning job if nothing else ends it."""
LEAST_NOT_IMPROVING = 3


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Searches hyperparameters with several trainings, and continues with the best of them.

    Hyperparameters that are not searched keep the values of ``algorithm``. A required one, such as KNN's
    ``k``, must be set there even if it is searched; its value is then not used.

    Args:
        objective: The metric to optimise, such as ``"validation:objective_loss"``. The pipeline needs its
            channel.
        ranges: IntegerParameter, ContinuousParameter or CategoricalParameter by hyperparameter. Default:
            AWS's recommended ranges for those that ``algorithm`` leaves open; real numbers over three orders
            of magnitude on a logarithmic scale.
        max_jobs: The most trainings, 1 to 750. Default: 10; of Grid, all combinations.
        max_parallel_jobs: Concurrent trainings, 1 to 100; more than 10 need a raised quota. Default: 1.
        strategy: ``"Bayesian"``, ``"Random"``, ``"Hyperband"`` or ``"Grid"``. Default: Bayesian.
        early_stopping: Stop trainings that do not look promising. Default: False.
        warm_start: Learn from the pipeline's last tuning job if it had the same objective and
            hyperparameters: as IdenticalDataAndAlgorithm on the same data, else as TransferLearning. Default:
            False.
        target: Stop when the objective is as good as this. Default: None.
        max_jobs_not_improving: Stop after this many trainings without improvement, 3 or more. Default: None.
        stop_on_convergence: Stop when SageMaker expects no further improvement. Default: False.
        max_runtime: How long the search may take, 2 minutes to half a year. Default: SageMaker's 30 days.
        random_seed: Makes the search repeatable, 0 or more. Default: None.
    """

    objective: str
    ranges: Mapping[str, Range] | None = None
    max_jobs: int | None = None
    max_parallel_jobs: int = 1
    strategy: str = "Bayesian"
    early_stopping: bool = False
    warm_start: bool = False
    target: float | None = None
    max_jobs_not_improving: int | None = None
    stop_on_convergence: bool = False
    max_runtime: Duration | None = None
    random_seed: int | None = None

    def searched(self, algorithm: Algorithm) -> Mapping[str, Range]:
        """Return the ranges by hyperparameter."""
        return documented_ranges(algorithm) if self.ranges is None else self.ranges

    @property
    def jobs(self) -> int | None:
        """Return the most trainings; None for all combinations of Grid."""
        return self.max_jobs or (None if self.strategy == "Grid" else 10)

    def most_jobs(self, algorithm: Algorithm) -> int | None:
        """Return the most trainings, of Grid the number of combinations; None if it is not known."""
        if self.strategy != "Grid" or known("max_jobs", self.max_jobs) is not None:
            return known("max_jobs", self.jobs)
        ranges = self.searched(algorithm).values()
        categories = [parameter for parameter in ranges if isinstance(parameter, CategoricalParameter)]
        return (
            prod(len(parameter.bounds()) for parameter in categories)
            if len(categories) == len(ranges)
            else None
        )

    def longest(self, max_runtime: Duration) -> Duration:
        """Return the longest time of the search, if each training takes at most ``max_runtime``."""
        if known("max_runtime", self.max_runtime) is not None:
            return self.max_runtime or LONGEST
        each, jobs = known_seconds("max_runtime", max_runtime), known("max_jobs", self.jobs)
        parallel = known("max_parallel_jobs", self.max_parallel_jobs)
        if each is None or jobs is None or not parallel:
            return LONGEST
        return Duration.seconds(min(LONGEST.to_seconds(), each * ceil(jobs / max(1, parallel))))

    def check(self, problems: Problems, algorithm: Algorithm, channels: Collection[str]) -> None:
        """Note settings that the algorithm cannot be tuned with, and those that SageMaker would refuse."""
        if check_types(problems, Tuning.__init__, vars(self), of="Tuning."):
            note_findings(problems, "tuning", self._findings(algorithm, channels))

    def bind(
        self, context: Context, *, definition: Mapping[str, Any], role: iam.IRole, name_prefix: str
    ) -> Training:
        """Create the states PrepareTuning, Tune, Leaderboard and BestTraining.

        Args:
            context: The pipeline.
            definition: The members of the training job that do not depend on the data.
            role: The execution role of the trainings.
            name_prefix: The prefix of the tuning job's name.
        """
        warn(context.scope, "tuning", self._findings(context.algorithm, context.settings["channels"]))
        return tuning_states(
            context,
            event=self._event(context, definition, name_prefix),
            config=self._config(context.algorithm),
            definition=definition,
            role=role,
            name_prefix=name_prefix,
        )

    def _config(self, algorithm: Algorithm) -> dict[str, Any]:
        """Return HyperParameterTuningJobConfig."""
        limits = {
            "MaxNumberOfTrainingJobs": None if self.strategy == "Grid" else self.jobs,
            "MaxParallelTrainingJobs": self.max_parallel_jobs,
            "MaxRuntimeInSeconds": self.max_runtime and self.max_runtime.to_seconds(),
        }
        criteria: dict[str, Any] = {}
        if self.target is not None:
            criteria["TargetObjectiveMetricValue"] = self.target
        if self.max_jobs_not_improving is not None:
            criteria["BestObjectiveNotImproving"] = {
                "MaxNumberOfTrainingJobsNotImproving": self.max_jobs_not_improving
            }
        if self.stop_on_convergence:
            criteria["ConvergenceDetected"] = {"CompleteOnConvergence": "Enabled"}
        return {
            "Strategy": self.strategy,
            "HyperParameterTuningJobObjective": {
                "Type": self._direction(algorithm),
                "MetricName": self.objective,
            },
            "ResourceLimits": {name: value for name, value in limits.items() if value is not None},
            "ParameterRanges": ranges_request(self.searched(algorithm), type(algorithm)),
            "TrainingJobEarlyStoppingType": "Auto" if self.early_stopping else "Off",
            **({"TuningJobCompletionCriteria": criteria} if criteria else {}),
            **({} if self.random_seed is None else {"RandomSeed": self.random_seed}),
        }

    def _event(self, context: Context, definition: Mapping[str, Any], name_prefix: str) -> dict[str, Any]:
        """Return the members about the tuning in the events of PrepareTuning and Leaderboard."""
        return {
            "objective": self.objective,
            "direction": self._direction(context.algorithm),
            "searched": sorted(self._names(context.algorithm)),
            "warm_start": self.warm_start,
            "image": definition["AlgorithmSpecification"]["TrainingImage"],
            "job_name_prefix": name_prefix,
            "model_bucket": context.layout.model_bucket.bucket_name,
        }

    def _direction(self, algorithm: Algorithm) -> str:
        return str(objectives(type(algorithm))[self.objective].direction)

    def _names(self, algorithm: Algorithm) -> set[str]:
        """Return the service's names of the searched hyperparameters."""
        return {declared_name(type(algorithm), name) or name for name in self.searched(algorithm)}

    def _findings(self, algorithm: Algorithm, channels: Collection[str]) -> list[Finding]:
        kind, ranges = type(algorithm), self.searched(algorithm)
        known_metrics = objectives(kind)
        direction = known_metrics[self.objective].direction if self.objective in known_metrics else "Minimize"
        findings = [
            *objective_findings(kind, self.objective, str(direction), channels, algorithm.values),
            *self._number_findings(),
        ]
        if not known_metrics:
            return findings
        if not ranges and self.ranges is None:
            fixed = ", ".join(name for name, one in algorithm.declared().items() if one.tuning)
            findings.append(
                Problem(
                    f"nothing is left to search: {kind.__name__} sets all of {fixed}. Give ranges.",
                    source=RANGES,
                )
            )
            return findings
        findings += range_findings(kind, ranges)
        findings += self._fixed(algorithm)
        findings += job_findings(
            kind,
            [*ranges.values()],
            strategy=self.strategy,
            early_stopping="Auto" if self.early_stopping else "Off",
            max_jobs=self.jobs,
            objective=self.objective,
        )
        for setting, page in (("early_stopping", EARLY_STOPPING_PAGE), ("strategy Hyperband", STRATEGIES)):
            asked = self.early_stopping if setting == "early_stopping" else self.strategy == "Hyperband"
            if asked and not reports_per_epoch(kind, self.objective):
                findings.append(
                    Problem(
                        f"{setting} needs an objective that is reported after each epoch; {kind.__name__} "
                        f"does not report {self.objective} so.",
                        source=page,
                    )
                )
        return findings

    def _fixed(self, algorithm: Algorithm) -> list[Finding]:
        """Return the hyperparameters that are both set and searched, except required ones."""
        both = sorted(
            name
            for name in self._names(algorithm) & set(algorithm.values)
            if not algorithm.hyperparameter(name).required
        )
        return [
            Problem(
                f"{name} is searched, and set to {algorithm.values[name]!r}: leave one out.", source=RANGES
            )
            for name in both
        ]

    def _number_findings(self) -> list[Finding]:
        runtime = known_seconds("max_runtime", self.max_runtime)
        jobs, parallel = known("max_jobs", self.max_jobs), known("max_parallel_jobs", self.max_parallel_jobs)
        rules = (
            (
                self.strategy in STRATEGY_NAMES,
                f"strategy is {self.strategy!r}; allowed: {', '.join(STRATEGY_NAMES)}.",
                API,
            ),
            (
                jobs is None or 1 <= jobs <= MAX_JOBS,
                f"max_jobs is {jobs}; allowed: 1 to {MAX_JOBS}.",
                LIMITS,
            ),
            (
                parallel is None or 1 <= parallel <= MAX_PARALLEL_JOBS,
                f"max_parallel_jobs is {parallel}; allowed: 1 to {MAX_PARALLEL_JOBS}.",
                LIMITS,
            ),
            (
                runtime is None or LEAST_RUNTIME.to_seconds() <= runtime <= MOST_RUNTIME.to_seconds(),
                f"max_runtime is {runtime} seconds; allowed: 120 to 15,768,000.",
                API,
            ),
            (
                self.target is None or isfinite(self.target),
                f"target is {self.target}; allowed: a finite number.",
                API,
            ),
            (
                self.max_jobs_not_improving is None or self.max_jobs_not_improving >= LEAST_NOT_IMPROVING,
                f"max_jobs_not_improving is {self.max_jobs_not_improving}; allowed: {LEAST_NOT_IMPROVING} or "
                "more.",
                API,
            ),
            (
                self.random_seed is None or self.random_seed >= 0,
                f"random_seed is {self.random_seed}; allowed: 0 or more.",
                API,
            ),
        )
        return [Problem(text, source=source) for holds, text, source in rules if not holds]
