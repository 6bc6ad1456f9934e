"""Compute the CRC32 of uploads with ISA-L, ahead of boto3."""

from __future__ import annotations

import base64
from typing import Any

from isal import isal_zlib

HEADER = {"algorithm": "crc32", "in": "header", "name": "x-amz-checksum-crc32"}
"""What botocore notes about a request whose CRC32 is in a header. Over HTTPS it then does not sign the bytes
too."""


def add_checksums(client: Any) -> None:
    """Make a boto3 client of S3 send the CRC32 of an upload in a header, before its bytes.

    By itself boto3 computes the same CRC32 while it sends, and appends it: for that it cuts the bytes into
    chunks and copies them twice. Clients that are configured not to send checksums by default send none, and
    what is not boto3's, such as the client of a test's own session, is left alone. A presigned URL is signed
    before its bytes are known.
    """
    from botocore.client import BaseClient  # noqa: PLC0415 - not needed without AWS

    if not isinstance(client, BaseClient):
        return

    def add(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        body = params.get("Body")
        if context.get("is_presign_request"):
            return
        by_default = context["client_config"].request_checksum_calculation == "when_supported"
        if by_default and isinstance(body, bytes) and not any(name.startswith("Checksum") for name in params):
            params["ChecksumCRC32"] = base64.b64encode(isal_zlib.crc32(body).to_bytes(4, "big")).decode()
            context["checksum"] = {"request_algorithm": HEADER}

    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-parameter-build.s3.{operation}", add)
