"""Build the part of a CreateTrainingJob request that depends on the data: name, channels, tags and so on."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Mapping
from math import ceil
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import SHARDED
from amazon_estimators.errors import RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.record_sets.record_set import RecordSet

LOG = logging.getLogger(__name__)
TAG = "amazon-estimators:"
"""The beginning of the library's own tags of a job."""


def training_request(
    settings: Settings,
    algorithm: Algorithm,
    record_sets: Mapping[str, RecordSet],
    *,
    fingerprint: str,
    data_set: str,
    execution: str,
    started: str,
) -> dict[str, Any]:
    """Return the request. ``started`` is the start time of the execution, in Step Functions' format.

    The job's name is built from the pipeline, the RecordSet and this execution; the state machine adds the
    attempt. A later execution with the same name has another start time, and so another job name.
    ``warnings`` are the rules that only this library infers: Model Trained lists them.

    Raises:
        HyperparameterError: The hyperparameters do not fit the data.
        RequestError: An instance's data does not fit its disk.
    """
    _check_volume(settings, record_sets)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HyperparameterWarning)
        fitted = algorithm.fit_to(
            record_sets, instance_count=settings.instance_count, instance_type=settings.instance_type
        )
    doubts = dict.fromkeys(str(warning.message) for warning in caught)
    for name, record_set in record_sets.items():
        if record_set.dropped:
            doubts[f"channel {name}: {record_set.dropped_rows}"] = None
    for doubt in doubts:
        LOG.warning("%s", doubt)
    run = hashlib.sha256(f"{execution}\n{started}".encode()).hexdigest()[:10]
    return {
        "warnings": list(doubts),
        "job_name": f"{settings.job_name_prefix}-{fingerprint[:8]}-{run}",
        "hyperparameters": fitted.hyperparameters(),
        "input_data_config": [record_set.data_channel() for record_set in record_sets.values()],
        "tags": job_tags(
            settings.tags,
            {
                "pipeline": settings.pipeline,
                "execution": execution,
                "record-set": fingerprint,
                "data-set": data_set,
            },
        ),
    }


def job_tags(tags: Mapping[str, str], own: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the tags of a job: the pipeline's, and what the library tells of it under its own names."""
    return [
        *({"Key": name, "Value": value} for name, value in tags.items()),
        *({"Key": f"{TAG}{name}", "Value": _tag_value(value)} for name, value in own.items()),
    ]


def _check_volume(settings: Settings, record_sets: Mapping[str, RecordSet]) -> None:
    """Raise RequestError if an instance's data is larger than its disk.

    In File mode a job downloads its data before it trains, and fails with "Insufficient disk space".
    """
    if settings.volume_gib is None:
        return
    shares = {
        name: record_set.num_bytes / (settings.instance_count if record_set.distribution == SHARDED else 1)
        for name, record_set in record_sets.items()
    }
    needed = sum(shares.values()) / 2**30
    if needed > settings.volume_gib:
        parts = ", ".join(f"{name} {size / 2**30:,.1f} GiB" for name, size in shares.items())
        raise RequestError(
            f"an instance would download {needed:,.1f} GiB ({parts}); its volume_size is "
            f"{settings.volume_gib} GiB",
            remedy=f"Raise volume_size to at least {ceil(needed) + 5:,} GiB, or train on more instances.",
        )


def _tag_value(text: str) -> str:
    """Return ``text`` with ``_`` for characters that a tag may not hold; of a long text the end, which says
    most.

    Letters, numbers, blanks and ``_.:/=+-@``, 256 of them: TagValue of the API.
    """
    return "".join(one if one.isalnum() or one in " _.:/=+-@" else "_" for one in text)[-256:]
