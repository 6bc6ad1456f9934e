"""Every program of the table runs to its end, and leaves no endpoint behind."""

from __future__ import annotations

import warnings
from uuid import uuid4

import pytest
from programs import PROGRAMS, Program, Surroundings
from serving_account import COUNTS, LABELS, ROWS, ServingAccount

from amazon_estimators.client import waiting


def test_the_table_is_long_enough() -> None:
    assert len({one.__name__ for one in PROGRAMS}) >= 25


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)
def test_a_program_runs(serving: ServingAccount, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)
    before = serving.endpoints()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program(
            Surroundings(
                role=serving.role,
                bucket=serving.bucket,
                session=serving.session,
                prefix=uuid4().hex,
                rows=ROWS,
                labels=LABELS,
                counts=COUNTS,
            )
        )
    assert serving.endpoints() == before
