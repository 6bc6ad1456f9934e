"""Ask a function's role for what Lambda does in its name: poll a queue, write the log. The emulator does not.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import lambda_svc, sqs

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.emulator.event_sources import pollers_of
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

logger = logging.getLogger("rehearsal")

POLL = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")


def enforce_function_roles(account: EmulatedAccount) -> None:
    """Let Lambda poll a queue and write a log only as the function's role may."""
    receive, emit = sqs._receive_messages_for_esm, lambda_svc._emit_lambda_logs

    def refused(config: Mapping[str, Any], actions: Sequence[str], resource: str) -> bool:
        arn = config["FunctionArn"]
        try:
            caller = account.session(config["Role"], "lambda.amazonaws.com", arn).access_key_id
        except LookupError as problem:
            logger.warning("Lambda cannot act for %s: %s", arn, problem)
            return True
        return any(account.denial(caller, action, resource) for action in actions)

    @functools.wraps(receive)
    def received(queue_url: str, most: int) -> Any:
        if any(refused(config, POLL, arn) for arn, config in pollers_of(queue_url)):
            return []
        return receive(queue_url, most)

    @functools.wraps(emit)
    def emitted(function: Mapping[str, Any], *rest: Any, **named: Any) -> None:
        config = function.get("config") or function
        default = f"/aws/lambda/{config.get('FunctionName')}"
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or default
        stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{config.get('Version')}"
        if not refused(config, WRITE, stream):
            emit(function, *rest, **named)

    sqs._receive_messages_for_esm, lambda_svc._emit_lambda_logs = received, emitted
