"""The part of a CreateTrainingJob request that depends on the data: name, hyperparameters, channels, tags."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.record_sets.record_set import RecordSet


def training_request(
    settings: Settings,
    algorithm: Algorithm,
    record_sets: Mapping[str, RecordSet],
    *,
    fingerprint: str,
    data_set: str,
    execution: str,
) -> dict[str, Any]:
    """Hyperparameters are checked against the data: raises HyperparameterError before money is spent.

    The job name is made of the pipeline, the RecordSet and the execution; the state machine adds the attempt.
    """
    fitted = algorithm.fit_to(
        record_sets, instance_count=settings.instance_count, instance_type=settings.instance_type
    )
    run = hashlib.sha256(execution.encode()).hexdigest()[:10]
    return {
        "job_name": f"{settings.job_name_prefix}-{fingerprint[:8]}-{run}",
        "hyperparameters": fitted.hyperparameters(),
        "input_data_config": [record_set.data_channel() for record_set in record_sets.values()],
        "tags": [
            {"Key": f"amazon-estimators:{name}", "Value": _tag_value(value)}
            for name, value in {
                "pipeline": settings.pipeline,
                "execution": execution,
                "record-set": fingerprint,
                "data-set": data_set,
            }.items()
        ],
    }


def _tag_value(text: str) -> str:
    """``text`` with ``_`` for what SageMaker takes in no tag, and of a longer one the end, which tells most.

    Letters, numbers, blanks and ``_.:/=+-@``, 256 of them: TagValue of the API.
    """
    return "".join(one if one.isalnum() or one in " _.:/=+-@" else "_" for one in text)[-256:]
