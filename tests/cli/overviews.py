"""Two pipelines as ``status`` and ``watch`` show them: one that never trained, and one with a model."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from amazon_estimators.client.overview import Overview
from amazon_estimators.costs.reckoning import Cost, unknown
from amazon_estimators.pipeline.current_model import CurrentModel

NEVER = Overview(
    pipeline="Shop/Ratings",
    algorithm="FactorizationMachines",
    state_machine="arn:ratings",
    running=0,
    last_status=None,
    last_started=None,
    current=None,
    waiting=None,
    dead_letters=None,
    month=unknown("nobody knows the price"),
)
TRAINED = Overview(
    pipeline="Shop/Churn",
    algorithm="LinearLearner",
    state_machine="arn:churn",
    running=1,
    last_status="FAILED",
    last_started=datetime(2026, 11, 28, 3, 0, tzinfo=UTC),
    current=CurrentModel(
        job="churn-1",
        model="s3://models/churn-1/output/model.tar.gz",
        data_set="d",
        metrics={"train:a": 1.0, "test:b": 0.25, "test:c": 3.0, "validation:d": 4.0},
    ),
    waiting=2,
    dead_letters=1,
    month=Cost(amount=Decimal("12.346"), currency="USD"),
)
