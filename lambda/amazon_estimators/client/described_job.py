"""What a training job that exists says of itself."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.errors import RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning


def algorithm_of(job: Mapping[str, Any]) -> Algorithm:
    """The algorithm of a described training job, with the hyperparameters it was sent.

    A name the algorithm does not document, such as one the service adds for tuning, is left out with a
    warning.
    """
    image = job["AlgorithmSpecification"].get("TrainingImage", "")
    repository = image.rpartition("/")[2].partition(":")[0]
    for known in ALGORITHMS.values():
        if known.repo_name == repository:
            # The service adds settings of its own to the trainings of a tuning job.
            sent = {
                name: value
                for name, value in job.get("HyperParameters", {}).items()
                if not name.startswith("_tuning_")
            }
            dropped = sorted(set(sent) - set(known.declared()))
            if dropped:
                warnings.warn(
                    f"{known.__name__}: left out what it does not document: {', '.join(dropped)}",
                    HyperparameterWarning,
                    stacklevel=4,
                )
            return known.from_hyperparameters(
                {name: value for name, value in sent.items() if name not in dropped}
            )
    raise RequestError(
        f"training job {job['TrainingJobName']} runs {image or 'an algorithm of its own'}",
        remedy=f"Attach to a job of {', '.join(sorted(ALGORITHMS))}.",
    )
