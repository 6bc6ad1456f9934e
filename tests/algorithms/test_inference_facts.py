"""What the algorithms are asked and answer, against the documented facts."""

from __future__ import annotations

import re

import pytest
from documented import FACTS

from amazon_estimators.algorithms import ALGORITHMS

EACH = pytest.mark.parametrize("algorithm", FACTS)
COMMON = {"application/jsonlines"}
"""Request formats of AWS's page on common data formats, which some of the algorithms' own pages leave out."""
ON_COMMON_PAGE_ONLY = {"KMeans", "PCA", "LinearLearner", "RandomCutForest"}


def bare(content_types: list[str]) -> set[str]:
    return {one.partition(";")[0] for one in content_types}


@EACH
def test_content_types_are_the_documented_ones(algorithm: str) -> None:
    facts, documented = ALGORITHMS[algorithm].inference, FACTS[algorithm]["inference"]
    accepted = bare(documented["accepts"]) | (COMMON if algorithm in ON_COMMON_PAGE_ONLY else set())
    assert {*facts.accepts} == accepted
    assert {*facts.returns} == bare(documented["returns"])
    assert len({*facts.accepts}) == len(facts.accepts)
    assert not {*facts.excluded} & {*facts.accepts, *facts.returns}
    assert bool(facts.csv_columns) is ("text/csv" in facts.returns)


@EACH
def test_fields_are_the_documented_ones(algorithm: str) -> None:
    facts, documented = ALGORITHMS[algorithm].inference, FACTS[algorithm]["inference"]["fields"]
    texts = [re.sub(r"\(.*?\)|verbose:", "", text).rpartition("[].")[2] for text in documented]
    names = [name.strip() for text in texts for name in text.split(",")]
    assert [field.name for field in facts.fields] == names
    lists = {text.partition("[]")[0] for text in documented if "[]" in text}
    assert facts.list_key in (lists or {"predictions"})
    assert all(facts.field_named(name) is field for name, field in zip(names, facts.fields, strict=True))
    assert facts.field_named("nothing") is None
    verbose = [text for text in FACTS[algorithm]["inference"]["returns"] if "verbose" in text]
    assert {text.partition("verbose=")[2] for text in verbose} == (
        {facts.verbose} if facts.verbose else set()
    )


def test_list_keys_and_hosting() -> None:
    facts = {name: algorithm.inference for name, algorithm in ALGORITHMS.items()}
    assert {name: one.list_key for name, one in facts.items() if one.list_key != "predictions"} == {
        "PCA": "projections",
        "RandomCutForest": "scores",
    }
    assert {name for name, one in facts.items() if one.multi_model} == {
        "KNN",
        "LinearLearner",
        "RandomCutForest",
    }
    assert {name for name, one in facts.items() if one.serverless_caution} == {"IPInsights"}
    assert {one.rows for one in facts.values()} == {"vector", "token_pair", "entity_pair"}
    for one in facts.values():
        assert one.source.startswith("https://docs.aws.amazon.com/sagemaker/latest/dg/")
