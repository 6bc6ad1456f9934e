"""How an algorithm behaves as a Python object: setting, overriding, comparing, warning, importing."""

from __future__ import annotations

import subprocess
import sys
import warnings
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from documented import quietly
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.algorithms import KNN, PCA, IPInsights, KMeans, LinearLearner
from amazon_estimators.algorithms.algorithm import MAX_HYPERPARAMETERS, Algorithm
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter, HyperparameterWarning, integer

LAMBDA = Path(__file__).parents[2] / "lambda"


def test_unset_hyperparameters_are_none_and_not_sent() -> None:
    kmeans = KMeans(k=10, epochs=None)
    assert kmeans.hyperparameters() == {"k": "10"}
    assert kmeans.epochs is None
    assert kmeans.effective("epochs") == 1
    assert isinstance(KMeans.epochs, Hyperparameter)
    assert KMeans.epochs.doc


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("epoch", "epochs"), ("K", "k"), ("max_iter", "max_iterations"), ("local_loyd_tol", "local_lloyd_tol")],
)
def test_an_unknown_keyword_is_met_with_the_nearest_name(given: str, nearest: str) -> None:
    with pytest.raises(HyperparameterError, match=f"no hyperparameter {given!r}: did you mean '{nearest}'"):
        KMeans(k=1, **{given: 1})


def test_an_unknown_keyword_like_no_other_is_met_with_all_names() -> None:
    with pytest.raises(HyperparameterError, match="it takes feature_dim, k, epochs"):
        KMeans(k=1, zzzzzz=1)


@pytest.mark.parametrize("name", ["self", "values", "rules", "_values", "hyperparameters", ""])
def test_names_of_the_class_are_no_hyperparameters(name: str) -> None:
    with pytest.raises(HyperparameterError, match="no hyperparameter"):
        KMeans.from_hyperparameters({"k": "1", name: "1"})
    with pytest.raises(HyperparameterError, match="no hyperparameter"):
        KMeans(k=1).override({name: 1})


def test_all_problems_are_one_error() -> None:
    with pytest.raises(ValueError, match="5 problems") as caught:
        LinearLearner(epochs=0, l2=1, loss="hinge", init_scale=float("nan"))
    text = str(caught.value)
    assert [
        part in text for part in ("for epochs", "'l2'", "for loss", "for init_scale", "predictor_type is")
    ] == [True] * 5


def test_what_is_missing_is_told_with_what_is_wrong() -> None:
    with pytest.raises(HyperparameterError) as caught:
        KNN(k=0, predictor_type="classifier")
    assert "0 for k" in str(caught.value)
    assert "sample_size is required" in str(caught.value)
    assert "k is required" not in str(caught.value)


def test_an_attribute_is_set_only_if_the_result_is_valid() -> None:
    knn: Any = quietly("KNN", k=1, predictor_type="classifier", sample_size=10)
    knn.index_metric = "COSINE"
    with pytest.raises(HyperparameterError, match="index_metric"):
        knn.index_type = "faiss.IVFPQ"
    assert knn.hyperparameters()["index_metric"] == "COSINE"
    assert "index_type" not in knn.hyperparameters()
    knn.index_metric = None
    knn.index_type = "faiss.IVFPQ"
    with pytest.raises(HyperparameterError, match="k is required"):
        knn.k = None
    assert knn.k == 1


def test_an_override_gives_another_algorithm() -> None:
    base = KMeans(k=10, tol=0.5, epochs=3)
    merged = base.override({"k": "12", "tol": 0.25, "epochs": None})
    assert merged.hyperparameters() == {"k": "12", "local_lloyd_tol": "0.25"}
    assert base.hyperparameters() == {"k": "10", "local_lloyd_tol": "0.5", "epochs": "3"}
    assert base.override({}) == base
    assert base.override({}) is not base
    for values, named in (({"k": 0}, "for k"), ({"kk": 3}, "'kk'"), ({"k": None}, "k is required")):
        with pytest.raises(HyperparameterError, match=named):
            base.override(values)


def test_an_override_is_checked_together_with_the_rest() -> None:
    base = IPInsights(num_entity_vectors=100, vector_dim=8, random_negative_sampling_rate=400)
    with pytest.raises(HyperparameterError, match="shuffled_negative_sampling_rate \\(101\\)"):
        base.override({"shuffled_negative_sampling_rate": 101})
    assert base.override({"shuffled_negative_sampling_rate": 100}).shuffled_negative_sampling_rate == 100


def test_a_warning_points_at_the_callers_line() -> None:
    for make in (
        lambda: PCA(num_components=2, extra_components=3),
        lambda: PCA.from_hyperparameters({"num_components": "2", "extra_components": "3"}),
        lambda: PCA(num_components=2).override({"extra_components": 3}),
    ):
        with pytest.warns(HyperparameterWarning, match="PCA: extra_components has no effect") as caught:
            make()
        assert [warning.filename for warning in caught] == [__file__]


def test_equality_is_by_class_and_values() -> None:
    assert KMeans(k=2) == KMeans(k="2")
    assert KMeans(k=2) != KMeans(k=3)
    assert KMeans(k=2) != PCA(num_components=2)
    assert KMeans(k=2) != 2
    assert repr(KMeans(k=2, tol=0.5)) == "KMeans(k=2, local_lloyd_tol=0.5)"
    with pytest.raises(TypeError):
        hash(KMeans(k=2))


def test_no_more_hyperparameters_than_a_training_job_takes() -> None:
    many = {f"p{number}": integer(doc="One of many.") for number in range(MAX_HYPERPARAMETERS + 1)}
    crowd: Any = type("Crowd", (Algorithm,), {**many, "channels": {}, "repo_name": "kmeans"})
    crowd(**dict.fromkeys(list(many)[:-1], 1))
    with pytest.raises(HyperparameterError, match="101 are set; a training job takes 100"):
        crowd(**dict.fromkeys(many, 1))


def test_a_subclass_inherits_hyperparameters() -> None:
    special: Any = type("Special", (KMeans,), {})
    assert special(k=3, tol=0.5).hyperparameters() == KMeans(k=3, tol=0.5).hyperparameters()


@given(st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False))
def test_numbers_come_back_exactly(value: float) -> None:
    sent = LinearLearner(predictor_type="regressor", wd=value).hyperparameters()
    assert float(sent["wd"]) == value
    assert LinearLearner.from_hyperparameters(sent).wd == value
    assert LinearLearner.from_hyperparameters(sent).hyperparameters() == sent


@given(
    st.dictionaries(
        st.text(),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())),
    )
)
def test_whatever_is_given_is_taken_or_refused_with_its_name(values: dict[str, Any]) -> None:
    given = {
        "k": 3,
        **dict(
            zip(("epochs", "local_lloyd_tol", "init_method", "eval_metrics"), values.values(), strict=False)
        ),
    }
    try:
        made = KMeans(**given)
    except HyperparameterError as error:
        assert any(f"for {name}. Expecting" in str(error) for name in given)
    else:
        assert KMeans.from_hyperparameters(made.hyperparameters()) == made
    for name in values:
        if name not in {*KMeans.declared(), *(one.alias for one in KMeans.declared().values())}:
            with pytest.raises(HyperparameterError, match="no hyperparameter"):
                KMeans(k=3, **{name: 1})


def test_algorithms_load_without_numpy_boto3_and_cdk() -> None:
    code = (
        "import sys; import amazon_estimators.algorithms as a; a.KMeans(k=3).hyperparameters();"
        "a.KMeans.train_image('us-east-1');"
        "heavy = {'numpy', 'boto3', 'botocore', 'aws_cdk', 'jsii', 'google.protobuf'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(LAMBDA)},
    )
    assert result.stdout.strip() == "[]"


def test_no_warning_without_a_reason() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LinearLearner(predictor_type="binary_classifier", loss="hinge_loss", margin=2, beta_1=0.9, epochs=2)


def test_an_integer_that_spells_itself_otherwise_is_sent_as_a_number() -> None:
    class Size(int, Enum):
        SMALL = 5

    assert KMeans(k=Size.SMALL).hyperparameters() == {"k": "5"}
