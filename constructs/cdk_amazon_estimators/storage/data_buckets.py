"""Buckets for data and models: encrypted, versioned, TLS only, closed to the public, kept by default."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

STALE_UPLOAD = Duration.days(7)
"""After which S3 drops the parts of an upload nobody completed."""


def new_model_bucket(
    scope: Construct,
    construct_id: str,
    *,
    encryption_key: kms.IKey | None = None,
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    auto_delete_objects: bool = False,
) -> s3.Bucket:
    """A bucket for models, which pipelines can share by ``prefix``.

    encryption_key: KMS key of its objects. Default: S3's own keys (SSE-S3).
    removal_policy: what becomes of it when the stack is deleted. Default: RETAIN.
    auto_delete_objects: empty it first, which takes ``removal_policy=RemovalPolicy.DESTROY`` too, and adds
        CDK's custom resource. Default: False; CloudFormation then deletes no bucket that holds objects.
    """
    return s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=encryption_key,
        # One data key a bucket instead of one an object: KMS is asked, and paid, far less.
        bucket_key_enabled=True if encryption_key else None,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        removal_policy=removal_policy,
        auto_delete_objects=auto_delete_objects,
        lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=STALE_UPLOAD)],
    )


def expire_record_sets(bucket: s3.Bucket, prefix: str, after: Duration) -> None:
    """Let S3 delete the objects under ``prefix`` that long after each was written, all versions of it."""
    bucket.add_lifecycle_rule(prefix=prefix, expiration=after, noncurrent_version_expiration=Duration.days(1))


def new_data_bucket(
    scope: Construct,
    construct_id: str,
    *,
    encryption_key: kms.IKey | None = None,
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    auto_delete_objects: bool = False,
) -> s3.Bucket:
    """For input and RecordSets: a bucket of :func:`new_model_bucket` that tells EventBridge of uploads."""
    bucket = new_model_bucket(
        scope,
        construct_id,
        encryption_key=encryption_key,
        removal_policy=removal_policy,
        auto_delete_objects=auto_delete_objects,
    )
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    # ``event_bridge_enabled=True`` would do this with a custom resource, a Lambda function and a role.
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
    return bucket
