"""An account with one trained model of every algorithm that the stand-in trains."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import boto3
import numpy as np

from amazon_estimators import ALGORITHMS, Estimator
from amazon_estimators.algorithms import Algorithm

INSTANCE: dict[str, Any] = {"instance_count": 1, "instance_type": "ml.m5.large"}
RNG = np.random.default_rng(5)
ROWS = np.concatenate([RNG.normal(center, 0.3, (40, 3)) for center in (0, 5)]).astype(np.float32)
LABELS = np.repeat([0.0, 1.0], 40).astype(np.float32)
COUNTS = RNG.poisson(np.repeat([[4, 4, 4, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 4, 4, 4]], 40, axis=0)).astype(
    np.float32
)
PAIRS = [{"label": float(n % 2), "in0": [n % 7, 1], "in1": [2, n % 5]} for n in range(40)]
LOGINS = [(f"user{n % 4}", f"10.0.0.{n % 9}") for n in range(40)]


@dataclass(frozen=True)
class Case:
    """How one algorithm is trained and asked in the tests.

    ``features`` and ``labels`` are the training data, ``rows`` what is asked, ``served`` if the stand-in
    predicts.
    """

    hyperparameters: dict[str, Any]
    features: Any
    labels: Any = None
    rows: Any = None
    served: bool = True


CASES = {
    "KMeans": Case(hyperparameters={"k": 2}, features=ROWS),
    "PCA": Case(hyperparameters={"num_components": 2}, features=ROWS),
    "LDA": Case(hyperparameters={"num_topics": 2}, features=COUNTS),
    "LinearLearner": Case(
        hyperparameters={"predictor_type": "binary_classifier"}, features=ROWS, labels=LABELS
    ),
    "FactorizationMachines": Case(
        hyperparameters={"predictor_type": "binary_classifier", "num_factors": 2, "epochs": 30},
        features=ROWS,
        labels=LABELS,
    ),
    "NTM": Case(hyperparameters={"num_topics": 2}, features=COUNTS, served=False),
    "RandomCutForest": Case(hyperparameters={"num_trees": 50}, features=ROWS),
    "KNN": Case(
        hyperparameters={"k": 3, "predictor_type": "classifier", "sample_size": 80},
        features=ROWS,
        labels=LABELS,
    ),
    "Object2Vec": Case(
        hyperparameters={"enc0_max_seq_len": 2, "enc0_vocab_size": 10, "enc_dim": 4, "epochs": 1},
        features=[(pair["in0"], pair["in1"]) for pair in PAIRS],
        labels=[pair["label"] for pair in PAIRS],
        rows=[{"in0": [1, 2], "in1": [3]}],
        served=False,
    ),
    "IPInsights": Case(
        hyperparameters={"num_entity_vectors": 100, "vector_dim": 4}, features=LOGINS, served=False
    ),
}
assert set(CASES) == set(ALGORITHMS)


def unique(stem: str) -> str:
    return f"{stem}-{uuid4().hex[:8]}"


def algorithm_of(name: str) -> Algorithm:
    return ALGORITHMS[name](**CASES[name].hyperparameters)


class ServingAccount:
    """Clients, a bucket, a role that may train and serve, and a trained estimator of each algorithm."""

    def __init__(self, session: Any, bucket: str, role: str) -> None:
        self.session, self.bucket, self.role = session, bucket, role
        self._estimators: dict[str, Estimator] = {}

    @cached_property
    def s3(self) -> Any:
        return self.session.client("s3")

    @cached_property
    def sagemaker(self) -> Any:
        return self.session.client("sagemaker")

    @cached_property
    def runtime(self) -> Any:
        return self.session.client("sagemaker-runtime")

    def place(self) -> str:
        return f"s3://{self.bucket}/{uuid4().hex}"

    def estimator(self, algorithm: Algorithm) -> Estimator:
        return Estimator(
            algorithm, role=self.role, data_location=self.place(), session=self.session, **INSTANCE
        )

    def trained(self, name: str) -> Estimator:
        """The estimator of an algorithm, trained once in a session."""
        if name not in self._estimators:
            case = CASES[name]
            estimator = self.estimator(algorithm_of(name))
            estimator.fit(estimator.record_set(case.features, case.labels), logs=False)
            self._estimators[name] = estimator
        return self._estimators[name]

    def rows(self, name: str) -> Any:
        """Some rows to ask about."""
        case = CASES[name]
        return case.features[::10] if case.rows is None else case.rows

    def put(self, uri: str, body: bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, uri: str) -> list[str]:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        page = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return sorted(one["Key"].removeprefix(prefix) for one in page.get("Contents", ()))

    def all(self, operation: str, member: str) -> list[Any]:
        """Everything that a List operation lists, over all pages."""
        pages = self.sagemaker.get_paginator(operation).paginate()
        return [one for page in pages for one in page[member]]

    def endpoints(self) -> int:
        """How many endpoints there are."""
        return len(self.all("list_endpoints", "Endpoints"))

    def model(self, name: str, **changes: Any) -> str:
        """Create a model of a trained estimator: its name."""
        estimator = self.trained(name)
        request = {
            "ModelName": unique("model"),
            "PrimaryContainer": {"Image": estimator.train_image(), "ModelDataUrl": estimator.model_data},
            "ExecutionRoleArn": self.role,
        } | changes
        self.sagemaker.create_model(**request)
        return str(request["ModelName"])

    def endpoint(self, model: str, **variant: Any) -> dict[str, Any]:
        """Create an endpoint of a model and wait: its description."""
        name = unique("endpoint")
        chosen = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": model, **chosen}],
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.settled(name)

    def settled(self, endpoint: str) -> dict[str, Any]:
        return until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=endpoint),
            lambda found: found["EndpointStatus"] not in ("Creating", "Updating"),
        )

    def invoke(self, endpoint: str, body: bytes, content_type: str, **more: Any) -> Any:
        answer = self.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType=content_type, **more
        )
        return answer["Body"].read(), answer["ContentType"]


def until(
    look: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool], seconds: float = 60
) -> dict[str, Any]:
    """Look until done: the last look."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if done(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"not done after {seconds} s: {found}")


def make_role(iam: Any, actions: dict[str, Any], service: str = "sagemaker.amazonaws.com") -> str:
    """The ARN of a role that a service may assume, allowed ``actions`` by resource."""
    name = unique("role")
    principal = {"Service": service}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in actions.items()
    ]
    iam.put_role_policy(
        RoleName=name,
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    return str(arn)


def new_session() -> Any:
    return boto3.Session(region_name="us-east-1")
