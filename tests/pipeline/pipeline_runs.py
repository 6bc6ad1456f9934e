"""A pipeline as the state machine runs it: Plan, an Encode for each item, Seal; in this process."""

from __future__ import annotations

import io
import json
from copy import deepcopy
from typing import Any

import numpy as np

from amazon_estimators.pipeline.encode import encode_shard
from amazon_estimators.pipeline.plan import plan_step
from amazon_estimators.pipeline.seal import seal_step
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.pipeline.shard_plan import Plan
from amazon_estimators.pipeline.sharding import DEFAULT_SHARD_BYTES
from plain_settings import PLAIN_SETTINGS


def execution_named(name: str) -> dict[str, Any]:
    """What the state machine says of its execution."""
    return {"name": name, "start_time": "2026-11-28T10:00:00.000Z", "redrive": 0}


class Pipeline:
    """Settings that tests change in place, and the steps."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.settings = deepcopy(PLAIN_SETTINGS) | {
            "data_bucket": bucket,
            "target_shard_bytes": DEFAULT_SHARD_BYTES,
        }

    def put(self, name: str, body: bytes) -> None:
        """Upload under ``input/``."""
        self.s3.put_object(Bucket=self.bucket, Key=f"input/{name}", Body=body)

    def put_array(self, name: str, array: np.ndarray) -> None:
        file = io.BytesIO()
        np.save(file, array)
        self.put(name, file.getvalue())

    def plan(self, execution: str = "first", **execution_input: Any) -> dict[str, Any]:
        return plan_step(
            self.s3, Settings.from_dict(self.settings), execution_input, execution_named(execution)
        )

    def items(self, planned: dict[str, Any]) -> list[dict[str, int]]:
        """What the Map's item reader finds."""
        return [json.loads(line) for line in self.get(planned["shards_key"]).splitlines()]

    def encode(self, planned: dict[str, Any], item: dict[str, int]) -> Any:
        plan = Plan.load(self.s3, planned["bucket"], planned["prefix"])
        return encode_shard(self.s3, plan, item["offset"], item["length"])

    def seal(self, planned: dict[str, Any], execution: str = "first") -> dict[str, Any]:
        return seal_step(self.s3, Settings.from_dict(self.settings), planned, execution_named(execution))

    def train(self, execution: str = "first", **execution_input: Any) -> dict[str, Any]:
        """Run it all; returns what Plan said."""
        planned = self.plan(execution, **execution_input)
        if not planned["complete"]:
            for item in self.items(planned):
                self.encode(planned, item)
            planned["request"] = self.seal(planned, execution)
        return planned

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def all_keys(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def manifest(self, planned: dict[str, Any], channel: str = "train") -> list[Any]:
        found: list[Any] = json.loads(self.get(f"{planned['prefix']}{channel}/.amazon.manifest"))
        return found

    def shards(self, planned: dict[str, Any], channel: str = "train") -> list[bytes]:
        """The shards as a training container gets them: by the manifest."""
        head, *names = self.manifest(planned, channel)
        root = head["prefix"].removeprefix(f"s3://{self.bucket}/")
        return [self.get(root + name) for name in names]

    def facts(self, planned: dict[str, Any], channel: str = "train") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get(f"{planned['prefix']}{channel}/record_set.json"))
        return found
