"""The functions that no state machine calls: the starter, the endpoint's custom resource and its drift."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from fault_proxy import FaultProxy
from starter_world import SETTINGS
from steps import MACHINES, Step
from wired_account import MACHINE, WiredAccount

from amazon_estimators.handlers import drift, lifecycle, starter

BUCKET = "starter-data"
ENVIRONMENT = json.dumps(
    {
        **asdict(SETTINGS),
        "channels": {"train": {"prefix": "input/train/", "include": [], "skip": []}},
        "data_bucket": BUCKET,
        "state_machine": MACHINE,
    }
)
LATER = "2099-03-01T12:00:00+00:00"
"""After all that a test uploads."""
MARKER = {"trigger": "marker", "time": LATER, "event": "first"}
UPLOAD = {"trigger": "upload", "name": "quiet", "quiet_seconds": 60, "time": "2026-03-01T12:00:00+00:00"}
ENDPOINT = MACHINES["scaled"]["States"]["Deploy"]["Parameters"]["endpoint"]
CAPTURES = "captures"
CREATION, DELETION = "Lifecycle, creation", "Lifecycle, deletion"
Outcome = tuple[str, str] | None


def steps_outside(account: WiredAccount, proxy: FaultProxy) -> Iterator[Step]:
    """Invoke each in an account in which the machines have run, and yield it as a step."""
    os.environ["STARTER"] = ENVIRONMENT
    account.make_bucket(BUCKET)
    account.put(BUCKET, "input/train/a.csv", b"1,2\n")
    starters: list[tuple[str, Mapping[str, Any]]] = [("an upload", UPLOAD), ("a marker", MARKER)]
    for name, message in starters:
        yield _step(account, proxy, "Starter", "Starter", _deliver(name, message))
    account.states.end_all()
    (started,) = account.states.executions.values()
    ended = {"trigger": "ended", "execution": started["name"], "status": "SUCCEEDED", "event": "end"}
    yield _step(account, proxy, "Starter", "Starter", _deliver("an end", ended))
    account.put(BUCKET, "input/train/b.csv", b"3,4\n")
    for name, message in (("a second marker", {**MARKER, "event": "second"}), ("no message", {})):
        yield _step(account, proxy, "Starter", "Starter", _deliver(name, message))
    yield from _of_an_endpoint(account, proxy)


def _of_an_endpoint(account: WiredAccount, proxy: FaultProxy) -> Iterator[Step]:
    account.make_bucket(CAPTURES)
    capture = {"DestinationS3Uri": f"s3://{CAPTURES}/kept", "EnableCapture": True}
    settings = {**ENDPOINT, "config": {**ENDPOINT.get("config", {}), "DataCaptureConfig": capture}}
    asked = {"observedContentType": "text/csv", "mode": "INPUT", "data": "0.1,0.2", "encoding": "CSV"}
    line = json.dumps({"captureData": {"endpointInput": asked}}).encode()
    for hour in (datetime.now(UTC), datetime.now(UTC) + timedelta(hours=1)):  # one may end meanwhile
        account.put(CAPTURES, f"kept/{ENDPOINT['name']}/AllTraffic/{hour:%Y/%m/%d/%H}/asked.jsonl", line)

    def compared(_: int) -> Any:
        return drift.handler({"endpoint": settings, "hours": 0}, None)

    yield _step(account, proxy, "Endpoint", "Drift", _typed(compared))
    for kind, name in (("Create", CREATION), ("Delete", DELETION)):
        yield _step(account, proxy, "Endpoint", name, _live(account, proxy, kind))


def _step(
    account: WiredAccount, proxy: FaultProxy, part: str, name: str, run: Callable[[int], Outcome]
) -> Step:
    before = account.snapshot()
    proxy.clear()
    outcome = run(0)
    assert outcome is None, (name, outcome)
    return Step(part, name, run, before, account.content(), Counter(proxy.calls))


def _typed(act: Callable[[int], Any]) -> Callable[[int], Outcome]:
    def run(times: int) -> Outcome:
        try:
            act(times)
        except Exception as error:
            return type(error).__name__, str(error)
        return None

    return run


def _deliver(name: str, message: Mapping[str, Any]) -> Callable[[int], Outcome]:
    """Return what delivers a message for the n-th time. If it is not done, it comes again."""

    def run(times: int) -> Outcome:
        record = {
            "messageId": name,
            "receiptHandle": name,
            "body": json.dumps(message),
            "attributes": {"ApproximateReceiveCount": str(times + 1)},
        }
        try:
            left = starter.handler({"Records": [record]}, None)["batchItemFailures"]
        except Exception as error:  # Lambda hands the message back to the queue
            return COMES_BACK, str(error)
        return (COMES_BACK, "") if left else None

    return run


COMES_BACK = "comes again"


def _live(account: WiredAccount, proxy: FaultProxy, kind: str) -> Callable[[int], Outcome]:
    """Return what CloudFormation asks of an endpoint. An answer of failure fails the stack."""
    event = {
        "RequestType": kind,
        "ResourceProperties": {"name": ENDPOINT["name"], "state_machine": MACHINE, "retain": "false"},
        **dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), "id"),
        "PhysicalResourceId": ENDPOINT["name"],
        "ResponseURL": f"{proxy.endpoint}/answer",
    }

    def ask(times: int) -> None:
        told = lifecycle.handler(event, None)
        if told["Status"] == "FAILED":
            raise StackError(told["Reason"])

    return _typed(ask)


class StackError(Exception):
    """CloudFormation got an answer of failure, with its reason."""
