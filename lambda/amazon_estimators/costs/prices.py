"""Prices of SageMaker's instances: the table of the package, and a file of your own over it.

A price is known or unknown: what is in no list has none. None is derived from that of another region, type or
use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Self

from amazon_estimators.errors import PriceError

SCHEMA = "prices/1"
TRAINING, TRANSFORM, HOSTING, SERVERLESS = "training", "transform", "hosting", "serverless"
UNITS: Mapping[str, str] = {TRAINING: "hour", TRANSFORM: "hour", HOSTING: "hour", SERVERLESS: "second"}
"""What the prices of each use are per. Tuning's trainings are priced as trainings are."""
STALE = timedelta(days=180)
"""The age from which a price is told to be old."""
WAY_OUT = (
    "Run amazon-estimators prices --update, which asks the Price List API with your credentials, or write "
    "such a file yourself, and pass it as prices."
)


@dataclass(frozen=True)
class Price:
    """One price, as somebody wrote it down.

    Attributes:
        amount: What one hour of an instance costs; of serverless capacity, one second.
        currency: Such as ``"USD"``.
        day: The day on which the price was read.
        source: Where it stands.
    """

    amount: Decimal
    currency: str
    day: date
    source: str

    def is_stale(self, today: date) -> bool:
        """Return True if the price was read more than 180 days ago."""
        return today - self.day > STALE


@dataclass(frozen=True)
class PriceList:
    """Prices of one region, all from one source: by use, then by instance type.

    Serverless capacity is named by its memory, such as ``"2GB"``.
    """

    region: str
    currency: str
    day: date
    source: str
    prices: Mapping[str, Mapping[str, Decimal]]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read a list as the file has it. Raises KeyError, TypeError or ValueError if it is none."""
        prices = {
            use: {str(name): _amount(amount) for name, amount in by_type.items()}
            for use, by_type in values["prices"].items()
        }
        if unknown := sorted({*prices} - {*UNITS}):
            raise ValueError(f"unknown use {', '.join(unknown)}; allowed: {', '.join(UNITS)}")
        return cls(
            str(values["region"]),
            str(values["currency"]),
            date.fromisoformat(values["date"]),
            str(values["source"]),
            prices,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the list as the file has it."""
        return {
            "region": self.region,
            "currency": self.currency,
            "date": self.day.isoformat(),
            "source": self.source,
            "prices": {
                use: {name: _number(amount) for name, amount in sorted(by_type.items())}
                for use, by_type in sorted(self.prices.items())
            },
        }


@dataclass(frozen=True)
class PriceTable:
    """Lists of prices. Of several that have a price, the first counts."""

    lists: Sequence[PriceList]

    def price(self, region: str, use: str, name: str) -> Price | None:
        """Return the price of an instance type, or of serverless memory, in a region; None if it is unknown.

        Args:
            region: The region, such as ``"eu-west-1"``.
            use: ``"training"``, ``"transform"``, ``"hosting"`` or ``"serverless"``.
            name: The instance type, such as ``"ml.m5.large"``, or the memory, such as ``"2GB"``.

        Example:
            >>> table = PriceTable.of_package()
            >>> table.price("us-east-1", "training", "ml.m5.large").amount
            Decimal('0.115')
            >>> table.price("us-east-1", "training", "ml.m5.48xlarge") is None
            True
        """
        for one in self.lists:
            amount = one.prices.get(use, {}).get(name) if one.region == region else None
            if amount is not None:
                return Price(amount, one.currency, one.day, one.source)
        return None

    def rows(self) -> Iterator[tuple[str, str, str, Price]]:
        """Yield region, use, name and price of all that is known, each once."""
        keys = {
            (one.region, use, name) for one in self.lists for use in one.prices for name in one.prices[use]
        }
        for region, use, name in sorted(keys):
            price = self.price(region, use, name)
            assert price is not None
            yield region, use, name, price

    def of(self, use: str, names: Sequence[str]) -> PriceTable:
        """Return the part of the table with the prices of some types for one use, in all regions."""
        parts = [(one, {name: one.prices.get(use, {}).get(name) for name in names}) for one in self.lists]
        return PriceTable(
            [
                replace(one, prices={use: {name: amount for name, amount in prices.items() if amount}})
                for one, prices in parts
                if any(prices.values())
            ]
        )

    def over(self, other: PriceTable) -> PriceTable:
        """Return a table in which these prices count before those of ``other``."""
        return PriceTable([*self.lists, *other.lists])

    def to_json(self) -> str:
        """Return the text of a file that :meth:`from_json` reads."""
        document = {"schema": SCHEMA, "lists": [one.to_dict() for one in self.lists]}
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, name: str) -> Self:
        """Read a file of prices.

        Args:
            text: Its content.
            name: How an error names it.

        Raises:
            PriceError: It is no file of prices.
        """
        try:
            document = json.loads(text, parse_float=Decimal)
            if document["schema"] != SCHEMA:
                raise ValueError(f"its schema is {str(document['schema'])[:100]!r}; allowed: {SCHEMA!r}")
            return cls([PriceList.from_dict(values) for values in document["lists"]])
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise PriceError(
                f"{name} is no file of prices: {type(error).__name__}: {str(error)[:200]}"
            ) from None

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> PriceTable:
        """Return the prices that a deployed pipeline's settings hold, over those of the package."""
        lists = [PriceList.from_dict(_decimals(values)) for values in settings.get("prices") or ()]
        return cls(lists).over(_of_package())

    @classmethod
    def of_package(cls) -> PriceTable:
        """Return the table of the package."""
        return _of_package()

    @classmethod
    def of_file(cls, path: str | Path) -> PriceTable:
        """Return the prices of a file, and no others.

        Raises:
            PriceError: The file cannot be read, or is no file of prices.
        """
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise PriceError(f"{path} cannot be read: {error.strerror}") from None
        return cls.from_json(text, name=str(path))


@cache
def _of_package() -> PriceTable:
    path = Path(__file__).with_name("prices.json")
    return PriceTable.from_json(path.read_bytes(), name=path.name)


def _amount(value: Any) -> Decimal:
    """Return a price. Nothing costs 0: a price that is not known is left out."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"a price is {value!r}; allowed: a number")
    amount = Decimal(value)
    if not (amount.is_finite() and amount > 0):
        raise ValueError(f"a price is {value}; allowed: above 0. Leave out what is unknown")
    return amount


def _decimals(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a list of prices whose numbers were read as floats, with the amounts that they stand for."""
    prices = {
        use: {name: Decimal(str(amount)) for name, amount in by_type.items()}
        for use, by_type in values["prices"].items()
    }
    return {**values, "prices": prices}


def _number(amount: Decimal) -> int | float:
    """Return an amount as JSON has it; a number of up to 15 digits is read back as the same amount."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
