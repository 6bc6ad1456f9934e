"""Every call of the steps, the starter, the endpoints and the predictions, refused once in each way.

Real HTTP lies between the library's clients and the account, so botocore's retries, parsers and streams meet
each fault. ``docs/faults.md`` shows what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_proxy import Fault
from fault_table import PAGE, Table, table
from outcomes import ADOPTED, BELIEVED, DONE, RETRIED, Outcome
from outside_steps import COMES_BACK, StackError
from steps import GOES_ON

from amazon_estimators import errors
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.explain import explain

FINE = {RETRIED, DONE, ADOPTED, BELIEVED, GOES_ON, COMES_BACK}


@pytest.fixture(scope="module")
def faults() -> Table:
    return table()


def cases(faults: Table) -> Iterator[tuple[str, Outcome]]:
    """All cases with their names."""
    for row in faults.rows:
        for fault, outcome in row.outcomes.items():
            yield f"{row.step}, {row.call.operation} {row.call.about}, {fault}", outcome
    for (part, step), outcome in faults.lasting.items():
        yield f"{part}, {step}, lasting", outcome


def test_there_are_enough(faults: Table) -> None:
    assert len({row.call.operation for row in faults.rows}) >= 25
    assert all(set(row.outcomes) == set(Fault) for row in faults.rows)


def test_nothing_is_lost_nothing_is_there_twice_and_nothing_is_stuck(faults: Table) -> None:
    assert {name: outcome.wrong for name, outcome in cases(faults) if outcome.wrong} == {}


def test_every_error_is_typed_and_has_a_remedy(faults: Table) -> None:
    untyped = {}
    for name, outcome in cases(faults):
        if outcome.word in FINE | {StackError.__name__}:
            continue
        kind = getattr(errors, outcome.word, None)
        if kind is not None and issubclass(kind, AmazonEstimatorsError):
            has_remedy = "\n" in outcome.text
        else:
            has_remedy = bool(explain(None, {"Error": outcome.word, "Cause": outcome.text}, {})["remedy"])
        if not has_remedy:
            untyped[name] = (outcome.word, outcome.text)
    assert untyped == {}


def is_passing(fault: Fault) -> bool:
    return fault in (Fault.THROTTLED, Fault.BROKEN, Fault.CUT, Fault.SILENT)


def test_a_passing_fault_fails_nothing(faults: Table) -> None:
    failed = {
        (row.step, row.call.operation, str(fault)): outcome.word
        for row in faults.rows
        for fault, outcome in row.outcomes.items()
        if is_passing(fault) and outcome.word not in (RETRIED, DONE, ADOPTED)
    }
    assert failed == {}


def test_a_job_whose_answer_is_lost_is_adopted(faults: Table) -> None:
    adopted = {
        (row.step, row.call.operation, fault)
        for row in faults.rows
        for fault, outcome in row.outcomes.items()
        if outcome.word == ADOPTED
    }
    jobs = {
        "Train": "CreateTrainingJob",
        "Tune": "CreateHyperParameterTuningJob",
        "Transform": "CreateTransformJob",
    }
    lost = (Fault.CUT, Fault.SILENT)
    assert adopted == {(step, call, fault) for step, call in jobs.items() for fault in lost}


def test_the_page_is_current(faults: Table) -> None:
    told = "run `.venv/bin/python tests/failing_calls/write_faults_page.py`"
    assert PAGE.read_text(encoding="utf-8") == faults.page(), told
