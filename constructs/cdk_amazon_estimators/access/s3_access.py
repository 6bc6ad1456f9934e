"""Grants on parts of a bucket: named actions on named keys, and on the KMS key of the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_amazon_estimators.access.key_policies import allow_through


class S3Access:
    """Grants one principal access to one bucket, key by key.

    Args:
        grantee: The principal.
        bucket: The bucket.
        encryption_key: A KMS key of its objects, besides the bucket's own. Default: none.
    """

    def __init__(
        self, grantee: iam.IGrantable, bucket: s3.IBucket, encryption_key: kms.IKey | None = None
    ) -> None:
        self._grantee = grantee
        self._bucket = bucket
        self._arn = bucket.bucket_arn
        self._keys = distinct_keys(bucket.encryption_key, encryption_key)

    def list(self, prefixes: Iterable[str], *, versions: bool = False) -> None:
        """Allow listing the keys under these prefixes; with ``versions``, every version of them."""
        actions = ["s3:ListBucket", *(["s3:ListBucketVersions"] if versions else [])]
        iam.Grant.add_to_principal_or_resource(
            grantee=self._grantee,
            actions=actions,
            resource_arns=[self._arn],
            resource=self._bucket,
            conditions={"StringLike": {"s3:prefix": sorted({f"{prefix}*" for prefix in prefixes})}},
        )

    def read(self, patterns: Sequence[str], *, versions: bool = False) -> None:
        """Allow reading the objects of these key patterns; with ``versions``, any version of them."""
        self._objects(patterns, "s3:GetObject", *(["s3:GetObjectVersion"] if versions else []))
        self._use_keys("kms:Decrypt")

    def write(self, patterns: Sequence[str], *, multipart: bool = False) -> None:
        """Allow writing objects of these key patterns; with ``multipart``, also in parts. Never allows
        deleting."""
        self._objects(patterns, "s3:PutObject", *(["s3:AbortMultipartUpload"] if multipart else []))
        # S3 decrypts the parts of an upload to assemble them.
        self._use_keys("kms:GenerateDataKey", *(["kms:Decrypt"] if multipart else []))

    def _objects(self, patterns: Sequence[str], *actions: str) -> None:
        iam.Grant.add_to_principal_or_resource(
            grantee=self._grantee,
            actions=list(actions),
            resource_arns=[f"{self._arn}/{pattern}" for pattern in patterns],
            resource=self._bucket,
        )

    def _use_keys(self, *actions: str) -> None:
        for key in self._keys:
            allow_through(key, self._grantee, *actions, service="s3")


def distinct_keys(*keys: kms.IKey | None) -> list[kms.IKey]:
    """Return the keys that are not None, each once."""
    return list({key.node.path: key for key in keys if key is not None}.values())
