"""All image URIs of all regions, and what a CloudFormation mapping needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from amazon_estimators.algorithms import ALGORITHMS, LDA, KMeans
from amazon_estimators.algorithms.training_images import (
    dns_suffix,
    image_accounts,
    repositories,
    train_image,
)
from amazon_estimators.errors import RegionError, RequestError

FACTS: dict[str, Any] = json.loads(
    (Path(__file__).with_name("data") / "ecr_accounts.json").read_text(encoding="utf-8")
)
PUBLISHED = [
    (facts["repo"], region, account)
    for facts in FACTS["algorithms"].values()
    for region, account in facts["accounts"].items()
]


def test_the_table_is_whole() -> None:
    assert len(PUBLISHED) == 9 * 37 + 16
    assert repositories() == tuple(sorted(FACTS["algorithms"]))
    assert sorted(algorithm.repo_name for algorithm in ALGORITHMS.values()) == list(repositories())


def test_every_image_uri() -> None:
    suffixes = FACTS["meta"]["dns_suffix"]
    by_repository = {algorithm.repo_name: algorithm for algorithm in ALGORITHMS.values()}
    for repository, region, account in PUBLISHED:
        suffix = suffixes.get(region, "amazonaws.com")
        uri = f"{account}.dkr.ecr.{region}.{suffix}/{repository}:1"
        assert train_image(repository, "1", region) == uri
        assert by_repository[repository].train_image(region) == uri
        assert re.fullmatch(r"[0-9]{12}", account)
        assert re.fullmatch("[A-Za-z0-9.-]+", region)
        assert dns_suffix(region) == suffix


def test_a_region_without_the_image_lists_those_with_it() -> None:
    with pytest.raises(RegionError, match="no lda image in region 'eu-north-1'") as caught:
        LDA.train_image("eu-north-1")
    assert all(region in str(caught.value) for region in image_accounts("lda"))
    assert "eu-south-2" not in str(caught.value)
    for nowhere in ("", "default", "us-east-3", "us-east-1 "):
        with pytest.raises(RegionError, match="us-west-2"):
            KMeans.train_image(nowhere)


def test_an_unknown_repository_lists_the_known() -> None:
    with pytest.raises(RequestError, match="Use one of factorization-machines, ipinsights"):
        image_accounts("xgboost")


def test_the_facts_cannot_be_changed() -> None:
    accounts: Any = image_accounts("kmeans")
    with pytest.raises(TypeError):
        accounts["us-east-1"] = "000000000000"
