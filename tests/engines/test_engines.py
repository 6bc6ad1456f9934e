"""Each engine is the model it says it is: compared with another implementation, or with what it must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn import datasets, decomposition, linear_model, neighbors

from amazon_estimators.algorithms import ALGORITHMS, algorithm_named
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines import MODULES, Fitted, engine_of
from amazon_estimators_rehearsal.sagemaker.engines.factorization_machines import Machine
from amazon_estimators_rehearsal.sagemaker.engines.random_cut_forest import grow, scores
from amazon_estimators_rehearsal.samples.words import SUBJECTS, VOCABULARY, WORDS_OF_A_SUBJECT, mixed_texts


def records(values: Any, labels: Any = None) -> Records:
    return Records(values.shape[0], values.shape[1], values, None if labels is None else np.asarray(labels))


def run(name: str, hyperparameters: dict[str, Any], **channels: Records) -> Fitted:
    fitted = engine_of(name)(algorithm_named(name)(**hyperparameters), channels)
    declared = {metric.name for metric in ALGORITHMS[name].metrics}
    assert set(fitted.metrics) <= declared
    assert set(fitted.wording) <= set(fitted.metrics)
    return fitted


def halves(values: Any, labels: Any) -> dict[str, Records]:
    return {"train": records(values[::2], labels[::2]), "test": records(values[1::2], labels[1::2])}


def up_to_sign(found: Any, expected: Any) -> bool:
    found, expected = np.asarray(found), np.asarray(expected)
    return np.allclose(found * np.sign((found * expected).sum(axis=1, keepdims=True)), expected, atol=1e-6)


def test_every_algorithm_has_its_module() -> None:
    assert set(MODULES) == set(ALGORITHMS)


DIGITS = datasets.load_digits().data[:300].astype(np.float32)


@pytest.mark.parametrize("mode", ["regular", "randomized"])
def test_pca_agrees_up_to_sign(mode: str) -> None:
    model = run("PCA", {"num_components": 4, "algorithm_mode": mode}, train=records(DIGITS)).model
    expected = decomposition.PCA(4, svd_solver="full").fit(DIGITS.astype(np.float64))
    assert up_to_sign(model["components"], expected.components_)
    assert np.allclose(model["singular_values"], expected.singular_values_)
    assert np.allclose(model["mean"], expected.mean_)


def test_pca_without_the_mean() -> None:
    model = run("PCA", {"num_components": 4, "subtract_mean": False}, train=records(DIGITS)).model
    _, values, vectors = np.linalg.svd(DIGITS.astype(np.float64))
    assert up_to_sign(model["components"], vectors[:4])
    assert np.allclose(model["singular_values"], values[:4])
    assert not np.any(model["mean"])


def test_pca_of_sparse_records_and_of_too_many_components() -> None:
    dense = run("PCA", {"num_components": 4}, train=records(DIGITS)).model
    model = run("PCA", {"num_components": 4}, train=records(sparse.csr_matrix(DIGITS))).model
    assert np.allclose(model["components"], dense["components"])
    with pytest.raises(ValueError, match="num_components is 65; 300 records of 64 features"):
        run("PCA", {"num_components": 65}, train=records(DIGITS))


@pytest.mark.parametrize(("metric", "other"), [("L2", "euclidean"), ("COSINE", "cosine")])
def test_knn_is_exact(metric: str, other: str) -> None:
    wine = datasets.load_wine()
    given = halves(wine.data.astype(np.float32), wine.target)
    setting = {"k": 3, "sample_size": 89, "index_metric": metric}
    pairs = [given[name].matrix().astype(np.float64) for name in ("train", "test")]
    truth = given["train"].labels, given["test"].labels
    found = run("KNN", {**setting, "predictor_type": "classifier"}, **given).metrics
    peer = neighbors.KNeighborsClassifier(3, metric=other, algorithm="brute").fit(pairs[0], truth[0])
    assert found == {"test:accuracy": peer.score(pairs[1], truth[1])}
    found = run("KNN", {**setting, "predictor_type": "regressor"}, **given).metrics
    regressor = neighbors.KNeighborsRegressor(3, metric=other, algorithm="brute").fit(pairs[0], truth[0])
    assert found == {"test:mse": pytest.approx(np.square(regressor.predict(pairs[1]) - truth[1]).mean())}


def test_knn_by_inner_product() -> None:
    from amazon_estimators_rehearsal.sagemaker.engines.knn import nearest

    rng = np.random.default_rng(0)
    rows, queries = rng.normal(size=(50, 4)), rng.normal(size=(7, 4))
    expected = [sorted(range(50), key=lambda row: -float(query @ rows[row]))[:5] for query in queries]
    assert nearest(rows, queries, 5, "INNER_PRODUCT").tolist() == expected


def test_knn_on_a_sample_and_reduced() -> None:
    iris = datasets.load_iris()
    given = halves(iris.data.astype(np.float32), iris.target)
    setting = {"k": 3, "predictor_type": "classifier"}
    sampled = run("KNN", {**setting, "sample_size": 20}, **given)
    assert sampled.model["sampled_records"] == 20
    assert run("KNN", {**setting, "sample_size": 75}, train=given["train"]).metrics == {}


@pytest.mark.parametrize("kind", ["sign", "fjlt"])
def test_knn_in_fewer_dimensions(kind: str) -> None:
    digits = datasets.load_digits()
    given = halves(digits.data.astype(np.float32), digits.target)
    setting = {"k": 3, "predictor_type": "classifier", "sample_size": len(digits.data) // 2}
    whole = run("KNN", setting, **given)
    assert (whole.model["dimensions"], whole.metrics["test:accuracy"] > 0.97) == (64, True)
    reduced = {"dimension_reduction_type": kind, "dimension_reduction_target": 32}
    fitted = run("KNN", {**setting, **reduced}, **given)
    assert fitted.model["dimensions"] == 32
    assert 0.9 < fitted.metrics["test:accuracy"] < whole.metrics["test:accuracy"]


DIABETES = datasets.load_diabetes()
PATIENTS = halves(DIABETES.data.astype(np.float32), DIABETES.target)


def test_linear_regression_is_least_squares() -> None:
    fitted = run("LinearLearner", {"predictor_type": "regressor"}, **PATIENTS)
    peer = linear_model.LinearRegression().fit(PATIENTS["train"].values, PATIENTS["train"].labels)
    errors = peer.predict(PATIENTS["test"].values) - PATIENTS["test"].labels
    assert fitted.metrics["test:mse"] == pytest.approx(np.square(errors).mean(), rel=1e-4)
    assert fitted.metrics["test:absolute_loss"] == pytest.approx(np.abs(errors).mean(), rel=1e-4)
    explained = peer.score(PATIENTS["train"].values, PATIENTS["train"].labels)
    assert fitted.metrics["train:objective_loss"] == pytest.approx(1 - explained, rel=1e-4)
    assert fitted.wording["train:objective_loss"] == "mse"


@pytest.mark.parametrize(
    "setting",
    [
        {"loss": "squared_loss", "l1": 0.01},
        {"loss": "squared_loss", "wd": 0.01},
        {"loss": "absolute_loss"},
        {"loss": "quantile_loss", "quantile": 0.3},
        {"loss": "huber_loss"},
        {"loss": "eps_insensitive_absolute_loss"},
        {"loss": "eps_insensitive_squared_loss"},
    ],
    ids=lambda setting: "-".join(map(str, setting.values())),
)
def test_every_regression_loss_explains_something(setting: dict[str, Any]) -> None:
    fitted = run("LinearLearner", {"predictor_type": "regressor", **setting}, **PATIENTS)
    assert fitted.metrics["test:mse"] < 0.8 * PATIENTS["test"].label_vector().var()
    assert 0 < fitted.metrics["train:objective_loss"] < 1


def test_a_quantile_is_one() -> None:
    setting = {"predictor_type": "regressor", "loss": "quantile_loss", "quantile": 0.9}
    fitted = run("LinearLearner", setting, **PATIENTS)
    values = PATIENTS["train"].matrix().astype(np.float64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    labels = PATIENTS["train"].label_vector()
    predicted = values @ fitted.model["coefficients"] + fitted.model["intercept"]
    assert (labels <= predicted * labels.std() + labels.mean() + 1e-6).mean() == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_binary_classification(loss: str) -> None:
    cancer = datasets.load_breast_cancer()
    given = halves(cancer.data.astype(np.float32), cancer.target)
    fitted = run("LinearLearner", {"predictor_type": "binary_classifier", "loss": loss, "f_beta": 2}, **given)
    assert fitted.metrics["test:binary_classification_accuracy"] > 0.94
    assert fitted.metrics["test:roc_auc_score"] > 0.97
    assert 0 < fitted.metrics["train:objective_loss"] < 0.2
    assert fitted.wording["test:binary_f_beta"] == "2.000"


def test_multiclass_classification() -> None:
    wine = datasets.load_wine()
    given = halves(wine.data.astype(np.float32), wine.target)
    setting = {"predictor_type": "multiclass_classifier", "num_classes": 3, "accuracy_top_k": 2}
    fitted = run("LinearLearner", setting, **given)
    assert fitted.metrics["test:multiclass_accuracy"] > 0.9
    assert fitted.metrics["test:multiclass_top_k_accuracy"] >= fitted.metrics["test:multiclass_accuracy"]
    two = {
        name: records(one.values[one.labels != 2], one.labels[one.labels != 2]) for name, one in given.items()
    }
    assert run("LinearLearner", setting, **two).metrics["test:multiclass_accuracy"] > 0.9


@pytest.mark.parametrize("kind", ["regressor", "binary_classifier", "multiclass_classifier"])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("unbias_data", ["true", "false"])
@pytest.mark.parametrize("normalize_data", ["true", "false"])
def test_the_linear_model_that_is_written_is_the_one_that_was_judged(
    kind: str, use_bias: bool, unbias_data: str, normalize_data: str
) -> None:
    random = np.random.default_rng(4)
    values = (random.normal(size=(200, 3)) * [1, 5, 0.2] + [4, -9, 1]).astype(np.float32)
    score = values @ [1, 0.3, -4] + random.normal(size=200)
    labels = {
        "regressor": score,
        "binary_classifier": score > np.median(score),
        "multiclass_classifier": np.digitize(score, np.quantile(score, [0.3, 0.6])),
    }[kind].astype(np.float32)
    setting = {"use_bias": use_bias, "unbias_data": unbias_data, "normalize_data": normalize_data}
    if kind == "multiclass_classifier":
        setting["num_classes"] = 3
    fitted = run("LinearLearner", {"predictor_type": kind, **setting}, **halves(values, labels))
    assert fitted.layout is not None
    answers = fitted.layout.predict(values[1::2])
    if kind == "regressor":
        found, metric = float(np.square(answers["score"] - labels[1::2]).mean()), "test:mse"
    else:
        found = float((answers["predicted_label"] == labels[1::2]).mean())
        metric = (
            f"test:{kind.removesuffix('_classifier').replace('binary', 'binary_classification')}_accuracy"
        )
    assert found == pytest.approx(fitted.metrics[metric], rel=1e-3)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="Every label of channel train is 1"):
        run(
            "LinearLearner",
            {"predictor_type": "binary_classifier"},
            train=records(DIGITS, np.ones(len(DIGITS))),
        )


def test_a_machine_sums_over_pairs() -> None:
    rng = np.random.default_rng(0)
    machine = Machine(algorithm_named("FactorizationMachines")(num_factors=3, predictor_type="regressor"), 5)
    machine.weights = {
        "bias": rng.normal(size=1),
        "linear": rng.normal(size=5),
        "factors": rng.normal(size=(5, 3)),
    }
    row = rng.normal(size=5)
    factors = machine.weights["factors"]
    pairs = sum(factors[i] @ factors[j] * row[i] * row[j] for i in range(5) for j in range(i + 1, 5))
    expected = machine.weights["bias"][0] + machine.weights["linear"] @ row + pairs
    assert machine.raw(row[None, :]) == pytest.approx([expected])
    assert machine.raw(sparse.csr_matrix(row[None, :])) == pytest.approx([expected])


MACHINE = {
    "epochs": 150,
    "mini_batch_size": 100,
    "linear_lr": 0.02,
    "factors_lr": 0.02,
    "factors_init_sigma": 0.1,
}


def test_factorization_machines_learn_what_no_linear_model_can() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(800, 6)).astype(np.float32)
    product = rows[:, 0] * rows[:, 1]
    setting = {"num_factors": 2, **MACHINE}
    fitted = run("FactorizationMachines", {"predictor_type": "regressor", **setting}, **halves(rows, product))
    assert fitted.metrics["test:rmse"] < 0.2 * product.std()
    given = halves(sparse.csr_matrix(rows), (product > 0).astype(float))
    fitted = run("FactorizationMachines", {"predictor_type": "binary_classifier", **setting}, **given)
    assert fitted.metrics["test:binary_classification_accuracy"] > 0.85
    assert fitted.metrics["test:binary_classification_cross_entropy"] < 0.4
    assert fitted.metrics["test:binary_f_beta"] > 0.85


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_lda_describes_documents_better_than_word_frequencies(kind: Any) -> None:
    corpus = mixed_texts(300, np.random.default_rng(0)).astype(np.float32)
    given = {"train": records(kind(corpus[:250])), "test": records(kind(corpus[250:]))}
    fitted = run("LDA", {"num_topics": 6}, **given)
    frequencies = (corpus[:250].sum(axis=0) + 1) / (corpus[:250].sum() + len(VOCABULARY))
    alone = (corpus[250:] @ np.log(frequencies)).sum() / corpus[250:].sum()
    assert alone + 0.2 < fitted.metrics["test:pwll"] < 0
    best = np.argsort(fitted.model["topics"], axis=1)[:, -5:]
    found = [{int(word) // WORDS_OF_A_SUBJECT for word in words} for words in best]
    assert sorted(min(subjects) for subjects in found) == list(range(len(SUBJECTS)))
    assert all(len(subjects) == 1 for subjects in found)
    with pytest.raises(ValueError, match="Channel train holds -1"):
        run("LDA", {"num_topics": 2}, train=records(kind(corpus - 1)))


def test_lda_takes_every_concentration_that_is_tuned() -> None:
    corpus = mixed_texts(40, np.random.default_rng(0)).astype(np.float32)
    for alpha0 in (0.1, 10):
        fitted = run("LDA", {"num_topics": 2, "alpha0": alpha0}, train=records(corpus))
        assert len(fitted.model["topics"]) == 2


def test_a_random_cut_forest_sets_outliers_apart() -> None:
    rng = np.random.default_rng(0)
    usual, odd = rng.normal(size=(500, 3)), rng.normal(size=(20, 3)) + 12
    forest = grow(usual, 30, 64)
    assert scores(forest, odd).min() > scores(forest, usual).max()
    test = records(np.concatenate([usual[:80], odd]), np.repeat([0.0, 1.0], [80, 20]))
    assert (
        run("RandomCutForest", {"num_trees": 50}, train=records(usual), test=test).metrics["test:f1"] > 0.85
    )
    quiet = {"num_trees": 50, "eval_metrics": ["accuracy"]}
    assert run("RandomCutForest", quiet, train=records(usual), test=test).metrics == {}
    same = grow(np.ones((10, 3)), 1, 10)
    assert same[0].below is None


def texts(*values: Any, files: tuple[str, ...] = ("part",)) -> Records:
    return Records(len(values), 0, list(values), files=files)


def pair(label: float, *in0: int, in1: tuple[int, ...] = (1,)) -> dict[str, Any]:
    return {"label": label, "in0": list(in0), "in1": list(in1)}


PAIRS = {"enc0_max_seq_len": 3, "enc0_vocab_size": 10}
WORDS = records(np.ones((4, 2), np.float32))


@pytest.mark.parametrize(
    ("name", "hyperparameters", "channels"),
    [
        ("Object2Vec", PAIRS, {"train": texts(pair(1, 9, 0, 3), pair(0, 1))}),
        ("Object2Vec", {**PAIRS, "output_layer": "mean_squared_error"}, {"train": texts(pair(0.5, 1))}),
        ("Object2Vec", PAIRS, {"train": texts(pair(1, 1, in1=(1, 2, 3, 4)))}),
        ("IPInsights", {"num_entity_vectors": 4, "vector_dim": 4}, {"train": texts(("a", "10.0.0.1"))}),
        ("NTM", {"num_topics": 2}, {"train": WORDS, "auxiliary": texts("a", "b", files=("vocab.txt",))}),
    ],
)
def test_without_an_engine_nothing_is_claimed(
    name: str, hyperparameters: dict[str, Any], channels: dict[str, Records]
) -> None:
    assert run(name, hyperparameters, **channels) == Fitted(engine="none", metrics={}, model={})


@pytest.mark.parametrize(
    ("name", "hyperparameters", "channels", "message"),
    [
        (
            "Object2Vec",
            PAIRS,
            {"train": texts(pair(1, 1), pair(1, 10))},
            "record 2: in0 holds token 10; .* 0 to 9",
        ),
        ("Object2Vec", PAIRS, {"train": texts(pair(2, 1))}, "label is 2; with 2 classes it is 0 to 1"),
        ("Object2Vec", PAIRS, {"train": texts(pair(0.5, 1))}, "label is 0.5"),
        (
            "Object2Vec",
            {**PAIRS, "enc0_vocab_file": "words.json", "enc0_pretrained_embedding_file": "vectors.txt"},
            {"train": texts(pair(1, 1)), "auxiliary": texts("a", files=("other.json",))},
            "enc0_vocab_file is 'words.json'; channel auxiliary holds other.json",
        ),
        (
            "IPInsights",
            {"num_entity_vectors": 4, "vector_dim": 4},
            {"train": texts(("a", "10.0.0.256"))},
            "record 1",
        ),
        ("NTM", {"num_topics": 2}, {"train": records(-np.ones((2, 2)))}, "holds -1"),
        (
            "NTM",
            {"num_topics": 2},
            {"train": WORDS, "auxiliary": texts("a", files=("vocab.txt",))},
            "has 1 words",
        ),
        ("NTM", {"num_topics": 2}, {"train": WORDS, "auxiliary": texts("a", "b", files=("w.txt",))}, "w.txt"),
    ],
)
def test_data_that_do_not_fit_are_refused(
    name: str, hyperparameters: dict[str, Any], channels: dict[str, Records], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run(name, hyperparameters, **channels)


def test_labels_must_be_one_a_record() -> None:
    with pytest.raises(ValueError, match="no labels"):
        run("KNN", {"k": 1, "sample_size": 3, "predictor_type": "regressor"}, train=records(DIGITS))
    with pytest.raises(ValueError, match="2 labels each"):
        records(DIGITS, np.ones((len(DIGITS), 2))).label_vector()
