"""S3 keys have one home: renamed there, they are renamed for the run time and for every role's policy."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pipeline_stacks import REPOSITORY, Synthesised, with_props
from test_pipeline_permissions import allowed

from amazon_estimators.algorithms import NTM, IPInsights
from amazon_estimators.handlers import announce, encode, explain, plan, report, seal
from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets import keys as record_set_keys
from amazon_estimators.record_sets.manifest import manifest_entries
from amazon_estimators.scoring import keys as scoring_keys
from amazon_estimators.sources import Source
from amazon_estimators.triggers.starter import Starter
from cdk_amazon_estimators import UploadTrigger

BUCKET, MODELS = "data", "models"
HOMES = (keys, record_set_keys)
EXECUTION = {"name": "run", "state_machine": "arn", "start_time": "2026-01-01T00:00:00Z", "redrive": 0}


def names_of(home: Any) -> dict[str, str]:
    """The texts that stand in a module of keys, by constant; stems of shards by ``SHARDS`` and encoding."""
    constants = {name: value for name, value in vars(home).items() if name.isupper()}
    texts = {name: value for name, value in constants.items() if isinstance(value, str) and name != "ANY"}
    return texts | {f"SHARDS {name}": stem for name, (stem, _) in constants.get("SHARDS", {}).items()}


def rename_all(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give every name another value; returns the new ones."""
    new = []
    for home in HOMES:
        for name, value in names_of(home).items():
            new.append(f"renamed-{value}")
            if name.startswith("SHARDS "):
                _, extension = record_set_keys.SHARDS[name.removeprefix("SHARDS ")]
                monkeypatch.setitem(
                    record_set_keys.SHARDS, name.removeprefix("SHARDS "), (new[-1], extension)
                )
            else:
                monkeypatch.setattr(home, name, new[-1])
    return new


class RecordingS3:
    """Objects in memory; tells which actions were done on which keys."""

    class exceptions:
        ClientError = KeyError

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.done: list[tuple[str, str]] = []
        self.of_models: set[str] = set()

    def taken(self) -> list[tuple[str, str]]:
        done, self.done = self.done, []
        return done

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, str]:
        self.done.append(("s3:PutObject", Key))
        if Bucket == MODELS:
            self.of_models.add(Key)
        self.objects[Key] = Body
        return {"ETag": f'"{len(Body)}"'}

    def get_object(self, *, Key: str, Range: str = "bytes=0-", **_: Any) -> dict[str, Any]:
        self.done.append(("s3:GetObject", Key))
        first, last = Range.removeprefix("bytes=").split("-")
        body = self.objects[Key]
        return {"Body": io.BytesIO(body[int(first) : int(last) + 1 if last else len(body)])}

    def list_objects_v2(self, *, Prefix: str, **_: Any) -> dict[str, Any]:
        self.done.append(("s3:ListBucket", Prefix))
        return {"Contents": list(self._entries(Prefix))}

    def get_paginator(self, operation: str) -> Any:
        def versions(*, Prefix: str, **_: Any) -> list[dict[str, Any]]:
            self.done.append(("s3:ListBucketVersions", Prefix))
            return [{"Versions": list(self._entries(Prefix))}]

        def objects(**request: Any) -> list[dict[str, Any]]:
            return [self.list_objects_v2(**request)]

        pages = {"list_object_versions": versions, "list_objects_v2": objects}[operation]
        return SimpleNamespace(paginate=pages)

    def _entries(self, prefix: str) -> Iterator[dict[str, Any]]:
        for key, body in sorted(self.objects.items()):
            if key.startswith(prefix):
                made = datetime(2026, 1, 1, tzinfo=UTC)
                yield {
                    "Key": key,
                    "Size": len(body),
                    "ETag": f'"{len(body)}"',
                    "LastModified": made,
                    "IsLatest": True,
                }


class Busy:
    """Executions as Step Functions has them: one runs, so that no other starts."""

    def running(self) -> dict[str, int]:
        return {"one": 0}

    def newest(self) -> Iterator[tuple[str, str, str]]:
        return iter(())

    def status(self, name: str) -> str:
        return "NEVER_STARTED"

    def settings(self) -> str:
        return ""


class Never:
    """Schedules that never fire."""

    def set(self, name: str, at: datetime, message: Any) -> None:
        pass


def vectors_and_files() -> tuple[dict[str, Any], dict[str, bytes]]:
    """NTM on documents and a vocabulary: more shards of records than a group has, and files under the user's
    names."""
    array = io.BytesIO()
    np.save(array, np.ones((keys.SHARDS_OF_GROUP + 1, 3), np.float32))
    props = {"algorithm": NTM(num_topics=2), "channels": {"train": Source(), "auxiliary": Source()}}
    files = {"train/a.npy": array.getvalue(), "auxiliary/vocab.txt": b"red\ngreen\nblue\n"}
    return props, files


def lines() -> tuple[dict[str, Any], dict[str, bytes]]:
    """IPInsights on entities and addresses: shards of text."""
    props = {"algorithm": IPInsights(num_entity_vectors=10, vector_dim=8)}
    return props, {"train/a.csv": b"anna,192.0.2.1\nbert,192.0.2.7\n"}


def run(s3: RecordingS3, settings: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Run one execution and what surrounds it; yields each role with what it did on S3."""
    event = {"pipeline": settings, "input": {}, "execution": EXECUTION}
    planned = plan.handler(event, None)
    yield "RecordSetEncoderPlanRole", s3.taken()
    items = s3.get_object(Key=planned["shards_key"])["Body"].read().splitlines()
    yield "DigitsStateMachineRole", s3.taken()
    for item in map(json.loads, items):
        encode.handler({**planned, **item}, None)
    yield "RecordSetEncoderEncodeRole", s3.taken()
    failed = {"error": {"Error": "InputError", "Cause": "why"}, "plan": planned, "execution": EXECUTION}
    explain.handler({**failed, "shard": 0}, None)
    explain.handler({**failed, "error": {"Error": "States.ExceedToleratedFailureThreshold"}}, None)
    yield "RecordSetEncoderExplainRole", s3.taken()
    request = seal.handler({"pipeline": settings, "plan": planned, "execution": EXECUTION}, None)
    yield "RecordSetEncoderSealRole", s3.taken()
    assert plan.handler(event, None)["complete"]
    yield "RecordSetEncoderPlanRole", s3.taken()
    for channel in request["input_data_config"]:
        key = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        prefix, names = manifest_entries(s3.get_object(Key=key)["Body"].read(), key)
        for name in names:
            s3.get_object(Key=prefix.removeprefix(f"s3://{BUCKET}/") + name)
    yield "DigitsTrainingRole", s3.taken()
    artifacts = {"S3ModelArtifacts": "s3://models/model.tar.gz"}
    job = {"TrainingJobName": "job", "ModelArtifacts": artifacts} | {
        "InputDataConfig": request["input_data_config"]
    }
    report.handler({**event, "plan": planned, "job": job}, None)
    yield "RecordSetEncoderReportRole", s3.taken()
    announce.handler({**event, "plan": planned, "job": job}, None)
    yield "RecordSetEncoderAnnounceRole", s3.taken()
    inputs = {name: keys.input_prefix(settings["prefix"], name) for name in settings["channels"]}
    starting = SimpleNamespace(
        pipeline="Digits",
        data_bucket=BUCKET,
        prefix=settings["prefix"],
        channels=inputs,
        max_concurrent=1,
    )
    starter: Any = Starter
    for always in (False, True):
        message = {"trigger": "schedule", "time": "2026-01-02T00:00:00Z", "retrain_unchanged": always}
        starter(starting, s3=s3, executions=Busy(), wakeups=Never(), tell=lambda *_: None).handle(message)
    yield "DigitsStarterStarterRole", s3.taken()


def pipeline_settings(pipeline: Synthesised) -> dict[str, Any]:
    """What the state machine hands to Plan, with the bucket's name resolved."""
    settings: dict[str, Any] = pipeline.definition["States"]["Plan"]["Parameters"]["pipeline"]
    return {**settings, "data_bucket": BUCKET, "target_shard_bytes": 1}


AFTER_TRAINING = {"captures/", "last_tuned.json", "metrics.json", "leaderboard.csv"}
"""What only steps write that this pipeline does not have."""


@pytest.mark.parametrize("make", [vectors_and_files, lines])
@pytest.mark.parametrize("renamed", [False, True])
def test_roles_may_do_what_the_steps_do_whatever_keys_are_called(
    make: Any, renamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = rename_all(monkeypatch) if renamed else [name for home in HOMES for name in names_of(home).values()]
    props, files = make()
    pipeline = with_props(**props, prefix="digits/", triggers=[UploadTrigger(marker="_SUCCESS")])
    s3 = RecordingS3()
    monkeypatch.setattr("amazon_estimators.storage.s3.client", lambda: s3)
    bus = SimpleNamespace(put_events=lambda **_: {"FailedEntryCount": 0})
    monkeypatch.setattr("amazon_estimators.handlers.announce.boto3.client", lambda _: bus)
    for name, body in files.items():
        s3.objects[keys.input_prefix("digits/") + name] = body
    data_bucket, model_bucket = (
        next(name for name in pipeline.resources if name.startswith(stem) and len(name) == len(stem) + 8)
        for stem in ("DigitsDataBucket", "DigitsModelBucket")
    )
    used = []
    for role, actions in run(s3, pipeline_settings(pipeline)):
        assert actions, role
        for action, key in actions:
            bucket = f"arn:aws:s3:::<{model_bucket if key in s3.of_models else data_bucket}>"
            by_key = "List" not in action
            used.append(key)
            assert allowed(
                pipeline,
                role,
                action,
                f"{bucket}/{key}" if by_key else bucket,
                {} if by_key else {"s3:prefix": key},
            ), (role, action, key)
    policies = json.dumps(pipeline.of_type("AWS::IAM::Policy"))
    text = "\n".join(used)
    unused = {
        vectors_and_files: {"part_"},
        lines: {"matrix_", "files/", "profiles/", "group_profiles/"},  # lines are no vectors
    }[make] | {"attempts.json"}  # the starter writes it if Lambda has no room: tests/triggers looks at it
    for name in new:
        bare = name.removeprefix("renamed-")
        if bare in AFTER_TRAINING:
            continue  # tests/after_training and tests/endpoints look at these
        assert name in policies, name
        assert (name in text) == (bare not in unused), name
    if renamed:
        old = [name.removeprefix("renamed-") for name in new]
        assert [one for one in used for name in old if f"/{name}" in one.replace(".jsonl", "")] == []


def test_models_and_lifecycle_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    from aws_cdk import Duration

    rename_all(monkeypatch)
    pipeline = with_props(prefix="digits/", record_set_expiration=Duration.days(9))
    train = pipeline.definition["States"]["Train"]["Parameters"]
    output = train["OutputDataConfig"]["S3OutputPath"]
    assert f"{output.rstrip('/')}/".endswith(f"/digits/{keys.MODELS}")
    lifecycles = json.dumps(pipeline.of_type("AWS::S3::Bucket"))
    assert f'"digits/{keys.RECORD_SETS}"' in lifecycles


NO_KEYS = {
    ("client/execution.py", "#/v2/executions/details/"),  # an address of the console
    ("benchmarks/record_set.py", "record_set.json"),  # figures, in benchmarks/results
}


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Texts of the code, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.lineno, node.value


def test_no_key_is_spelled_elsewhere() -> None:
    roots = [REPOSITORY / name for name in ("constructs", "lambda", "rehearsal", "benchmarks", "app.py")]
    homes = {Path(str(home.__file__)).resolve() for home in (*HOMES, scoring_keys)}
    names = {name for home in HOMES for name in names_of(home).values()} - {".jsonl"}
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}: {text!r}"
        for root in roots
        for path in (sorted(root.rglob("*.py")) if root.is_dir() else [root])
        if path.resolve() not in homes
        for line, text in literals(path)
        if not any(str(path).endswith(place) and text == one for place, one in NO_KEYS)
        for name in names
        if text.startswith(name) or f"/{name}" in text
    ]
    assert found == []
