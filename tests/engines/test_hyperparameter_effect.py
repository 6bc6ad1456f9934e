"""Each hyperparameter changes what a stand-in learns or says, is held to the data, or told without effect."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from amazon_estimators.algorithms import ALGORITHMS, Algorithm, algorithm_named
from amazon_estimators_rehearsal.sagemaker.checks.data import check_agreement
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines import Fitted, engine_of
from amazon_estimators_rehearsal.sagemaker.engines.without_effect import WITHOUT_EFFECT, without_effect
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError

RANDOM = np.random.default_rng(5)
VALUES = RANDOM.normal(3, 1, (80, 4)).astype(np.float32)
VALUES[:, 0] *= 5
NUMBERS = (VALUES @ np.array([1, -2, 0.5, 0]) + RANDOM.standard_t(2, 80)).astype(np.float32)
SIDES = (np.median(NUMBERS) + 1 < NUMBERS).astype(np.float32)
CLASSES = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.5, 0.8])).astype(np.float32)
COUNTS = RANDOM.poisson(2, (60, 6)).astype(np.float32)

REGRESSOR = {"predictor_type": "regressor"}
BINARY = {"predictor_type": "binary_classifier"}
THREE = {"predictor_type": "multiclass_classifier", "num_classes": 3}
KMEANS = {"k": 5}
KNN = {"k": 5, "predictor_type": "regressor", "sample_size": 40}
SMALLER = {**KNN, "dimension_reduction_type": "sign", "dimension_reduction_target": 2}
PCA = {"num_components": 2, "algorithm_mode": "randomized"}
FM = {"num_factors": 2, "predictor_type": "regressor", "epochs": 2, "mini_batch_size": 16}

Case = tuple[str, str, dict[str, Any], Any, Any]
CASES: list[Case] = [
    ("KMeans", "k", {}, 2, 3),
    ("KMeans", "eval_metrics", KMEANS, ["msd"], ["ssd"]),
    ("KMeans", "local_lloyd_init_method", KMEANS, "random", "kmeans++"),
    ("KMeans", "local_lloyd_max_iter", KMEANS, 1, 100),
    ("KMeans", "local_lloyd_num_trials", {"k": 8, "local_lloyd_init_method": "random"}, 1, 20),
    ("KMeans", "local_lloyd_tol", KMEANS, 0.9, 1e-9),
    ("KNN", "k", {**KNN, "k": None}, 1, 9),
    ("KNN", "predictor_type", {**KNN, "predictor_type": None}, "regressor", "classifier"),
    ("KNN", "sample_size", {**KNN, "sample_size": None}, 20, 40),
    ("KNN", "index_metric", {**KNN, "index_type": "faiss.Flat"}, "COSINE", "L2"),
    ("KNN", "dimension_reduction_type", {**KNN, "dimension_reduction_target": 2}, "sign", "fjlt"),
    ("KNN", "dimension_reduction_target", {**KNN, "dimension_reduction_type": "sign"}, 2, 3),
    ("LDA", "num_topics", {}, 2, 3),
    ("LDA", "alpha0", {"num_topics": 3}, 0.1, 3.0),
    ("LDA", "max_iterations", {"num_topics": 3}, 1, 20),
    ("PCA", "num_components", {}, 1, 2),
    ("PCA", "algorithm_mode", {"num_components": 2}, "regular", "randomized"),
    ("PCA", "extra_components", PCA, 0, 2),
    ("PCA", "subtract_mean", {"num_components": 2}, True, False),
    ("RandomCutForest", "num_trees", {}, 50, 60),
    ("RandomCutForest", "num_samples_per_tree", {}, 16, 32),
    ("RandomCutForest", "eval_metrics", {}, ["accuracy"], ["precision_recall_fscore"]),
    ("LinearLearner", "predictor_type", {}, "regressor", "binary_classifier"),
    ("LinearLearner", "num_classes", {**THREE, "num_classes": None}, 3, 5),
    ("LinearLearner", "accuracy_top_k", THREE, 1, 2),
    ("LinearLearner", "balance_multiclass_weights", THREE, True, False),
    ("LinearLearner", "f_beta", BINARY, 0.2, 5.0),
    ("LinearLearner", "huber_delta", {**REGRESSOR, "loss": "huber_loss"}, 0.01, 5.0),
    ("LinearLearner", "l1", REGRESSOR, 0.0, 0.5),
    ("LinearLearner", "loss", REGRESSOR, "squared_loss", "absolute_loss"),
    (
        "LinearLearner",
        "loss_insensitivity",
        {**REGRESSOR, "loss": "eps_insensitive_absolute_loss"},
        0.01,
        1.0,
    ),
    ("LinearLearner", "margin", {**BINARY, "loss": "hinge_loss"}, 0.5, 2.0),
    ("LinearLearner", "normalize_data", {**REGRESSOR, "wd": 1.0}, "true", "false"),
    ("LinearLearner", "normalize_label", {**REGRESSOR, "loss": "huber_loss"}, "true", "false"),
    ("LinearLearner", "positive_example_weight_mult", BINARY, 1.0, 9.0),
    ("LinearLearner", "quantile", {**REGRESSOR, "loss": "quantile_loss"}, 0.1, 0.9),
    ("LinearLearner", "unbias_data", {**REGRESSOR, "loss": "huber_loss"}, "true", "false"),
    ("LinearLearner", "unbias_label", {**REGRESSOR, "loss": "huber_loss"}, "true", "false"),
    ("LinearLearner", "use_bias", REGRESSOR, True, False),
    ("LinearLearner", "wd", REGRESSOR, 0.0, 1.0),
    ("FactorizationMachines", "num_factors", {**FM, "num_factors": None}, 2, 3),
    (
        "FactorizationMachines",
        "predictor_type",
        {**FM, "predictor_type": None},
        "regressor",
        "binary_classifier",
    ),
    ("FactorizationMachines", "epochs", {**FM, "epochs": None}, 1, 3),
    ("FactorizationMachines", "mini_batch_size", {**FM, "mini_batch_size": None}, 8, 32),
    ("FactorizationMachines", "clip_gradient", FM, 0.001, 10.0),
    *(
        case
        for term in ("bias", "linear", "factors")
        for case in (
            ("FactorizationMachines", f"{term}_lr", FM, 0.001, 0.1),
            ("FactorizationMachines", f"{term}_wd", FM, 0.0, 5.0),
            ("FactorizationMachines", f"{term}_init_method", FM, "normal", "constant"),
            (
                "FactorizationMachines",
                f"{term}_init_sigma",
                {**FM, f"{term}_init_method": "normal"},
                0.01,
                1.0,
            ),
            (
                "FactorizationMachines",
                f"{term}_init_scale",
                {**FM, f"{term}_init_method": "uniform"},
                0.01,
                1.0,
            ),
            (
                "FactorizationMachines",
                f"{term}_init_value",
                {**FM, f"{term}_init_method": "constant"},
                0.1,
                1.0,
            ),
        )
    ),
]

HELD_TO_THE_DATA = {
    **{name: {"feature_dim"} for name in ALGORITHMS if "feature_dim" in ALGORITHMS[name].declared()},
    "Object2Vec": {
        "enc0_max_seq_len",
        "enc0_vocab_size",
        "enc1_max_seq_len",
        "enc1_vocab_size",
        "num_classes",
        "output_layer",
    },
}
"""What records are checked against: tests/rehearsal/test_rehearsal_training_job.py and test_engines.py."""


def made(name: str, hyperparameters: dict[str, Any]) -> Algorithm:
    return algorithm_named(name)(
        **{key: value for key, value in hyperparameters.items() if value is not None}
    )


def channels(algorithm: Algorithm) -> dict[str, Records]:
    """Records of a kind that the algorithm can train on, and others to test."""
    name = type(algorithm).__name__
    values = COUNTS if name == "LDA" else VALUES
    labels: Any = None
    if name in ("KNN", "LinearLearner", "FactorizationMachines"):
        kind = algorithm.effective("predictor_type")
        labels = {"regressor": NUMBERS, "binary_classifier": SIDES}.get(kind, CLASSES)
    elif name == "RandomCutForest":
        labels = SIDES
    half = len(values) // 2
    tested = Records(half, values.shape[1], values[half:], None if labels is None else labels[half:])
    trained = None if labels is None or name == "RandomCutForest" else labels[:half]
    train = Records(half, values.shape[1], values[:half], trained)
    return {"train": train} if name == "PCA" else {"train": train, "test": tested}


def told(fitted: Fitted) -> str:
    """All that a stand-in says: model, metrics, their wording, and what its model file holds."""
    layout = vars(fitted.layout) if fitted.layout and hasattr(fitted.layout, "__dict__") else fitted.layout
    held = [dict(fitted.model), dict(fitted.metrics), dict(fitted.wording), layout, dict(fitted.arrays)]
    return json.dumps(held, default=lambda value: value.tolist() if hasattr(value, "tolist") else repr(value))


@pytest.mark.parametrize(("name", "hyperparameter", "others", "one", "other"), CASES)
def test_it_changes_the_model_or_what_is_said_of_it(
    name: str, hyperparameter: str, others: dict[str, Any], one: Any, other: Any
) -> None:
    answers = set()
    for value in (one, other):
        algorithm = made(name, {**others, hyperparameter: value})
        answers.add(told(engine_of(name)(algorithm, channels(algorithm))))
    assert len(answers) == 2


def test_each_hyperparameter_has_an_effect_or_is_named_without() -> None:
    for name, algorithm in ALGORITHMS.items():
        public = {known for known in algorithm.declared() if not known.startswith("_")}
        changing = {hyperparameter for case, hyperparameter, *_ in CASES if case == name}
        held = HELD_TO_THE_DATA.get(name, set())
        assert changing | held | WITHOUT_EFFECT[name] == public, name
        assert not WITHOUT_EFFECT[name] & (changing | held), name


@pytest.mark.parametrize("name", ["KMeans", "KNN", "LDA", "PCA", "RandomCutForest", "LinearLearner"])
def test_nothing_named_without_effect_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithms = [
        made(name, {**others, hyperparameter: value})
        for case, hyperparameter, others, value, _ in CASES
        if case == name
    ]
    read, effective = set(), Algorithm.effective

    def reading(self: Algorithm, hyperparameter: str) -> Any:
        read.add(hyperparameter)
        return effective(self, hyperparameter)

    monkeypatch.setattr(Algorithm, "effective", reading)
    for algorithm in algorithms:
        engine_of(name)(algorithm, channels(algorithm))
    assert read
    assert not read & WITHOUT_EFFECT[name]


def test_a_feature_dim_is_held_to_the_records() -> None:
    algorithm = made("KMeans", {"k": 2, "feature_dim": 5})
    with pytest.raises(JobFailedError, match="feature_dim is 5, the records have 4 features"):
        check_agreement(algorithm, channels(algorithm))


def test_only_what_was_set_is_named() -> None:
    given = ["epochs", "l1", "learning_rate", "momentum", "optimizer", "_kvstore"]
    assert without_effect("LinearLearner", given) == [
        "_kvstore",
        "epochs",
        "learning_rate",
        "momentum",
        "optimizer",
    ]
    assert without_effect("FactorizationMachines", ["epochs", "factors_lr"]) == []
