"""The history of three deployed pipelines: what changed in their bucket, and what was trained."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from typing import Any

import numpy as np
from actor import PIPELINES, ROWS
from verdict import Change, Training, problems

from amazon_estimators.recordio import read_matrix
from amazon_estimators_rehearsal.platform import Platform


class History:
    """The account of a soak."""

    def __init__(self, platform: Platform, outputs: dict[str, str]) -> None:
        self.outputs, self.bucket = outputs, outputs["Bucket"]
        self.s3, self.sqs = platform.client("s3"), platform.client("sqs")
        self.states, self.sagemaker = platform.client("stepfunctions"), platform.client("sagemaker")

    def shorten_visibility(self, seconds: int) -> None:
        """Let the messages of a starter that was killed come back soon."""
        for name in PIPELINES:
            self.sqs.set_queue_attributes(
                QueueUrl=self.outputs[f"{name}Queue"], Attributes={"VisibilityTimeout": str(seconds)}
            )

    def ask(self) -> None:
        """Upload to each pipeline once more, and write the marker."""
        for name in PIPELINES:
            body = "\n".join(f"{number},{number}" for number in range(ROWS))
            self.s3.put_object(
                Bucket=self.bucket, Key=f"{name.lower()}/input/train/last.csv", Body=body.encode()
            )
        self.s3.put_object(Bucket=self.bucket, Key="marker/input/train/_SUCCESS", Body=b"")

    def under_way(self) -> list[str]:
        """Return what runs or waits, and the pipelines whose current input is not trained yet."""
        found = []
        for name in PIPELINES:
            arn = self.outputs[f"{name}StateMachine"]
            running = self.states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
            found += [one["name"] for one in running]
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            depth = self.sqs.get_queue_attributes(QueueUrl=self.outputs[f"{name}Queue"], AttributeNames=names)
            if any(int(count) for count in depth["Attributes"].values()):
                found.append(f"{name}'s queue")
            if not any("last.csv" in key for key, _ in self._last_content(name)):
                found.append(f"{name}'s last input")
        return found

    def verdict(self, *, alarms: int) -> dict[str, Any]:
        """Return what was trained, and every problem."""
        found: list[str] = []
        trained: dict[str, Any] = {}
        for name in PIPELINES:
            trainings = self.trainings(name)
            again = alarms if name == "Marker" else 0
            found += [f"{name}: {text}" for text in problems(self.changes(name), trainings, again=again)]
            found += [f"{name}: {text}" for text in self.undecodable(name)]
            if letters := self.dead_letters(name):
                found.append(f"{name}: {len(letters)} dead letters: {letters[:3]}")
            trained[name] = dict(sorted(Counter(training.status for training in trainings).items()))
        return {"executions": trained, "record_sets": self.decoded, "problems": found}

    def changes(self, name: str) -> list[Change]:
        """Return the changes of a pipeline's input."""
        prefix, found = f"{name.lower()}/input/train/", []
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            for entry in sorted(entries, key=lambda entry: entry["LastModified"], reverse=True):
                if not entry["Key"].endswith("_SUCCESS"):
                    version = entry["VersionId"] if "ETag" in entry else None
                    found.append(Change(entry["Key"], version, entry["LastModified"]))
        return found

    def trainings(self, name: str) -> list[Training]:
        """Return the executions that a pipeline's starter began, oldest first."""
        found = []
        arn = self.outputs[f"{name}StateMachine"]
        for page in self.states.get_paginator("list_executions").paginate(stateMachineArn=arn):
            for execution in page["executions"]:
                data_set = execution["name"].partition("-")[0]
                content = frozenset((line["key"], line["version_id"]) for line in self._lines(name, data_set))
                found.append(
                    Training(
                        execution["name"],
                        execution["startDate"],
                        execution.get("stopDate"),
                        execution["status"],
                        data_set,
                        content,
                        self._completed(execution),
                    )
                )
        return sorted(found, key=lambda training: training.began)

    def undecodable(self, name: str) -> list[str]:
        """Return the RecordSets that do not hold exactly the rows of the objects that they name."""
        found = []
        arn = self.outputs[f"{name}StateMachine"]
        executions = self.states.get_paginator("list_executions").paginate(stateMachineArn=arn)
        prefixes = {}
        for execution in (one for page in executions for one in page["executions"]):
            if execution["status"] == "SUCCEEDED":
                prefixes[self._output(execution)["plan"]["prefix"]] = execution["name"].partition("-")[0]
        for prefix, data_set in prefixes.items():
            lines = [line for line in self._lines(name, data_set) if line["channel"] == "train"]
            bodies = [self._get(line["key"], VersionId=line["version_id"]) for line in lines]
            expected = np.array([row.split(b",") for body in bodies for row in body.split()], np.float32)
            shards = json.loads(self._get(f"{prefix}train/.amazon.manifest"))[1:]
            rows = [read_matrix(io.BytesIO(self._get(f"{prefix}train/{shard}")))[0] for shard in shards]
            if not np.array_equal(_sorted(expected), _sorted(np.concatenate(rows))):
                found.append(f"{prefix} does not hold the rows of {data_set}")
            self.decoded += 1
        return found

    decoded = 0

    def dead_letters(self, name: str) -> list[str]:
        answer = self.sqs.receive_message(
            QueueUrl=self.outputs[f"{name}DeadLetters"], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return [
            f"{message['Body']}: {message['MessageAttributes']['reason']['StringValue']}"
            for message in answer.get("Messages", ())
        ]

    def _last_content(self, name: str) -> frozenset[tuple[str, str]]:
        done = [training for training in self.trainings(name) if training.status == "SUCCEEDED"]
        return done[-1].content if done else frozenset()

    def _completed(self, execution: dict[str, Any]) -> int:
        """Return how many training jobs completed for an execution that succeeded."""
        if execution["status"] != "SUCCEEDED":
            return 0
        stem = self._output(execution)["request"]["job_name"]
        listed = self.sagemaker.list_training_jobs(
            NameContains=stem, StatusEquals="Completed", MaxResults=100
        )
        return len(listed["TrainingJobSummaries"])

    def _output(self, execution: dict[str, Any]) -> dict[str, Any]:
        described = self.states.describe_execution(executionArn=execution["executionArn"])
        output: dict[str, Any] = json.loads(described["output"])
        return output

    def _lines(self, name: str, data_set: str) -> list[dict[str, Any]]:
        body = gzip.decompress(self._get(f"{name.lower()}/datasets/{data_set}.jsonl.gz"))
        return [json.loads(line) for line in body.splitlines()[1:]]

    def _get(self, key: str, **version: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key, **version)["Body"].read())


def _sorted(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T)]
