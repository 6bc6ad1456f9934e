"""Let S3 delete what a pipeline no longer needs."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from cdk_amazon_estimators.storage.data_buckets import STALE_VERSION, expire_record_sets, expire_replaced
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout


def expire_objects(
    layout: PipelineLayout, record_sets: Duration | None, input_versions: Duration | None
) -> None:
    """Let S3 delete replaced lists of data sets and states, and RecordSets and replaced input after their
    time, in a bucket of this app."""
    bucket = layout.data_bucket
    if not isinstance(bucket, s3.Bucket):
        return
    expire_replaced(bucket, [layout.datasets, layout.triggers], STALE_VERSION)
    if input_versions is not None:
        expire_replaced(bucket, layout.inputs, input_versions)
    if record_sets is not None:
        expire_record_sets(bucket, layout.recordsets, record_sets)
