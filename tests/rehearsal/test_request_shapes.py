"""Every request of a role is held to its service's model, whatever its protocol."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from training_account import TrainingAccount, statement

from amazon_estimators_rehearsal.emulator.request_shapes import (
    Request,
    UnreadableRequestError,
    faults_in,
)
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import sdk


def sent(service: str, operation: str, **members: Any) -> Request:
    """A request as boto3 sends it, which checks only types and required members."""
    client = boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        endpoint_url="http://127.0.0.1",
    )
    caught: list[AWSRequest] = []

    def catch(request: AWSRequest, **_: Any) -> Any:
        caught.append(request)
        raise KeyboardInterrupt

    client.meta.events.register("before-send", catch)
    with pytest.raises(KeyboardInterrupt):
        getattr(client, operation)(**members)
    (request,) = caught
    path, _, query = request.url.removeprefix("http://127.0.0.1").partition("?")
    headers = {
        name.lower(): value if isinstance(value, str) else value.decode()
        for name, value in request.headers.items()
    }
    sent_body: Any = request.body or b""
    body = sent_body.read() if hasattr(sent_body, "read") else sent_body
    body = body.encode() if isinstance(body, str) else body
    form = parse_qs(body.decode()) if "urlencoded" in headers.get("content-type", "") else {}
    name = {"stepfunctions": "states", "sagemaker-runtime": "sagemaker"}.get(service, service)
    return Request(
        name, request.method, path, headers, body, {**form, **parse_qs(query, keep_blank_values=True)}
    )


FITTING: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "get_object", {"Bucket": "b", "Key": "a b/c", "Range": "bytes=0-1", "VersionId": "v"}),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"text", "ServerSideEncryption": "aws:kms"}),
    ("s3", "copy_object", {"Bucket": "b", "Key": "k", "CopySource": "b/c"}),
    ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "p", "MaxKeys": 3}),
    ("s3", "list_object_versions", {"Bucket": "b", "Prefix": "p"}),
    ("s3", "create_multipart_upload", {"Bucket": "b", "Key": "k"}),
    ("s3", "upload_part", {"Bucket": "b", "Key": "k", "UploadId": "u", "PartNumber": 1, "Body": b""}),
    (
        "s3",
        "complete_multipart_upload",
        {
            "Bucket": "b",
            "Key": "k",
            "UploadId": "u",
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "e"}]},
        },
    ),
    (
        "sagemaker-runtime",
        "invoke_endpoint",
        {"EndpointName": "one", "Body": b"1,2", "ContentType": "text/csv"},
    ),
    ("sqs", "send_message", {"QueueUrl": "http://127.0.0.1/q", "MessageBody": "text"}),
    (
        "sns",
        "publish",
        {
            "TopicArn": "t",
            "Message": "m",
            "MessageAttributes": {"a": {"DataType": "String", "StringValue": "s"}},
        },
    ),
    ("stepfunctions", "start_execution", {"stateMachineArn": "arn", "name": "run", "input": "{}"}),
    ("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
    ("lambda", "invoke", {"FunctionName": "function", "Payload": b"{}"}),
    ("scheduler", "get_schedule", {"Name": "one", "GroupName": "group"}),
    (
        "logs",
        "put_log_events",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
    ),
    ("cloudformation", "describe_stacks", {"StackName": "Stack"}),
    (
        "iam",
        "simulate_principal_policy",
        {"PolicySourceArn": "arn:aws:iam::1:role/a", "ActionNames": ["s3:GetObject"]},
    ),
]

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "StorageClass": "NONE"}, "storageClass.*enum"),
    (
        "sqs",
        "send_message",
        {"QueueUrl": "q", "MessageBody": "m", "MessageSystemAttributes": {"A": {"DataType": "S"}}},
        "enum",
    ),
    ("stepfunctions", "start_execution", {"stateMachineArn": "arn", "name": "n" * 81}, "name.*length"),
    ("events", "put_events", {"Entries": [{"Source": "s"}] * 11}, "entries.*less than or equal to 10"),
    ("lambda", "invoke", {"FunctionName": "no function"}, "functionName.*pattern"),
    ("scheduler", "get_schedule", {"Name": "o n e"}, "name.*pattern"),
    ("logs", "create_log_group", {"logGroupName": "a b"}, "logGroupName.*pattern"),
    (
        "cloudformation",
        "describe_stack_events",
        {"StackName": "S", "NextToken": "t" * 1025},
        "nextToken.*length",
    ),
    (
        "iam",
        "simulate_principal_policy",
        {"PolicySourceArn": "a" * 2049, "ActionNames": ["s3:GetObject"]},
        "policySourceArn.*length",
    ),
]


@pytest.mark.parametrize(("service", "operation", "members"), FITTING)
def test_a_request_that_fits(service: str, operation: str, members: dict[str, Any]) -> None:
    assert faults_in(sent(service, operation, **members)) == []


@pytest.mark.parametrize(("service", "operation", "members", "fault"), WRONG)
def test_a_request_that_does_not_fit(
    service: str, operation: str, members: dict[str, Any], fault: str
) -> None:
    assert re.search(fault, " ".join(faults_in(sent(service, operation, **members))))


def test_what_is_not_read_is_told() -> None:
    request = Request("monitoring", "POST", "/", {"content-type": "application/cbor"}, b"", {})
    with pytest.raises(UnreadableRequestError, match="no model"):
        faults_in(request)
    with pytest.raises(UnreadableRequestError, match="CBOR"):
        faults_in(replace(request, service="cloudwatch"))
    with pytest.raises(UnreadableRequestError, match="no operation PATCH /b"):
        faults_in(Request("s3", "PATCH", "/b", {}, b"", {}))


def test_a_member_that_only_a_newer_sdk_knows_is_passed_over() -> None:
    request = sent("stepfunctions", "start_execution", stateMachineArn="arn")
    newer = json.dumps({**json.loads(request.body), "newer": 1}).encode()
    assert faults_in(Request("states", "POST", "/", request.headers, newer, {})) == []


def test_the_emulator_refuses_a_role_what_does_not_fit_and_records_its_calls(
    account: TrainingAccount,
) -> None:
    role = account.role(statement("states:*", "*"))
    states = account.platform.client_as(role, "stepfunctions")
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:none"
    with pytest.raises(ClientError, match=r"ValidationException.*name"):
        states.start_execution(stateMachineArn=arn, name="n" * 81)
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        states.start_execution(stateMachineArn=arn)
    (call,) = (one for one in account.platform.calls() if f"/{role.rpartition('/')[2]}/" in one["principal"])
    assert call == {
        "principal": call["principal"],
        "action": "states:StartExecution",
        "resource": arn,
        "context": {},
        "allowed": True,
        "shape": "valid",
    }


def test_clients_in_the_same_process_change_nothing() -> None:
    """Botocore's S3 client takes the bucket out of the paths of its session's model."""
    sdk().create_client("s3", region_name="us-east-1")
    assert faults_in(sent("s3", "head_object", Bucket="b", Key="k")) == []
