"""What synth tells of costs, and what it refuses because of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, Size, Stack, Token
from constructs import Construct
from pipeline_stacks import PSEUDO, REQUIRED, Synthesised, new_app, new_stack

from amazon_estimators.algorithms import KMeans
from amazon_estimators.costs.prices import SCHEMA
from amazon_estimators.errors import PriceError
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    CategoricalParameter,
    IntegerParameter,
    ModelEndpoint,
    PipelineError,
    PredictionPipeline,
    Scaling,
    Serverless,
    TrainingPipeline,
    Tuning,
)
from cdk_amazon_estimators.training import cost

REGION = "eu-west-1"
LIST = {
    "region": REGION,
    "currency": "USD",
    "date": "2026-11-01",
    "source": "our contract",
    "prices": {
        "training": {"ml.m5.large": 0.125, "ml.m5.xlarge": 0.25},
        "transform": {"ml.m5.large": 0.125},
        "hosting": {"ml.m5.large": 0.125},
        "serverless": {"2GB": 0.00004},
    },
}


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "today", lambda: date(2026, 11, 29))


@pytest.fixture
def prices(tmp_path: Path) -> str:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"schema": SCHEMA, "lists": [LIST]}), encoding="utf-8")
    return str(path)


def pipeline(stack: Stack | None = None, **props: Any) -> TrainingPipeline:
    props = {**REQUIRED, "triggers": [], **props}
    if "tuning" in props:
        props["channels"] = {"train": Source(), "test": Source()}
    return TrainingPipeline(stack or new_stack(region=REGION), "Digits", **props)


def told(construct: Construct) -> list[str]:
    """The notes on a construct, without the ID to acknowledge them by."""
    notes = [str(one.data) for one in construct.node.metadata if one.type == "aws:cdk:info"]
    assert all(note.endswith(f" [ack: {cost.COST}]") for note in notes)
    return [note.removesuffix(f" [ack: {cost.COST}]") for note in notes]


DAY = "a price of 2026-11-01"


def other_levels(construct: Construct) -> set[str]:
    return {one.type for one in construct.node.metadata} & {"aws:cdk:warning", "aws:cdk:error"}


def tuning(**more: Any) -> Tuning:
    return Tuning(objective="test:msd", ranges={"epochs": IntegerParameter(1, 10)}, **more)


GRID = Tuning(
    objective="test:msd",
    strategy="Grid",
    ranges={
        "init_method": CategoricalParameter(["random", "kmeans++"]),
        "extra_center_factor": CategoricalParameter(["4", "5", "6"]),
    },
)
HOUR = {"max_runtime": Duration.hours(1)}
PRICED: dict[str, tuple[dict[str, Any], str]] = {
    # 24 h x 0.125
    "the defaults": ({}, "3.00 USD in instances: 86,400 s x 1 x 0.125 USD/h"),
    # 1 h x 3 x 0.25, the dearer
    "preferences": (
        {**HOUR, "instance_count": 3, "instance_type": ["ml.m5.large", "ml.m5.xlarge"]},
        "0.7500 USD in instances: 3,600 s x 3 x 0.25 USD/h",
    ),
    # 0.5 h x 0.125, and not the time that it may wait
    "spot": (
        {"max_runtime": Duration.minutes(30), "spot_max_wait": Duration.hours(1)},
        "0.0625 USD in instances: 1,800 s x 1 x 0.125 USD/h",
    ),
    # 70 min x 0.125
    "a warm pool": (
        {**HOUR, "keep_alive": Duration.minutes(10)},
        "0.1458 USD in instances: 4,200 s x 1 x 0.125 USD/h",
    ),
    # 7 x 1 h x 0.125
    "tuning": (
        {**HOUR, "tuning": tuning(max_jobs=7)},
        "0.8750 USD in instances: 3,600 s x 1 x 0.125 USD/h x 7 trainings",
    ),
    # 10 x, the default
    "tuning, the default": (
        {**HOUR, "tuning": tuning()},
        "1.25 USD in instances: 3,600 s x 1 x 0.125 USD/h x 10 trainings",
    ),
    # 2 x 3 combinations
    "a grid": (
        {**HOUR, "tuning": GRID},
        "0.7500 USD in instances: 3,600 s x 1 x 0.125 USD/h x 6 trainings",
    ),
}


@pytest.mark.parametrize("configuration", PRICED)
def test_synth_tells_what_one_training_can_cost(configuration: str, prices: str) -> None:
    props, text = PRICED[configuration]
    made = pipeline(prices=prices, **props)
    assert told(made) == [f"one training can cost up to {text}, a price of 2026-11-01"]
    assert other_levels(made) == set()


def test_an_old_price_says_so(prices: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "today", lambda: date(2027, 5, 1))
    (note,) = told(pipeline(prices=prices))
    assert note.endswith("USD/h, the price is 181 days old (our contract)")


UNKNOWN: dict[str, tuple[Callable[[], TrainingPipeline], str]] = {
    "price": (pipeline, "no price of ml.m5.large for training in eu-west-1 is known"),
    "region": (lambda: pipeline(new_stack()), "the region is not known yet: give the stack an explicit env"),
    "type": (
        lambda: pipeline(instance_type=Token.as_string({"Ref": "Type"})),
        "the instances are not known yet",
    ),
}


@pytest.mark.parametrize("fact", UNKNOWN)
def test_what_is_unknown_is_told_as_such_and_refuses_nothing(fact: str) -> None:
    make, because = UNKNOWN[fact]
    (note,) = told(make())
    assert note.startswith(f"what one training can cost is unknown: {because}")


def test_a_training_within_the_limit_passes(prices: str) -> None:
    assert told(pipeline(prices=prices, max_cost_per_training=3)) == told(pipeline(prices=prices))


@pytest.mark.parametrize(
    ("props", "text"),
    [
        (
            {},
            "max_cost_per_training is 2.99; one training can cost 3.00 USD (86,400 s x 1 x 0.125 USD/h). "
            "Lower max_runtime, keep_alive, instance_count or Tuning.max_jobs, or choose a cheaper "
            "instance_type",
        ),
        ({**HOUR, "tuning": tuning(max_jobs=24)}, "x 24 trainings"),
        (
            {"instance_type": "ml.m5.4xlarge"},
            "what one training can cost is unknown: no price of ml.m5.4xlarge",
        ),
        ({"instance_type": "ml.m5.4xlarge"}, "pass it as prices"),
    ],
)
def test_what_could_exceed_the_limit_or_cannot_be_told_is_refused(
    props: dict[str, Any], text: str, prices: str
) -> None:
    with pytest.raises(PipelineError) as refused:
        pipeline(prices=prices, max_cost_per_training=2.99, **props)
    assert text in str(refused.value)


@pytest.mark.parametrize("most", [0, -1.5])
def test_a_limit_that_nothing_keeps_is_refused(most: float, prices: str) -> None:
    with pytest.raises(PipelineError, match=f"max_cost_per_training is {most}; allowed: above 0"):
        pipeline(prices=prices, max_cost_per_training=most)


def test_a_file_that_holds_no_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=r"Stack/Digits: .*none\.json cannot be read"):
        pipeline(prices=str(tmp_path / "none.json"))


def test_the_context_names_a_file_for_the_whole_app(prices: str) -> None:
    app = new_app(**{cost.CONTEXT: prices})
    stack = Stack(app, "Stack", env={"account": PSEUDO["AWS::AccountId"], "region": REGION})
    (note,) = told(pipeline(stack))
    assert "3.00 USD" in note


def test_only_your_prices_of_its_instances_are_in_the_settings(prices: str) -> None:
    """The functions have the package's table: without a file the definition stays as it is."""
    made = pipeline(prices=prices, instance_type=["ml.m5.large", "ml.m5.xlarge"])
    (plan,) = [Synthesised(made.node.scope).definition["States"]["Plan"]]
    settings = plan["Parameters"]["pipeline"]
    assert settings["prices"] == [
        {**LIST, "prices": {"training": {"ml.m5.large": 0.125, "ml.m5.xlarge": 0.25}}}
    ]
    plain = pipeline(instance_type="ml.m5.large")
    assert (
        "prices" not in Synthesised(plain.node.scope).definition["States"]["Plan"]["Parameters"]["pipeline"]
    )


def test_endpoints_and_scorings_tell_theirs(prices: str) -> None:
    model = pipeline(prices=prices, algorithm=KMeans(k=10))
    stack = Stack.of(model)
    serve: dict[str, dict[str, Any]] = {
        # 3 x 0.125
        "Instances": {"instance_type": "ml.m5.large", "instance_count": 3},
        # 5 x 0.125, the most of its scaling
        "Scaled": {"instance_type": "ml.m5.large", "scaling": Scaling(most=5, invocations=100)},
        # 3,600 s x 10 x 0.00004
        "Serverless": {"serverless": Serverless(memory=Size.gibibytes(2), max_concurrency=10)},
        "Warm": {"serverless": Serverless(memory=Size.gibibytes(2), provisioned_concurrency=1)},
    }
    notes = {name: told(ModelEndpoint(stack, name, model=model, **props)) for name, props in serve.items()}
    assert notes == {
        "Instances": [f"an hour can cost up to 0.3750 USD in instances: 3,600 s x 3 x 0.125 USD/h, {DAY}"],
        "Scaled": [f"an hour can cost up to 0.6250 USD in instances: 3,600 s x 5 x 0.125 USD/h, {DAY}"],
        "Serverless": [f"an hour can cost up to 1.44 USD in instances: 3,600 s x 10 x 0.00004 USD/s, {DAY}"],
        "Warm": ["what an hour can cost is unknown: the table has no prices of provisioned concurrency"],
    }
    # 48 h x 2 x 0.125, the default timeout
    scored = PredictionPipeline(
        stack, "Score", model=model, instance_type="ml.m5.large", instance_count=2, triggers=[]
    )
    assert told(scored) == [
        f"one scoring can cost up to 12.00 USD in instances: 172,800 s x 2 x 0.125 USD/h, {DAY}"
    ]
    local = PredictionPipeline(stack, "Local", model=model, engine="numpy", prefix="local/", triggers=[])
    assert told(local) == [], "it has no instance"
