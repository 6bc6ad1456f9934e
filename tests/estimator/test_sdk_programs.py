"""Programs in the shape of AWS's integration tests: their data and settings, to the end of the job."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from client_account import Account
from scipy.sparse import csr_matrix

from amazon_estimators import sdk
from amazon_estimators.client import training_job
from amazon_estimators.sdk.common import (
    read_records,
    write_numpy_to_dense_tensor,
    write_spmatrix_to_sparse_tensor,
)

RANDOM = np.random.default_rng(5)
DIGITS = RANDOM.random((200, 20), dtype="float32")
LABELS = (np.arange(200) % 10).astype("float32")
BINARY = np.repeat([1.0, 0.0], 100).astype("float32")
ONE = {"instance_count": 1, "instance_type": "ml.m5.large"}


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_job, "POLL_SECONDS", 0.2)


@pytest.fixture
def session(account: Account) -> sdk.Session:
    return sdk.Session(account.session, default_bucket=account.bucket, default_bucket_prefix="programs")


def prefix(session: sdk.Session, directory: Path, name: str, data: bytes, features: int) -> sdk.RecordSet:
    """Upload a file and return the RecordSet of its prefix, as AWS's tests do."""
    folder = directory / name
    folder.mkdir()
    (folder / name).write_bytes(data)
    uri = session.upload_data(path=str(folder), key_prefix=f"files-{directory.name}-{name}")
    records = data.count(b"\n") if not name.endswith(".pbr") else len(read_records(io.BytesIO(data)))
    return sdk.RecordSet(uri, records, features, s3_data_type="S3Prefix")


def documents() -> bytes:
    file = io.BytesIO()
    write_spmatrix_to_sparse_tensor(file, csr_matrix(RANDOM.integers(0, 3, (120, 30)).astype("float32")))
    return file.getvalue()


def kmeans(session: sdk.Session, _: Path) -> Any:
    made = sdk.KMeans(role="trainer", k=10, sagemaker_session=session, **ONE)
    made.init_method, made.max_iterations, made.tol, made.num_trials = "random", 1, 1, 1
    made.local_init_method, made.half_life_time_size, made.epochs = "kmeans++", 1, 1
    made.center_factor, made.eval_metrics = 1, ["ssd", "msd"]
    assert made.hyperparameters() == {
        "init_method": made.init_method,
        "local_lloyd_max_iter": str(made.max_iterations),
        "local_lloyd_tol": str(made.tol),
        "local_lloyd_num_trials": str(made.num_trials),
        "local_lloyd_init_method": made.local_init_method,
        "half_life_time_size": str(made.half_life_time_size),
        "epochs": str(made.epochs),
        "extra_center_factor": str(made.center_factor),
        "k": str(made.k),
        "eval_metrics": json.dumps(made.eval_metrics),
        "force_dense": "True",
    }
    made.fit(made.record_set(DIGITS[:100], progress=False), logs=False)
    return made


def pca(session: sdk.Session, _: Path) -> Any:
    made = sdk.PCA(role="trainer", num_components=12, sagemaker_session=session, **ONE)
    made.algorithm_mode, made.subtract_mean, made.extra_components = "randomized", True, 5
    made.fit(made.record_set(DIGITS[:100], progress=False), logs=False)
    return made


def lda(session: sdk.Session, directory: Path) -> Any:
    made = sdk.LDA(role="trainer", instance_type="ml.m5.large", num_topics=10, sagemaker_session=session)
    made.fit(records=prefix(session, directory, "nips.pbr", documents(), 30), mini_batch_size=100, logs=False)
    return made


def ntm(session: sdk.Session, directory: Path) -> Any:
    made = sdk.NTM(role="trainer", num_topics=10, sagemaker_session=session, **ONE)
    made.fit(records=prefix(session, directory, "nips.pbr", documents(), 30), logs=False)
    return made


def linear_learner(session: sdk.Session, _: Path) -> Any:
    made = sdk.LinearLearner(
        "trainer", 1, "ml.m5.large", predictor_type="binary_classifier", sagemaker_session=session
    )
    made.binary_classifier_model_selection_criteria = "accuracy"
    made.target_recall = made.target_precision = made.wd = made.l1 = made.momentum = 0.5
    made.positive_example_weight_mult, made.epochs, made.use_bias, made.num_models = 0.1, 1, True, 1
    made.num_calibration_samples, made.init_method, made.init_scale, made.init_sigma = 1, "uniform", 0.5, 0.2
    made.init_bias, made.optimizer, made.loss, made.learning_rate = 5, "adam", "logistic", 0.1
    made.beta_1 = made.beta_2 = made.lr_scheduler_minimum_lr = made.loss_insensitivity = made.huber_delta = (
        0.1
    )
    made.use_lr_scheduler, made.lr_scheduler_step, made.lr_scheduler_factor = True, 2, 0.5
    made.normalize_data, made.normalize_label, made.unbias_data, made.unbias_label = False, False, True, False
    made.num_point_for_scaler, made.margin, made.quantile = 10000, 1.0, 0.5
    made.early_stopping_tolerance, made.early_stopping_patience = 0.0001, 3
    made.fit(made.record_set(DIGITS, BINARY, progress=False), logs=False)
    return made


def multiclass(session: sdk.Session, _: Path) -> Any:
    made = sdk.LinearLearner(
        "trainer",
        1,
        "ml.m5.large",
        predictor_type="multiclass_classifier",
        num_classes=10,
        sagemaker_session=session,
    )
    made.epochs = 1
    made.fit(made.record_set(DIGITS, LABELS, progress=False), logs=False)
    return made


def factorization_machines(session: sdk.Session, _: Path) -> Any:
    made = sdk.FactorizationMachines(
        role="trainer",
        num_factors=10,
        predictor_type="regressor",
        epochs=2,
        clip_gradient=1e2,
        eps=0.001,
        rescale_grad=1.0 / 100,
        sagemaker_session=session,
        **ONE,
    )
    made.fit(made.record_set(DIGITS, LABELS, progress=False), logs=False)
    return made


def random_cut_forest(session: sdk.Session, _: Path) -> Any:
    made = sdk.RandomCutForest(
        role="trainer",
        num_trees=50,
        num_samples_per_tree=20,
        eval_metrics=["accuracy", "precision_recall_fscore"],
        sagemaker_session=session,
        **ONE,
    )
    made.fit(records=made.record_set(RANDOM.random((1000, 14)), progress=False), logs=False)
    return made


def knn(session: sdk.Session, _: Path) -> Any:
    made = sdk.KNN(
        role="trainer", k=10, predictor_type="regressor", sample_size=500, sagemaker_session=session, **ONE
    )
    made.fit(made.record_set(DIGITS, LABELS, progress=False), logs=False)
    return made


def knn_classifier(session: sdk.Session, _: Path) -> Any:
    made = sdk.KNN(
        role="trainer",
        k=10,
        predictor_type="classifier",
        sample_size=500,
        index_type="faiss.IVFFlat",
        index_metric="L2",
        sagemaker_session=session,
        **ONE,
    )
    made.fit(made.record_set(DIGITS, LABELS, progress=False), wait=False)
    attached = sdk.KNN.attach(str(made._current_job_name), sagemaker_session=session)
    assert attached.hyperparameters() == made.hyperparameters()
    return attached


def object2vec(session: sdk.Session, directory: Path) -> Any:
    made = sdk.Object2Vec(
        role="trainer",
        epochs=3,
        enc0_max_seq_len=20,
        enc0_vocab_size=45000,
        enc_dim=16,
        num_classes=3,
        negative_sampling_rate=0,
        comparator_list="hadamard,concat,abs_diff",
        tied_token_embedding_weight=False,
        token_embedding_storage_type="dense",
        sagemaker_session=session,
        **ONE,
    )
    made._num_kv_servers, made._num_gpus, made._kvstore = "auto", "auto", "device"
    lines = b"".join(
        json.dumps({"in0": [1, 2, n], "in1": [n], "label": n % 3}).encode() + b"\n" for n in range(60)
    )
    made.fit(records=prefix(session, directory, "train.jsonl", lines, 1), logs=False)
    return made


def ip_insights(session: sdk.Session, directory: Path) -> Any:
    made = sdk.IPInsights(
        role="trainer", num_entity_vectors=10, vector_dim=100, sagemaker_session=session, **ONE
    )
    lines = b"".join(f"user{n % 7},192.0.2.{n}\n".encode() for n in range(60))
    made.fit(records=prefix(session, directory, "train.csv", lines, 0), logs=False)
    return made


def old_names(session: sdk.Session, directory: Path) -> Any:
    with pytest.warns(DeprecationWarning, match="train_instance_count"):
        made = sdk.KMeans(
            role="trainer",
            train_instance_count=2,
            train_instance_type="ml.m5.large",
            output_path=f"s3://{session.default_bucket()}/old/",
            k=10,
            data_location=f"s3://{session.default_bucket()}/old/data",
            sagemaker_session=session,
        )
    made.fit(made.record_set(DIGITS, progress=False), logs=False)
    return made


def as_it_lies(session: sdk.Session, directory: Path) -> Any:
    """Arrays written with the codec, uploaded and given as channels, as AWS's notebooks do."""
    file = io.BytesIO()
    write_numpy_to_dense_tensor(file, DIGITS, BINARY)
    records = prefix(session, directory, "data.pbr", file.getvalue(), 20)
    made = sdk.LinearLearner(
        "trainer", 1, "ml.m5.large", predictor_type="binary_classifier", sagemaker_session=session
    )
    made.fit({"train": records.s3_data, "validation": sdk.TrainingInput(records.s3_data)}, logs=False)
    return made


def text_as_it_lies(session: sdk.Session, directory: Path) -> Any:
    lines = b"".join(",".join(f"{x:.3f}" for x in row).encode() + b"\n" for row in DIGITS)
    records = prefix(session, directory, "data.csv", lines, 20)
    made = sdk.PCA("trainer", 1, "ml.m5.large", 3, sagemaker_session=session)
    made.fit({"train": sdk.TrainingInput(records.s3_data, content_type="text/csv;label_size=0")}, logs=False)
    return made


PROGRAMS = (
    kmeans,
    pca,
    lda,
    ntm,
    linear_learner,
    multiclass,
    factorization_machines,
    random_cut_forest,
    knn,
    knn_classifier,
    object2vec,
    ip_insights,
    old_names,
    as_it_lies,
    text_as_it_lies,
)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_runs_to_its_model(program: Any, session: sdk.Session, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        estimator = program(session, tmp_path)
    assert estimator.model_data.endswith("/output/model.tar.gz")
    assert estimator.latest_training_job.describe()["TrainingJobStatus"] == "Completed"
