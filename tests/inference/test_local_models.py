"""Models without SageMaker: what MXNet, NumPy's formulas and scikit-learn say of the same parameters."""

from __future__ import annotations

import io
import json
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators import load_model
from amazon_estimators.algorithms import ALGORITHMS, FactorizationMachines, LinearLearner
from amazon_estimators.errors import InputError, ModelError
from amazon_estimators.inference import LocalModel, ModelWarning, rows
from amazon_estimators.inference.archive import read_archive, write_archive, write_zip
from amazon_estimators.inference.models import LOCAL_MODELS
from amazon_estimators.inference.models.factorization_machines import LocalFactorizationMachines
from amazon_estimators.inference.models.kmeans import LocalKMeans
from amazon_estimators.inference.models.linear_learner import LocalLinearLearner
from amazon_estimators.inference.models.pca import LocalPCA
from amazon_estimators.inference.models.topics import LocalLDA, LocalNTM, TopicTable
from amazon_estimators.inference.mxnet_arrays import write
from amazon_estimators.recordio import CsrParts
from inference.files import EXPECTED, MODELS, PREDICTING, TYPES, X, archive, expected, load

CSR = sp.csr_matrix(X)
FORMS: dict[str, Any] = {
    "float32": X,
    "float64": X.astype(np.float64),
    "Fortran order": np.asfortranarray(X),
    "lists": X.tolist(),
    "data frame": pd.DataFrame(X),
    "SciPy rows": CSR,
    "SciPy columns": sp.csc_matrix(X),
    "SciPy array": sp.coo_array(X),
    "compressed rows": CsrParts(CSR.data, CSR.indices, CSR.indptr, CSR.shape),
    "float64 compressed rows": CsrParts(CSR.data.astype("f8"), CSR.indices, CSR.indptr, CSR.shape),
}


def same(predicted: Any, wanted: dict[str, np.ndarray]) -> None:
    for name in predicted:
        assert predicted[name].shape == wanted[name].shape
        np.testing.assert_allclose(predicted[name], wanted[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PREDICTING)
def test_predictions_are_those_of_mxnet(name: str, form: str) -> None:
    predicted = load(name).predict(FORMS[form])
    documented = ALGORITHMS[MODELS[name]].inference.fields
    assert [*predicted] == [field.name for field in documented if field.name in expected(name)]
    same(predicted, expected(name))


@pytest.mark.parametrize("name", PREDICTING)
def test_sparse_rows_need_no_scipy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(name)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    same(model.predict(FORMS["compressed rows"]), expected(name))


@pytest.mark.parametrize("name", PREDICTING)
def test_values_stored_twice_add_up(name: str) -> None:
    halves = CsrParts(
        np.repeat(CSR.data / 2, 2), np.repeat(CSR.indices, 2)[::1], CSR.indptr.astype(np.int64) * 2, CSR.shape
    )
    same(load(name).predict(halves), expected(name))


@pytest.mark.parametrize("name", PREDICTING)
def test_one_row_and_no_row(name: str) -> None:
    model = load(name)
    same(model.predict(X[3]), {field: values[3:4] for field, values in expected(name).items()})
    assert all(len(column) == 0 for column in model.predict(X[:0]).values())


@pytest.mark.parametrize("name", PREDICTING)
@pytest.mark.parametrize("block_bytes", [1, 4 * X.shape[1] * 3, 2**18])
def test_rows_are_predicted_block_by_block(
    name: str, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BLOCK_BYTES", block_bytes)
    same(load(name).predict(X), expected(name))


@pytest.mark.parametrize("name", PREDICTING)
def test_what_predictions_need_of_a_model_is_derived_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(name)
    derive, calls = type(model)._derive, []

    def counted(self: LocalModel, dtype: Any) -> Any:
        calls.append(dtype)
        return derive(self, dtype)

    monkeypatch.setattr(type(model), "_derive", counted)
    for form in (X, X[:1], X.astype("f8"), X.astype(">f8"), X):
        model.predict(form)
    assert calls == ["f4", "f8"]


@pytest.mark.parametrize("name", MODELS)
def test_the_arrays_of_a_model_are_read_only(name: str) -> None:
    arrays = [value for value in vars(load(name)).values() if isinstance(value, np.ndarray)]
    assert arrays
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_float64_stays_float64_whatever_its_byte_order() -> None:
    for dtype in ("<f8", ">f8", "<f4", ">f4"):
        distance = load("kmeans").predict(X.astype(dtype))["distance_to_cluster"]
        assert distance.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_recognised_named_and_written_again(name: str) -> None:
    model = load(name)
    assert model.algorithm == MODELS[name]
    assert type(load(name, algorithm=MODELS[name])) is type(load(name, algorithm=ALGORITHMS[MODELS[name]]))
    again = load_model_of(write_archive(model.to_bytes()), name)
    assert again.describe() == model.describe()
    assert f"feature_dim={X.shape[1]}" in repr(again)
    if isinstance(model, TopicTable):
        assert isinstance(again, TopicTable)
        np.testing.assert_array_equal(again.topics, model.topics)
    else:
        same(again.predict(X), expected(name))


def load_model_of(data: bytes, name: str) -> LocalModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        return load_model(data, predictor_type=TYPES.get(name))


@pytest.mark.parametrize("name", ["linear_binary_classifier", "linear_regressor", "fm_rows"])
def test_what_the_file_leaves_open_is_not_guessed(name: str) -> None:
    with pytest.raises(
        ModelError, match=r"regressor from a binary classifier.*\n.*predictor_type='regressor'"
    ):
        load(name, predictor_type=None).predict(X)


def test_the_predictor_type_is_the_callers_the_algorithms_or_the_files() -> None:
    trained = LinearLearner(predictor_type="binary_classifier")
    assert (
        load("linear_binary_classifier", predictor_type=None, algorithm=trained).predict(X)["score"].max() < 1
    )
    machine = FactorizationMachines(num_factors=3, predictor_type="regressor")
    np.testing.assert_allclose(
        load("fm_rows", predictor_type=None, algorithm=machine).predict(X)["score"],
        EXPECTED["fm/raw"],
        rtol=1e-5,
    )
    for name in ("linear_regressor", "fm_columns"):
        assert load_model_of(load(name).to_bytes(), "").describe()["predictor_type"] == TYPES[name]


@pytest.mark.parametrize(
    ("name", "predictor_type", "text"),
    [
        ("linear_regressor", "multiclass_classifier", "1 output"),
        ("linear_multiclass_classifier", "regressor", "4 output"),
        ("linear_regressor", "ranker", "'ranker'"),
        ("fm_rows", "multiclass_classifier", "'multiclass_classifier'"),
    ],
)
def test_a_predictor_type_that_is_not_the_models(name: str, predictor_type: str, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        load(name, predictor_type=predictor_type)


def test_a_hinge_loss_gives_margins_not_probabilities() -> None:
    for name, kind in (("binary", "binary_classifier"), ("multiclass", "multiclass_classifier")):
        classes = {"num_classes": 4} if name == "multiclass" else {}
        loss = {"binary": "hinge_loss", "multiclass": "softmax_loss"}[name]
        trained = LinearLearner(predictor_type=kind, loss=loss, **classes)
        predicted = load(f"linear_{name}_classifier", algorithm=trained, predictor_type=None).predict(X)
        wanted = expected(f"linear_{name}_classifier")
        np.testing.assert_array_equal(predicted["predicted_label"], wanted["predicted_label"])
        if name == "binary":
            odds = np.log(wanted["score"] / (1 - wanted["score"]))
            np.testing.assert_allclose(predicted["score"], odds, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PREDICTING)
def test_what_is_assumed_is_a_warning(name: str) -> None:
    assumed = load(name).assumptions
    assert any("0.5" in text for text in assumed) is (TYPES.get(name) == "binary_classifier")
    with pytest.warns(ModelWarning) as told:
        load_model(archive(name), predictor_type=TYPES.get(name))
    assert [str(one.message) for one in told] == [f"{MODELS[name]}: {text}" for text in assumed]
    assert {one.filename for one in told} == {__file__}


def test_topics() -> None:
    lda, ntm = load("lda"), load("ntm")
    assert isinstance(lda, LocalLDA)
    assert isinstance(ntm, LocalNTM)
    np.testing.assert_array_equal(lda.topics, EXPECTED["lda/topics"])
    np.testing.assert_array_equal(lda.alpha, EXPECTED["lda/alpha"])
    np.testing.assert_allclose(ntm.topics, EXPECTED["ntm/topics"], rtol=1e-5)
    order = np.argsort(-EXPECTED["ntm/topics"], axis=1)[:, :2]
    assert ntm.top_words(2) == order.tolist()
    assert ntm.top_words(1, "abcde") == [["abcde"[word]] for word in order[:, 0]]
    with pytest.raises(InputError, match="3 words; the model was trained on 5"):
        ntm.top_words(2, ["a", "b", "c"])
    for model in (lda, ntm):
        with pytest.raises(ModelError, match=r"not public.*\n.*top_words"):
            model.predict(X)


@pytest.mark.parametrize(
    "name",
    [
        "kmeans",
        "pca",
        "pca_uncentred",
        "linear_regressor",
        "linear_binary_classifier",
        "linear_multiclass_classifier",
        "lda",
    ],
)
def test_scikit_learn_agrees(name: str) -> None:
    fitted, wanted = load(name).to_sklearn(), EXPECTED
    if name == "kmeans":
        np.testing.assert_array_equal(fitted.predict(X), wanted["kmeans/closest_cluster"])
        np.testing.assert_allclose(
            fitted.transform(X).min(axis=1), wanted["kmeans/distance_to_cluster"], rtol=1e-5
        )
    elif name.startswith("pca"):
        # scikit-learn's components begin with the largest.
        np.testing.assert_allclose(
            fitted.transform(X)[:, ::-1], wanted[f"{name}/projection"], rtol=1e-4, atol=1e-5
        )
        assert fitted.explained_variance_ratio_[0] > fitted.explained_variance_ratio_[1]
    elif name == "linear_regressor":
        np.testing.assert_allclose(fitted.predict(X), wanted[f"{name}/score"], rtol=1e-4, atol=1e-5)
    elif name == "lda":
        mixtures = fitted.transform(np.round(np.abs(X) * 5))
        np.testing.assert_allclose(mixtures.sum(axis=1), 1)
        word = np.zeros((1, 5))
        word[0, int(wanted["lda/topics"][1].argmax())] = 50
        assert fitted.transform(word)[0].argmax() == 1
    else:
        scores = fitted.predict_proba(X)
        scores = scores[:, 1] if name == "linear_binary_classifier" else scores
        np.testing.assert_allclose(scores, wanted[f"{name}/score"], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(fitted.predict(X), wanted[f"{name}/predicted_label"])


@pytest.mark.parametrize("name", ["fm_rows", "ntm"])
def test_without_a_counterpart_in_scikit_learn(name: str) -> None:
    with pytest.raises(ModelError, match="no counterpart of"):
        load(name).to_sklearn()


def test_every_algorithm_is_read_or_says_why_not() -> None:
    for name, algorithm in ALGORITHMS.items():
        assert (name in LOCAL_MODELS) == (not algorithm.inference.undocumented_model)
        if name not in LOCAL_MODELS:
            with pytest.raises(ModelError, match=algorithm.inference.undocumented_model):
                load_model(b"\x12", name)


def test_knn_is_recognised_by_its_files() -> None:
    data = write_archive(b"IxF2", {"model_algo-1.labels": bytes(8), "model_algo-1.json": b"{}"})
    with pytest.raises(ModelError, match=r"model of KNN .*Faiss"):
        load_model(data)


UNKNOWN = {
    "no array file": (b"a forest", "KMeans, PCA"),
    "zip without arrays": (write_zip({"trees.json": b"{}"}), "0 MXNet array files"),
    "zip with two": (
        write_zip({"a": write([np.ones(2, "f4")]), "b": write([np.ones(2, "f4")])}),
        "2 MXNet array files",
    ),
    "arrays of nobody": (write({"w": np.ones((2, 2), "f4")}), r"by the arrays w \(2, 2\)"),
    "no arrays": (write([]), r"by the arrays \(none\)"),
    "integer centers": (write([np.ones((2, 2), "i4")]), "int32; expecting float32"),
    "centers without features": (write([np.ones((2, 0), "f4")]), r"shape \(2, 0\)"),
    "components without values": (
        write({"s": np.ones(3, "f4"), "v": np.ones((4, 2), "f4")}),
        "do not belong together",
    ),
    "mean of other features": (
        write({"s": np.ones(2, "f4"), "v": np.ones((4, 2), "f4"), "mean": np.ones((1, 3), "f4")}),
        "do not belong together",
    ),
    "bias of other classes": (
        write_zip({"p": write({"fc0_weight": np.ones((3, 2), "f4"), "fc0_bias": np.ones(2, "f4")})}),
        "3 rows, fc0_bias 2",
    ),
    "two arrays of one bare name": (
        write_zip({"p": write({"arg:v": np.ones((3, 2), "f4"), "aux:v": np.ones(2, "f4")})}),
        "one name",
    ),
    "machine of other features": (
        write_zip(
            {
                "p": write(
                    {
                        "v": np.ones((3, 2), "f4"),
                        "w1_weight": np.ones((4, 1), "f4"),
                        "w0_weight": np.ones(1, "f4"),
                    }
                )
            }
        ),
        "do not belong together",
    ),
    "alpha of other topics": (write([np.ones(3, "f4"), np.ones((2, 4), "f4")]), "3 topics, beta has 2"),
    "JSON that is none": (write_zip({"p": write([np.ones(1, "f4")]), "m.json": b"{"}), "m.json of the model"),
    "JSON too deep": (
        write_zip({"p": write([np.ones(1, "f4")]), "m.json": b"[" * 100_000}),
        "m.json of the model",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_no_model(case: str) -> None:
    member, text = UNKNOWN[case]
    with pytest.raises(ModelError, match=text):
        load_model(write_archive(member))


def test_a_model_of_another_algorithm_is_told() -> None:
    with pytest.raises(ModelError, match=r"not those of PCA; they are those of KMeans"):
        load("kmeans", algorithm="PCA")


class Bucket:
    """The part of a boto3 session that reads one object."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def client(self, service: str, config: Any) -> Bucket:
        assert service == "s3"
        return self

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("models", "job/output/model.tar.gz")
        return {"ContentLength": len(self.body), "Body": io.BytesIO(self.body)}


def test_a_model_is_read_from_s3() -> None:
    bucket = Bucket(archive("lda").read_bytes())
    uri = "s3://models/job/output/model.tar.gz"
    assert load_model(uri, session=bucket).algorithm == "LDA"
    with pytest.raises(ModelError, match=f"{uri} has .* bytes; allowed: 10"):
        load_model(uri, session=bucket, max_bytes=10)


@pytest.mark.parametrize("value", [[], {"a": 1}, "ranker", 3])
def test_a_predictor_type_that_the_file_makes_up(value: Any) -> None:
    meta = json.dumps({"training_parameters": {"predictor_type": value}}).encode()
    linear = {"fc0_weight": np.ones((1, 2), "f4"), "fc0_bias": np.ones(1, "f4")}
    machine = {"v": np.ones((3, 2), "f4"), "w1_weight": np.ones((3, 1), "f4"), "w0_weight": np.ones(1, "f4")}
    for arrays in (linear, machine):
        model = write_archive(write_zip({"params": write(arrays), "meta.json": meta}))
        with pytest.raises(ModelError, match="predictor_type is"):
            load_model(model)


def test_sizes_are_bounded() -> None:
    with pytest.raises(ModelError, match=r"model_algo|bytes; allowed: 10"):
        load_model(archive("kmeans"), max_bytes=10)
    with pytest.raises(ModelError, match="there is no file"):
        load_model("nowhere/model.tar.gz")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (np.ones((2, 4)), "4 features; the model was trained on 5"),
        (np.ones((2, 5, 1)), r"shape \(2, 5, 1\)"),
        ([["a"] * 5], "expecting numbers"),
        (pd.DataFrame({"a": [1], "b": ["x"]}), "'x' is not a number"),
        (np.ma.masked_array(np.ones((1, 5))), "masked"),
        ([[1.0], [1.0, 2.0]], "not a matrix"),
        (CsrParts(np.ones(1), np.array([7]), np.array([0, 1]), (1, 5)), "column outside"),
        (CsrParts(np.ones(1), np.array([0]), np.array([0, 2]), (1, 5)), "do not fit"),
        (CsrParts(np.ones(1), np.array([0, 1]), np.array([0, 1]), (1, 5)), "one column for each value"),
    ],
)
def test_rows_that_are_not_of_the_model(rows: Any, text: str) -> None:
    with pytest.raises(InputError, match=text):
        load("kmeans").predict(rows)


@settings(max_examples=50)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_formulas_hold_for_any_size(rows: int, features: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, matrix = rng.normal(size=(rows, features)), rng.normal(size=(width, features))
    square = np.square(x[:, None] - matrix[None]).sum(axis=2)
    predicted = LocalKMeans(matrix).predict(x)
    np.testing.assert_allclose(predicted["distance_to_cluster"], np.sqrt(square.min(axis=1)))
    np.testing.assert_array_equal(predicted["closest_cluster"], square.argmin(axis=1))
    np.testing.assert_allclose(
        LocalPCA(matrix.T, np.ones(width), x[0]).predict(x)["projection"], (x - x[0]) @ matrix.T, atol=1e-9
    )
    bias = rng.normal(size=width)
    if width > 1:
        linear = LocalLinearLearner(matrix, bias, "multiclass_classifier").predict(x)
        odds = np.exp(x @ matrix.T + bias)
        np.testing.assert_allclose(linear["score"], odds / odds.sum(axis=1, keepdims=True))
    machine = LocalFactorizationMachines(matrix.T, x[0], 0.5, "regressor").predict(x)["score"]
    pairs = sum(
        np.outer(x[:, i] * x[:, j], matrix[:, i] @ matrix[:, j])[:, 0]
        for i in range(features)
        for j in range(i + 1, features)
    )
    np.testing.assert_allclose(machine, 0.5 + x @ x[0] + pairs, atol=1e-7)
    for model in (LocalKMeans(matrix), LocalPCA(matrix.T, np.ones(width), x[0])):
        same(model.predict(sp.csr_array(x)), dict(model.predict(x)))


def test_a_distance_keeps_its_digits_far_from_the_origin() -> None:
    center = np.full((1, 50), 1000, np.float32)
    predicted = LocalKMeans(center).predict(center + np.float32(0.125))
    np.testing.assert_allclose(predicted["distance_to_cluster"], [0.125 * np.sqrt(50)], rtol=1e-5)
    projected = LocalPCA(np.eye(50, dtype="f4"), np.ones(50, "f4"), center[0]).predict(
        center + np.float32(0.125)
    )
    np.testing.assert_allclose(projected["projection"], np.full((1, 50), 0.125), rtol=1e-5)


def test_extreme_scores_do_not_overflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        linear = LocalLinearLearner(np.array([[1000.0]]), np.zeros(1), "binary_classifier").predict(
            [[-1.0], [1.0]]
        )
        many = LocalLinearLearner(np.array([[1000.0], [-1000.0]]), np.zeros(2), "multiclass_classifier")
        np.testing.assert_allclose(many.predict([[1.0]])["score"], [[1, 0]])
    np.testing.assert_allclose(linear["score"], [0, 1])


def test_nothing_of_an_archive_is_trusted_for_its_name() -> None:
    assert read_archive(archive("pca_uncentred").read_bytes()).name == "model_algo-2"
