"""Read the algorithm and the instances of an existing training job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.errors import RequestError


def algorithm_of(job: Mapping[str, Any]) -> Algorithm:
    """Return the algorithm of a described training job, with its hyperparameters.

    Values that this library would refuse are kept, and unknown names are dropped, with a warning.
    """
    image = job["AlgorithmSpecification"].get("TrainingImage", "")
    repository = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    for known in ALGORITHMS.values():
        if known.repo_name == repository:
            # The service adds its own settings to the trainings of a tuning job.
            sent = job.get("HyperParameters", {}).items()
            return known.of_job({name: text for name, text in sent if not name.startswith("_tuning_")})
    raise RequestError(
        f"training job {job['TrainingJobName']} runs {image or 'an algorithm of its own'}",
        remedy=f"Attach to a job of {', '.join(sorted(ALGORITHMS))}.",
    )


def instances_of(job: Mapping[str, Any]) -> tuple[str, int]:
    """Return the instance type and count of a described training job, or of a tuning job's definition.

    For preferences this is the selected type, or the first until one is selected; for groups, the first.
    """
    resources = job.get("ResourceConfig") or job["HyperParameterTuningResourceConfig"]
    if "SelectedInstanceType" in resources:
        count = resources.get("SelectedInstanceCount", resources.get("InstanceCount"))
        return str(resources["SelectedInstanceType"]), int(count)
    lists = ("InstanceGroups", "InstancePreferences", "InstanceConfigs")
    listed: list[Any] = next((resources[name] for name in lists if resources.get(name)), [{}])
    first = {**resources, **listed[0]}
    return str(first["InstanceType"]), int(first["InstanceCount"])
