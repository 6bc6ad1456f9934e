"""Create buckets for data and models: encrypted, versioned, TLS only, not public, kept by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_amazon_estimators.compliance import acknowledge_findings
from cdk_amazon_estimators.storage.bucket_events import EventBucket, send_events

STALE_UPLOAD = Duration.days(7)
"""The time after which S3 deletes the parts of an upload that was not completed."""


STALE_VERSION = Duration.days(30)
"""The time after which S3 deletes replaced versions of the starter's state and of the lists of data sets."""


def new_model_bucket(
    scope: Construct,
    construct_id: str,
    *,
    encryption_key: kms.IKey | None = None,
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    auto_delete_objects: bool = False,
) -> s3.Bucket:
    """Create a bucket for models, which pipelines can share by ``prefix``.

    Args:
        encryption_key: KMS key of its objects. Default: S3's own keys (SSE-S3).
        removal_policy: What happens to it when the stack is deleted. Default: RETAIN.
        auto_delete_objects: Empty it first, which also needs ``removal_policy=RemovalPolicy.DESTROY`` and
            adds CDK's custom resource. Without it, CloudFormation does not delete a bucket that holds
            objects. Default: False.
    """
    return _bucket(
        s3.Bucket,
        scope,
        construct_id,
        encryption_key=encryption_key,
        removal_policy=removal_policy,
        auto_delete_objects=auto_delete_objects,
    )


def new_data_bucket(
    scope: Construct,
    construct_id: str,
    *,
    encryption_key: kms.IKey | None = None,
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    auto_delete_objects: bool = False,
) -> s3.Bucket:
    """Create a bucket for input and RecordSets: a :func:`new_model_bucket` with events to EventBridge."""
    bucket = _bucket(
        EventBucket,
        scope,
        construct_id,
        encryption_key=encryption_key,
        removal_policy=removal_policy,
        auto_delete_objects=auto_delete_objects,
    )
    send_events(bucket)
    return bucket


def data_and_model_buckets(
    scope: Construct,
    data_bucket: s3.IBucket | None,
    model_bucket: s3.IBucket | None,
    *,
    encryption_key: kms.IKey | None,
    removal_policy: RemovalPolicy,
    auto_delete_objects: bool,
) -> tuple[s3.IBucket, s3.IBucket]:
    """Return a pipeline's buckets: the given ones, or new ones."""
    new: dict[str, Any] = {
        "encryption_key": encryption_key,
        "removal_policy": removal_policy,
        "auto_delete_objects": auto_delete_objects,
    }
    return (
        data_bucket or new_data_bucket(scope, "DataBucket", **new),
        model_bucket or new_model_bucket(scope, "ModelBucket", **new),
    )


def expire_record_sets(bucket: s3.Bucket, prefix: str, after: Duration) -> None:
    """Let S3 delete all versions of the objects under ``prefix`` this long after they were written."""
    bucket.add_lifecycle_rule(prefix=prefix, expiration=after, noncurrent_version_expiration=Duration.days(1))


def expire_replaced(bucket: s3.Bucket, prefixes: Sequence[str], after: Duration) -> None:
    """Let S3 delete versions under ``prefixes`` this long after they were replaced or deleted."""
    for prefix in prefixes:
        bucket.add_lifecycle_rule(prefix=prefix, noncurrent_version_expiration=after)


Kind = TypeVar("Kind", bound=s3.Bucket)


def _bucket(
    kind: type[Kind],
    scope: Construct,
    construct_id: str,
    *,
    encryption_key: kms.IKey | None,
    removal_policy: RemovalPolicy,
    auto_delete_objects: bool,
) -> Kind:
    bucket = kind(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=encryption_key,
        # One data key per bucket instead of one per object: fewer and cheaper requests to KMS.
        bucket_key_enabled=True if encryption_key else None,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        removal_policy=removal_policy,
        auto_delete_objects=auto_delete_objects,
        lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=STALE_UPLOAD)],
    )
    # A bucket that outlives the stack still refuses requests without TLS.
    assert bucket.policy is not None
    bucket.policy.apply_removal_policy(removal_policy)
    acknowledge_findings(bucket)
    return bucket
