"""DataCaptureConfig: keep what an endpoint was asked and answered, as the service writes it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import logging
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators_rehearsal.sagemaker.account import Account, Credentials
from amazon_estimators_rehearsal.sagemaker.channels import split_uri

logger = logging.getLogger("rehearsal.sagemaker")


@dataclass(frozen=True)
class Message:
    """A request or an answer."""

    body: bytes
    content_type: str


def capture(
    account: Account,
    role: Credentials,
    config: Mapping[str, Any] | None,
    *,
    endpoint: str,
    variant: str,
    asked: Message,
    answered: Message,
) -> None:
    """Write one request and its answer as the execution role. The service collects several in one object.

    If the role may not write, nothing is kept and the log says so: the request is answered all the same.
    """
    if not config or not config.get("EnableCapture", True):
        return
    if random.uniform(0, 100) >= config["InitialSamplingPercentage"]:  # noqa: S311 - no secret
        return
    now = datetime.now(UTC)
    messages = {"Input": ("endpointInput", asked), "Output": ("endpointOutput", answered)}
    modes = [option["CaptureMode"] for option in config["CaptureOptions"]]
    data = {
        name: _captured(message, mode, config.get("CaptureContentTypeHeader") or {})
        for mode, (name, message) in messages.items()
        if mode in modes or "InputAndOutput" in modes
    }
    event = {"eventId": str(uuid.uuid4()), "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    line = json.dumps({"captureData": data, "eventMetadata": event, "eventVersion": "0"}) + "\n"
    bucket, prefix = split_uri(config["DestinationS3Uri"])
    name = f"{now:%M-%S-%f}-{event['eventId']}.jsonl"
    key = "/".join([*filter(None, [prefix.rstrip("/")]), endpoint, variant, f"{now:%Y/%m/%d/%H}", name])
    kms_key = config.get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    try:
        account.client("s3", role).put_object(Bucket=bucket, Key=key, Body=line.encode(), **encryption)
    except ClientError as error:
        logger.warning("Endpoint %s: nothing captured: %s", endpoint, error)


def _captured(message: Message, mode: str, headers: Mapping[str, Any]) -> dict[str, Any]:
    bare = message.content_type.partition(";")[0].strip()
    kinds = {"CSV": headers.get("CsvContentTypes", ()), "JSON": headers.get("JsonContentTypes", ())}
    encoding = next((kind for kind, types in kinds.items() if bare in types), "BASE64")
    data = base64.b64encode(message.body) if encoding == "BASE64" else message.body
    return {
        "observedContentType": message.content_type,
        "mode": mode.upper(),
        "data": data.decode(),
        "encoding": encoding,
    }
