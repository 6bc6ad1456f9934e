"""Implement InvokeEndpoint in the REST protocol of ``sagemaker-runtime``."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.captures import Message
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import input_shape, validate
from amazon_estimators_rehearsal.sagemaker.endpoints import Endpoints
from amazon_estimators_rehearsal.sagemaker.errors import ModelAnswerError, ServiceError, ValidationError
from amazon_estimators_rehearsal.sagemaker.instance import Instance, InstanceError

RUNTIME = "sagemaker-runtime"
PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
MAX_BODY = {"InstanceType": 25 * 2**20, "ServerlessConfig": 4 * 2**20}
"""The most bytes of a request, for a real-time and for a serverless endpoint.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
"""

Response = tuple[int, dict[str, str], bytes]


def endpoint_of(path: str) -> str | None:
    """Return the endpoint in a path of InvokeEndpoint; None for any other path."""
    match = PATH.fullmatch(path)
    return unquote(match["name"]) if match else None


class Invocations:
    """Answers requests to endpoints."""

    def __init__(self, account: Account, endpoints: Endpoints) -> None:
        self._account, self._endpoints = account, endpoints

    def handle(self, name: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer an invocation. Return status, headers, body."""
        try:
            return self._invoke(_request(name, headers), body)
        except ModelAnswerError as error:
            more = {
                "OriginalStatusCode": error.original_status,
                "OriginalMessage": error.original_message,
                "LogStreamArn": "",
            }
            return _refusal(error, more)
        except ServiceError as error:
            return _refusal(error, {})

    def _invoke(self, request: Mapping[str, Any], body: bytes) -> Response:
        name = request["EndpointName"]
        endpoint = self._endpoints.items.find(name)
        if endpoint is None or not endpoint.instances:
            raise RuntimeValidationError(f"Endpoint {name} of account {self._account.account_id} not found.")
        variant, instance = endpoint.instance(request.get("TargetVariant"))
        config = next(entry for entry in endpoint.config.variants if entry["VariantName"] == variant)
        limit = MAX_BODY["ServerlessConfig" if "ServerlessConfig" in config else "InstanceType"]
        if len(body) > limit:
            raise RuntimeValidationError(
                f"Request body size is {len(body)} bytes; at most {limit} bytes are allowed."
            )
        try:
            answer = instance.ask(
                {
                    "body": base64.b64encode(body).decode(),
                    "content_type": request.get("ContentType", "application/octet-stream"),
                    "accept": request.get("Accept", ""),
                    "target": _target(instance, request),
                }
            )
        except InstanceError as error:
            raise ModelAnswerError(500, str(error), self._log_url(name)) from error
        if answer["status"] != 200:
            raise ModelAnswerError(answer["status"], answer["message"], self._log_url(name))
        headers = {"Content-Type": answer["content_type"], "x-Amzn-Invoked-Production-Variant": variant}
        answered = base64.b64decode(answer["body"])
        self._endpoints.capture(
            endpoint,
            variant,
            Message(body, request.get("ContentType", "application/octet-stream")),
            Message(answered, answer["content_type"]),
        )
        return 200, headers, answered

    def _log_url(self, name: str) -> str:
        region = self._account.region
        return (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:"
            f"group=/aws/sagemaker/Endpoints/{name} in account {self._account.account_id}"
        )


class RuntimeValidationError(ValidationError):
    """A ValidationError with the code of the runtime API, which differs from the control plane's."""

    code = "ValidationError"


def _request(name: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the request's members from its path and headers, checked against the model."""
    request: dict[str, Any] = {"EndpointName": name, "Body": ""}
    lower = {key.lower(): value for key, value in headers.items()}
    for member, shape in input_shape("InvokeEndpoint", RUNTIME).members.items():
        header = shape.serialization.get("name", "").lower()
        if shape.serialization.get("location") == "header" and header in lower:
            request[member] = lower[header]
    validate("InvokeEndpoint", request, RUNTIME)
    return request


def _target(instance: Instance, request: Mapping[str, Any]) -> str:
    """Return the model that a request to a multi-model endpoint is for; "" for other endpoints."""
    target = request.get("TargetModel", "")
    if instance.multi_model and not target:
        raise RuntimeValidationError("TargetModel is required to invoke a multi-model endpoint.")
    if target and not instance.multi_model:
        raise RuntimeValidationError(
            "TargetModel must not be given: the endpoint does not host several models."
        )
    return str(target).removeprefix("/")


def _refusal(error: ServiceError, more: Mapping[str, Any]) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    answer = {"message": error.message, "Message": error.message, **more}
    return error.status, headers, json.dumps(answer).encode()
