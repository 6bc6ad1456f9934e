"""Map repository and region to the URI of a first-party algorithm's training image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from amazon_estimators.errors import RegionError, RequestError


@cache
def _facts() -> Any:
    return json.loads(Path(__file__).with_name("images.json").read_text(encoding="utf-8"))


def repositories() -> tuple[str, ...]:
    """Return the names of all image repositories, such as ``kmeans``, sorted."""
    return tuple(sorted(name for publisher in _facts()["publishers"] for name in publisher["repositories"]))


@cache
def image_accounts(repo_name: str) -> Mapping[str, str]:
    """Region to the twelve-digit id of the AWS account that publishes the repository's image there.

    Raises RequestError for a repository that is none of :func:`repositories`.
    """
    for publisher in _facts()["publishers"]:
        if repo_name in publisher["repositories"]:
            return MappingProxyType(publisher["accounts"])
    raise RequestError(
        f"There is no image repository {repo_name!r} among those of the first-party algorithms.",
        remedy=f"Use one of {', '.join(repositories())}.",
    )


def dns_suffix(region: str) -> str:
    """Return the domain of AWS endpoints in the region's partition, such as ``amazonaws.com``.

    A region without its own entry has the suffix of the commercial partition.
    """
    suffixes: dict[str, str] = _facts()["dns_suffix"]
    return suffixes.get(region, suffixes["default"])


def train_image(repo_name: str, version: str, region: str) -> str:
    """Return the image URI, for example ``382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1``.

    Raises RegionError if Amazon publishes no such image in the region.
    """
    accounts = image_accounts(repo_name)
    if region not in accounts:
        raise RegionError(
            f"Amazon publishes no {repo_name} image in region {region!r}.",
            remedy=f"Train in one of {', '.join(sorted(accounts))}.",
        )
    return f"{accounts[region]}.dkr.ecr.{region}.{dns_suffix(region)}/{repo_name}:{version}"
