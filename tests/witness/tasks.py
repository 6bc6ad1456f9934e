"""The tasks of a machine, answered by the library's own functions over an account in memory."""

from __future__ import annotations

import importlib
import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from account import MOMENT, Account
from botocore.exceptions import ClientError

from amazon_estimators_rehearsal.sagemaker.integration import OPTIMISED, SDK


class TaskError(Exception):
    """How a task failed, as Step Functions reports it."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


class LostAnswer(TaskError):
    """How a task fails whose call took effect, and was not answered."""


@dataclass
class Tasks:
    """Answers of tasks. The first interpreter's are made, the second's are those the first one got.

    So both have the same answers to the same calls, to the byte, and a call with other parameters than the
    first interpreter's has none.

    Attributes:
        account: The account that the functions work in.
        faults: What the next calls of a state fail with, by state; None lets a call through.
    """

    account: Account
    faults: Mapping[str, list[TaskError | None]] = field(default_factory=dict)
    known: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    _lock: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._left = {state: deque(faults) for state, faults in self.faults.items()}

    def make(self, state: str, resource: str, parameters: Any) -> Any:
        """Call a task, and remember what came of it. Raises TaskError."""
        with self._lock:
            try:
                outcome: Any = self._call(state, resource, parameters)
            except TaskError as error:
                outcome = error
            self.known[_key(resource, parameters)].append(outcome)
        if isinstance(outcome, TaskError):
            raise outcome
        return json.loads(json.dumps(outcome))

    def replay(self, state: str, resource: str, parameters: Any) -> Any:
        """Answer a task as :meth:`make` did."""
        with self._lock:
            answers = self.known.get(_key(resource, parameters))
            if not answers:
                text = json.dumps(parameters, sort_keys=True)
                raise TaskError("NoSuchCall", f"the first interpreter did not call {state} so: {text}")
            outcome = answers.popleft()
        if isinstance(outcome, TaskError):
            raise outcome
        return json.loads(json.dumps(outcome))

    def items(self, bucket: str, key: str) -> list[Any]:
        """The items of a Map: JSON Lines on S3."""
        return [json.loads(line) for line in self.account.get(bucket, key).splitlines()]

    def _call(self, state: str, resource: str, parameters: Any) -> Any:
        faults = self._left.get(state)
        if faults and (fault := faults.popleft()) is not None:
            if isinstance(fault, LostAnswer):
                self._integration(resource, parameters)
            raise fault
        if resource.startswith((OPTIMISED, SDK)):
            return self._integration(resource, parameters)
        function = re.search(r":function:RecordSetEncoder([A-Z][a-z]+)", resource)
        assert function, resource
        handler = importlib.import_module(f"amazon_estimators.handlers.{function[1].lower()}").handler
        try:
            return handler(json.loads(json.dumps(parameters)), None)
        except Exception as error:
            body = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            raise TaskError(type(error).__name__, json.dumps(body)) from error

    def _integration(self, resource: str, parameters: dict[str, Any]) -> Any:
        sagemaker = self.account.sagemaker
        calls: dict[str, Callable[..., Any]] = {
            "createTrainingJob.sync": sagemaker.train_job,
            "createHyperParameterTuningJob.sync": sagemaker.tune_job,
            "createTransformJob.sync": partial(self._transform),
            "createModel": sagemaker.create_model,
            "deleteModel": sagemaker.delete_model,
            "describeTrainingJob": sagemaker.describe_training_job,
            "describeHyperParameterTuningJob": sagemaker.describe_hyper_parameter_tuning_job,
            "describeTransformJob": sagemaker.describe_transform_job,
            "createModelPackage": lambda **request: {
                "ModelPackageArn": f"arn:package:{request['ClientToken']}"
            },
        }
        sdk = resource.startswith(SDK)
        try:
            return calls[resource.removeprefix(SDK if sdk else OPTIMISED)](**parameters) or {}
        except ClientError as error:
            other = "SageMaker.SageMakerException" if sdk else "SageMaker.AmazonSageMakerException"
            raise TaskError(other, error.response["Error"]["Message"]) from error

    def _transform(self, **request: Any) -> dict[str, Any]:
        """Predict: one line of JSON for each line of each object that is read."""
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        account = self.account
        bucket, _, key = source["S3Uri"].removeprefix("s3://").partition("/")
        if source["S3DataType"] == "ManifestFile":
            head, *names = json.loads(account.get(bucket, key))
            bucket, _, prefix = head["prefix"].removeprefix("s3://").partition("/")
            keys = [prefix + name for name in names]
        else:
            keys = [key]
        out, _, folder = request["TransformOutput"]["S3OutputPath"].removeprefix("s3://").partition("/")
        for name in keys:
            rows = account.records(bucket, name)
            answer = json.dumps({"closest_cluster": 0.0, "distance_to_cluster": 0.5})
            account.put(out, f"{folder}/{name.rpartition('/')[2]}.out", (f"{answer}\n" * rows).encode())
        described = {
            "TransformJobName": request["TransformJobName"],
            "TransformJobStatus": "Completed",
            "TransformStartTime": MOMENT,
            "TransformEndTime": MOMENT + 60_000,
        }
        account.sagemaker.transformed[request["TransformJobName"]] = described
        return described


def _key(resource: str, parameters: Any) -> str:
    return f"{resource} {json.dumps(parameters, sort_keys=True)}"
