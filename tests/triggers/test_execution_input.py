"""The schema of the execution input and what Plan accepts are the same, and so is what the starter sends."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from starter_world import World

from amazon_estimators.errors import AmazonEstimatorsError, HyperparameterError, RequestError
from amazon_estimators.pipeline.settings import INPUT_KEYS, LONGEST_REASON, Settings
from plain_settings import PLAIN_SETTINGS

SCHEMA = json.loads(files("amazon_estimators").joinpath("execution_input.schema.json").read_text("utf-8"))
SETTINGS = Settings.from_dict(PLAIN_SETTINGS)
CASES: list[tuple[Any, bool]] = [
    ({}, True),
    ({"hyperparameters": {"k": "12"}}, True),
    ({"hyperparameters": {"k": 12}}, True),
    ({"hyperparameters": []}, False),
    ({"hyperparameters": None}, False),
    ({"data_set": "0123456789abcdef01234567"}, True),
    ({"data_set": "0123456789ABCDEF01234567"}, False),
    ({"data_set": "0123456789abcdef0123456"}, False),
    ({"data_set": "../../0123456789abcdef0123456"}, False),
    ({"data_set": None}, False),
    ({"reason": "drift"}, True),
    ({"reason": "x" * LONGEST_REASON}, True),
    ({"reason": "x" * (LONGEST_REASON + 1)}, False),
    ({"reason": 7}, False),
    ({"reasons": "typo"}, False),
    ([], False),
    ("{}", False),
]
TYPES: dict[str, Any] = {"object": dict, "string": str}


def valid(schema: dict[str, Any], value: Any) -> bool:
    """The part of JSON Schema that the schema uses; an unknown keyword is an error of this test."""
    known = {
        "$schema",
        "title",
        "description",
        "type",
        "properties",
        "additionalProperties",
        "pattern",
        "maxLength",
    }
    assert set(schema) <= known
    if not isinstance(value, TYPES[schema["type"]]):
        return False
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if len(value) > schema.get("maxLength", len(value)):
        return False
    properties = schema.get("properties", {})
    if schema.get("additionalProperties", True) is False and not set(value) <= set(properties):
        return False
    return all(valid(properties[name], value[name]) for name in properties if name in value)


def accepted(value: Any) -> bool:
    try:
        SETTINGS.algorithm_for(value)
    except RequestError as error:
        assert error.remedy
        return False
    return True


@pytest.mark.parametrize(("value", "expected"), CASES, ids=lambda one: str(one)[:40])
def test_schema_and_plan_agree(value: Any, expected: bool) -> None:
    assert (valid(SCHEMA, value), accepted(value)) == (expected, expected)


LONG = "x" * 200_000


@pytest.mark.parametrize(
    "value",
    [
        LONG,
        [LONG],
        {LONG: 1},
        {f"{key}{LONG}": 1 for key in range(100)},
        {"hyperparameters": LONG},
        {"hyperparameters": [LONG]},
        {"hyperparameters": {LONG: 1}},
        {"hyperparameters": {"k": LONG}},
        {"data_set": LONG},
        {"reason": LONG},
        {"reason": [LONG]},
    ],
    ids=lambda one: repr(one)[:30],
)
def test_an_error_shows_how_a_long_input_begins(value: Any) -> None:
    with pytest.raises((RequestError, HyperparameterError)) as raised:
        SETTINGS.algorithm_for(value)
    assert len(str(raised.value)) < 2_000
    assert "xxxxx" in str(raised.value)


def test_the_schema_names_every_key() -> None:
    assert set(SCHEMA["properties"]) == set(INPUT_KEYS)


def test_what_the_starter_sends_is_valid() -> None:
    world = World()
    world.handle(world.batch("a.csv"))
    for sent in world.machine.inputs.values():
        assert valid(SCHEMA, dict(sent))
        assert accepted(dict(sent))


@pytest.mark.parametrize(
    "given",
    [
        {"reason": "half \ud800"},
        {"data_set": "\ud800" * 24},
        {"hyperparameters": {"k": "\ud800"}},
        {"hyperparameters": {"\ud800": "1"}},
        {"hyperparameters": {"_kvstore": "\ud800"}},
        {"\ud800": 1},
    ],
    ids=repr,
)
def test_half_a_character_is_refused_in_words_that_can_be_sent(given: dict[str, Any]) -> None:
    """JSON can hold one. UTF-8, which every function's answer is written in, cannot."""
    with pytest.raises(AmazonEstimatorsError) as raised:
        SETTINGS.algorithm_for(given)
    assert str(raised.value).encode()
