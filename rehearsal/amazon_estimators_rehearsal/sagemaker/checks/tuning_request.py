"""Check the rules of a CreateHyperParameterTuningJob request that botocore's model does not state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.algorithms.rules import Problem
from amazon_estimators.algorithms.tuning import job_findings, objective_findings, range_findings
from amazon_estimators.algorithms.tuning_ranges import ranges_of
from amazon_estimators_rehearsal.sagemaker.checks.image import check_image
from amazon_estimators_rehearsal.sagemaker.checks.request_rules import check_request
from amazon_estimators_rehearsal.sagemaker.checks.tuning_resources import training_resources
from amazon_estimators_rehearsal.sagemaker.errors import ValidationError

STRATEGIES = ("Bayesian", "Random", "Grid")


def check_tuning_request(request: Mapping[str, Any], region: str) -> None:
    """Raise ValidationError for the first rule that the request breaks."""
    if "TrainingJobDefinition" not in request:
        raise ValidationError("The stand-in tunes one TrainingJobDefinition; the request has none.")
    if request.get("Autotune", {}).get("Mode") == "Enabled":
        raise ValidationError("The stand-in chooses no ranges: leave out Autotune.")
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    if config["Strategy"] not in STRATEGIES:
        raise ValidationError(
            f"The stand-in searches by {', '.join(STRATEGIES)}, not by {config['Strategy']}."
        )
    if "HyperParameterTuningJobObjective" not in config or "ParameterRanges" not in config:
        raise ValidationError("The stand-in needs HyperParameterTuningJobObjective and ParameterRanges.")
    image = definition["AlgorithmSpecification"].get("TrainingImage")
    algorithm = algorithm_named(check_image(image, region))
    check_request({**definition, "ResourceConfig": training_resources(definition)})
    for problem in _problems(algorithm, config, definition):
        raise ValidationError(problem)


def _problems(
    algorithm: type[Algorithm], config: Mapping[str, Any], definition: Mapping[str, Any]
) -> Iterator[str]:
    statics = definition.get("StaticHyperParameters", {})
    try:
        ranges = ranges_of(config["ParameterRanges"])
    except ValueError as error:
        raise ValidationError(f"A range is not of numbers: {error}") from error
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
