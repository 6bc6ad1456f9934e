"""What others send: execution inputs, hyperparameters, messages of triggers, causes of failures, requests and
responses of endpoints."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from starter_world import World

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.algorithms.inference import CONTENT_TYPES
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.inference import read_response, write_request
from amazon_estimators.inference.request_rows import read_rows
from amazon_estimators.pipeline.explain import as_exception, details_of, explain, reason_of, text_of
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.recordio.record_pb2 import Record
from amazon_estimators.scoring.settings import check_input
from amazon_estimators.serving.drift import _add, _asked
from amazon_estimators.triggers.messages import UnknownMessageError, parse
from fuzz.binary_files import framed, frames, recordio_file
from fuzz.mutations import any_of, json_lines, json_value, raw, text
from fuzz.target import Mutate, Target
from plain_settings import PLAIN_SETTINGS

WIDEST = 1000
"""Features of the model that is asked."""
NAMES = tuple(sorted(ALGORITHMS))
LEAST: Mapping[str, Mapping[str, str]] = {
    "FactorizationMachines": {"num_factors": "4", "predictor_type": "regressor"},
    "IPInsights": {"num_entity_vectors": "20000", "vector_dim": "8"},
    "KMeans": {"k": "2"},
    "KNN": {"k": "5", "sample_size": "10", "predictor_type": "regressor"},
    "LDA": {"num_topics": "2", "mini_batch_size": "10"},
    "LinearLearner": {"predictor_type": "regressor"},
    "NTM": {"num_topics": "2"},
    "Object2Vec": {"enc0_vocab_size": "10", "enc0_max_seq_len": "5"},
    "PCA": {"num_components": "2", "mini_batch_size": "10"},
    "RandomCutForest": {"num_samples_per_tree": "10"},
}
"""The hyperparameters that each algorithm needs."""


def parsed(body: bytes) -> Any:
    """Return JSON as Lambda hands it over; None for what is not JSON, which never arrives."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def execution_input(data: bytes) -> None:
    """Read an execution input, for the algorithm that the first byte names."""
    name, asked = NAMES[(data[0] if data else 0) % len(NAMES)], parsed(data[1:])
    settings = Settings.from_dict(
        {**PLAIN_SETTINGS, "algorithm": name, "hyperparameters": LEAST.get(name, {})}
    )
    with suppress(AmazonEstimatorsError):
        check_input(asked)  # of a scoring
    settings.algorithm_for(asked).hyperparameters()


def input_seeds() -> Mapping[str, bytes]:
    asked = {"data_set": "0123456789abcdef01234567", "reason": "drift"}
    return {
        name: bytes([number])
        + json.dumps(
            {
                "hyperparameters": {**LEAST.get(name, {}), "epochs": 3}
                if name not in NO_EPOCHS
                else LEAST.get(name, {}),
                **asked,
            }
        ).encode()
        for number, name in enumerate(NAMES)
    }


NO_EPOCHS = {"KNN", "LDA", "PCA", "RandomCutForest"}


def message(data: bytes) -> None:
    """Handle a message of a trigger, after two uploads and a training."""
    world = World()
    world.upload("a.csv", "b.csv")
    world.clock.passes(1)
    world.starter().handle(parse(data.decode("utf-8", "replace")))


def message_seeds() -> Mapping[str, bytes]:
    time, name = "2026-03-01T12:00:00Z", "0123456789abcdef01234567-5e771265-1"
    messages: dict[str, Any] = {
        "marker": {"trigger": "marker", "time": time, "event": "e"},
        "upload": {"trigger": "upload", "time": time, "name": "q", "quiet_seconds": 300},
        "quiet": {"trigger": "quiet", "end": time, "name": "q", "number": 1},
        "schedule": {"trigger": "schedule", "time": time, "retrain_unchanged": True},
        "alarm": {
            "trigger": "alarm",
            "alarm": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a",
            "event": "e",
            "time": time,
            "cool_down_seconds": 60,
        },
        "request": {"trigger": "request", "reason": "r", "retrain": "once"},
        "ended": {"trigger": "ended", "execution": name, "status": "FAILED"},
        "wake": {"trigger": "wake", "at": time},
        "deployed": {"trigger": "deployed", "listener": "l", "prefixes": ["input/train/"], "marker": "_GO"},
        "missed": {"trigger": "missed", "prefixes": ["input/train/"], "name": "q", "quiet_seconds": 300},
    }
    return {name: json.dumps(value).encode() for name, value in messages.items()}


def cause(data: bytes) -> None:
    """Explain a failure, whatever its cause says: nothing is refused."""
    error, _, told = data.decode("utf-8", "replace").partition("\n")
    explained = explain(None, {"Error": error, "Cause": told}, {})
    raised = as_exception(explained["error"], explained["cause"])
    str(raised)
    for read in (details_of, text_of, reason_of):
        read(told)


def cause_seeds() -> Mapping[str, bytes]:
    causes: dict[str, Any] = {
        "function": ("InputError", {"errorMessage": "wrong\nMend it.", "errorType": "InputError"}),
        "training": (
            "States.TaskFailed",
            {
                "TrainingJobName": "j",
                "TrainingJobStatus": "Failed",
                "FailureReason": "r",
                "SecondaryStatus": "s",
            },
        ),
        "tuning": (
            "States.TaskFailed",
            {"HyperParameterTuningJobName": "j", "HyperParameterTuningJobStatus": "Failed"},
        ),
        "transform": ("States.TaskFailed", {"TransformJobName": "j", "TransformJobStatus": "Failed"}),
        "lambda": ("Lambda.TooManyRequestsException", "Rate exceeded"),
    }
    return {name: f"{error}\n{json.dumps(told)}".encode() for name, (error, told) in causes.items()}


def request(data: bytes) -> None:
    """Read the rows of a request, profile them as drift does, and write them again."""
    content_type = CONTENT_TYPES[(data[0] if data else 0) % len(CONTENT_TYPES)]
    rows = read_rows(data[1:], content_type)
    if rows.shape[1] <= WIDEST:  # that of a model
        _add(ProfileBuilder(), rows, rows.shape[1])
        write_request(ALGORITHMS["KMeans"], rows, content_type)


def rows_of(content_type: str) -> bytes:
    return write_request(ALGORITHMS["KMeans"], np.array([[1.5, 2.0], [0.0, -1.0]]), content_type).body


def request_seeds() -> Mapping[str, bytes]:
    sparse = {"instances": [{"data": {"features": {"keys": [0, 3], "shape": [5], "values": [1.5, 2]}}}]}
    seeds = {
        content_type.rpartition("/")[2]: bytes([number]) + rows_of(content_type)
        for number, content_type in enumerate(CONTENT_TYPES)
    }
    return {**seeds, "sparse": bytes([CONTENT_TYPES.index("application/json")]) + json.dumps(sparse).encode()}


def captured(data: bytes) -> None:
    """Read a line of captured data."""
    rows = _asked(data)
    _add(ProfileBuilder(), rows, min(rows.shape[1], WIDEST))


def captured_seeds() -> Mapping[str, bytes]:
    def line(content_type: str, encoding: str) -> bytes:
        body = rows_of(content_type)
        told = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
        asked = {"observedContentType": content_type, "mode": "INPUT", "data": told, "encoding": encoding}
        return json.dumps({"captureData": {"endpointInput": asked}, "eventVersion": "0"}).encode()

    return {
        "csv": line("text/csv", "CSV"),
        "json": line("application/json", "JSON"),
        "recordio": line("application/x-recordio-protobuf", "BASE64"),
    }


RESPONSES = [(name, kind) for name in NAMES for kind in CONTENT_TYPES]


def response(data: bytes) -> None:
    """Read a response of the algorithm and content type that the first byte names."""
    name, content_type = RESPONSES[(data[0] if data else 0) % len(RESPONSES)]
    predictions = read_response(ALGORITHMS[name], data[1:], content_type)
    predictions.records()


def response_seeds() -> Mapping[str, bytes]:
    seeds = {}
    for number, (name, content_type) in enumerate(RESPONSES):
        facts = ALGORITHMS[name].inference
        if content_type not in facts.returns:
            continue
        values = {field.name: [1.0, 0.5] if field.shape == "vector" else 1 for field in facts.fields}
        if content_type == "application/json":
            body = json.dumps({facts.list_key: [values, values]}).encode()
        elif content_type == "application/jsonlines":
            body = (json.dumps(values) + "\n").encode() * 2
        elif content_type == "text/csv":
            body = ",".join("1" for _ in facts.csv_columns).encode() + b"\n"
        else:
            record = Record()
            for field, value in values.items():
                record.label[field].float32_tensor.values.extend(
                    value if isinstance(value, list) else [value]
                )
            body = framed([record.SerializeToString(deterministic=True)])
        seeds[f"{name}_{content_type.rpartition('/')[2]}"] = bytes([number]) + body
    return seeds


def of_any_type(data: bytes, dice: random.Random) -> bytes:
    """Change a body by what it looks like: RecordIO, lines of JSON, JSON, or CSV."""
    head, body = data[:1] or b"\0", data[1:]
    if not dice.randrange(25):
        head = bytes([dice.randrange(256)])
    if next(frames(body), None) is not None and body[:1] not in (b"{", b"["):
        inner: Mutate = recordio_file
    elif body[:1] == b"{":
        inner = any_of(json_value, json_value, json_lines)
    else:
        inner = text(b"nan", b"inf")
    return head + inner(body, dice)


SENT_BY_OTHERS = (
    Target(
        name="execution_input",
        use=execution_input,
        seeds=input_seeds,
        mutate=lambda data, dice: (data[:1] or b"\0") + json_value(data[1:], dice),
    ),
    Target(
        name="message",
        use=message,
        seeds=message_seeds,
        mutate=json_value,
        refuses=(UnknownMessageError, AmazonEstimatorsError),
    ),
    Target(
        name="cause",
        use=cause,
        seeds=cause_seeds,
        mutate=lambda data, dice: (
            data.partition(b"\n")[0] + b"\n" + json_value(data.partition(b"\n")[2], dice)
        ),
        refuses=(),
    ),
    Target(name="request", use=request, seeds=request_seeds, mutate=of_any_type),
    Target(name="captured", use=captured, seeds=captured_seeds, mutate=any_of(json_value, raw)),
    Target(name="response", use=response, seeds=response_seeds, mutate=of_any_type),
)
