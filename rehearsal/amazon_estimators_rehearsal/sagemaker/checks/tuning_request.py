"""Check the rules of a CreateHyperParameterTuningJob request that botocore's model does not state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.algorithms.rules import Problem
from amazon_estimators.algorithms.tuning import job_findings, objective_findings, range_findings
from amazon_estimators.algorithms.tuning_ranges import (
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
    Range,
)
from amazon_estimators_rehearsal.sagemaker.checks.image import check_image
from amazon_estimators_rehearsal.sagemaker.checks.request_rules import check_request
from amazon_estimators_rehearsal.sagemaker.errors import ValidationError

T = TypeVar("T")
STRATEGIES = ("Bayesian", "Random", "Grid")


def check_tuning_request(request: Mapping[str, Any], region: str) -> None:
    """Raise ValidationError for the first rule that the request breaks."""
    if "TrainingJobDefinition" not in request:
        raise ValidationError("The stand-in tunes one TrainingJobDefinition; the request has none.")
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    if config["Strategy"] not in STRATEGIES:
        raise ValidationError(
            f"The stand-in searches by {', '.join(STRATEGIES)}, not by {config['Strategy']}."
        )
    if "HyperParameterTuningJobObjective" not in config or "ParameterRanges" not in config:
        raise ValidationError("The stand-in needs HyperParameterTuningJobObjective and ParameterRanges.")
    image = definition["AlgorithmSpecification"].get("TrainingImage")
    algorithm = algorithm_named(check_image(image, region))
    check_request(definition)
    for problem in _problems(algorithm, config, definition):
        raise ValidationError(problem)


def _problems(
    algorithm: type[Algorithm], config: Mapping[str, Any], definition: Mapping[str, Any]
) -> Iterator[str]:
    statics = definition.get("StaticHyperParameters", {})
    ranges = dict(_ranges(config["ParameterRanges"]))
    for name in sorted(ranges.keys() & statics.keys()):
        yield f"The hyperparameter {name} is both static and searched."
    objective = config["HyperParameterTuningJobObjective"]
    channels = {channel["ChannelName"] for channel in definition.get("InputDataConfig", [])}
    findings = [
        *range_findings(algorithm, ranges),
        *objective_findings(algorithm, objective["MetricName"], objective["Type"], channels, statics),
        *job_findings(
            algorithm,
            list(ranges.values()),
            strategy=config["Strategy"],
            early_stopping=config.get("TrainingJobEarlyStoppingType", "Off"),
            max_jobs=config["ResourceLimits"].get("MaxNumberOfTrainingJobs"),
            objective=objective["MetricName"],
        ),
    ]
    yield from (finding for finding in findings if isinstance(finding, Problem))


def _ranges(ranges: Mapping[str, Any]) -> Iterator[tuple[str, Range]]:
    for entry in ranges.get("IntegerParameterRanges", ()):
        yield entry["Name"], IntegerParameter(*_ends(entry, int), entry.get("ScalingType", "Auto"))
    for entry in ranges.get("ContinuousParameterRanges", ()):
        yield entry["Name"], ContinuousParameter(*_ends(entry, float), entry.get("ScalingType", "Auto"))
    for entry in ranges.get("CategoricalParameterRanges", ()):
        yield entry["Name"], CategoricalParameter(entry["Values"])


def _ends(entry: Mapping[str, Any], number: Callable[[str], T]) -> tuple[T, T]:
    try:
        return number(entry["MinValue"]), number(entry["MaxValue"])
    except ValueError as error:
        raise ValidationError(f"The range of {entry['Name']} is not of numbers: {error}") from error
