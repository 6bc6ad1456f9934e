"""A pipeline with an organisation's settings, deployed with IAM enforced, in a nested stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amazon_estimators_rehearsal.follow import Ended, executions, follow
from amazon_estimators_rehearsal.platform import Platform

pytestmark = pytest.mark.deployed

COLUMNS = 9_600
"""As many as app/app.py names: with them the settings are larger than Step Functions' events."""


@dataclass
class Trained:
    """What became of an upload."""

    platform: Platform
    outputs: dict[str, str]
    output: dict[str, Any]

    @property
    def job(self) -> dict[str, Any]:
        described: dict[str, Any] = self.output["job"]
        return described


@pytest.fixture(scope="module")
def trained() -> Iterator[Trained]:
    with Platform(app=Path(__file__).parent / "app") as platform:
        outputs = platform.deploy({})
        s3, states = platform.client("s3"), platform.client("stepfunctions")
        known = executions(states, outputs["Machine"])
        names = [f"measured_{number:010}" for number in reversed(range(COLUMNS))]
        rows = np.arange(4 * COLUMNS).reshape(4, COLUMNS)
        lines = [",".join(names), *(",".join(map(str, row)) for row in rows.tolist())]
        put = {"Bucket": outputs["Bucket"], "Key": "segments/input/train/rows.csv"}
        s3.put_object(**put, Body="\n".join(lines).encode())
        s3.put_object(**put | {"Key": "segments/input/train/_SUCCESS"})
        *_, ended = follow(states, outputs["Machine"], known=known, timeout=240)
        assert isinstance(ended, Ended)
        assert ended.status == "SUCCEEDED", (ended.error, ended.cause, platform.problems())
        yield Trained(platform, outputs, json.loads(ended.output))


def test_thousands_of_columns_are_read_by_name_and_in_their_order(trained: Trained) -> None:
    assert trained.job["HyperParameters"]["feature_dim"] == str(COLUMNS)
    described = trained.platform.client("stepfunctions").describe_state_machine(
        stateMachineArn=trained.outputs["Machine"]
    )
    assert "measured_0000000001" not in described["definition"]
    plan = trained.output["plan"]
    key = f"{plan['prefix']}train/record_set.json"
    body = trained.platform.client("s3").get_object(Bucket=plan["bucket"], Key=key)["Body"].read()
    features = json.loads(body)["read_as"]["features"]
    assert (len(features), features[0], features[-1]) == (
        COLUMNS,
        "measured_0000000000",
        "measured_0000009599",
    )


def test_the_first_type_with_capacity_is_taken_and_told(trained: Trained) -> None:
    resources = trained.job["ResourceConfig"]
    assert [one["InstanceType"] for one in resources["InstancePreferences"]] == [
        "ml.c5.xlarge",
        "ml.m5.large",
        "ml.m5.xlarge",
    ]
    assert resources["SelectedInstanceType"] == "ml.m5.large"
    assert trained.output["announced"]["instance_type"] == "ml.m5.large"


def test_tags_of_stack_and_pipeline_are_on_the_job(trained: Trained) -> None:
    listed = trained.platform.client("sagemaker").list_tags(ResourceArn=trained.job["TrainingJobArn"])
    tags = {one["Key"]: one["Value"] for one in listed["Tags"]}
    assert (tags["owner"], tags["team"]) == ("data", "forecast")


def test_nothing_was_refused(trained: Trained) -> None:
    assert trained.platform.denials() == []
