"""``fit()`` on data as they lie on S3: what one look at the first object tells, and refuses."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from recorded_calls import ROLE, Calls, recorded_calls
from scipy.sparse import csr_matrix

from amazon_estimators import Estimator, algorithms, sdk
from amazon_estimators.errors import HyperparameterError, InputError, RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.recordio import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor

RECORDIO = "application/x-recordio-protobuf"


def recordio(matrix: Any, labels: Any = None) -> bytes:
    file = io.BytesIO()
    if isinstance(matrix, np.ndarray):
        write_numpy_to_dense_tensor(file, matrix, labels)
    else:
        write_spmatrix_to_sparse_tensor(file, matrix, labels)
    return file.getvalue()


X = np.arange(12, dtype="float32").reshape(3, 4)
LABELS = np.array([0, 1, 1], dtype="float32")
OBJECTS = {
    ("b", "dense/part-0"): recordio(X),
    ("b", "dense/_SUCCESS"): b"",
    ("b", "labelled/part-0"): recordio(X, LABELS),
    ("b", "sparse/part-0"): recordio(csr_matrix(X), LABELS),
    ("b", "csv/part-0"): b"1,2,3,4,5\n0,2,3,4,5\n",
    ("b", "csv.gz/part-0"): gzip.compress(b"1,2,3,4,5\n"),
    ("b", "header/part-0"): b"label,a,b\n1,2,3\n",
    ("b", "pairs/part-0"): b'{"label": 1, "in0": [1], "in1": [2]}\n',
    ("b", "logins/part-0"): b"user,192.0.2.1\n",
    ("b", "wide/part-0"): recordio(np.zeros((1, 300_000), "float32")),
}


def fitted(calls: Calls, make: Any, records: Any, **hyperparameters: Any) -> dict[str, Any]:
    calls.objects.update(OBJECTS)
    count = {} if make is sdk.LDA else {"instance_count": 1}
    estimator = make(
        role=ROLE,
        instance_type="ml.m5.large",
        session=calls.session,
        output_path="s3://m/",
        **count,
        **hyperparameters,
    )
    estimator.fit(records, wait=False)
    return calls.request


def csv(uri: str, label_size: int | None = None, **more: Any) -> sdk.TrainingInput:
    parameter = "" if label_size is None else f";label_size={label_size}"
    return sdk.TrainingInput(uri, content_type=f"text/csv{parameter}", **more)


CASES: dict[str, tuple[Any, Any, dict[str, Any], str | None]] = {
    "a URI": (sdk.KMeans, "s3://b/dense/", {"k": 2}, "4"),
    "channels": (sdk.KMeans, {"train": "s3://b/dense/", "test": "s3://b/dense/"}, {"k": 2}, "4"),
    "an input": (sdk.PCA, sdk.TrainingInput("s3://b/dense/"), {"num_components": 2}, "4"),
    "csv without labels": (sdk.KMeans, {"train": csv("s3://b/csv/", 0)}, {"k": 2}, "5"),
    "csv with labels": (sdk.LinearLearner, csv("s3://b/csv/", 1), {"predictor_type": "regressor"}, "4"),
    "csv, label by default": (sdk.LinearLearner, csv("s3://b/csv/"), {"predictor_type": "regressor"}, "4"),
    "gzip": (sdk.KMeans, csv("s3://b/csv.gz/", 0, compression="Gzip"), {"k": 2}, "5"),
    "labelled": (sdk.KNN, "s3://b/labelled", {"k": 1, "sample_size": 9, "predictor_type": "regressor"}, "4"),
    "sparse": (
        sdk.FactorizationMachines,
        {"train": "s3://b/sparse/"},
        {"num_factors": 2, "predictor_type": "regressor"},
        "4",
    ),
    "documents": (sdk.LDA, "s3://b/dense/", {"num_topics": 2, "mini_batch_size": 3}, "4"),
    "pairs": (sdk.Object2Vec, "s3://b/pairs/", {"enc0_max_seq_len": 9, "enc0_vocab_size": 9}, None),
    "logins": (sdk.IPInsights, "s3://b/logins/", {"num_entity_vectors": 9, "vector_dim": 4}, None),
    "given": (sdk.KMeans, "s3://b/wide/", {"k": 2, "feature_dim": 300_000}, "300000"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_object_tells_the_features(case: str) -> None:
    make, records, hyperparameters, features = CASES[case]
    with recorded_calls() as calls:
        request = fitted(calls, make, records, **hyperparameters)
    assert request["HyperParameters"].get("feature_dim") == features
    for channel in request["InputDataConfig"]:
        source = channel["DataSource"]["S3DataSource"]
        assert source["S3Uri"].startswith("s3://b/") and channel["ContentType"]
        assert source["S3DataDistributionType"] == "FullyReplicated"
    assert request["InputDataConfig"][0]["ChannelName"] == "train"
    assert all(asked["Range"] == "bytes=0-1048575" for asked in calls.of("GetObject"))


REFUSED: dict[str, tuple[Any, Any, dict[str, Any], type[Exception], str]] = {
    "csv as recordio": (
        sdk.KMeans,
        "s3://b/csv/",
        {"k": 2},
        InputError,
        "is not RecordIO-protobuf; it begins",
    ),
    "recordio as csv": (sdk.KMeans, csv("s3://b/dense/", 0), {"k": 2}, InputError, "not all numbers"),
    "a header": (sdk.KMeans, csv("s3://b/header/", 0), {"k": 2}, InputError, "not all numbers: 'label,a,b'"),
    "nothing": (
        sdk.KMeans,
        "s3://b/nothing/",
        {"k": 2},
        InputError,
        "there is no object under s3://b/nothing/",
    ),
    "no gzip": (
        sdk.KMeans,
        csv("s3://b/csv/", 0, compression="Gzip"),
        {"k": 2},
        InputError,
        "is not gzip",
    ),
    "no pairs": (
        sdk.Object2Vec,
        "s3://b/csv/",
        {"enc0_max_seq_len": 9, "enc0_vocab_size": 9},
        InputError,
        "not JSON Lines with in0 and in1",
    ),
    "no labels": (
        sdk.LinearLearner,
        "s3://b/dense/",
        {"predictor_type": "regressor"},
        HyperparameterError,
        "has no labels",
    ),
    "csv for FM": (
        sdk.FactorizationMachines,
        csv("s3://b/csv/", 1),
        {"num_factors": 2, "predictor_type": "regressor"},
        HyperparameterError,
        "content type text/csv. Expecting: application/x-recordio-protobuf",
    ),
    "another channel": (
        sdk.KMeans,
        {"training": "s3://b/dense/"},
        {"k": 2},
        HyperparameterError,
        "'training'",
    ),
    "other features": (
        sdk.KMeans,
        {"train": "s3://b/dense/", "test": csv("s3://b/csv/", 0)},
        {"k": 2},
        HyperparameterError,
        "Channel test has 5 features, channel train 4",
    ),
    "unknown size": (sdk.LDA, "s3://b/dense/", {"num_topics": 2}, HyperparameterError, "give the number of"),
    "unknown width": (sdk.KMeans, "s3://b/wide/", {"k": 2}, HyperparameterError, "do not tell it: give it"),
    "a bad label_size": (
        sdk.KMeans,
        sdk.TrainingInput("s3://b/csv/", content_type="text/csv;label_size=x"),
        {"k": 2},
        RequestError,
        "label_size of channel train is 'x'",
    ),
    "no URI": (sdk.KMeans, "b/dense", {"k": 2}, RequestError, "expecting an S3 URI"),
    "no data": (sdk.KMeans, {"train": 5}, {"k": 2}, RequestError, "records are int"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_first_object_refutes_is_refused(case: str) -> None:
    make, records, hyperparameters, kind, text = REFUSED[case]
    with recorded_calls() as calls:
        with pytest.raises(kind) as caught:
            fitted(calls, make, records, **hyperparameters)
        assert text in str(caught.value)
        assert not calls.of("CreateTrainingJob")


def test_who_may_not_look_is_told_so() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "denied"}}, "ListObjectsV2")
    told = pytest.warns(HyperparameterWarning, match=r"cannot read s3://b/dense/.*denied")
    with recorded_calls(ListObjectsV2=denied) as calls, told:
        request = fitted(calls, sdk.KMeans, "s3://b/dense/", k=2, feature_dim=4)
    assert request["InputDataConfig"][0]["ContentType"] == RECORDIO


def test_csv_whose_labels_are_not_told_is_told_for_unsupervised_algorithms() -> None:
    with (
        recorded_calls() as calls,
        pytest.warns(HyperparameterWarning, match="label_size=0 if there is none"),
    ):
        request = fitted(calls, sdk.KMeans, csv("s3://b/csv/"), k=2)
    assert request["HyperParameters"]["feature_dim"] == "4"


def test_new_estimators_take_the_same() -> None:
    with recorded_calls() as calls:
        calls.objects.update(OBJECTS)
        estimator = Estimator(
            algorithms.RandomCutForest(),
            role=ROLE,
            instance_count=1,
            instance_type="ml.m5.large",
            session=calls.session,
            output_path="s3://m/",
        )
        request = estimator.training_request({"train": "s3://b/dense/", "test": "s3://b/labelled/"})
    train, test = (channel["DataSource"]["S3DataSource"] for channel in request["InputDataConfig"])
    assert train["S3DataDistributionType"] == "ShardedByS3Key"  # the only one that RandomCutForest reads
    assert test["S3DataDistributionType"] == "FullyReplicated"


def test_record_sets_by_prefix_carry_the_content_type_of_their_algorithm() -> None:
    for make, hyperparameters, content_type in (
        (sdk.IPInsights, {"num_entity_vectors": 9, "vector_dim": 4}, "text/csv"),
        (sdk.Object2Vec, {"enc0_max_seq_len": 9, "enc0_vocab_size": 9}, "application/jsonlines"),
        (sdk.KMeans, {"k": 2}, RECORDIO),
    ):
        in_vpc = {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}
        for records in (
            sdk.RecordSet("s3://b/p", 9, 0 if make is not sdk.KMeans else 4, s3_data_type="S3Prefix"),
            sdk.FileSystemRecordSet("fs-1", "EFS", "path", 9, 4),
        ):
            with recorded_calls() as calls:
                request = fitted(calls, make, records, **hyperparameters, **in_vpc)
            assert request["InputDataConfig"][0]["ContentType"] == content_type
        with recorded_calls() as calls, pytest.raises(HyperparameterError, match="content type text/plain"):
            fitted(calls, make, sdk.RecordSet("s3://b/p", 9, 4, content_type="text/plain"), **hyperparameters)


def test_s3_input_is_the_old_name() -> None:
    with pytest.warns(DeprecationWarning, match="s3_input has been renamed"):
        given = sdk.s3_input(s3_data="s3://b/dense/", content_type=RECORDIO, input_mode="Pipe")
    assert given.config == {
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": "s3://b/dense/",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
        "ContentType": RECORDIO,
        "InputMode": "Pipe",
    }
