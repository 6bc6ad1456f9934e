"""The table of prices: each has a date and a source; what is not written down is unknown."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from amazon_estimators.costs.prices import SCHEMA, STALE, UNITS, PriceTable
from amazon_estimators.errors import PriceError
from cdk_amazon_estimators.training.instance_types import types_for

PACKAGE = PriceTable.of_package()
MINE = {
    "region": "eu-west-1",
    "currency": "EUR",
    "date": "2026-11-01",
    "source": "our contract",
    "prices": {"training": {"ml.m5.xlarge": 0.2}},
}


def file_of(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"schema": SCHEMA, "lists": [{**MINE, **changes}]}), encoding="utf-8")
    return path


def test_every_price_of_the_package_is_dated_and_has_a_source() -> None:
    rows = [*PACKAGE.rows()]
    assert len(rows) > 25
    for region, use, name, price in rows:
        assert use in UNITS and region.count("-") == 2
        assert price.amount > 0 and price.currency == "USD"
        assert date(2020, 1, 1) < price.day < date(2026, 12, 1)
        assert "AWS" in price.source or "amazonaws.com" in price.source, name
        assert name.startswith("ml.") or (use == "serverless" and name.endswith("GB"))


def test_its_types_are_types_of_sagemaker() -> None:
    kinds = {"training": "training", "transform": "transform", "hosting": "serving"}
    for _, use, name, _ in PACKAGE.rows():
        assert use == "serverless" or name in types_for(kinds[use]), name


def test_no_price_stands_twice_in_the_package() -> None:
    """A second one, of another date, would be read by nobody."""
    keys = [
        (one.region, use, name) for one in PACKAGE.lists for use in one.prices for name in one.prices[use]
    ]
    assert len(keys) == len({*keys})


@pytest.mark.parametrize(
    "asked",
    [
        ("us-east-1", "training", "ml.m5.48xlarge"),  # a type
        ("us-east-1", "transform", "ml.m5.large"),  # a use: training and hosting are known
        ("eu-west-2", "training", "ml.m5.xlarge"),  # a region
        ("us-east-1", "training", "m5.large"),  # EC2's price is another
    ],
)
def test_what_is_not_written_down_is_unknown(asked: tuple[str, str, str]) -> None:
    assert PACKAGE.price(*asked) is None


def test_a_price_of_180_days_is_not_old_and_one_of_181_is() -> None:
    price = PACKAGE.price("us-east-1", "training", "ml.m5.large")
    assert price is not None
    assert not price.is_stale(price.day + STALE)
    assert price.is_stale(price.day + STALE + timedelta(days=1))


def test_a_file_counts_before_the_package_however_old_it_is(tmp_path: Path) -> None:
    own = PriceTable.of_file(file_of(tmp_path, date="2019-01-01"))
    table = own.over(PACKAGE)
    assert own.price("eu-west-1", "training", "ml.g5.xlarge") is None
    mine = table.price("eu-west-1", "training", "ml.m5.xlarge")
    assert mine is not None
    assert (mine.amount, mine.currency, mine.source) == (Decimal("0.2"), "EUR", "our contract")
    assert table.price("eu-west-1", "training", "ml.g5.xlarge") == PACKAGE.price(
        "eu-west-1", "training", "ml.g5.xlarge"
    )


def test_a_table_is_what_its_text_says(tmp_path: Path) -> None:
    again = PriceTable.from_json(PACKAGE.to_json(), name="again")
    assert [*again.rows()] == [*PACKAGE.rows()]
    assert "0.00004" in PACKAGE.to_json() or "4e-05" in PACKAGE.to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"prices": {"training": {"ml.m5.large": 0}}},
        {"prices": {"training": {"ml.m5.large": -1}}},
        {"prices": {"training": {"ml.m5.large": None}}},
        {"prices": {"training": {"ml.m5.large": "0.115"}}},
        {"prices": {"training": {"ml.m5.large": True}}},
        {"prices": {"training": {"ml.m5.large": float("nan")}}},
        {"prices": {"tuning": {"ml.m5.large": 0.115}}},
        {"prices": {"training": [0.115]}},
        {"date": "yesterday"},
        {"date": None},
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = file_of(tmp_path, **changes)
    with pytest.raises(PriceError, match="is no file of prices") as refused:
        PriceTable.of_file(path)
    assert refused.value.remedy


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "prices/2", "lists": []}', "[" * 100_000])
def test_a_text_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(PriceError):
        PriceTable.from_json(text, name="mine.json")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match="cannot be read: No such file"):
        PriceTable.of_file(tmp_path / "none.json")
