"""The names of ``sagemaker.amazon.amazon_estimator``."""

from __future__ import annotations

from amazon_estimators.algorithms.training_images import train_image
from amazon_estimators.sdk.base import AmazonAlgorithmEstimatorBase
from amazon_estimators.sdk.record_sets import FileSystemRecordSet, RecordSet
from amazon_estimators.sdk.renamed import warn_renamed

__all__ = ["AmazonAlgorithmEstimatorBase", "FileSystemRecordSet", "RecordSet", "get_image_uri"]


def get_image_uri(region_name: str, repo_name: str, repo_version: str = "1") -> str:
    """Return the URI of a training image; its name in SDK 1."""
    warn_renamed("get_image_uri", "sagemaker.image_uris.retrieve, here KMeans.train_image(region)")
    return train_image(repo_name, repo_version, region_name)
