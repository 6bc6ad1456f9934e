"""Encrypt the messages of queues and topics with their KMS key, as far as producers and consumers can tell.

A producer needs ``kms:GenerateDataKey`` and ``kms:Decrypt``, a consumer ``kms:Decrypt``. For a service that
sends by itself the key's policy allows them:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
A schedule sends as its role: https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
Lambda polls a queue as the function's role: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core import router
from ministack.services import cloudwatch, eventbridge, sns, sqs
from ministack.services.cloudformation import provisioners

from amazon_estimators_rehearsal.emulator.event_sources import pollers_of
from amazon_estimators_rehearsal.emulator.key_use import (
    DECRYPT,
    ENCRYPT,
    KeyUse,
    denial_of_service,
    managed_by_aws,
    principal_of,
)

logger = logging.getLogger("rehearsal")

SEND, RECEIVE = (ENCRYPT, DECRYPT), (DECRYPT,)
QUEUE_ACTIONS = {"SendMessage": SEND, "SendMessageBatch": SEND, "ReceiveMessage": RECEIVE}


def encrypt_messages(keys: KeyUse) -> None:
    """Hold callers, schedules, pollers and services to the permissions on the keys of queues and topics."""
    _keep_topic_keys()
    _ask_callers_of_queues(keys)
    _ask_callers_of_topics(keys)
    _ask_pollers(keys)
    _ask_services(keys)


def _ask_callers_of_queues(keys: KeyUse) -> None:
    handle = sqs.handle_request

    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        actions = QUEUE_ACTIONS.get(headers.get("x-amz-target", "").removeprefix("AmazonSQS."))
        if actions:
            queue = sqs._queues.get(_queue_url(json.loads(body or b"{}").get("QueueUrl", "")))
            key, arn = _queue_key(queue)
            caller = router.extract_access_key_id(headers, query)
            if key and (denial := keys.denial(caller, actions, key, via="sqs", context={"aws:sqs:arn": arn})):
                return sqs._json_err_resp("KmsAccessDenied", denial, 400)
        return await handle(method, path, headers, body, query)

    sqs.handle_request = handled


def _ask_callers_of_topics(keys: KeyUse) -> None:
    handle = sns.handle_request

    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        form = {**query, **parse_qs(body.decode("utf-8", errors="replace"))}
        if sns._p(form, "Action").startswith("Publish"):
            arn = sns._p(form, "TopicArn") or sns._p(form, "TargetArn")
            key, caller = _topic_key(arn), router.extract_access_key_id(headers, query)
            if key and (
                denial := keys.denial(caller, SEND, key, via="sns", context={"aws:sns:topicArn": arn})
            ):
                return sns._error("KMSAccessDenied", denial, 400)
        return await handle(method, path, headers, body, query)

    sns.handle_request = handled


def _ask_pollers(keys: KeyUse) -> None:
    """Let Lambda receive only what a function's role may decrypt."""
    receive = sqs._receive_messages_for_esm

    @functools.wraps(receive)
    def received(queue_url: str, most: int) -> Any:
        key, _ = _queue_key(sqs._queues.get(queue_url))
        for arn, config in pollers_of(queue_url) if key else ():
            denial = keys.denial_of_role(
                config["Role"],
                RECEIVE,
                key,
                via="sqs",
                context={"aws:sqs:arn": arn},
                of=("lambda.amazonaws.com", config["FunctionArn"]),
            )
            if denial:
                return []
        return receive(queue_url, most)

    sqs._receive_messages_for_esm = received


def _ask_services(keys: KeyUse) -> None:
    """Let EventBridge, its Scheduler and CloudWatch send to encrypted queues and topics only if they may."""
    invoke, act = eventbridge._invoke_target, cloudwatch._dispatch_alarm_actions

    @functools.wraps(invoke)
    def invoked(target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], *more: Any) -> None:
        arn = target.get("Arn", "")
        key, via, context = _key_at(arn)
        service, source = principal_of(rule), rule.get("Arn", "")
        if key and "RoleArn" not in target:
            denial = denial_of_service(service, SEND, key, context=context, source=source)
        elif key:
            of = (service, source)
            denial = keys.denial_of_role(target["RoleArn"], SEND, key, via=via, context=context, of=of)
        else:
            denial = None
        if denial:
            logger.warning("Not delivered to %s: %s", arn, denial)
        else:
            invoke(target, event, rule, *more)

    @functools.wraps(act)
    def acted(alarm: Mapping[str, Any], *change: Any) -> Any:
        kinds = ("AlarmActions", "OKActions", "InsufficientDataActions")
        heard = {kind: [arn for arn in alarm.get(kind) or () if _alarm_may(arn)] for kind in kinds}
        return act({**alarm, **heard}, *change)

    eventbridge._invoke_target, cloudwatch._dispatch_alarm_actions = invoked, acted


def _alarm_may(arn: str) -> bool:
    key, _, context = _key_at(arn)
    return not key or not denial_of_service("cloudwatch.amazonaws.com", SEND, key, context=context)


def _key_at(arn: str) -> tuple[str, str, dict[str, str]]:
    """Return the KMS key of a queue or topic, or nothing, with the service and its encryption context."""
    match arn.split(":")[2:3]:
        case ["sqs"]:
            return _queue_key(sqs._queue_by_arn(arn))[0], "sqs", {"aws:sqs:arn": arn}
        case ["sns"]:
            return _topic_key(arn), "sns", {"aws:sns:topicArn": arn}
    return "", "", {}


def _queue_key(queue: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the key of a queue, or nothing if SQS or AWS manages it, and the queue's ARN."""
    attributes = queue["attributes"] if queue else {}
    return _own(attributes.get("KmsMasterKeyId")), attributes.get("QueueArn", "")


def _topic_key(arn: str) -> str:
    topic = sns._topics.get(arn)
    return _own(topic["attributes"].get("KmsMasterKeyId")) if topic else ""


def _own(key: str | None) -> str:
    return "" if not key or managed_by_aws(key) else key


def _queue_url(asked: str) -> str:
    """Return the URL by which the emulator keeps a queue, of the one in a request."""
    return str(sqs._queue_url(asked.rstrip("/").rpartition("/")[2]))


def _keep_topic_keys() -> None:
    """Apply ``KmsMasterKeyId`` of a template to its topic, which the emulator leaves out."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]

    def keeping(name: str, place: int) -> Any:
        own = handlers[name]

        @functools.wraps(own)
        def kept(*arguments: Any, **options: Any) -> Any:
            physical_id, attributes = own(*arguments, **options)
            key = arguments[place].get("KmsMasterKeyId")
            topic = sns._topics[physical_id]["attributes"]
            if key:
                topic["KmsMasterKeyId"] = key
            else:
                topic.pop("KmsMasterKeyId", None)
            return physical_id, attributes

        return kept

    provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"] = {
        **handlers,
        "create": keeping("create", 1),
        "update": keeping("update", 2),
    }
