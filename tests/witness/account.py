"""An AWS account in memory: S3 of the emulator, called in this process, and doubles of the other services.

The library's functions reach it through botocore, whose requests are answered before they leave the process.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import numpy as np
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from emulator_modules import s3, set_request_region
from fake_sagemaker import FakeSageMaker, invalid

from amazon_estimators.inference.archive import write_archive
from amazon_estimators.inference.models import LocalKMeans
from amazon_estimators.recordio.reader import read_matrix
from amazon_estimators.storage import s3 as storage

REGION, ACCOUNT = "eu-west-1", "111122223333"
MOMENT = 1_795_867_200_000
"""The milliseconds of all times that SageMaker's double reports."""


_MAKE_S3_CLIENT, _MAKE_CLIENT = storage.client, boto3.Session.client


class _All(set[str]):
    def __contains__(self, item: object) -> bool:
        return True


class SageMaker(FakeSageMaker):
    """Jobs that end as soon as they begin, models, and one endpoint that is ready at the second look.

    Attributes:
        jobs: The descriptions of training jobs by name.
        tuned: Those of tuning jobs.
        msd: The metric that the next training reports.
        transformed: The descriptions of transform jobs by name.
        answers: False if the endpoint answers with nonsense.
        said: What the next descriptions of jobs say otherwise, such as their status.
    """

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.account = account
        self.jobs: dict[str, Any] = {}
        self.tuned: dict[str, Any] = {}
        self.transformed: dict[str, Any] = {}
        self.said: deque[dict[str, str]] = deque()
        self.msd = 1.25
        self.answers = True
        self._looks = 0

    def start_none(self) -> None:
        """Let no model's instances start."""
        self.bad = _All()

    def train_job(self, **request: Any) -> dict[str, Any]:
        """Train: write a model of two clusters, and return the job's description."""
        name = request["TrainingJobName"]
        if name in self.jobs:
            raise invalid("CreateTrainingJob", "Training job names must be unique")
        place = request["OutputDataConfig"]["S3OutputPath"].removeprefix("s3://")
        bucket, _, prefix = place.partition("/")
        key = f"{prefix}/{name}/output/model.tar.gz"
        centers = np.array([[0.0, 0.0], [5.0, 5.0]], np.float32)
        self.account.put(bucket, key, write_archive(LocalKMeans(centers).to_bytes()))
        self.jobs[name] = {
            **request,
            "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}",
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://{bucket}/{key}"},
            "FinalMetricDataList": [{"MetricName": "test:msd", "Value": self.msd, "Timestamp": MOMENT}],
            "BillableTimeInSeconds": 61,
            "CreationTime": MOMENT,
        }
        return dict(self.jobs[name])

    def tune_job(self, **request: Any) -> dict[str, Any]:
        """Tune with one training, and return the tuning job's description."""
        name, definition = request["HyperParameterTuningJobName"], request["TrainingJobDefinition"]
        statics = definition["StaticHyperParameters"]
        members = ("AlgorithmSpecification", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
        best = self.train_job(
            TrainingJobName=f"{name}-001-0a1b2c3d",
            HyperParameters=statics,
            **{member: definition[member] for member in members},
        )
        summary = {
            "TrainingJobName": best["TrainingJobName"],
            "TrainingJobArn": best["TrainingJobArn"],
            "TrainingJobStatus": "Completed",
            "TunedHyperParameters": {"init_method": "random"},
            "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "test:msd", "Value": self.msd},
        }
        self.tuned[name] = {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobStatus": "Completed",
            "TrainingJobStatusCounters": {"Completed": 1},
            "BestTrainingJob": summary,
        }
        return dict(self.tuned[name])

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        if TrainingJobName not in self.jobs:
            raise invalid("DescribeTrainingJob", "Requested resource not found.")
        job = {**self.jobs[TrainingJobName], "CreationTime": MOMENT / 1000}
        job["FinalMetricDataList"] = [
            {**metric, "Timestamp": MOMENT / 1000} for metric in job["FinalMetricDataList"]
        ]
        return self._as_said(job)

    def delete_model(self, **request: Any) -> None:
        if request["ModelName"] not in self.made["model"]:
            raise invalid("DeleteModel", f"Could not find model {request['ModelName']}")
        super().delete_model(**request)

    def describe_hyper_parameter_tuning_job(self, *, HyperParameterTuningJobName: str) -> Any:
        return self._as_said(self.tuned[HyperParameterTuningJobName])

    def describe_transform_job(self, *, TransformJobName: str) -> Any:
        job = dict(self.transformed[TransformJobName])
        for time in ("TransformStartTime", "TransformEndTime"):
            job[time] /= 1000
        return self._as_said(job)

    def _as_said(self, job: Mapping[str, Any]) -> dict[str, Any]:
        said = self.said[0] if self.said and self.said[0].keys() & job.keys() else {}
        if said:
            self.said.popleft()
        return {**job, **said}

    def list_training_jobs_for_hyper_parameter_tuning_job(self, **asked: Any) -> dict[str, Any]:
        tuned = self.tuned[asked["HyperParameterTuningJobName"]]
        return {"TrainingJobSummaries": [tuned["BestTrainingJob"]]}

    def list_model_packages(self, **_: Any) -> dict[str, Any]:
        return {"ModelPackageSummaryList": []}

    def list_artifacts(self, **_: Any) -> dict[str, Any]:
        return {"ArtifactSummaries": []}

    def create_artifact(self, **request: Any) -> dict[str, Any]:
        return {"ArtifactArn": f"arn:artifact:{request['ArtifactName']}"}

    def list_associations(self, **_: Any) -> dict[str, Any]:
        return {"AssociationSummaries": []}

    def add_association(self, **request: Any) -> dict[str, Any]:
        return {name: request[name] for name in ("SourceArn", "DestinationArn")}

    def list_trial_components(self, **asked: Any) -> dict[str, Any]:
        component = {"TrialComponentArn": f"{asked['SourceArn']}-aws-training-job"}
        return {"TrialComponentSummaries": [component]}

    def describe_endpoint(self, **asked: Any) -> dict[str, Any]:
        self._looks += 1
        if self._looks % 2 == 0:
            self.advance()
        return super().describe_endpoint(**asked)


class Account:
    """The services; ``told`` are the details of the events that were put."""

    def __init__(self) -> None:
        s3.reset()
        self.sagemaker = SageMaker(self)
        self.told: list[dict[str, Any]] = []

    def send(self, request: Any) -> AWSResponse:
        """Answer botocore's request."""
        url = urlsplit(request.url)
        if url.netloc.startswith("runtime.sagemaker"):
            return self._invoke(request)
        if "sagemaker" in url.netloc or url.netloc.startswith("events"):
            return self._json(request)
        if url.netloc.startswith("application-autoscaling"):
            return response(request, 200, {}, b"{}")
        if url.netloc.startswith("lambda"):
            limit = {"AccountLimit": {"UnreservedConcurrentExecutions": 4}}
            return response(request, 200, {}, json.dumps(limit).encode())
        return self._s3(request, url)

    def put(self, bucket: str, key: str, body: bytes) -> None:
        status, _, answer = self._call_s3("PUT", f"/{bucket}/{key}", body=body)
        assert status == 200, answer

    def make_bucket(self, bucket: str) -> None:
        """Create a versioned bucket."""
        self._call_s3("PUT", f"/{bucket}")
        enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        status, _, answer = self._call_s3("PUT", f"/{bucket}", {"versioning": [""]}, body=enabled)
        assert status == 200, answer

    def get(self, bucket: str, key: str) -> bytes:
        status, _, body = self._call_s3("GET", f"/{bucket}/{key}")
        assert status == 200, (bucket, key, body)
        return bytes(body)

    def records(self, bucket: str, key: str) -> int:
        """The number of RecordIO records of an object."""
        rows, _ = read_matrix(io.BytesIO(self.get(bucket, key)))
        return int(rows.shape[0])

    def _json(self, request: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        asked = json.loads(request.body)
        if operation == "PutEvents":
            self.told += [json.loads(entry["Detail"]) for entry in asked["Entries"]]
            answer: Any = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in asked["Entries"]]}
            return response(request, 200, {}, json.dumps(answer).encode())
        try:
            answer = getattr(self.sagemaker, xform_name(operation))(**asked) or {}
        except ClientError as error:
            detail = error.response["Error"]
            body = {"__type": detail["Code"], "message": detail["Message"]}
            return response(request, 400, {}, json.dumps(body).encode())
        return response(request, 200, {}, json.dumps(answer, default=str).encode())

    def _invoke(self, request: Any) -> AWSResponse:
        answer = {"predictions": [{"closest_cluster": 0.0, "distance_to_cluster": 0.5}]}
        body = json.dumps(answer if self.sagemaker.answers else {"predictions": "none"}).encode()
        return response(request, 200, {"Content-Type": "application/json"}, body)

    def _s3(self, request: Any, url: Any) -> AWSResponse:
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        host, _, rest = url.netloc.partition(".s3.")
        path = unquote(f"/{host}{url.path}" if rest else url.path)
        headers = {
            key.lower(): value.decode() if isinstance(value, bytes) else value
            for key, value in request.headers.items()
        }
        status, answered, text = self._call_s3(
            request.method, path, parse_qs(url.query, keep_blank_values=True), headers, body
        )
        return response(request, status, answered, text)

    @staticmethod
    def _call_s3(
        method: str, path: str, query: Any = None, headers: Any = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        set_request_region(REGION)
        answer = asyncio.run(s3.handle_request(method, path, headers or {}, body, query or {}))
        status, answered, text = answer[:3]
        return status, answered, text if isinstance(text, bytes) else str(text).encode()


def response(request: Any, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    if request.method == "HEAD":
        body = b""
    stream = io.BytesIO(body)
    raw = SimpleNamespace(
        stream=lambda amount=2**16, **_: iter(lambda: stream.read(amount), b""),
        read=lambda amount=None, **_: stream.read() if amount is None else stream.read(amount),
        readinto=stream.readinto,
        close=lambda: None,
        closed=False,
    )
    kept = {key: str(value) for key, value in headers.items()}
    return AWSResponse(request.url, status, kept, raw)


def configure_clients(patch: pytest.MonkeyPatch) -> None:
    """Let clients of this process take nothing from the user's environment."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    # Otherwise bodies come in the chunked form that HTTP servers undo.
    patch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")


@contextmanager
def in_account(account: Account) -> Iterator[None]:
    """Let botocore's requests in this process end in ``account``."""
    with pytest.MonkeyPatch.context() as patch:
        configure_clients(patch)
        patch.setattr(URLLib3Session, "send", lambda self, request: account.send(request))
        # Making a client takes longer than most functions do.
        patch.setattr(storage, "client", _s3_client)
        patch.setattr(boto3.Session, "client", _client)
        yield


@cache
def _s3_client() -> Any:
    return _MAKE_S3_CLIENT()


def _client(session: Any, service: str, **options: Any) -> Any:
    return _MAKE_CLIENT(session, service, **options) if service == "s3" else _client_of(service)


@cache
def _client_of(service: str) -> Any:
    return _MAKE_CLIENT(boto3.Session(), service)
