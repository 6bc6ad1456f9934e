"""Records what the SageMaker Python SDK 2 sends, as data for the conformance test.

Run by hand, in an environment of its own::

    python -m pip install "sagemaker>=2.257,<3" && python tests/estimator/record_sdk2.py

It talks to nobody: every API call is caught on its way out of botocore. The result is committed, so the tests
need neither the SDK nor a network.
"""

from __future__ import annotations

import inspect
import json
import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.update(
    AWS_ACCESS_KEY_ID="recorded",
    AWS_SECRET_ACCESS_KEY="recorded",
    AWS_DEFAULT_REGION="us-east-1",
    SAGEMAKER_SUPPRESS_V2_WARNING="1",
)

import botocore.client
import numpy as np
import sagemaker

HERE = Path(__file__).parent
CASES = json.loads((HERE / "data" / "conformance_cases.json").read_text())
ALGORITHMS = [
    "KMeans",
    "PCA",
    "LDA",
    "LinearLearner",
    "FactorizationMachines",
    "NTM",
    "RandomCutForest",
    "KNN",
    "Object2Vec",
    "IPInsights",
]
ANSWERS: dict[str, Any] = {
    "GetCallerIdentity": {"Account": "123456789012"},
    "CreateTrainingJob": {"TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/recorded"},
    "GetRole": {"Role": {"Arn": "arn:aws:iam::123456789012:role/trainer"}},
}


def record(case: dict[str, Any]) -> dict[str, Any]:
    """The S3 objects and the CreateTrainingJob request of one case."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def answer(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if hasattr(parameters.get("Body"), "read"):
            parameters = {**parameters, "Body": parameters["Body"].read()}
        calls.append((operation, parameters))
        return ANSWERS.get(operation, {})

    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", answer):
        make = getattr(sagemaker, case["algorithm"])
        estimator = make(**case["constructor"], **case["hyperparameters"])
        rows = np.arange(case["records"] * case["features"], dtype=np.float32)
        matrix = rows.reshape(case["records"], case["features"])
        labels = (np.arange(case["records"]) % 2).astype(np.float32) if case["labels"] else None
        records = estimator.record_set(matrix, labels, **case.get("record_set", {}))
        estimator.fit(records, wait=False, **case["fit"])
    objects = [
        {
            "key": parameters["Key"],
            "size": len(parameters["Body"]),
            "manifest": json.loads(parameters["Body"]) if parameters["Key"].endswith(".manifest") else None,
            "settings": {k: v for k, v in parameters.items() if k not in ("Body", "Bucket", "Key")},
        }
        for operation, parameters in calls
        if operation == "PutObject"
    ]
    request = next(parameters for operation, parameters in calls if operation == "CreateTrainingJob")
    return {"objects": objects, "request": request}


def signature(name: str) -> dict[str, Any]:
    """The constructor's positional parameters and, by attribute, the name the service is sent."""
    make = getattr(sagemaker, name)
    parameters = inspect.signature(make.__init__).parameters.values()
    positional = [
        one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self"
    ]
    sent = {
        attribute: one.name
        for base in make.__mro__
        for attribute, one in vars(base).items()
        if hasattr(one, "data_type")
    }
    return {"positional": positional, "sent_as": dict(sorted(sent.items()))}


def main() -> None:
    recorded = {name: record(case) for name, case in CASES.items()}
    result = {
        "sdk": version("sagemaker"),
        "signatures": {name: signature(name) for name in ALGORITHMS},
        "recorded": recorded,
    }
    text = json.dumps(result, indent=1, sort_keys=True)
    text = re.sub(r"\d{4}(-\d\d){5}-\d{3}", "<time>", text)
    (HERE / "data" / "sdk2_requests.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
