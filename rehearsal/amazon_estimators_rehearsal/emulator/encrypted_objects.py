"""Encrypt the objects of a bucket with its KMS key, as far as callers can tell: headers and permissions.

The emulator leaves out a template's ``BucketEncryption``, and asks no permission on keys. What S3 asks for:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html (reading and writing, and the
encryption context: the bucket's ARN with a Bucket Key, otherwise the object's) and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html (uploads in parts, which S3 decrypts to
assemble them).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from ministack.core import iam_actions, router
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from amazon_estimators_rehearsal.emulator.key_use import DECRYPT, ENCRYPT, KeyUse
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

ALGORITHM = "x-amz-server-side-encryption"
KEY = f"{ALGORITHM}-aws-kms-key-id"
MANAGED = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3"
"""The key that S3 uses if none is named."""


def encrypt_objects(keys: KeyUse) -> None:
    """Report the key of each object, and hold reads and writes to the permissions on it."""
    _keep_bucket_encryption()
    _default_to_the_managed_key()
    get, head, put = s3._get_object, s3._head_object, s3._put_object
    copy, create = s3._copy_object, s3._create_multipart_upload
    upload, upload_copy, complete = s3._upload_part, s3._upload_part_copy, s3._complete_multipart_upload

    def refusal(
        headers: Mapping[str, str],
        stored: Mapping[str, str],
        bucket: str,
        key: str,
        *actions: str,
        query: Any = None,
    ) -> Any:
        """Return S3's answer if the caller may not use the key that encrypts an object, or None."""
        encrypted = _key_of(stored, bucket, key)
        if encrypted is None:
            return None
        caller, (kms_key, arn) = router.extract_access_key_id(headers, query), encrypted
        denial = keys.denial(caller, actions, kms_key, via="s3", context={"aws:s3:arn": arn})
        if denial is None:
            return None
        return iam_actions.access_denied_response("s3", actions[0], "", "", message=denial)

    def written(headers: dict[str, str], bucket: str) -> Mapping[str, str]:
        """Return the headers of the encryption that a write asks for, or that is the bucket's default."""
        resolved: Mapping[str, str] | None = s3._resolve_sse_write_headers(headers, bucket)[0]
        return resolved or {}

    def source_refusal(headers: dict[str, str]) -> Any:
        path, _, version = unquote(headers["x-amz-copy-source"]).lstrip("/").partition("?versionId=")
        bucket, _, key = path.partition("/")
        _, stored, _ = head(bucket, key, {}, {"versionId": [version]} if version else {})
        return refusal(headers, stored, bucket, key, DECRYPT)

    def stored_upload(query: Mapping[str, Any]) -> Mapping[str, str]:
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId", "")) or {}
        stored: Mapping[str, str] = s3._stored_sse_headers(upload)
        return stored

    @functools.wraps(get)
    def get_object(bucket: str, key: str, headers: dict[str, str], query: Any = None) -> Any:
        answer = get(bucket, key, headers, query)
        if answer[0] not in (200, 206):
            return answer
        return refusal(headers, answer[1], bucket, key, DECRYPT, query=query) or answer

    @functools.wraps(head)
    def head_object(bucket: str, key: str, headers: Any = None, query: Any = None) -> Any:
        answer = head(bucket, key, headers, query)
        # HeadObject decrypts nothing unless the checksum is asked for.
        if answer[0] != 200 or (headers or {}).get("x-amz-checksum-mode") != "ENABLED":
            return answer
        refused = refusal(headers, answer[1], bucket, key, DECRYPT, query=query)
        return (*refused[:2], b"") if refused else answer

    @functools.wraps(put)
    def put_object(bucket: str, key: str, body: bytes, headers: dict[str, str]) -> Any:
        return refusal(headers, written(headers, bucket), bucket, key, ENCRYPT) or put(
            bucket, key, body, headers
        )

    @functools.wraps(copy)
    def copy_object(bucket: str, key: str, headers: dict[str, str]) -> Any:
        refused = source_refusal(headers) or refusal(headers, written(headers, bucket), bucket, key, ENCRYPT)
        return refused or copy(bucket, key, headers)

    @functools.wraps(create)
    def create_upload(bucket: str, key: str, headers: dict[str, str]) -> Any:
        return refusal(headers, written(headers, bucket), bucket, key, ENCRYPT) or create(
            bucket, key, headers
        )

    @functools.wraps(upload)
    def upload_part(bucket: str, key: str, body: bytes, query: Any, headers: dict[str, str]) -> Any:
        refused = refusal(headers, stored_upload(query), bucket, key, ENCRYPT, DECRYPT)
        return refused or upload(bucket, key, body, query, headers)

    @functools.wraps(upload_copy)
    def upload_part_copy(bucket: str, key: str, query: Any, headers: dict[str, str]) -> Any:
        refused = source_refusal(headers) or refusal(
            headers, stored_upload(query), bucket, key, ENCRYPT, DECRYPT
        )
        return refused or upload_copy(bucket, key, query, headers)

    @functools.wraps(complete)
    def complete_upload(bucket: str, key: str, body: bytes, query: Any, headers: Any, *more: Any) -> Any:
        refused = refusal(headers, stored_upload(query), bucket, key, DECRYPT)
        return refused or complete(bucket, key, body, query, headers, *more)

    s3._get_object, s3._head_object, s3._put_object = get_object, head_object, put_object
    s3._copy_object, s3._create_multipart_upload = copy_object, create_upload
    s3._upload_part, s3._upload_part_copy = upload_part, upload_part_copy
    s3._complete_multipart_upload = complete_upload


def key_of_object(bucket: str, key: str) -> tuple[str, str] | None:
    """Return the KMS key that encrypts an object and the ARN in its encryption context; None without one."""
    status, stored, _ = s3._head_object(bucket, key, {}, {})
    return _key_of(stored, bucket, key) if status == 200 else None


def _key_of(stored: Mapping[str, str], bucket: str, key: str) -> tuple[str, str] | None:
    """Return the same of an object with these headers."""
    if stored.get(ALGORITHM) != "aws:kms" or KEY not in stored:
        return None
    has_bucket_key = "<BucketKeyEnabled>true<" in (s3._bucket_encryption.get(bucket) or "")
    return stored[KEY], f"arn:aws:s3:::{bucket}" + ("" if has_bucket_key else f"/{key}")


def _default_to_the_managed_key() -> None:
    """Encrypt with AWS's key what is to be encrypted by KMS without a named key. The emulator refuses it."""
    resolve, default = s3._resolve_sse_write_headers, s3._bucket_default_sse_headers

    @functools.wraps(resolve)
    def resolved(headers: dict[str, str], bucket: str) -> Any:
        if headers.get(ALGORITHM) == "aws:kms" and not headers.get(KEY):
            headers = {**headers, KEY: MANAGED}
        return resolve(headers, bucket)

    @functools.wraps(default)
    def defaulted(bucket: str) -> dict[str, str]:
        found = default(bucket)
        return {KEY: MANAGED, **found} if found.get(ALGORITHM) == "aws:kms" else found

    s3._resolve_sse_write_headers, s3._bucket_default_sse_headers = resolved, defaulted


def _keep_bucket_encryption() -> None:
    """Apply ``BucketEncryption`` of a template to its bucket."""
    apply = provisioners._s3_apply_configurations

    @functools.wraps(apply)
    def applied(name: str, properties: Mapping[str, Any], *before: Any) -> None:
        apply(name, properties, *before)
        rules = (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration")
        if not rules:
            s3._bucket_encryption.pop(name, None)
            return
        default = rules[0].get("ServerSideEncryptionByDefault", {})
        key = default.get("KMSMasterKeyID")
        named = f"<KMSMasterKeyID>{escape(key)}</KMSMasterKeyID>" if key else ""
        bucket_key = "true" if str(rules[0].get("BucketKeyEnabled", "")).lower() == "true" else "false"
        s3._bucket_encryption[name] = (
            f'<ServerSideEncryptionConfiguration xmlns="{s3.S3_NS}"><Rule>'
            "<ApplyServerSideEncryptionByDefault>"
            f"<SSEAlgorithm>{escape(default.get('SSEAlgorithm', 'AES256'))}</SSEAlgorithm>{named}"
            f"</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></Rule>"
            "</ServerSideEncryptionConfiguration>"
        )

    provisioners._s3_apply_configurations = applied
