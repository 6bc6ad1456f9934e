"""Rules of columns reach the functions as they were written, and contradictions never leave the synth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pipeline_stacks import with_props

from amazon_estimators import LinearLearner
from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.sources import Source

RULES: dict[str, Any] = {
    "fill": {"income": 0, 3: 1.5},
    "drop_incomplete": True,
    "one_hot": {"city": ["Berlin", "Zürich"]},
    "unknown": "zeros",
    "hashed": {"user_id": 2**20},
    "scale": {"age": (40, 15)},
}


def test_the_functions_are_handed_the_rules() -> None:
    source = Source(label="y", **RULES)
    pipeline = with_props(
        algorithm=LinearLearner(predictor_type="regressor"), channels={"train": source, "test": source}
    )
    for state in ("Plan", "Seal"):
        handed = pipeline.definition["States"][state]["Parameters"]["pipeline"]
        settings = Settings.from_dict({**json.loads(json.dumps(handed)), "data_bucket": "b"})
        assert {name: one.rules for name, one in settings.channels.items()} == dict.fromkeys(
            ("train", "test"), source.rules
        )


def test_many_words_do_not_fill_the_environment_of_a_function() -> None:
    """4 KB are all that Lambda gives it: words travel in the state machine's definition."""
    source = Source(one_hot={"city": [f"city {number}" for number in range(2000)]})
    pipeline = with_props(channels={"train": source})
    functions = pipeline.of_type("AWS::Lambda::Function").values()
    sizes = [len(json.dumps(one.get("Environment", {}).get("Variables", {}))) for one in functions]
    assert max(sizes) < 4096


def test_a_contradiction_fails_where_it_is_written() -> None:
    with pytest.raises(RequestError, match="'city' is one_hot and hashed"):
        with_props(channels={"train": Source(one_hot={"city": ["a"]}, hashed={"city": 8})})


def test_a_label_is_no_feature() -> None:
    with pytest.raises(RequestError, match="one_hot names 'y', which is the label"):
        with_props(channels={"train": Source(label="y", one_hot={"y": ["a"]})})
