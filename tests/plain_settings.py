"""The settings of a deployed pipeline with nothing configured but what must be."""

from __future__ import annotations

from typing import Any

PLAIN_SETTINGS: dict[str, Any] = {
    "pipeline": "Stack/Digits",
    "algorithm": "KMeans",
    "hyperparameters": {"k": "2"},
    "instance_type": "ml.m5.large",
    "instance_count": 1,
    "job_name_prefix": "digits-1a2b3c4d",
    "data_bucket": "bucket",
    "prefix": "",
    "target_shard_bytes": 2**20,
    "channels": {"train": {}},
}
