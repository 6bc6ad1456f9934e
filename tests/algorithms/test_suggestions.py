"""Suggestions for names that are not known: a typo is seen; what is not near in meaning is not suggested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amazon_estimators.algorithms import ALGORITHMS, LinearLearner, algorithm_named
from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.errors import HyperparameterError, RequestError
from amazon_estimators.hyperparameters.other_names import OTHER_NAMES
from amazon_estimators.sources import Source
from amazon_estimators.sources.formats import FORMATS
from amazon_estimators.text import nearest

VOCABULARIES = {
    "algorithms": [*ALGORITHMS],
    "formats": [*FORMATS],
    "settings": [*JobSettings.__dataclass_fields__],
    **{
        name: [known for known in algorithm._names if not known.startswith("_")]
        for name, algorithm in ALGORITHMS.items()
    },
}
UNRELATED = ["lr", "bs", "zz", "xx", "a1", "max", "seed", "gpu", "verbose", "n_jobs", "role", "λ", "", "___"]


def typos(name: str) -> Iterator[str]:
    """Every name of one edit: a character left out, doubled, replaced, or swapped with the next."""
    for at, character in enumerate(name):
        yield name[:at] + name[at + 1 :]
        yield name[:at] + character + name[at:]
        yield name[:at] + "x" + name[at + 1 :]
        yield name[:at] + name[at + 1 : at + 2] + character + name[at + 2 :]


def distance(left: str, right: str) -> int:
    """The least number of characters to insert, delete, replace or swap with the next (optimal alignment)."""
    rows = [[*range(len(right) + 1)]]
    for i, one in enumerate(left, 1):
        row = [i]
        for j, other in enumerate(right, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (one != other)))
            if i > 1 and j > 1 and (one, left[i - 2]) == (right[j - 2], other):
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_typo_of_a_name_is_seen(vocabulary: str) -> None:
    known = VOCABULARIES[vocabulary]
    seen = {(typo, name): nearest(typo, known) for name in known if len(name) > 2 for typo in typos(name)}
    # A typo may be as near to another name: enc0_layers to enc1_layers, KN to KNN.
    missed = [
        (typo, name, near)
        for (typo, name), near in seen.items()
        if near != name and (near is None or distance(folded(typo), folded(near)) > 1)
    ]
    assert seen and not missed


def folded(name: str) -> str:
    return name.lower().replace("_", "")


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("name", UNRELATED)
def test_a_short_name_that_is_like_no_other_is_not_guessed(vocabulary: str, name: str) -> None:
    assert nearest(name, VOCABULARIES[vocabulary]) is None


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("lr", ["l1", "wd"], None),
        ("l2", ["l1"], None),
        ("kk", ["k"], "k"),
        ("K", ["k"], "k"),
        ("lk", ["k"], None),
        ("1l", ["l1", "wd"], "l1"),
        ("l11", ["l1", "wd"], "l1"),
        ("batch-size", ["batch_size"], "batch_size"),
        ("max_iter", ["max_iterations", "k"], "max_iterations"),
        ("init", ["init_method", "init_scale"], None),
        ("early_stop_patience", ["early_stopping_patience", "epochs"], "early_stopping_patience"),
        ("test:acuracy", ["test:accuracy", "test:f1"], "test:accuracy"),
        ("train:accuracy", ["test:accuracy"], None),
        (7, ["k"], None),
    ],
)
def test_near_in_meaning_or_nothing(typed: object, known: list[str], meant: str | None) -> None:
    assert nearest(typed, known) == meant


def test_other_names_are_spelt_as_they_are_looked_up_and_mean_something() -> None:
    everything = {name for algorithm in ALGORITHMS.values() for name in algorithm.declared()}
    for other, meant in OTHER_NAMES.items():
        assert other == other.lower() and "_" not in other
        assert {*meant} <= everything, other


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("other", OTHER_NAMES)
def test_another_name_suggests_only_what_the_algorithm_takes(name: str, other: str) -> None:
    algorithm = ALGORITHMS[name]
    near = algorithm.nearest(other)
    assert near is None or near in algorithm._names
    assert near is None or near in OTHER_NAMES[other] or folded(near) == other


def test_hyperparameters() -> None:
    with pytest.raises(HyperparameterError, match="'lr': did you mean 'learning_rate'"):
        LinearLearner(predictor_type="regressor", lr=0.1)
    with pytest.raises(HyperparameterError, match="'lr': it takes"):
        ALGORITHMS["KMeans"](k=2, lr=0.1)
    with pytest.raises(HyperparameterError, match="'learning_rate': it takes"):
        # Its container's _learning_rate is not documented.
        ALGORITHMS["FactorizationMachines"](predictor_type="regressor", num_factors=2, learning_rate=0.1)


def test_what_else_is_named() -> None:
    with pytest.raises(RequestError, match="Did you mean 'RandomCutForest'"):
        algorithm_named("rcf")
    with pytest.raises(RequestError, match=r"'xgboost'\.\nUse one of"):
        algorithm_named("xgboost")
    with pytest.raises(RequestError, match=r"allowed: auto, [a-z, ]+$"):
        Source(format="orc")
