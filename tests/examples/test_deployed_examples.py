"""The apps of examples/ that are stacks to copy, deployed, trained, asked.

Others run elsewhere: ``screening`` as the whole loop of the rehearsal, ``tested`` with its own tests.
"""

from __future__ import annotations

import importlib.util
import json
import random
import time
from pathlib import Path
from statistics import correlation
from types import ModuleType
from typing import Any

import pytest
from aws_cdk import App

from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.testing import ON_THIS_MACHINE, RehearsedStack, rehearsed

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

pytestmark = pytest.mark.deployed


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stacks(platform: Platform) -> dict[str, RehearsedStack]:
    """All three, deployed as one app."""
    app = App(context=ON_THIS_MACHINE)
    made = {
        name: getattr(example(name), name.capitalize())(app, name.capitalize())
        for name in ("recommender", "anomalies", "regulated")
    }
    return {name: rehearsed(stack, platform) for name, stack in made.items()}


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def test_ratings_are_learnt_and_told_for_new_pairs(
    stacks: dict[str, RehearsedStack], platform: Platform, tmp_path: Path
) -> None:
    """Every second user is generous, every second item is good: 1, 3 or 5."""
    stack, chance = stacks["recommender"], random.Random(1)
    pairs = [(user, item) for user in range(60) for item in range(40)]
    chance.shuffle(pairs)

    def rating(user: int, item: int) -> int:
        return 1 + 2 * (user % 2) + 2 * (item % 2)

    def table(name: str, part: list[tuple[int, int]]) -> Path:
        rows = [f"u{user},i{item},{rating(user, item)}" for user, item in part]
        return write(tmp_path / name, "user,item,rating", rows)

    data = {"train": table("train.csv", pairs[:1800]), "test": table("test.csv", pairs[1800:2200])}
    trained = stack.assert_trains("Ratings", data)
    assert trained["metrics"]["test:rmse"] < 1.5
    unseen = pairs[2200:]
    bucket = stack.physical_id(stack.stack.ratings.data_bucket)
    (prefix,) = stack.stack.recommended.layout.inputs
    body = write(tmp_path / "pairs.csv", "user,item", [f"u{user},i{item}" for user, item in unseen])
    s3, states = platform.client("s3"), platform.client("stepfunctions")
    s3.upload_file(str(body), bucket, f"{prefix}pairs.csv")
    machine = stack.physical_id(stack.stack.recommended.state_machine)
    arn = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    ended = wait(states, arn)
    assert ended["status"] == "SUCCEEDED", ended
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="scores/predictions/")["Contents"]
    (manifest,) = (entry["Key"] for entry in listed if entry["Key"].endswith("/_manifest.json"))
    parts = json.loads(s3.get_object(Bucket=bucket, Key=manifest)["Body"].read())["parts"]
    lines = [
        json.loads(line)
        for part in parts
        for line in s3.get_object(Bucket=bucket, Key=part["key"])["Body"].read().splitlines()
    ]
    assert [(line["user"], line["item"]) for line in lines] == [
        (f"u{user}", f"i{item}") for user, item in unseen
    ]
    told = [line["score"] for line in lines]
    assert correlation(told, [rating(user, item) for user, item in unseen]) > 0.9


def test_an_endpoint_scores_what_is_unusual_higher(
    stacks: dict[str, RehearsedStack], platform: Platform, tmp_path: Path
) -> None:
    stack, chance = stacks["anomalies"], random.Random(2)
    rows = [
        f"2026-03-01T{minute // 60:02}:{minute % 60:02},"
        f"{chance.gauss(900, 40):.0f},{chance.gauss(0.2, 0.01):.3f},{chance.gauss(3, 1):.0f}"
        for minute in range(1_200)
    ]
    stack.assert_trains("Usual", write(tmp_path / "metric.csv", "time,requests,latency,errors", rows))
    sagemaker, runtime = platform.client("sagemaker"), platform.client("sagemaker-runtime")
    name = stack.stack.online.endpoint_name
    in_service(sagemaker, name)
    answer = runtime.invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Body=b"900,0.2,3\n910,0.21,4\n20,3.5,400\n"
    )
    scores = [entry["score"] for entry in json.loads(answer["Body"].read())["scores"]]
    assert scores[2] > 1.5 * max(scores[:2])


def test_the_regulated_pipeline_trains_under_its_rules(
    stacks: dict[str, RehearsedStack], platform: Platform, tmp_path: Path
) -> None:
    stack, chance = stacks["regulated"], random.Random(3)
    rows = []
    for contract in range(400):
        income, debt = chance.gauss(40, 10), chance.gauss(20, 8)
        rows.append(f"c{contract},{income:.2f},{debt:.2f},{int(debt > 0.6 * income)}")
    trained = stack.assert_trains("Risk", write(tmp_path / "risk.csv", "contract,income,debt,default", rows))
    job = platform.client("sagemaker").describe_training_job(TrainingJobName=trained["job"])
    assert job["EnableNetworkIsolation"]
    assert len(job["VpcConfig"]["Subnets"]) == 2
    assert job["OutputDataConfig"]["KmsKeyId"] == job["ResourceConfig"]["VolumeKmsKeyId"]
    tags = platform.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {"Key": "cost-center", "Value": "4711"} in tags
    templates = stack.stack.node.root.synth().get_stack_by_name("Regulated").template["Resources"]
    unencrypted = [
        name
        for name, resource in templates.items()
        if resource["Type"] in KEYS and not holds(resource["Properties"], KEYS[resource["Type"]])
    ]
    assert unencrypted == []


KEYS = {
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::StepFunctions::StateMachine": "EncryptionConfiguration",
    "AWS::S3::Bucket": "BucketEncryption",
}
"""The property of each resource that names the key."""


def holds(properties: dict[str, Any], name: str) -> bool:
    """Tell whether a property is there and refers to a resource: the key."""
    return "GetAtt" in json.dumps(properties.get(name, ""))


def in_service(sagemaker: Any, name: str) -> None:
    """Wait until an endpoint, which an execution makes some time after its model, answers."""
    deadline = time.monotonic() + 90

    def status() -> str:
        listed = sagemaker.list_endpoints(NameContains=name)["Endpoints"]
        return str(listed[0]["EndpointStatus"]) if listed else "missing"

    while (now := status()) != "InService":
        assert time.monotonic() < deadline, now
        time.sleep(0.5)


def wait(states: Any, arn: str) -> Any:
    deadline = time.monotonic() + 120
    while (ended := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline, ended
        time.sleep(0.5)
    return ended
