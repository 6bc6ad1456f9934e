"""Find the algorithm of a training image, and check that the image is the region's."""

from __future__ import annotations

import re
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators_rehearsal.sagemaker.errors import ValidationError

_IMAGE = re.compile(
    r"(?P<owner>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/(?P<repository>[a-z0-9._/-]+):[\w.-]+"
)


def check_image(image: str | None, region: str) -> str:
    """Return the name of the algorithm that a training image belongs to.

    Raises:
        ValidationError: It is not an image of a first-party algorithm in this region.
    """
    if not image:
        raise ValidationError("An image of a first-party algorithm is required.")
    parts = _IMAGE.fullmatch(image)
    if parts is None:
        raise ValidationError(
            f"The image {image!r} is not of the form account.dkr.ecr.region.suffix/name:tag."
        )
    if parts["region"] != region:
        raise ValidationError(f"The image {image} is in {parts['region']}; it must be in {region}.")
    for name, algorithm in ALGORITHMS.items():
        if algorithm.repo_name == parts["repository"]:
            expected = _expected(algorithm, region)
            if image != expected:
                raise ValidationError(f"The image of {name} in {region} is {expected}, not {image}.")
            return name
    known = ", ".join(sorted(algorithm.repo_name for algorithm in ALGORITHMS.values()))
    raise ValidationError(
        f"{image} is not an image of a first-party algorithm; their repositories are {known}."
    )


def _expected(algorithm: Any, region: str) -> str:
    try:
        return str(algorithm.train_image(region))
    except AmazonEstimatorsError as error:
        raise ValidationError(error.message) from error
