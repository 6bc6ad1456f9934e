"""The next step of a deployment, as a truth table; and what a lost answer or a redrive changes."""

from __future__ import annotations

from typing import Any

import pytest

from amazon_estimators.serving.decision import Move, decide

NOTHING: dict[str, Any] = {}
INTENDED = {"intended": "new", "config": None}
DEPLOYED = {"intended": "new", "config": "new", "redrive": 0}
REFUSED = {**DEPLOYED, "refused": "no answer"}
OTHER = {"intended": "other", "config": "other", "redrive": 0}
TABLE: list[tuple[str | None, str, dict[str, Any], Move]] = [
    # status, configuration, attempt, move
    (None, "", NOTHING, Move.PREPARE),
    (None, "", INTENDED, Move.CREATE),
    (None, "", DEPLOYED, Move.BROKEN),
    (None, "", REFUSED, Move.ROLLED_BACK),
    ("Creating", "new", NOTHING, Move.WAIT),
    ("Creating", "new", DEPLOYED, Move.WAIT),
    ("Updating", "old", DEPLOYED, Move.WAIT),
    ("SystemUpdating", "new", NOTHING, Move.WAIT),
    ("RollingBack", "old", NOTHING, Move.WAIT),
    ("Deleting", "old", REFUSED, Move.WAIT),
    ("InService", "new", NOTHING, Move.UNCHANGED),
    ("InService", "new", INTENDED, Move.SERVED),
    ("InService", "new", DEPLOYED, Move.SERVED),
    ("InService", "new", REFUSED, Move.REVERT),
    ("InService", "new", OTHER, Move.UNCHANGED),
    ("InService", "old", NOTHING, Move.PREPARE),
    ("InService", "old", INTENDED, Move.UPDATE),
    ("InService", "old", DEPLOYED, Move.ROLLED_BACK),
    ("InService", "old", REFUSED, Move.ROLLED_BACK),
    ("InService", "old", OTHER, Move.PREPARE),
    ("UpdateRollbackFailed", "old", NOTHING, Move.PREPARE),
    ("Failed", "new", NOTHING, Move.PREPARE),
    ("Failed", "new", INTENDED, Move.REPLACE),
    ("Failed", "new", DEPLOYED, Move.BROKEN),
]


@pytest.mark.parametrize(("status", "config", "attempt", "move"), TABLE)
def test_the_next_step(status: str | None, config: str, attempt: dict[str, Any], move: Move) -> None:
    endpoint = None if status is None else {"EndpointStatus": status, "EndpointConfigName": config}
    assert decide(endpoint, "new", attempt, 0) is move


@pytest.mark.parametrize(("status", "move"), [(None, Move.CREATE), ("Failed", Move.REPLACE)])
def test_a_redrive_tries_again_what_broke(status: str | None, move: Move) -> None:
    endpoint = None if status is None else {"EndpointStatus": status, "EndpointConfigName": "new"}
    assert decide(endpoint, "new", DEPLOYED, 1) is move


def test_every_move_is_in_the_table() -> None:
    assert {move for *_, move in TABLE} == set(Move)
