"""The page on costs holds: its programs run, its file of prices is one, its amounts are reckoned so."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack

from amazon_estimators.algorithms import KMeans
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import Earlier, likely_of_training, shown
from cdk_amazon_estimators import TagBudget, TrainingPipeline
from cdk_amazon_estimators.training import cost

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PACKAGE = PriceTable.of_package()


@pytest.fixture(scope="module")
def stack() -> Stack:
    """What the page's programs make, in one stack."""
    app = App(context={"aws:cdk:bundling-stacks": []})
    made = Stack(app, "Shop", env=Environment(account="111122223333", region="us-east-1"))
    names = {
        "self": made,
        "Duration": Duration,
        "KMeans": KMeans,
        "TagBudget": TagBudget,
        "TrainingPipeline": TrainingPipeline,
    }
    for program in PROGRAMS:
        exec(program, names)
    return made


def notes(pipeline: Any) -> list[str]:
    return [
        str(one.data).partition(" [ack")[0] for one in pipeline.node.metadata if one.type == "aws:cdk:info"
    ]


def test_the_programs_run(stack: Stack) -> None:
    assert len(PROGRAMS) == 2
    assert {"Churn", "Ratings", "Budget"} <= {child.node.id for child in stack.node.children}
    (note,) = notes(stack.node.find_child("Churn"))
    assert "can cost up to 0.2300 USD" in note, "the page's limit is above that"


def test_the_note_of_synth_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "today", lambda: date(2026, 11, 29))
    stack = Stack(App(), "Shop", env=Environment(account="111122223333", region="us-east-1"))
    pipeline = TrainingPipeline(
        stack, "Churn", algorithm=KMeans(k=2), instance_type="ml.m5.large", instance_count=2, triggers=[]
    )
    (told,) = re.findall(r"\[Info at /Shop/Churn\] (.*)", PAGE)
    assert notes(pipeline) == [told]


def test_the_amounts_of_the_command_are_reckoned_so() -> None:
    """752 s x 2 x 0.115 / 3,600 = 0.0480."""
    size, seconds = (int(text.replace(",", "")) for text in ("1,204,331", "752"))
    assert f"{size:,} bytes" in PAGE
    earlier = [Earlier(instance_type="ml.m5.large", count=2, seconds=seconds, size=size)]
    likely = likely_of_training(PACKAGE, "us-east-1", "ml.m5.large", count=2, size=size, earlier=earlier)
    assert likely.amount is not None
    (amount, basis) = re.findall(r"one training, likely +([\d.]+) USD +(.*?);", PAGE)[0]
    assert (shown(likely.amount), likely.basis.partition(";")[0]) == (amount, basis)
    hosted = PACKAGE.price("us-east-1", "hosting", "ml.m5.large")
    assert hosted is not None and hosted.amount == Decimal("0.115")


def test_the_file_of_prices_is_one() -> None:
    texts = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (text,) = (text for text in texts if "schema" in text)
    table = PriceTable.from_json(text, name="the page's")
    assert {use for _, use, _, _ in table.rows()} == {"training", "transform", "hosting", "serverless"}
    assert {price.source for *_, price in table.rows()} == {"our contract"}


def test_the_context_is_the_one_that_is_read() -> None:
    assert f'"{cost.CONTEXT}": "prices.json"' in PAGE
