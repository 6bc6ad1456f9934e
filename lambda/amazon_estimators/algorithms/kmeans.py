"""K-Means: groups records around k centers."""

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
from amazon_estimators.algorithms.filled_in import features, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import PROGRESS, loss
from amazon_estimators.algorithms.rules import Caution, Finding, at_most_records, needs_channel
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.hyperparameter import (
    choice,
    integer,
    listing,
    number,
    tuning,
    tuning_values,
)
from amazon_estimators.hyperparameters.owner import Owner
from amazon_estimators.hyperparameters.value_types import Choice


def _extra_centers(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Warn if more centers are made, k * extra_center_factor of them, than there are records."""
    k, factor = algorithm.effective("k"), algorithm.effective("extra_center_factor")
    if isinstance(factor, int) and k <= data.train.num_records < k * factor:
        yield Caution(
            f"k * extra_center_factor is {k * factor:,} centers, but channel train has "
            f"{data.train.num_records:,} records: lower extra_center_factor or leave it out."
        )


class KMeans(Algorithm):
    """K-Means clustering, one pass over the data in mini-batches."""

    repo_name = "kmeans"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/k-means-api-config.html"
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,)),
        ChannelRule("test", required=False, also=(CSV,), distribution=REPLICATED),
    )
    instances = Instances(gpu="single")
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON, JSON_LINES),
        returns=(RECORDIO, JSON, JSON_LINES, CSV),
        fields=(Field("closest_cluster", integer=True), Field("distance_to_cluster")),
        csv_columns=("closest_cluster", "distance_to_cluster"),
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/km-in-formats.html",
    )
    metrics = (
        loss("test:msd"),
        loss("test:ssd"),
        loss("train:msd", objective=False),
        *PROGRESS,
    )
    data_rules = (at_most_records("k"), _extra_centers, needs_channel("eval_metrics", "test"))
    fills = filling(feature_dim=features)
    container_settings = (
        "force_dense",
        "_disable_wait_to_read",
        "_enable_profiler",
        "_kvstore",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
        "_num_slices",
        "_tuning_objective_metric",
    )

    feature_dim = integer(
        at_least=1, required=True, doc="Number of features of a record. Filled in from the data."
    )
    k = integer(at_least=1, required=True, doc="Number of clusters.")
    epochs = integer(at_least=1, default=1, tuning=tuning(1, 10), doc="Passes over the training data.")
    eval_metrics = listing(
        Choice(("msd", "ssd")),
        encoding="json",
        distinct=True,
        ordered=False,
        default=("msd",),
        doc="What to score the test channel by: mean (msd) or sum (ssd) of squared distances to the centers.",
    )
    extra_center_factor = integer(
        at_least=1,
        literals=("auto",),
        default="auto",
        tuning=tuning(4, 10),
        alias="center_factor",
        doc="How many times k centers are made while training, before they are reduced to k.",
    )
    half_life_time_size = integer(
        at_least=0,
        default=0,
        doc="Records after which an older record weighs half as much in the centers. 0: no decay.",
    )
    init_method = choice(
        "random",
        "kmeans++",
        default="random",
        tuning=tuning_values("kmeans++", "random"),
        doc="How the first centers are chosen.",
    )
    local_lloyd_init_method = choice(
        "random",
        "kmeans++",
        default="kmeans++",
        alias="local_init_method",
        doc="How the first centers of the final Lloyd iterations are chosen.",
    )
    local_lloyd_max_iter = integer(
        at_least=1, default=300, alias="max_iterations", doc="Most Lloyd iterations of the final step."
    )
    local_lloyd_num_trials = integer(
        at_least=1,
        literals=("auto",),
        default="auto",
        alias="num_trials",
        doc="How often the final Lloyd step is run; the run with the least loss is kept.",
    )
    local_lloyd_tol = number(
        at_least=0,
        at_most=1,
        default=0.0001,
        alias="tol",
        doc="Relative change of the loss below which the Lloyd iterations stop.",
    )
    mini_batch_size = integer(
        at_least=1, default=5000, tuning=tuning(3000, 15000), doc="Records per mini-batch."
    )
