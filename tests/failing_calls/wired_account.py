"""The witness's account in memory behind HTTP, with Step Functions, Scheduler and SQS for the starter."""

from __future__ import annotations

import gzip
import json
import pickle
import re
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from account import ACCOUNT, MOMENT, REGION, Account, SageMaker
from botocore import xform_name
from botocore.exceptions import ClientError
from emulator_modules import s3, set_request_region
from fake_sagemaker import NAMES, invalid
from fault_proxy import Answer, Request
from tasks import Tasks

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:Digits"
STORES = [name for name, store in vars(s3).items() if hasattr(store, "_data") and name.startswith("_")]
"""The emulator's dictionaries of S3."""


class WiredSageMaker(SageMaker):
    """SageMaker's double with every operation that a state machine calls, and with a memory for lineage."""

    def __init__(self, account: WiredAccount) -> None:
        super().__init__(account)
        self.packages: dict[str, Any] = {}
        self.artifacts: dict[str, str] = {}
        self.associations: list[dict[str, Any]] = []

    def _make(self, kind: str, request: dict[str, Any]) -> None:
        """Make it. If there is one, the refusal has the service's words, which a state machine knows."""
        if request[NAMES[kind]] in self.made[kind]:
            raise invalid(kind, f"Cannot create already existing {kind.replace('_', ' ')}")
        super()._make(kind, request)

    def create_training_job(self, **request: Any) -> dict[str, Any]:
        self._once("CreateTrainingJob", request["TrainingJobName"], self.jobs)
        return self.train_job(**request)

    def create_hyper_parameter_tuning_job(self, **request: Any) -> dict[str, Any]:
        self._once("CreateHyperParameterTuningJob", request["HyperParameterTuningJobName"], self.tuned)
        return self.tune_job(**request)

    def create_transform_job(self, **request: Any) -> dict[str, Any]:
        self._once("CreateTransformJob", request["TransformJobName"], self.transformed)
        return Tasks(self.account)._transform(**request)

    def create_model_package(self, *, ClientToken: str, **request: Any) -> dict[str, Any]:
        """A token makes one package."""
        self.packages.setdefault(ClientToken, request)
        return {"ModelPackageArn": f"arn:package:{ClientToken}"}

    def delete_endpoint_config(self, **request: Any) -> None:
        """Delete it, as the service does, whatever uses it."""
        self._found("endpoint_config", request)
        del self.made["endpoint_config"][request["EndpointConfigName"]]

    def list_artifacts(self, **asked: Any) -> dict[str, Any]:
        known = [{"ArtifactArn": arn} for arn in (self.artifacts.get(asked["SourceUri"]),) if arn]
        return {"ArtifactSummaries": known}

    def create_artifact(self, **request: Any) -> dict[str, Any]:
        arn = super().create_artifact(**request)["ArtifactArn"]
        assert self.artifacts.setdefault(request["Source"]["SourceUri"], arn) == arn
        return {"ArtifactArn": arn}

    def list_associations(self, **ends: Any) -> dict[str, Any]:
        return {
            "AssociationSummaries": [known for known in self.associations if ends.items() <= known.items()]
        }

    def add_association(self, **request: Any) -> dict[str, Any]:
        if request in self.associations:
            raise invalid("AddAssociation", "Association already exists")
        self.associations.append(request)
        return super().add_association(**request)

    @staticmethod
    def _once(operation: str, name: str, known: Any) -> None:
        if name in known:
            error = {"Error": {"Code": "ResourceInUse", "Message": f"{name} must be unique"}}
            raise ClientError(error, operation)


class States:
    """Step Functions, as far as the starter and the custom resource call it."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.definition = json.dumps(definition)
        self.executions: dict[str, dict[str, Any]] = {}

    def start_execution(self, *, stateMachineArn: str, name: str = "", **asked: str) -> dict[str, Any]:
        text = asked["input"]
        name = name or f"unnamed-{len(self.executions)}"
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        if self.executions.get(arn, {"input": text})["input"] != text:
            raise _error("StartExecution", "ExecutionAlreadyExists")
        about = {"executionArn": arn, "stateMachineArn": stateMachineArn, "name": name, "status": "RUNNING"}
        self.executions.setdefault(arn, {**about, "input": text, "startDate": MOMENT / 1000})
        return {"executionArn": arn, "startDate": MOMENT / 1000}

    def end_all(self) -> None:
        """Let all executions succeed."""
        for execution in self.executions.values():
            execution["status"] = "SUCCEEDED"
            execution["output"], execution["stopDate"] = "{}", MOMENT / 1000

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        if executionArn not in self.executions:
            raise _error("DescribeExecution", "ExecutionDoesNotExist")
        return self.executions[executionArn]

    def list_executions(self, *, statusFilter: str = "", **_: Any) -> dict[str, Any]:
        known = [one for one in reversed(self.executions.values()) if statusFilter in ("", one["status"])]
        return {"executions": known}

    def describe_state_machine(self, **_: Any) -> dict[str, Any]:
        about = {"stateMachineArn": MACHINE, "name": "Digits", "roleArn": "arn:role", "type": "STANDARD"}
        return {**about, "definition": self.definition, "creationDate": MOMENT / 1000}

    def describe_state_machine_for_execution(self, **_: Any) -> dict[str, Any]:
        about = {"stateMachineArn": MACHINE, "name": "Digits", "roleArn": "arn:role"}
        return {**about, "definition": self.definition, "updateDate": MOMENT / 1000}


class Queues:
    """SQS: what was sent, and how long a message stays hidden."""

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}
        self.hidden: dict[str, int] = {}

    def send_message(self, **letter: Any) -> dict[str, Any]:
        self.sent[letter["MessageDeduplicationId"]] = letter["MessageBody"]
        return {"MessageId": "1"}

    def change_message_visibility(self, **asked: Any) -> dict[str, Any]:
        self.hidden[asked["ReceiptHandle"]] = asked["VisibilityTimeout"]
        return {}


class WiredAccount(Account):
    """The account. ``schedules`` are those of the starter by name, ``answered`` what CloudFormation got."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        super().__init__()
        self.sagemaker: WiredSageMaker = WiredSageMaker(self)
        self.states, self.queues = States(definition), Queues()
        self.schedules: dict[str, Any] = {}
        self.answered: list[dict[str, Any]] = []
        self.scaled: dict[str, Any] = {}

    def answer(self, request: Request) -> Answer:
        """Answer a request of the proxy."""
        service = request.service
        if service in ("states", "sqs"):
            double = self.states if service == "states" else self.queues
            return _of_json(double, request)
        if service == "scheduler":
            return self._schedule(request)
        if service == "cloudformation":
            self.answered.append(json.loads(request.body))
            return Answer(200, {}, b"")
        if service == "application-autoscaling":
            asked = json.loads(request.body)
            self.scaled[request.headers["x-amz-target"]] = asked
        if service == "sagemaker" and "x-amz-target" not in request.headers:
            service = "runtime.sagemaker"
        headers: dict[str, Any] = dict(request.headers)
        if "x-amz-target" in headers:
            headers["X-Amz-Target"] = headers["x-amz-target"].encode()
        url = f"https://{service}.{REGION}.amazonaws.com{request.path}?{urlencode(request.query, doseq=True)}"
        sent = SimpleNamespace(url=url, method=request.method, headers=headers, body=request.body)
        answer = self.send(sent)
        return Answer(answer.status_code, answer.headers, answer.content)

    @staticmethod
    def _call_s3(
        method: str, path: str, query: Any = None, headers: Any = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """Call the emulator, which waits for nothing: making a loop for it takes longer than the call."""
        set_request_region(REGION)
        called = s3.handle_request(method, path, headers or {}, body, query or {})
        try:
            called.send(None)
        except StopIteration as ended:
            status, answered, text = ended.value[:3]
            return status, answered, text if isinstance(text, bytes) else str(text).encode()
        raise AssertionError("the emulator waits")

    def _schedule(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2]
        if (name in self.schedules) != (request.method == "PUT"):
            kind = "ResourceNotFoundException" if request.method == "PUT" else "ConflictException"
            return Answer(404, {"x-amzn-ErrorType": kind}, json.dumps({"Message": kind}).encode())
        self.schedules[name] = json.loads(request.body)
        return Answer(200, {}, json.dumps({"ScheduleArn": f"arn:schedule/{name}"}).encode())

    # what a test restores and compares

    def snapshot(self) -> bytes:
        """Return all that the account holds, pickled: deepcopy takes many times as long."""
        own = {name: value for name, value in vars(self).items() if name != "sagemaker"}
        of_sagemaker = {name: value for name, value in vars(self.sagemaker).items() if name != "account"}
        stores = {name: getattr(s3, name)._data for name in STORES}
        return pickle.dumps({"own": own, "sagemaker": of_sagemaker, "stores": stores})

    def restore(self, snapshot: bytes) -> None:
        """Make the account hold what it did."""
        held = pickle.loads(snapshot)
        vars(self).update(held["own"])
        vars(self.sagemaker).update(held["sagemaker"])
        for name, data in held["stores"].items():
            store = getattr(s3, name)._data
            store.clear()
            store.update(data)

    def content(self) -> dict[str, str]:
        """Return what the account holds, without times: objects by key, resources by name, and events."""
        held = {
            "jobs": sorted(self.sagemaker.jobs),
            "tuning jobs": sorted(self.sagemaker.tuned),
            "transform jobs": sorted(self.sagemaker.transformed),
            "models and configurations": {kind: sorted(made) for kind, made in self.sagemaker.made.items()},
            "endpoint": [self.sagemaker.endpoint, self.sagemaker.pending],
            "packages": self.sagemaker.packages,
            "artifacts": self.sagemaker.artifacts,
            "associations": self.sagemaker.associations,
            "executions": sorted(self.states.executions),
            "schedules": sorted({_timeless(one["Target"]["Input"]) for one in self.schedules.values()}),
            "set aside": sorted(self.queues.sent.values()),
            "scaled": self.scaled,
            "answered": [one["Status"] for one in self.answered][-1:],
            "told": sorted({json.dumps(one, sort_keys=True) for one in self.told if not _is_repeated(one)}),
        }
        objects = {
            _timeless(f"{bucket}/{key}"): _text(one["body"])
            for (_, bucket), made in s3._buckets._data.items()
            for key, one in made["objects"].items()
            if not key.endswith("/attempts.json")  # how often a message was tried
        }
        return {
            **{name: _timeless(json.dumps(value, sort_keys=True)) for name, value in held.items()},
            **objects,
        }


def _is_repeated(event: Mapping[str, Any]) -> bool:
    """Return True for what is told of a message that comes again after its training has begun."""
    return str(event.get("because")).startswith("nothing has changed")


@cache
def _text(body: bytes) -> str:
    body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    return _timeless(body.decode("latin-1"))


@cache
def _timeless(text: str) -> str:
    """Return a text without times, and without the numbers of redrives and attempts in names."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?", "<time>", text)
    text = re.sub(r"\b1[78]\d{8}\b", "<number>", text)
    text = re.sub(r"\b(run[a-z]+)-\d|(?<=[0-9a-f]{10})-\d-\d\b", r"\1-#", text)
    return re.sub(r'"(\w*seconds|planned_at|digest|at)\\*": \\*"?[-\w.<>]+\\*"?', r'"\1": "<varies>"', text)


def _of_json(double: Any, request: Request) -> Answer:
    operation = request.headers["x-amz-target"].rpartition(".")[2]
    try:
        answer = getattr(double, xform_name(operation))(**json.loads(request.body))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return Answer(400, {"x-amzn-ErrorType": code}, json.dumps({"__type": code}).encode())
    return Answer(200, {}, json.dumps(answer).encode())


def _error(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)
