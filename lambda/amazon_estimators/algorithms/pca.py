"""PCA: the directions along which the records vary most."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.channel_rules import (
    CSV,
    JSON,
    JSON_LINES,
    RECORDIO,
    REPLICATED,
    ChannelRule,
    channels,
)
from amazon_estimators.algorithms.filled_in import batch_up_to, features, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.rules import (
    Caution,
    Finding,
    at_most_features,
    at_most_records,
    without_effect,
)
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.hyperparameter import choice, flag, integer
from amazon_estimators.hyperparameters.owner import Owner

SMALL_INSTANCE_BYTES = 8 * 1024**3
"""Memory of an ml.m5.large, the smallest of the usual training instances."""


def _covariance(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Regular mode keeps a matrix of features by features in memory."""
    size = 8 * data.train.feature_dim**2
    if algorithm.effective("algorithm_mode") == "regular" and size > SMALL_INSTANCE_BYTES:
        yield Caution(
            f"algorithm_mode 'regular' keeps a covariance matrix of {data.train.feature_dim:,} features, "
            f"about {size / 1024**3:,.0f} GiB: take a large instance or algorithm_mode 'randomized'."
        )


class PCA(Algorithm):
    """Principal component analysis."""

    repo_name = "pca"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/PCA-reference.html"
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,)),
        ChannelRule("test", required=False, also=(CSV,), distribution=REPLICATED),
    )
    instances = Instances(gpu="any")
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON, JSON_LINES),
        returns=(RECORDIO, JSON, JSON_LINES),
        fields=(Field("projection", "vector"),),
        list_key="projections",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/PCA-in-formats.html",
    )
    rules = (without_effect("extra_components", unless="algorithm_mode", among=("randomized",)),)
    data_rules = (at_most_features("num_components"), at_most_records("num_components"), _covariance)
    fills = filling(feature_dim=features, mini_batch_size=batch_up_to(500))
    container_settings = (
        "force_dense",
        "epochs",
        "_log_level",
        "_kvstore",
        "_num_kv_servers",
        "_num_gpus",
    )

    feature_dim = integer(
        at_least=1, required=True, doc="Number of features of a record. Filled in from the data."
    )
    mini_batch_size = integer(
        at_least=1,
        required=True,
        doc="Records per mini-batch. Filled in from the data: the records of one instance, at most 500.",
    )
    num_components = integer(at_least=1, required=True, doc="Number of principal components to compute.")
    algorithm_mode = choice(
        "regular",
        "randomized",
        default="regular",
        doc="'regular' for sparse data or moderate sizes, 'randomized' for many records and features.",
    )
    extra_components = integer(
        at_least=0,
        literals=(-1,),
        default=-1,
        doc="Components the randomized mode computes besides; -1 is the larger of 10 and num_components.",
    )
    subtract_mean = flag(default=True, doc="Whether to centre the data, in training and at inference alike.")
