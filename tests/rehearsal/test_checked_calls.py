"""What a rehearsal says of its own calls: how many were checked as on AWS, and what the others lacked."""

from __future__ import annotations

from typing import Any

import pytest

from amazon_estimators_rehearsal.checked_calls import ONLY_ASKED, checked_calls

ROLE, ROOT = "arn:aws:sts::0:assumed-role/Plan/run", "arn:aws:iam::0:root"


def call(action: str, shape: str | None = None, principal: str = ROLE) -> dict[str, Any]:
    told = {"principal": principal, "action": action, "resource": "*", "context": {}, "allowed": True}
    return told if shape is None else {**told, "shape": shape}


@pytest.mark.parametrize(
    ("made", "checked", "gaps"),
    [
        (call("s3:GetObject", "valid"), 1, []),
        (call("s3:PutObject", "unchecked: a body of XML"), 0, ["s3:PutObject: no shape, a body of XML"]),
        (call("lambda:InvokeFunction"), 1, []),  # by Step Functions
        (call("iam:PassRole"), 0, []),  # a permission of another call
        (call("kms:Decrypt"), 0, []),
        (call("kms:Decrypt", "valid"), 1, []),
        (
            call("cloudwatch:PutMetricData"),
            0,
            ["cloudwatch as AWS's services call it: permission only, a job's metrics are not kept"],
        ),
        (call("cloudwatch:PutMetricData", "valid"), 1, []),
        (call("s3:GetObject", "unchecked", ROOT), 0, []),
    ],
)
def test_each_kind_of_call(made: dict[str, Any], checked: int, gaps: list[str]) -> None:
    judged = checked_calls([made])
    assert (judged.checked, [*judged.gaps]) == (checked, gaps)
    assert judged.by_root == (made["principal"] == ROOT)


def test_the_summary_names_every_gap() -> None:
    judged = checked_calls(
        [call("s3:GetObject", "valid")] * 8
        + [call(action) for action in ONLY_ASKED]
        + [call("a:B", "", ROOT)]
    )
    assert judged.lines == [
        "50.0 % of 16 calls by roles: shape, names, state and permission",
        "not 1: cloudwatch as AWS's services call it: permission only, a job's metrics are not kept",
        "not 4: ecr as AWS's services call it: permission only, no image is pulled",
        "not 3: events as AWS's services call it: permission only, Step Functions hears of a job's end "
        "without its managed rule",
        "not counted: 1 call by root, who deploys and follows",
    ]


def test_nothing_called_is_nothing_unchecked() -> None:
    assert checked_calls([]).percent == 100.0
