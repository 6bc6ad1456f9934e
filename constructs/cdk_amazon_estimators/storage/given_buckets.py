"""Warn of properties of a bucket that you pass in, which this app cannot see: its key and versioning."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Annotations, Token
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

KEY_UNKNOWN = "cdk-amazon-estimators:bucketKeyUnknown"
NOT_VERSIONED = "cdk-amazon-estimators:bucketVersioning"
"""The IDs for acknowledging the warnings."""

UNVERSIONED = (
    "a data set can be trained on again only while no object of it has changed, and a marker's batch is what "
    "lies there once the starter lists it"
)


def warn_of_given_buckets(
    scope: Construct, buckets: Mapping[str, s3.IBucket | None], encryption_key: kms.IKey | None
) -> None:
    """Warn on ``scope`` of buckets whose key, and of a data bucket whose versioning, this app does not know.

    Args:
        scope: The pipeline.
        buckets: The props ``data_bucket`` and ``model_bucket`` by name; None for a new bucket.
        encryption_key: The prop: a key that the pipeline may always use.
    """
    for prop, bucket in buckets.items():
        if bucket is None:
            continue
        name = f"{prop} {shown(bucket)}"
        if encryption_key is None and bucket.encryption_key is None and _resource(bucket) is None:
            Annotations.of(scope).add_warning_v2(
                KEY_UNKNOWN,
                f"{name} is imported without a key: if a KMS key of yours encrypts it, S3 refuses the "
                "pipeline all of it. Import it with Bucket.from_bucket_attributes(…, encryption_key=…), or "
                "acknowledge this warning if S3's own keys or aws/s3 encrypt it.",
            )
        if prop == "data_bucket":
            _warn_of_versions(scope, name, _resource(bucket))


def _warn_of_versions(scope: Construct, name: str, resource: s3.CfnBucket | None) -> None:
    if resource is None:
        Annotations.of(scope).add_warning_v2(
            NOT_VERSIONED,
            f"{name} is imported: if it is not versioned, {UNVERSIONED}. Switch versioning on where the "
            "bucket is made, and acknowledge this warning.",
        )
    elif not _is_versioned(resource):
        Annotations.of(scope).add_warning_v2(
            NOT_VERSIONED,
            f"{name} is not versioned: {UNVERSIONED}. Give it versioned=True, or acknowledge this warning.",
        )


def _is_versioned(resource: s3.CfnBucket) -> bool:
    """Return True unless the template leaves versioning off. S3 turns it on for object locks."""
    configuration = resource.versioning_configuration
    if configuration is None:
        return bool(resource.object_lock_enabled)
    return getattr(configuration, "status", "Enabled") == "Enabled"


def shown(bucket: s3.IBucket) -> str:
    """Return the name of a bucket, or its path if the name is generated at deployment."""
    return str(bucket.node.path if Token.is_unresolved(bucket.bucket_name) else bucket.bucket_name)


def _resource(bucket: s3.IBucket) -> s3.CfnBucket | None:
    """Return the resource of a bucket of this app; None for an imported one."""
    resource = bucket.node.default_child or bucket.node.scope  # the latter of Bucket.from_cfn_bucket
    return resource if isinstance(resource, s3.CfnBucket) else None
