"""Ask AWS's Price List API for the prices of SageMaker in a region, with the caller's credentials.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_estimators.costs.prices import HOSTING, SERVERLESS, TRAINING, TRANSFORM, UNITS, PriceList
from amazon_estimators.errors import PriceError
from amazon_estimators.storage.sessions import session_of

SERVICE = "AmazonSageMaker"
SOURCE = "AWS Price List API, AmazonSageMaker"
"""The beginning of the source of what was read here: another update replaces it."""
COMPONENTS = {"Training": TRAINING, "BatchTransform": TRANSFORM, "Hosting": HOSTING}
"""The ``component`` of an instance's products, and the use of theirs."""
SERVERLESS_FAMILY = "ML Serverless"
MEMORY = re.compile(r"ServerlessInf:Mem-(\d+GB)$")
"""The end of the usage type of serverless capacity on demand; that of provisioned concurrency differs."""
UNIT_NAMES = {"hour": ("hrs", "hr", "hour", "hours"), "second": ("second", "seconds", "sec")}


@dataclass(frozen=True, kw_only=True)
class Update:
    """The prices of a region that AWS tells.

    Attributes:
        prices: The list.
        unclear: What has several prices, and is therefore left out.
        missing: The uses of which AWS tells no price.
    """

    prices: PriceList
    unclear: tuple[str, ...]
    missing: tuple[str, ...]


def read_prices(region: str, *, today: date, session: Any = None) -> Update:
    """Return the prices on demand of SageMaker's instances and serverless capacity in a region.

    Needs ``pricing:GetProducts``.

    Raises:
        PriceError: AWS tells no price of the region.
    """
    client = session_of(session).client("pricing", region_name=endpoint_for(region))
    amounts: dict[tuple[str, str], set[tuple[Decimal, str]]] = {}
    for use, products in _products(client, region):
        for product in products:
            name = _name(product, use)
            if name is not None and product["product"]["attributes"].get("regionCode") == region:
                amounts.setdefault((use, name), set()).update(_on_demand(product, UNITS[use]))
    known = {key: next(iter(found)) for key, found in amounts.items() if len(found) == 1}
    if not known:
        raise PriceError(
            f"AWS tells no price of {SERVICE} in {region}",
            remedy="Check the region's name; write its prices into a file yourself (docs/cost.md).",
        )
    currencies = {currency for _, currency in known.values()}
    if len(currencies) > 1:
        raise PriceError(f"AWS tells prices of {region} in {' and '.join(sorted(currencies))}")
    prices: dict[str, dict[str, Decimal]] = {}
    for (use, name), (amount, _) in known.items():
        prices.setdefault(use, {})[name] = amount
    unclear = sorted(f"{name} for {use}" for (use, name), found in amounts.items() if len(found) > 1)
    return Update(
        prices=PriceList(region, currencies.pop(), today, SOURCE, prices),
        unclear=tuple(unclear),
        missing=tuple(use for use in UNITS if use not in prices),
    )


def endpoint_for(region: str) -> str:
    """Return the region whose endpoint of the Price List API is asked: the API has few.

    https://docs.aws.amazon.com/general/latest/gr/billing.html

    Example:
        >>> endpoint_for("eu-west-3"), endpoint_for("ap-northeast-1"), endpoint_for("sa-east-1")
        ('eu-central-1', 'ap-south-1', 'us-east-1')
    """
    nearest = {"eu": "eu-central-1", "ap": "ap-south-1", "cn": "cn-northwest-1"}
    return nearest.get(region.partition("-")[0], "us-east-1")


def _products(client: Any, region: str) -> Iterator[tuple[str, Iterator[Mapping[str, Any]]]]:
    for component, use in COMPONENTS.items():
        yield use, _listed(client, regionCode=region, component=component)
    yield SERVERLESS, _listed(client, regionCode=region, productFamily=SERVERLESS_FAMILY)


def _listed(client: Any, **fields: str) -> Iterator[Mapping[str, Any]]:
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    pages = client.get_paginator("get_products").paginate(ServiceCode=SERVICE, Filters=filters)
    for page in pages:
        for text in page["PriceList"]:
            product = json.loads(text, parse_float=Decimal) if isinstance(text, str) else text
            attributes = product["product"]["attributes"]
            family = product["product"].get("productFamily")
            if all(value in (attributes.get(name), family) for name, value in fields.items()):
                yield product


def _name(product: Mapping[str, Any], use: str) -> str | None:
    """Return the instance type, or the memory of serverless capacity; None for a product of another kind."""
    attributes = product["product"]["attributes"]
    if use == SERVERLESS:
        memory = MEMORY.search(str(attributes.get("usagetype", "")))
        return memory[1] if memory else None
    name = attributes.get("instanceName")
    return name if isinstance(name, str) and name.startswith("ml.") else None


def _on_demand(product: Mapping[str, Any], unit: str) -> Iterator[tuple[Decimal, str]]:
    """Yield the prices above 0, each with its currency: a price of 0 is an allowance."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if str(dimension.get("unit", "")).lower() not in UNIT_NAMES[unit]:
                continue
            for currency, amount in dimension["pricePerUnit"].items():
                if Decimal(str(amount)) > 0:
                    yield Decimal(str(amount)).normalize(), currency
