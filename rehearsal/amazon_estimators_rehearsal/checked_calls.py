"""Say at the end of a rehearsal how many API calls were answered by something that checked them as AWS does.

A call counts as checked if its shape was held to the service's model, the service knows the names in it and
keeps state, and the permission of its role was asked for. Calls of the root user, who deploys and follows,
have no permission to ask for and are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from amazon_estimators.text import counted
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.view import say

NO_PULL = "no image is pulled"
ONLY_ASKED: Mapping[str, str] = {
    "ecr:GetAuthorizationToken": NO_PULL,
    "ecr:BatchCheckLayerAvailability": NO_PULL,
    "ecr:BatchGetImage": NO_PULL,
    "ecr:GetDownloadUrlForLayer": NO_PULL,
    "cloudwatch:PutMetricData": "a job's metrics are not kept",
    "events:PutTargets": "Step Functions hears of a job's end without its managed rule",
    "events:PutRule": "Step Functions hears of a job's end without its managed rule",
    "events:DescribeRule": "Step Functions hears of a job's end without its managed rule",
}
"""Calls that services make as a role on AWS: here their permission is asked for, and nothing more happens."""
INTEGRATIONS = {
    "lambda:InvokeFunction",
    "states:StartExecution",
    "s3:GetObject",
    "s3:ListBucket",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
}
"""Calls that Step Functions, EventBridge, its Scheduler and Lambda make as a role inside the emulator."""


@dataclass(frozen=True)
class CheckedCalls:
    """The API calls of a rehearsal.

    Attributes:
        checked: Calls of roles that were checked in shape, names, state and permission.
        gaps: What the others lacked, with their number.
        by_root: Calls of the root user.
    """

    checked: int
    gaps: Mapping[str, int]
    by_root: int

    @property
    def of_roles(self) -> int:
        """The calls of roles."""
        return self.checked + sum(self.gaps.values())

    @property
    def percent(self) -> float:
        """The share of checked calls among those of roles."""
        return 100 * self.checked / self.of_roles if self.of_roles else 100.0

    @property
    def lines(self) -> list[str]:
        """The summary, with each gap by name."""
        shown = f"{self.percent:.1f} % of {counted(self.of_roles, 'call')} by roles"
        first = f"{shown}: shape, names, state and permission"
        gaps = [f"not {number}: {gap}" for gap, number in sorted(self.gaps.items())]
        return [
            first,
            *gaps,
            f"not counted: {counted(self.by_root, 'call')} by root, who deploys and follows",
        ]


def checked_calls(calls: Iterable[Mapping[str, Any]]) -> CheckedCalls:
    """Judge the calls that the emulator recorded."""
    checked, by_root, gaps = 0, 0, Counter[str]()
    for call in calls:
        action, shape = call["action"], call.get("shape")
        if call["principal"].endswith(":root"):
            by_root += 1
        elif shape is None and action in ONLY_ASKED:
            gaps[
                f"{action.partition(':')[0]} as AWS's services call it: permission only, {ONLY_ASKED[action]}"
            ] += 1
        elif shape == "valid" or (shape is None and action in INTEGRATIONS):
            checked += 1
        elif shape is not None:
            gaps[f"{action}: no shape, {shape.removeprefix('unchecked').strip(': ') or 'not read'}"] += 1
    return CheckedCalls(checked, gaps, by_root)


def tell_checked_calls(platform: Platform, console: Console) -> None:
    """Print the summary of the calls so far."""
    for index, line in enumerate(checked_calls(platform.calls()).lines):
        title = "checked calls" if index == 0 else ""
        say(console, (f"{title:<20}", "bold"), f" {line}")
