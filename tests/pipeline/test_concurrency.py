"""The number of shards at a time leaves room for the account's other functions."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from amazon_estimators.handlers import plan
from amazon_estimators.pipeline.concurrency import shards_at_once


class Lambda:
    """An account with ``unreserved`` concurrent executions, or an error in place of the answer."""

    def __init__(self, unreserved: int | Exception) -> None:
        self.unreserved = unreserved

    def get_account_settings(self) -> dict[str, Any]:
        if isinstance(self.unreserved, Exception):
            raise self.unreserved
        limit = {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": self.unreserved}
        return {"AccountLimit": limit}


DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetAccountSettings")


@pytest.mark.parametrize(
    ("unreserved", "told", "at_once"),
    [
        (10, {"most": 100}, 8),  # a new account: the starter finds room
        (1_000, {"most": 100}, 100),
        (60, {"most": "100"}, 58),  # a number that CloudFormation resolves arrives as text
        (10, {"most": 3}, 3),
        (2, {"most": 100}, 1),
        (0, {"most": 100}, 1),
        (DENIED, {"most": 100}, 100),
        (ConnectTimeoutError(endpoint_url="https://lambda"), {"most": 100}, 100),
        (DENIED, {"most": 100, "reserved": 50}, 50),
        (DENIED, {"most": 20, "reserved": 50}, 20),
    ],
    ids=str,
)
def test_two_executions_are_left(unreserved: int | Exception, told: dict[str, Any], at_once: int) -> None:
    assert shards_at_once(Lambda(unreserved), told) == at_once


@pytest.mark.parametrize("concurrency", [None, {"most": 100}])
def test_plan_says_it_to_the_map(concurrency: dict[str, int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_plan", lambda event: {"shards": 3})
    monkeypatch.setattr(plan, "lambda_client", lambda: Lambda(10))
    planned = plan.handler({"concurrency": concurrency} if concurrency else {}, None)
    assert planned.pop("planned_at") > 0
    assert planned == {"shards": 3, **({"at_once": 8} if concurrency else {})}
