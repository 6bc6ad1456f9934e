"""The model in an archive scores as the engine said: what is served is what was fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets, metrics

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.inference import load_model
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines import Fitted, engine_of
from amazon_estimators_rehearsal.sagemaker.model_archive import UnservedModelError, pack_model, unpack_model

SCALES = np.array([1, 100, 0.01, 7], np.float32)
IRIS = (datasets.load_iris().data * SCALES + 3).astype(np.float32)
KINDS = datasets.load_iris().target.astype(float)
TRAIN, TEST = slice(0, None, 2), slice(1, None, 2)


def records(rows: Any, labels: Any) -> Records:
    return Records(len(rows), rows.shape[1], rows, labels)


def fitted(name: str, labels: Any, **hyperparameters: Any) -> tuple[Fitted, Any]:
    """What the engine fits to features of very different scales, and the model read back from its archive."""
    algorithm = algorithm_named(name)(**hyperparameters)
    channels = {
        "train": records(IRIS[TRAIN], labels[TRAIN]),
        "test": records(IRIS[TEST], labels[TEST]),
    }
    if "test" not in algorithm.channels:
        del channels["test"]
    result = engine_of(name)(algorithm, channels)
    described = {
        "algorithm": name,
        "engine": result.engine,
        "hyperparameters": algorithm.hyperparameters(),
    }
    return result, unpack_model(pack_model(described, result), name)


def test_kmeans() -> None:
    result, model = fitted("KMeans", KINDS, k=3, eval_metrics=["msd"])
    distances = model.predict(IRIS[TEST])["distance_to_cluster"]
    assert np.square(distances).mean() == pytest.approx(result.metrics["test:msd"], rel=1e-4)


@pytest.mark.parametrize("subtract_mean", [True, False])
def test_pca(subtract_mean: bool) -> None:
    result, model = fitted("PCA", KINDS, num_components=2, subtract_mean=subtract_mean)
    centred = IRIS[TEST] - np.array(result.model["mean"])
    expected = centred @ np.array(result.model["components"]).T
    assert np.allclose(model.predict(IRIS[TEST])["projection"][:, ::-1], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("normalize", ["true", "false"])
def test_linear_regression(normalize: str) -> None:
    labels = IRIS @ np.array([1, 0.01, 50, -2]) + 5
    result, model = fitted(
        "LinearLearner",
        labels,
        predictor_type="regressor",
        normalize_data=normalize,
        normalize_label=normalize,
        l1=0.01,
    )
    scores = model.predict(IRIS[TEST])["score"]
    assert np.square(scores - labels[TEST]).mean() == pytest.approx(result.metrics["test:mse"], rel=1e-2)


def test_linear_classification_of_two() -> None:
    labels = (KINDS > 1).astype(float)
    result, model = fitted("LinearLearner", labels, predictor_type="binary_classifier")
    answered = model.predict(IRIS[TEST])
    found = result.metrics
    assert (answered["predicted_label"] == labels[TEST]).mean() == pytest.approx(
        found["test:binary_classification_accuracy"]
    )
    assert metrics.roc_auc_score(labels[TEST], answered["score"]) == pytest.approx(
        found["test:roc_auc_score"], abs=1e-3
    )
    loss = metrics.log_loss(labels[TEST], answered["score"])
    assert loss == pytest.approx(found["test:objective_loss"], rel=1e-2)


@pytest.mark.parametrize("classes", [3, 5])
def test_linear_classification_of_several(classes: int) -> None:
    """A class that no record has gets a probability of 0."""
    result, model = fitted(
        "LinearLearner", KINDS, predictor_type="multiclass_classifier", num_classes=classes
    )
    answered = model.predict(IRIS[TEST])
    assert answered["score"].shape == (75, classes)
    assert (answered["predicted_label"] == KINDS[TEST]).mean() == pytest.approx(
        result.metrics["test:multiclass_accuracy"]
    )
    assert not answered["score"][:, 3:].any()


def test_factorization_machines() -> None:
    result, model = fitted(
        "FactorizationMachines",
        KINDS,
        predictor_type="regressor",
        num_factors=3,
        epochs=3,
        mini_batch_size=25,
    )
    errors = model.predict(IRIS[TEST])["score"] - KINDS[TEST]
    assert np.sqrt(np.square(errors).mean()) == pytest.approx(result.metrics["test:rmse"], rel=1e-3)


@pytest.mark.parametrize("metric", ["L2", "COSINE", "INNER_PRODUCT"])
def test_knn(metric: str) -> None:
    result, model = fitted(
        "KNN", KINDS, k=5, sample_size=75, predictor_type="classifier", index_metric=metric
    )
    answered = model.predict(IRIS[TEST])
    assert (answered["predicted_label"] == KINDS[TEST]).mean() == result.metrics["test:accuracy"]
    nearest_first = np.diff(answered["distances"], axis=1)
    assert (nearest_first >= -1e-9).all() if metric == "L2" else (nearest_first <= 1e-9).all()


def test_random_cut_forest() -> None:
    odd = np.zeros(len(IRIS))
    odd[1::30] = 1
    result, model = fitted(
        "RandomCutForest",
        odd,
        num_trees=50,
        num_samples_per_tree=64,
        eval_metrics=["precision_recall_fscore"],
    )
    found = model.predict(IRIS[TEST])["score"] > result.model["threshold"]
    score = metrics.f1_score(odd[TEST], found, zero_division=0)
    assert score == pytest.approx(result.metrics["test:f1"])
    usual = model.predict(IRIS[TRAIN])["score"]
    assert usual.mean() == pytest.approx(result.model["mean_score"])


def test_lda_mixes_its_topics() -> None:
    counts = np.repeat([[9, 9, 0, 0], [0, 0, 9, 9]], 20, axis=0).astype(np.float32)
    result = engine_of("LDA")(algorithm_named("LDA")(num_topics=2), {"train": records(counts, None)})
    described = {"algorithm": "LDA", "engine": result.engine, "hyperparameters": {}}
    mixtures = unpack_model(pack_model(described, result), "LDA").predict(counts)["topic_mixture"]
    assert (mixtures.max(axis=1) > 0.9).all()
    assert len(set(mixtures[:20].argmax(axis=1))) == len(set(mixtures[20:].argmax(axis=1))) == 1


def test_the_archive_is_one_that_the_library_reads() -> None:
    result, _ = fitted("KMeans", KINDS, k=3)
    packed = pack_model({"algorithm": "KMeans"}, result)
    with pytest.warns(UserWarning, match="Euclidean"):
        assert load_model(packed).describe() == {"k": 3, "feature_dim": 4}


@pytest.mark.parametrize(
    ("body", "algorithm", "message"),
    [
        (b"not an archive", "KMeans", "Unable to load the model"),
        (
            pack_model({"algorithm": "NTM", "engine": "none"}, Fitted("none", {}, {})),
            "NTM",
            "trains no model: it predicts nothing",
        ),
        (
            pack_model({"algorithm": "NTM", "engine": "none"}, Fitted("none", {}, {})),
            "PCA",
            "trained by NTM; the image is that of PCA",
        ),
        (pack_model({}, Fitted("numpy", {}, {})), "KNN", "serves KNN only from models that it trained"),
        (pack_model({}, Fitted("numpy", {}, {})), "KMeans", "Unable to load the model"),
    ],
)
def test_models_that_are_not_served(body: bytes, algorithm: str, message: str) -> None:
    with pytest.raises(UnservedModelError, match=message):
        unpack_model(body, algorithm)
