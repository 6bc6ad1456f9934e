"""Every documented hyperparameter, tried against the documentation: a rule missing in a class fails here."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import numpy as np
import pytest
from documented import (
    FACTS,
    LEAST,
    PARAMETERS,
    bad_numbers,
    bounds,
    good_values,
    parameter,
    quietly,
    with_value,
)

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.hyperparameters.value_types import Choice, FileName, Flag, Integer, Listing, Real

BY_KIND = {
    kind: [(name, key) for name, key in PARAMETERS if parameter(name, key)["type"] == kind]
    for kind in ("integer", "float", "boolean", "categorical", "list", "string")
}
KINDS = {
    "integer": Integer,
    "float": Real,
    "boolean": Flag,
    "categorical": Choice,
    "list": Listing,
    "string": FileName,
}
LIKE_A_NUMBER = [
    True,
    np.True_,
    float("nan"),
    "nan",
    math.inf,
    "-inf",
    "0x10",
    "1_0",
    " 1",
    "1 ",
    "",
    "one",
    1j,
    [1],
    b"1",
    "\uff11",
]
REFUSED: dict[str, list[Any]] = {
    "integer": [*LIKE_A_NUMBER, 10.7, "10.0", "1e3", np.float64(10.5), np.array([10])],
    "float": [*LIKE_A_NUMBER, "1,5", 10**400, "1e999", np.float32("nan")],
    "boolean": [2, -1, "0", "1", "yes", "TRUE", "", 1.0, "False ", [True]],
    "categorical": ["no such choice", "", 2, ["random"], b"random"],
    "list": [[], "", (), ["no such item"], [["msd"]], {"msd": 1}, 7, "[", "[]", [None], [True], "[" * 10_000],
    "string": [7, True, b"file", ["file"], "no/path", "a b", "a-b"],
}


def test_the_table_covers_the_ten_algorithms() -> None:
    assert sorted(FACTS) == sorted(ALGORITHMS)
    assert len(PARAMETERS) == 172
    assert {kind for kind, rows in BY_KIND.items() if rows} == set(KINDS)
    assert sum(map(len, BY_KIND.values())) == len(PARAMETERS)


@pytest.mark.parametrize("algorithm", FACTS)
def test_exactly_the_documented_hyperparameters_exist(algorithm: str) -> None:
    declared = ALGORITHMS[algorithm].declared()
    assert [name for name, one in declared.items() if one.documented] == list(
        FACTS[algorithm]["hyperparameters"]
    )
    extra = {name for name, one in declared.items() if not one.documented}
    assert extra == set(FACTS[algorithm]["undocumented_hyperparameters"])


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        (name, setting)
        for name, facts in FACTS.items()
        for setting in facts["undocumented_hyperparameters"]
        if (name, setting) != ("RandomCutForest", "mini_batch_size")  # the SDK refuses any value but 1000
    ],
)
def test_undocumented_settings_are_passed_on_as_they_are(algorithm: str, name: str) -> None:
    default = str(FACTS[algorithm]["container_defaults"][name])
    for given, sent in ((default, default), (True, "true"), (3, "3"), ("any thing", "any thing")):
        assert quietly(algorithm, **LEAST[algorithm], **{name: given}).hyperparameters()[name] == sent
    with pytest.raises(HyperparameterError, match=name):
        quietly(algorithm, **LEAST[algorithm], **{name: [1]})


@pytest.mark.parametrize(
    ("algorithm", "name", "given", "sent"),
    [
        ("KMeans", "k", 3.0, "3"),
        ("KMeans", "epochs", np.float32(2), "2"),
        ("LinearLearner", "use_bias", 1, "true"),
        ("LinearLearner", "use_bias", 0, "false"),
        ("LinearLearner", "use_bias", np.int64(1), "true"),
        ("LinearLearner", "normalize_data", 1, "true"),
        ("LinearLearner", "binary_classifier_model_selection_criteria", "f1", "f1"),
        (
            "LinearLearner",
            "binary_classifier_model_selection_criteria",
            "cross_entropy_loss",
            "cross_entropy_loss",
        ),
        ("Object2Vec", "tied_token_embedding_weight", 0, "False"),
    ],
)
def test_exact_values_of_another_type_are_taken(algorithm: str, name: str, given: Any, sent: str) -> None:
    assert with_value(algorithm, name, given).hyperparameters()[name] == sent


@pytest.mark.parametrize("value", [10.7, float("nan"), float("inf"), 2.0**54, "3.0", True])
def test_a_whole_number_is_never_rounded(value: Any) -> None:
    with pytest.raises(HyperparameterError, match="for k"):
        quietly("KMeans", k=value)


@pytest.mark.parametrize(("algorithm", "name"), PARAMETERS)
def test_declaration_is_as_documented(algorithm: str, name: str) -> None:
    facts, declared = parameter(algorithm, name), ALGORITHMS[algorithm].hyperparameter(name)
    assert isinstance(declared.kind, KINDS[facts["type"]])
    assert declared.name == name
    assert declared.required is (facts["required"] is True)
    default = facts.get("default")
    assert declared.default == (tuple(default) if isinstance(default, list) else default)
    assert declared.doc
    assert declared.doc.strip() == declared.doc
    if facts.get("tunable"):
        recommended = facts["tuning_range"]
        assert declared.tuning is not None
        assert declared.tuning.low == recommended.get("min")
        assert declared.tuning.high == recommended.get("max")
        assert declared.tuning.values == tuple(recommended.get("values", ()))
        for value in (recommended.get("min"), recommended.get("max"), *recommended.get("values", ())):
            assert value is None or declared.read(value) is not None
    else:
        assert declared.tuning is None


@pytest.mark.parametrize("algorithm", FACTS)
def test_required_hyperparameters_are_missed_all_at_once(algorithm: str) -> None:
    cls = ALGORITHMS[algorithm]
    needed = {
        name for name, facts in FACTS[algorithm]["hyperparameters"].items() if facts["required"] is True
    }
    at_construction = needed - set(cls.fills)
    assert at_construction == set(LEAST[algorithm])
    if not at_construction:
        assert cls().hyperparameters() == {}
        return
    with pytest.raises(HyperparameterError) as caught:
        cls()
    assert all(f"{name} is required" in str(caught.value) for name in at_construction)
    for name in at_construction:
        with pytest.raises(HyperparameterError, match=f"{name} is required"):
            quietly(algorithm, **{key: value for key, value in LEAST[algorithm].items() if key != name})
        with pytest.raises(HyperparameterError, match=f"{name} is required"):
            quietly(algorithm, **{**LEAST[algorithm], name: None})


@pytest.mark.parametrize(("algorithm", "name"), PARAMETERS)
def test_documented_values_are_taken_and_come_back(algorithm: str, name: str) -> None:
    cls, values = ALGORITHMS[algorithm], good_values(algorithm, name)
    assert values
    for value in values:
        made = with_value(algorithm, name, value)
        sent = made.hyperparameters()
        assert all(isinstance(text, str) for text in sent.values())
        assert set(sent) == set(made.values)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HyperparameterWarning)
            back = cls.from_hyperparameters(sent)
        assert back == made
        assert back.hyperparameters() == sent
        assert with_value(algorithm, name, sent[name]) == made


@pytest.mark.parametrize(
    ("algorithm", "name"), [row for row in BY_KIND["integer"] + BY_KIND["float"] if bounds(parameter(*row))]
)
def test_numbers_outside_documented_bounds_are_refused(algorithm: str, name: str) -> None:
    facts = parameter(algorithm, name)
    outside = bad_numbers(facts)
    assert outside
    for value in outside:
        for spelling in (value, str(value)):
            with pytest.raises(HyperparameterError, match=rf"for {name}\. Expecting: ") as caught:
                with_value(algorithm, name, spelling)
            assert repr(spelling) in str(caught.value)
    if "choices" not in facts:
        text = str(caught.value)
        for side, words in (
            ("at_least", "at least"),
            ("above", "greater than (not equal to)"),
            ("at_most", "at most"),
            ("below", "less than (not equal to)"),
        ):
            assert (words in text) is (side in bounds(facts))


@pytest.mark.parametrize(
    ("algorithm", "name", "value"),
    [
        (algorithm, name, value)
        for kind, rows in BY_KIND.items()
        for algorithm, name in rows
        for value in REFUSED[kind]
        if not (name == "clip_gradient" and algorithm == "NTM" and value == math.inf)
    ],
    ids=lambda value: repr(value)[:30],
)
def test_values_of_another_type_are_refused(algorithm: str, name: str, value: Any) -> None:
    with pytest.raises(HyperparameterError, match=rf"for {name}\. Expecting: "):
        with_value(algorithm, name, value)


@pytest.mark.parametrize(("algorithm", "name"), BY_KIND["integer"])
def test_whole_numbers_are_read_from_text_and_numpy(algorithm: str, name: str) -> None:
    facts = parameter(algorithm, name)
    value = max(int(bounds(facts).get("at_least", 1)), 4)
    made = with_value(algorithm, name, value)
    for same in (str(value), f"+{value}", np.int64(value), np.uint16(value)):
        assert with_value(algorithm, name, same) == made
    read = made.values[name]
    assert type(read) is int
    assert made.hyperparameters()[name] == str(value)


@pytest.mark.parametrize(("algorithm", "name"), BY_KIND["float"])
def test_numbers_are_read_from_text_whole_numbers_and_numpy(algorithm: str, name: str) -> None:
    limits = bounds(parameter(algorithm, name))
    low, high = (
        limits.get("at_least", limits.get("above", 0.1)),
        limits.get("at_most", limits.get("below", 1.0)),
    )
    value = (low + high) / 2
    made = with_value(algorithm, name, value)
    for same in (repr(value), f"{value:e}" if value == float(f"{value:e}") else value, np.float64(value)):
        assert with_value(algorithm, name, same) == made
    assert made.hyperparameters()[name] == repr(value)
    if limits.get("at_most", 2) >= 1 and limits.get("below", 2) > 1:
        assert with_value(algorithm, name, 1).hyperparameters()[name] == "1.0"


@pytest.mark.parametrize(("algorithm", "name"), BY_KIND["boolean"])
def test_flags_are_spelt_as_documented(algorithm: str, name: str) -> None:
    documented = parameter(algorithm, name)["choices"]
    for value in (True, False):
        for given in (value, str(value), str(value).lower(), np.bool_(value)):
            made = with_value(algorithm, name, given)
            assert made.values[name] is value
            assert made.hyperparameters()[name] == documented[0 if value else 1]


@pytest.mark.parametrize(("algorithm", "name"), BY_KIND["categorical"])
def test_choices_are_the_documented_ones(algorithm: str, name: str) -> None:
    facts, kind = parameter(algorithm, name), ALGORITHMS[algorithm].hyperparameter(name).kind
    assert isinstance(kind, Choice)
    by_type = [loss for losses in facts.get("choices_by_predictor_type", {}).values() for loss in losses]
    assert set(kind.choices) == {*facts["choices"], *by_type}
    for value in kind.choices:
        with pytest.raises(HyperparameterError, match=name):
            with_value(algorithm, name, value.swapcase())
    if {"true", "false"} <= set(kind.choices):
        assert with_value(algorithm, name, True).hyperparameters()[name] == "true"
        assert with_value(algorithm, name, "False").hyperparameters()[name] == "false"


def test_lists_are_encoded_as_documented() -> None:
    assert (
        quietly("KMeans", k=1, eval_metrics=["ssd", "msd"]).hyperparameters()["eval_metrics"]
        == '["msd", "ssd"]'
    )
    assert quietly("KMeans", k=1, eval_metrics='["ssd"]').hyperparameters()["eval_metrics"] == '["ssd"]'
    scores = ["accuracy", "precision_recall_fscore"]
    assert (
        json.loads(quietly("RandomCutForest", eval_metrics=scores).hyperparameters()["eval_metrics"])
        == scores
    )
    assert (
        quietly("NTM", num_topics=2, encoder_layers=[64, 32]).hyperparameters()["encoder_layers"] == "64,32"
    )
    assert quietly("NTM", num_topics=2, encoder_layers="auto").hyperparameters()["encoder_layers"] == "auto"
    pairs = LEAST["Object2Vec"]
    made = quietly("Object2Vec", **pairs, comparator_list=["concat", "hadamard"])
    assert made.hyperparameters()["comparator_list"] == "concat,hadamard"
    assert quietly("Object2Vec", **pairs, comparator_list="concat, hadamard") == made


@pytest.mark.parametrize(
    ("algorithm", "name", "value"),
    [
        ("KMeans", "eval_metrics", ["msd", "msd"]),
        ("KMeans", "eval_metrics", "msd,ssd"),
        ("KMeans", "eval_metrics", "msd"),
        ("RandomCutForest", "eval_metrics", ["accuracy", "accuracy"]),
        ("RandomCutForest", "mini_batch_size", 999),
        ("Object2Vec", "comparator_list", "concat,concat"),
        ("NTM", "encoder_layers", [64, 0]),
        ("NTM", "encoder_layers", [64.5]),
        ("NTM", "encoder_layers", "64,,32"),
        ("NTM", "encoder_layers", [64] * 1000),
        ("NTM", "clip_gradient", -math.inf),
        ("NTM", "clip_gradient", "-Infinity"),
        ("PCA", "extra_components", -2),
        ("LinearLearner", "feature_dim", "AUTO"),
        ("LinearLearner", "positive_example_weight_mult", "heavy"),
        ("KNN", "faiss_index_pq_m", 5),
        ("Object2Vec", "enc0_vocab_file", "x" * 2501),
        ("LinearLearner", "epochs", "9" * 2501),
        ("LinearLearner", "epochs", 2**63),
        ("LinearLearner", "epochs", str(2**63)),
        ("LinearLearner", "epochs", 10**400),
        ("LinearLearner", "epochs", 10**2500),
        ("LinearLearner", "epochs", 10**5000),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 50 else type(value).__name__,
)
def test_more_values_that_are_refused(algorithm: str, name: str, value: Any) -> None:
    with pytest.raises(HyperparameterError, match=name):
        with_value(algorithm, name, value)


def test_a_whole_number_has_64_bits() -> None:
    assert with_value("LinearLearner", "epochs", 2**63 - 1).hyperparameters()["epochs"] == str(2**63 - 1)
    with pytest.raises(HyperparameterError, match="Whole numbers are sent from -9223372036854775808"):
        with_value("LinearLearner", "epochs", 10**400)


def test_the_longest_value_is_taken() -> None:
    longest = "x" * 2500
    assert (
        with_value("Object2Vec", "enc0_vocab_file", longest).hyperparameters()["enc0_vocab_file"] == longest
    )
    assert (
        with_value("NTM", "encoder_layers", [7] * 1250).hyperparameters()["encoder_layers"]
        == "7," * 1249 + "7"
    )


def test_infinity_is_taken_where_it_is_the_documented_default() -> None:
    for value in (math.inf, "inf", "Inf", "Infinity", np.float64("inf")):
        assert with_value("NTM", "clip_gradient", value).hyperparameters()["clip_gradient"] == "Inf"


@pytest.mark.parametrize(
    ("algorithm", "name", "alias"),
    [
        (algorithm, name, parameter(algorithm, name)["sdk_v2_attribute"])
        for algorithm, name in PARAMETERS
        if "sdk_v2_attribute" in parameter(algorithm, name)
    ],
)
def test_the_sdk_attribute_name_is_another_name(algorithm: str, name: str, alias: str) -> None:
    value = good_values(algorithm, name)[-1]
    made = with_value(algorithm, name, value)
    given = {**made.values}
    given[alias] = given.pop(name)
    same = quietly(algorithm, **given)
    assert same == made
    assert name in same.hyperparameters()
    assert (alias in same.hyperparameters()) is (alias == name)
    assert getattr(same, alias) == getattr(same, name) == made.values[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HyperparameterWarning)
        setattr(same, alias, value)
    assert same == made
    if alias != name:
        with pytest.raises(HyperparameterError, match=f"{alias} is another name of {name}"):
            quietly(algorithm, **{**given, name: value})
        with pytest.raises(HyperparameterError, match=f"no hyperparameter {alias!r}"):
            ALGORITHMS[algorithm].from_hyperparameters({**made.hyperparameters(), alias: "1"})
