"""Write the settings of a training pipeline that its Lambda functions read: the fields of
``amazon_estimators.pipeline.settings.Settings``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.instances import types_of
from amazon_estimators.costs.prices import TRAINING
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.assets.column_lists import channel_settings
from cdk_amazon_estimators.checked_props import CheckedProps
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.state_machine import STATE_MACHINE_ID
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.training.tags import resource_tags


def function_settings(
    pipeline: Construct,
    chosen: CheckedProps,
    *,
    algorithm: Algorithm,
    layout: PipelineLayout,
    encoder: RecordSetEncoder,
    job_name_prefix: str,
    distributions: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return the settings. Plan may read the columns of channels that have too many for the definition."""
    channels, columns = channel_settings(pipeline, "Columns", chosen.sources)
    if columns is not None:
        S3Access(encoder.plan, columns.bucket).read([columns.s3_object_key])
    return {
        "pipeline": pipeline.node.path,
        "algorithm": type(algorithm).__name__,
        "hyperparameters": chosen.hyperparameters,
        "instance_type": _plain(chosen.job.instance_type),
        "instance_count": chosen.job.instance_count,
        "job_name_prefix": job_name_prefix,
        "data_bucket": layout.data_bucket.bucket_name,
        "prefix": layout.prefix,
        "target_shard_bytes": chosen.target_shard_size.to_bytes(),
        "channels": channels,
        "columns": columns and {"bucket": columns.s3_bucket_name, "key": columns.s3_object_key},
        "distributions": dict(distributions or {}),
        "volume_gib": chosen.job.disk_gib,
        "tags": resource_tags(pipeline, STATE_MACHINE_ID),
        **_priced(chosen),
    }


def _priced(chosen: CheckedProps) -> dict[str, Any]:
    """Return the prices that a file of yours has of the instances, for the functions that tell costs."""
    if chosen.own_prices is None:
        return {}
    lists = chosen.own_prices.of(TRAINING, types_of(chosen.job.instance_type)).lists
    return {"prices": [one.to_dict() for one in lists]}


def _plain(instance_type: str | Sequence[str]) -> str | list[str]:
    """Return a list for jsii, which does not accept tuples."""
    return instance_type if isinstance(instance_type, str) else list(instance_type)
