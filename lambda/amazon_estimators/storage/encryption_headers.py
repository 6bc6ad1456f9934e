"""Names the encryption in every PUT to buckets whose policies deny a PUT without it."""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLE = "S3_ENCRYPTION_KEYS"
"""The environment variable with pairs of bucket and key ARN in JSON; ``""`` stands for S3's own keys."""


def add_encryption_headers(client: Any) -> None:
    """Let a boto3 client of S3 send the headers to the buckets that the environment names."""
    keys = dict(json.loads(os.environ.get(VARIABLE, "[]")))
    if not keys:
        return

    def add(params: dict[str, Any], **_: Any) -> None:
        key = keys.get(params.get("Bucket"))
        if key is None or "ServerSideEncryption" in params:
            return
        params["ServerSideEncryption"] = "aws:kms" if key else "AES256"
        if key:
            params["SSEKMSKeyId"] = key

    # A part of an upload is encrypted as its beginning says.
    for operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
        client.meta.events.register(f"provide-client-params.s3.{operation}", add)
