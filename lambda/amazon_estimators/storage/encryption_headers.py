"""Set the encryption headers of every PUT to buckets whose policies deny a PUT without them."""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLE = "S3_ENCRYPTION_KEYS"
"""The environment variable with pairs of bucket and key ARN in JSON; ``""`` means S3's own keys."""


def add_encryption_headers(client: Any) -> None:
    """Make a boto3 client of S3 send the headers to the buckets listed in the environment variable."""
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

    # A part is encrypted as CreateMultipartUpload says.
    for operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
        client.meta.events.register(f"provide-client-params.s3.{operation}", add)
