"""The documented contract of the ten algorithms (data/algorithms.json), and hyperparameters to try it on."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning

DATA = Path(__file__).with_name("data")
FACTS: dict[str, Any] = json.loads((DATA / "algorithms.json").read_text(encoding="utf-8"))

PARAMETERS = [(name, key) for name, facts in FACTS.items() for key in facts["hyperparameters"]]

LEAST: dict[str, dict[str, Any]] = {
    "KMeans": {"k": 10},
    "PCA": {"num_components": 2},
    "LDA": {"num_topics": 3},
    "LinearLearner": {"predictor_type": "regressor"},
    "FactorizationMachines": {"num_factors": 4, "predictor_type": "regressor"},
    "NTM": {"num_topics": 5},
    "RandomCutForest": {},
    "KNN": {"k": 1, "predictor_type": "classifier", "sample_size": 100},
    "Object2Vec": {"enc0_max_seq_len": 10, "enc0_vocab_size": 50},
    "IPInsights": {"num_entity_vectors": 1000, "vector_dim": 4},
}
"""The least each can be made of."""

ONLY_WITH: dict[tuple[str, str], dict[str, Any]] = {
    ("LinearLearner", "num_classes"): {"predictor_type": "multiclass_classifier"},
    ("KNN", "dimension_reduction_type"): {"dimension_reduction_target": 2},
    ("KNN", "dimension_reduction_target"): {"dimension_reduction_type": "sign"},
    ("Object2Vec", "enc1_network"): {"enc1_max_seq_len": 10, "enc1_vocab_size": 50},
    ("IPInsights", "random_negative_sampling_rate"): {"shuffled_negative_sampling_rate": 0},
    ("IPInsights", "shuffled_negative_sampling_rate"): {"random_negative_sampling_rate": 0},
}
"""What a cross rule wants beside a hyperparameter, so that its own bounds can be tried."""

_BOUND = re.compile(r"(ge|gt|le|lt)\(([^)]*)\)")


def parameter(algorithm: str, name: str) -> dict[str, Any]:
    """What is documented of one hyperparameter."""
    facts: dict[str, Any] = FACTS[algorithm]["hyperparameters"][name]
    return facts


def quietly(algorithm: str, **hyperparameters: Any) -> Algorithm:
    """Make an algorithm without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HyperparameterWarning)
        return ALGORITHMS[algorithm](**hyperparameters)


def with_value(algorithm: str, name: str, value: Any) -> Algorithm:
    """Make an algorithm with one hyperparameter set and what it cannot be without."""
    beside = dict(ONLY_WITH.get((algorithm, name), {}))
    if algorithm == "LinearLearner" and value == "multiclass_classifier":
        beside["num_classes"] = 3
    if algorithm == "LinearLearner" and name == "loss":
        by_type = parameter(algorithm, name)["choices_by_predictor_type"]
        beside["predictor_type"] = next(
            (kind for kind, losses in by_type.items() if value in losses), "regressor"
        )
        beside |= {"num_classes": 3} if beside["predictor_type"] == "multiclass_classifier" else {}
    if name.endswith("_negative_sampling_rate") and str(value) == "0":
        beside = dict.fromkeys(beside, 1)
    return quietly(algorithm, **{**LEAST[algorithm], **beside, name: value})


def bounds(facts: dict[str, Any]) -> dict[str, float]:
    """Documented bounds as ``at_least``, ``above``, ``at_most``, ``below``.

    Where the documentation does not say whether a bound belongs ("between 0 and 1"), the SDK's validators do.
    """
    found: dict[str, float] = {}
    validators = _BOUND.findall(facts.get("sdk_v2_validators") or "")
    sdk = {float(value): operator for operator, value in validators}
    for side, inclusive, exclusive in (("min", "at_least", "above"), ("max", "at_most", "below")):
        if side not in facts or facts["type"] == "list":
            continue
        outside = facts.get(f"{side}_exclusive")
        if outside is None:
            outside = sdk[float(facts[side])] in {"gt", "lt"}
        found[exclusive if outside else inclusive] = facts[side]
    return found


def good_values(algorithm: str, name: str) -> list[Any]:
    """Values the documentation allows: bounds, literals, choices, the default and something in between."""
    facts = parameter(algorithm, name)
    kind = facts["type"]
    values = [*facts.get("literals", []), *facts.get("choices", [])]
    if name == "loss" and algorithm == "LinearLearner":
        values += [loss for losses in facts["choices_by_predictor_type"].values() for loss in losses]
    if "default" in facts:
        values.append(facts["default"])
    if kind == "boolean":
        values += [True, False]
    if kind == "string":
        values += ["", "vectors_1.txt"]
    if kind == "list" and "item_choices" in facts:
        values += [[item] for item in facts["item_choices"]] + [facts["item_choices"]]
    elif kind == "list":
        values += [[1], [512, 128], "512,128", "512, 128", "[512,128]"]
    if kind in {"integer", "float"} and "choices" not in facts:
        limits = bounds(facts)
        values += [limits[side] for side in ("at_least", "at_most") if side in limits]
        step = 1 if kind == "integer" else 1e-9
        values += [
            limits[side] + sign * step for side, sign in (("above", 1), ("below", -1)) if side in limits
        ]
        if not limits:
            values += [-1.5, 0.0, 1e300]
    return values


def bad_numbers(facts: dict[str, Any]) -> list[float]:
    """Numbers just outside the documented bounds."""
    limits = bounds(facts)
    step = 1 if facts["type"] == "integer" else 1e-9
    outside = [limits[side] for side in ("above", "below") if side in limits]
    outside += [
        limits[side] + sign * step for side, sign in (("at_least", -1), ("at_most", 1)) if side in limits
    ]
    return [value - step if value in facts.get("literals", []) else value for value in outside]
