"""``prices --update`` against botocore's model of the Price List API.

``data/products.json`` are two products as AWS published them: of https://pricing.us-east-1.amazonaws.com/offers/v1.0/
aws/AmazonSageMaker/20260911194304/us-east-1/index.json.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from amazon_estimators.cli import main
from amazon_estimators.client import price_list
from amazon_estimators.client.price_list import SOURCE, endpoint_for, read_prices
from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.errors import PriceError

PRODUCTS = json.loads(Path(__file__).with_name("data").joinpath("products.json").read_text(encoding="utf-8"))
REGION, TODAY = "us-east-1", date(2026, 11, 29)
TRAINING, TRANSFORM, HOSTING = (
    {"regionCode": REGION, "component": component} for component in ("Training", "BatchTransform", "Hosting")
)
SERVERLESS = {"regionCode": REGION, "productFamily": "ML Serverless"}
Page = tuple[dict[str, str], Sequence[dict[str, Any]]]


def product(component: str, name: str, *prices: str, unit: str = "Hrs", **attributes: str) -> dict[str, Any]:
    """A product like AWS's own of ml.g5.xlarge for hosting, with other prices."""
    made: dict[str, Any] = copy.deepcopy(PRODUCTS["hosting"])
    usage = f"USE1-{component}:{name}"
    made["product"]["attributes"] |= {
        "component": component,
        "instanceName": name,
        "instanceType": f"{name}-{component}",
        "usagetype": usage,
        **attributes,
    }
    (term,) = made["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    term["priceDimensions"] = {
        str(number): {**dimension, "unit": unit, "pricePerUnit": {"USD": price}}
        for number, price in enumerate(prices)
    }
    return made


def serverless(usage: str, price: str) -> dict[str, Any]:
    made = product("Serverless", "none", price, unit="Seconds", usagetype=usage)
    made["product"]["productFamily"] = "ML Serverless"
    del made["product"]["attributes"]["instanceName"]
    return made


@contextmanager
def answers(*pages: Page, monkeypatch: pytest.MonkeyPatch | None = None) -> Iterator[Any]:
    """A session whose Price List API answers these, each a filter and its products, and nothing else."""
    client = boto3.client(
        "pricing", region_name=REGION, aws_access_key_id="key", aws_secret_access_key="secret"
    )
    asked: list[str] = []

    class Session:
        region_name = REGION

        def client(self, service: str, *, region_name: str) -> Any:
            assert service == "pricing"
            asked.append(region_name)
            return client

    with Stubber(client) as stub:
        for number, (fields, products) in enumerate(pages):
            follows = number + 1 < len(pages) and pages[number + 1][0] is fields
            continues = number > 0 and pages[number - 1][0] is fields
            filters = [
                {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()
            ]
            stub.add_response(
                "get_products",
                {
                    "FormatVersion": "aws_v1",
                    "PriceList": [json.dumps(one) for one in products],
                    **({"NextToken": f"page {number + 1}"} if follows else {}),
                },
                {
                    "ServiceCode": "AmazonSageMaker",
                    "Filters": filters,
                    **({"NextToken": f"page {number}"} if continues else {}),
                },
            )
        session = Session()
        if monkeypatch:
            monkeypatch.setattr(boto3, "Session", lambda profile_name=None: session)
        yield session
        stub.assert_no_pending_responses()
    assert set(asked) == {REGION}


ALL: list[Page] = [
    (TRAINING, [product("Training", "ml.m5.large", "0.1150000000")]),
    (TRAINING, [product("Training", "ml.m5.xlarge", "0.2300000000")]),
    (TRANSFORM, [product("BatchTransform", "ml.m5.large", "0.1150000000")]),
    (HOSTING, [PRODUCTS["hosting"]]),
    (
        SERVERLESS,
        [
            serverless("USE1-ServerlessInf:Mem-2GB", "0.0000400000"),
            serverless("USE1-ServerlessInf:ProvisionedConcurrency-Mem-2GB", "0.0000100000"),
            serverless("USE1-ServerlessInf:Mem-4GB-Provisioned", "0.0000100000"),
        ],
    ),
]


def test_a_region_is_asked_by_use_and_page_by_page() -> None:
    with answers(*ALL) as session:
        update = read_prices(REGION, today=TODAY, session=session)
    assert update.prices.prices == {
        "training": {"ml.m5.large": Decimal("0.115"), "ml.m5.xlarge": Decimal("0.23")},
        "transform": {"ml.m5.large": Decimal("0.115")},
        "hosting": {"ml.g5.xlarge": Decimal("1.408")},
        "serverless": {"2GB": Decimal("0.00004")},
    }
    assert (update.prices.day, update.prices.currency, update.prices.source) == (TODAY, "USD", SOURCE)
    assert (update.unclear, update.missing) == ((), ())


def pages(training: Sequence[dict[str, Any]]) -> list[Page]:
    return [(TRAINING, training), (TRANSFORM, []), (HOSTING, []), (SERVERLESS, [])]


def test_what_is_not_asked_for_is_no_price() -> None:
    other_region = product("Training", "ml.m5.large", "9", regionCode="us-west-2")
    allowance = product("Training", "ml.m5.2xlarge", "0.0000000000", "0.4610000000")
    other_unit = product("Training", "ml.m5.4xlarge", "3", unit="GB-Mo")
    nothing = {**product("Training", "ml.m5.12xlarge", "1"), "terms": {}}
    studio = product("Studio-Notebook", "ml.t3.medium", "1")
    found = [other_region, allowance, other_unit, nothing, studio, PRODUCTS["cluster"]]
    with answers(*pages(found)) as session:
        update = read_prices(REGION, today=TODAY, session=session)
    assert update.prices.prices == {"training": {"ml.m5.2xlarge": Decimal("0.461")}}
    assert update.missing == ("transform", "hosting", "serverless")


def test_of_two_prices_none_is_chosen() -> None:
    two = [product("Training", "ml.m5.large", "0.115"), product("Training", "ml.m5.large", "0.116")]
    with answers(*pages([*two, product("Training", "ml.m5.xlarge", "0.23")])) as session:
        update = read_prices(REGION, today=TODAY, session=session)
    assert update.prices.prices == {"training": {"ml.m5.xlarge": Decimal("0.23")}}
    assert update.unclear == ("ml.m5.large for training",)


def test_a_region_without_prices_is_an_error() -> None:
    with (
        answers(*pages([])) as session,
        pytest.raises(PriceError, match="no price of AmazonSageMaker in us-east-1"),
    ):
        read_prices(REGION, today=TODAY, session=session)


def test_the_endpoints_are_those_of_the_service() -> None:
    known = set(boto3.Session().get_available_regions("pricing"))
    assert {endpoint_for(region) for region in ("us-west-2", "eu-west-1", "ap-southeast-2")} <= known


def test_update_writes_a_file_that_counts_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.json"
    with answers(*ALL, monkeypatch=monkeypatch):
        assert main(["prices", "--update", "--file", str(path), "--json"]) == 0
    rows = {(row["use"], row["name"]): row for row in json.loads(capsys.readouterr().out)}
    assert rows["training", "ml.m5.xlarge"]["price"] == 0.23
    assert (
        rows["hosting", "ml.g5.xlarge"] | {"price": 1.408, "per": "hour", "is_old": False}
        == rows["hosting", "ml.g5.xlarge"]
    )
    price = PriceTable.of_file(path).price(REGION, "training", "ml.m5.xlarge")
    assert price is not None and price.amount == Decimal("0.23")


def test_another_update_replaces_its_own_prices_and_none_of_yours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.json"
    mine = {
        "region": REGION,
        "currency": "USD",
        "date": "2026-01-01",
        "source": "our contract",
        "prices": {"training": {"ml.m5.large": 0.1}},
    }
    before = {**mine, "source": SOURCE, "prices": {"training": {"ml.m5.xlarge": 99, "ml.gone.xlarge": 99}}}
    elsewhere = {**before, "region": "eu-west-1", "prices": {"training": {"ml.m5.xlarge": 88}}}
    text = json.dumps({"schema": "prices/1", "lists": [before, mine, elsewhere]})
    path.write_text(text, encoding="utf-8")
    with answers(*ALL, monkeypatch=monkeypatch):
        assert main(["prices", "--update", "--file", str(path)]) == 0
    told = capsys.readouterr()
    assert f"Wrote 5 prices of {REGION} to {path}" in told.err.replace("\n", "")
    table = PriceTable.of_file(path)
    amounts = {key: str(price.amount) for *key_, price in table.rows() for key in [tuple(key_)]}
    assert amounts[REGION, "training", "ml.m5.large"] == "0.1"
    assert amounts[REGION, "training", "ml.m5.xlarge"] == "0.23"
    assert amounts["eu-west-1", "training", "ml.m5.xlarge"] == "88"
    assert (REGION, "training", "ml.gone.xlarge") not in amounts


def test_the_table_is_shown_and_old_prices_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prices", "--region", "eu-west-1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["region", "use", "instance", "price", "per", "read", "on"]
    assert ["eu-west-1", "training", "ml.m5.xlarge", "0.257", "USD", "hour", "2023-12-31,", "old"] in lines
    assert {line[0] for line in lines[1:]} == {"eu-west-1"}


def test_a_caller_who_may_not_ask_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = boto3.client(
        "pricing", region_name=REGION, aws_access_key_id="key", aws_secret_access_key="secret"
    )
    with Stubber(client) as stub:
        stub.add_client_error(
            "get_products", "AccessDeniedException", "not authorized to perform: pricing:GetProducts"
        )
        monkeypatch.setattr(
            price_list,
            "session_of",
            lambda session: type("S", (), {"client": lambda self, *_, **__: client})(),
        )
        arguments = ["prices", "--update", "--region", REGION, "--file", str(tmp_path / "prices.json")]
        assert main(arguments) == 1
    assert "pricing:GetProducts" in capsys.readouterr().err
    assert not (tmp_path / "prices.json").exists()
