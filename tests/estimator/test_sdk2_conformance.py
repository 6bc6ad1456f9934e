"""What this library sends and what the SageMaker Python SDK 2 sent, field by field.

``record_sdk2.py`` recorded the SDK once. Every difference must be a row of :data:`DIFFERENCES`, every row
must be seen, and the migration guide must give its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.client
import numpy as np
import pytest

from amazon_estimators import sdk

HERE = Path(__file__).parent
CASES = json.loads((HERE / "data" / "conformance_cases.json").read_text())
SDK2 = json.loads((HERE / "data" / "sdk2_requests.json").read_text())
MIGRATION = HERE.parents[1] / "docs" / "migration.md"

ANSWERS: dict[str, Any] = {
    "PutObject": {"ETag": '"0"'},
    "CreateTrainingJob": {"TrainingJobArn": "arn"},
    "GetRole": {"Role": {"Arn": "arn:aws:iam::123456789012:role/trainer"}},
}

FIELDS = {
    r"request/HyperParameters/encoder_layers": (
        "`HyperParameters.encoder_layers` of NTM",
        "a list as AWS documents it: separated by commas",
    ),
    r"request/HyperParameters/feature_dim": (
        "`HyperParameters.feature_dim` of Object2Vec and IPInsights",
        "not sent: neither Object2Vec nor IPInsights has such a hyperparameter",
    ),
    r"request/InputDataConfig/0/ContentType": (
        "`InputDataConfig[].ContentType`",
        "says what the records are instead of relying on a default",
    ),
    r"request/InputDataConfig/0/DataSource/S3DataSource/S3Uri": (
        "`S3Uri` of the manifest",
        "the prefix ends in a random part, so that two made in one millisecond never mix",
    ),
    r"request/DebugHookConfig/.*": (
        "`DebugHookConfig`",
        "not sent: Debugger does not look into the first-party algorithms",
    ),
    r"request/ProfilerConfig/.*": (
        "`ProfilerConfig`",
        "not sent: the profiler is not switched on behind your back",
    ),
    r"objects/\.amazon\.manifest/.*": ("entries of the manifest", "shards are named as those of a pipeline"),
    r"objects/\d+/name": ("names of shards", "`matrix_00000.pbr`: shards are named as those of a pipeline"),
    r"objects/\d+/size": (
        "sizes of shards",
        "shards differ by one record at most; the SDK gives the last one the whole remainder",
    ),
    r"objects/feature_profile\.json/.*": (
        "`feature_profile.json`",
        "the profile of the features, beside the manifest",
    ),
    r"objects/record_set\.json/.*": (
        "`record_set.json`",
        "the facts about the data, beside the manifest",
    ),
}
"""By path: the field as the migration guide names it, and the reason of the difference."""
DIFFERENCES = {path: reason for path, (_, reason) in FIELDS.items()}


def ours(case: dict[str, Any]) -> dict[str, Any]:
    calls: list[tuple[str, dict[str, Any]]] = []

    def answer(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        calls.append((operation, parameters))
        return ANSWERS.get(operation, {})

    session = boto3.Session("recorded", "recorded", region_name="us-east-1")
    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", answer):
        make = getattr(sdk, case["algorithm"])
        estimator = make(**case["constructor"], **case["hyperparameters"], session=session)
        records = estimator.record_set(*data_for(case), progress=False, **case.get("record_set", {}))
        estimator.fit(records, wait=False, **case["fit"])
    request = next(parameters for operation, parameters in calls if operation == "CreateTrainingJob")
    objects = [
        {
            "key": parameters["Key"],
            "size": len(parameters["Body"]),
            "manifest": json.loads(parameters["Body"]) if parameters["Key"].endswith(".manifest") else None,
            "settings": {
                k: v for k, v in parameters.items() if k not in ("Body", "Bucket", "Key", "ContentType")
            },
        }
        for operation, parameters in calls
        if operation == "PutObject"
    ]
    objects.sort(key=lambda one: one["key"])
    text = json.dumps({"request": request, "objects": objects})
    result: dict[str, Any] = json.loads(re.sub(r"\d{4}(-\d\d){5}-\d{3}", "<time>", text))
    return result


def data_for(case: dict[str, Any]) -> tuple[Any, Any]:
    rows = case["records"]
    labels = np.arange(rows) % 2
    if case["algorithm"] == "Object2Vec":
        return [([1, 2], [3]) for _ in range(rows)], labels
    if case["algorithm"] == "IPInsights":
        return [(f"user{row}", "192.0.2.1") for row in range(rows)], None
    matrix = np.arange(rows * case["features"], dtype=np.float32).reshape(rows, case["features"])
    return matrix, labels.astype(np.float32) if case["labels"] else None


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON value with its path."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from fields(inner, f"{path}/{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from fields(inner, f"{path}/{index}" if path else str(index))
    else:
        yield path, value


def objects(recorded: list[dict[str, Any]]) -> dict[str, Any]:
    """Shards by position, other objects by name; without the prefix, which the request holds."""
    shards, result = 0, {}
    for one in sorted(recorded, key=lambda one: one["key"]):
        name = one["key"].rpartition("/")[2]
        if re.search(r"_\d+\.", name):
            result[str(shards)] = {"name": name, "size": one["size"], "settings": one["settings"]}
            shards += 1
        else:
            result[name] = {"settings": one["settings"], "lists": (one["manifest"] or [])[1:], "there": True}
    return result


def differences(name: str) -> set[str]:
    theirs, mine = SDK2["recorded"][name], ours(CASES[name])
    flat = []
    for side in (theirs, mine):
        leaves = dict(fields(side["request"], "request"))
        # Object2Vec and IPInsights do not read RecordIO, so there is no shard of the SDK's to compare with.
        if CASES[name]["algorithm"] not in ("Object2Vec", "IPInsights"):
            leaves |= dict(fields(objects(side["objects"]), "objects"))
        flat.append(leaves)
    return {path for path in flat[0].keys() | flat[1].keys() if flat[0].get(path) != flat[1].get(path)}


@pytest.fixture(scope="module")
def found() -> dict[str, set[str]]:
    return {name: differences(name) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_every_difference_is_intended(name: str, found: dict[str, set[str]]) -> None:
    unexpected = {
        path for path in found[name] if not any(re.fullmatch(pattern, path) for pattern in allowed(name))
    }
    assert not unexpected


def allowed(name: str) -> Iterator[str]:
    yield from DIFFERENCES
    if not CASES[name]["fit"]:  # its name is generated; the test below compares those
        yield "request/TrainingJobName"


@pytest.mark.parametrize("pattern", DIFFERENCES)
def test_every_listed_difference_is_there(pattern: str, found: dict[str, set[str]]) -> None:
    assert any(re.fullmatch(pattern, path) for paths in found.values() for path in paths)


def test_the_guide_lists_exactly_these_differences() -> None:
    rows = "".join(f"| {field} | {reason} |\n" for field, reason in FIELDS.values())
    assert f"| field | difference |\n|---|---|\n{rows}\n" in MIGRATION.read_text(encoding="utf-8")


def test_the_guide_gives_a_reason_for_every_test_of_the_sdk_that_fails() -> None:
    text = MIGRATION.read_text(encoding="utf-8")
    unit_tests, _, integration_tests = text.partition("## The SDK's own tests")[2].partition("\n## ")
    measured = re.findall(r"(\d+) of (\d+)", unit_tests)
    listed = re.findall(r"^\| `(test_\w+\.py)` \| (\d+) \| (.+) \|$", text, re.MULTILINE)
    [(passed, total), (others, all_others)] = measured
    algorithms = [row for row in listed if row[0] not in ("test_tuner.py", "test_airflow.py")]
    assert sum(int(count) for _, count, _ in algorithms) == int(total) - int(passed)
    assert sum(int(count) for _, count, _ in listed) - (int(total) - int(passed)) == int(all_others) - int(
        others
    )
    assert all(len(reason) > 20 for *_, reason in listed)
    *_, (ended, tests) = re.findall(r"(\d+) of (\d+)", integration_tests)
    reasons = {"one of NTM": 1, "two of IPInsights": 2, "one of\nObject2Vec": 1}
    assert all(reason in integration_tests for reason in reasons)
    assert int(tests) - int(ended) == sum(reasons.values())


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case["fit"]])
def test_generated_job_names_are_alike(name: str) -> None:
    assert (
        ours(CASES[name])["request"]["TrainingJobName"]
        == SDK2["recorded"][name]["request"]["TrainingJobName"]
    )


def test_the_manifest_is_written_last() -> None:
    order: list[str] = []

    def answer(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        order.append(parameters.get("Key", "").rpartition("/")[2])
        return {"ETag": '"0"'}

    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", answer):
        estimator = sdk.KMeans(
            "arn:aws:iam::123456789012:role/trainer",
            2,
            "ml.m5.large",
            3,
            data_location="s3://data/",
            session=boto3.Session("recorded", "recorded", region_name="us-east-1"),
        )
        estimator.record_set(np.ones((9, 2)), progress=False)
    assert order[-2:] == ["record_set.json", ".amazon.manifest"]
    assert sorted(order[:-2]) == ["feature_profile.json", "matrix_00000.pbr", "matrix_00001.pbr"]
