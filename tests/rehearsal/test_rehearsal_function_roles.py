"""What Lambda does in the name of a function, its role must allow: poll a queue, write the log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from test_rehearsal_keys_of_stacks import function_of
from training_account import ACCOUNT, REGION, TrainingAccount, statement, unique

POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
GROUPS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/*"


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refused(account: TrainingAccount, role: str, action: str) -> bool:
    session = f":assumed-role/{role.rpartition('/')[2]}/"
    return any(session in line and action in line for line in account.platform.denials())


@pytest.mark.parametrize("missing", [None, *POLL])
def test_a_queue_is_polled_as_the_role(account: TrainingAccount, missing: str | None) -> None:
    sqs, name = account.platform.client("sqs"), unique("polled")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [tls_only]})
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    actions = [action for action in POLL if action != missing]
    role = account.role(statement(actions, arn), service="lambda.amazonaws.com")
    account.platform.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function_of(account, role, "")
    )
    sqs.send_message(QueueUrl=url, MessageBody="text")

    def left() -> Any:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return told["ApproximateNumberOfMessages"]

    until(lambda: refused(account, role, missing) if missing else left() == "0")
    assert left() == ("1" if missing else "0")


@pytest.mark.parametrize("missing", [None, *LOGS])
def test_a_log_is_written_as_the_role(account: TrainingAccount, missing: str | None) -> None:
    actions = [action for action in LOGS if action != missing]
    role = account.role(statement(actions, GROUPS), service="lambda.amazonaws.com")
    name = function_of(account, role, "")
    account.platform.client("lambda").invoke(FunctionName=name)
    logs = account.platform.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    assert len(groups) == (0 if missing else 1)
    assert missing is None or refused(account, role, missing)
