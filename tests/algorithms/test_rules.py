"""Every rule, broken and mended; and the table of documented cross rules in docs/rules.md."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from cases_knn import KNN
from cases_linear_learner import LINEAR_LEARNER
from cases_pairs import FACTORIZATION_MACHINES, IP_INSIGHTS, OBJECT2VEC
from cases_vectors import VECTORS
from documented import FACTS, LEAST
from rule_case import Case

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from amazon_estimators.algorithms.rules import Problem
from amazon_estimators.errors import HyperparameterError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.record_sets.record_set import RecordSet

CASES = (*LINEAR_LEARNER, *FACTORIZATION_MACHINES, *VECTORS, *KNN, *OBJECT2VEC, *IP_INSIGHTS)
TABLE = Path(__file__).parents[2] / "docs" / "rules.md"
ROW = re.compile(
    r"^\| (\w+) \| (\d+) \| (.+) \| (enforced|warned|enforced, warned|not checked) \| (.+) \| (.*) \|$", re.M
)
OTHER_ROW = re.compile(r"^\| (?:(\w+) \| )?(.+) \| (enforced|warned|enforced, warned) \| (.+) \|$", re.M)


def check(
    case: Case, hyperparameters: dict[str, Any], data: tuple[RecordSet, ...] | None, instance_type: str | None
) -> list[str]:
    """Make the algorithm and fit it to the data; the warnings met."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HyperparameterWarning)
        made: Algorithm = ALGORITHMS[case.algorithm](**{**LEAST[case.algorithm], **hyperparameters})
        if data is not None:
            record_sets = {record_set.channel: record_set for record_set in data}
            made.fit_to(record_sets, instance_count=case.instance_count, instance_type=instance_type)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.algorithm}-{case.rule}-{case.says}")
def test_broken_rule_is_told_and_mended_one_is_not(case: Case) -> None:
    if case.outcome == "error":
        with pytest.raises(HyperparameterError, match=re.escape(case.says)) as caught:
            check(case, case.hyperparameters, case.data, case.instance_type)
        assert str(caught.value).startswith(f"{case.algorithm}: ")
    else:
        told = check(case, case.hyperparameters, case.data, case.instance_type)
        assert any(case.says in text and text.startswith(f"{case.algorithm}: ") for text in told), told
    told = check(case, case.mended, case.mended_data, case.mended_instance_type)
    assert not any(case.says in text for text in told)


def test_every_documented_cross_rule_is_in_the_table() -> None:
    rows = {
        (name, int(number)): rule for name, number, rule, _, _, _ in ROW.findall(TABLE.read_text("utf-8"))
    }
    documented = {
        (name, number): rule
        for name, facts in FACTS.items()
        for number, rule in enumerate(facts["cross_rules"], start=1)
    }
    assert rows == documented


def test_the_table_says_what_the_code_does() -> None:
    outcomes: dict[tuple[str, int], set[str]] = {}
    for case in CASES:
        outcomes.setdefault((case.algorithm, case.rule), set()).add(case.outcome)
    words = {"error": "enforced", "warning": "warned"}
    for name, number, _, status, how, _ in ROW.findall(TABLE.read_text("utf-8")):
        tried = {words[outcome] for outcome in outcomes.get((name, int(number)), set())}
        assert tried == set(status.split(", ")) - {"not checked"}, (name, number)
        assert len(how) > 10


def sources(case: Case) -> set[str]:
    """Return who refuses what the case breaks."""
    with pytest.raises(HyperparameterError) as caught:
        check(case, case.hyperparameters, case.data, case.instance_type)
    broken = [problem for problem in caught.value.problems if case.says in problem]
    assert broken and all(isinstance(problem, Problem) for problem in broken)
    return {problem.source for problem in broken if isinstance(problem, Problem)}


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.outcome == "error"],
    ids=lambda case: f"{case.algorithm}-{case.says}",
)
def test_the_table_names_the_source_of_every_error(case: Case) -> None:
    text = TABLE.read_text("utf-8")
    if case.rule:
        [row] = [row for row in ROW.findall(text) if row[:2] == (case.algorithm, str(case.rule))]
        assert all(source in row[-1] for source in sources(case))
    else:
        rows = [
            row for row in OTHER_ROW.findall(text) if row[0] in ("", case.algorithm) and "enforced" in row[2]
        ]
        assert all(any(source in row[-1] for row in rows) for source in sources(case))


def test_a_row_without_a_source_is_no_error() -> None:
    """Warnings say if AWS documents the rule or only we conclude it."""
    text = TABLE.read_text("utf-8")
    for *_, status, _, basis in ROW.findall(text):
        assert status != "warned" or basis in ("documented", "inferred"), basis
        assert "enforced" not in status or ".md: " in basis or "API_" in basis or "the algorithm's" in basis
    for *_, status, basis in OTHER_ROW.findall(text.partition("## Rules of every")[2]):
        assert status != "warned" or basis in ("documented", "inferred"), basis


def test_every_declared_rule_is_tried() -> None:
    """Each field rule and data rule of a class speaks in at least one case."""
    for cls in ALGORITHMS.values():
        cases = [case for case in CASES if case.algorithm == cls.__name__]
        for kind in ("rules", "data_rules"):
            every = getattr(cls, kind)
            for index in range(len(every)):
                without = type(cls.__name__, (cls,), {kind: every[:index] + every[index + 1 :]})
                assert any(not _speaks(without, case) for case in cases), (cls.__name__, kind, index)


def _speaks(cls: type[Algorithm], case: Case) -> bool:
    """Whether a class without one of its rules still tells what the case breaks."""
    said = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HyperparameterWarning)
        try:
            made = cls(**{**LEAST[case.algorithm], **case.hyperparameters})
            if case.data is not None:
                record_sets = {record_set.channel: record_set for record_set in case.data}
                made.fit_to(record_sets, instance_count=case.instance_count, instance_type=case.instance_type)
        except HyperparameterError as error:
            said.append(str(error))
    said += [str(warning.message) for warning in caught]
    return any(case.says in text for text in said)
