"""IP Insights: which IPv4 addresses an entity, such as a user, usually has."""

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
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import PROGRESS, loss, score
from amazon_estimators.algorithms.rules import Finding, Problem
from amazon_estimators.hyperparameters.hyperparameter import integer, number, tuning
from amazon_estimators.hyperparameters.owner import Owner

MAX_MODEL_BYTES = 8_000_000_000
"""8 GB, the largest model. Four bytes per number reproduce AWS's table of possible sizes."""


def _sampling_rates(algorithm: Owner) -> Iterator[Finding]:
    """Refuse sampling rates whose sum is outside 1 to 500."""
    random, shuffled = (
        algorithm.effective(f"{kind}_negative_sampling_rate") for kind in ("random", "shuffled")
    )
    if not 1 <= random + shuffled <= 500:
        yield Problem(
            f"random_negative_sampling_rate ({random}) and shuffled_negative_sampling_rate ({shuffled}) "
            f"add up to {random + shuffled}. Expecting: a sum of at least 1 and at most 500; set both.",
            source="ip-insights-hyperparameters.md: the sum of both negative sampling rates is 1 to 500",
        )


def _model_size(algorithm: Owner) -> Iterator[Finding]:
    """Refuse a model larger than 8 GB: it is one vector per entity."""
    vectors, dimension = algorithm.values.get("num_entity_vectors"), algorithm.values.get("vector_dim")
    if vectors is not None and dimension is not None and 4 * vectors * dimension > MAX_MODEL_BYTES:
        yield Problem(
            f"num_entity_vectors ({vectors:,}) of vector_dim ({dimension:,}) make a model of "
            f"{4 * vectors * dimension / 1e9:,.1f} GB. Expecting: at most 8 GB; with this vector_dim, "
            f"at most {MAX_MODEL_BYTES // (4 * dimension):,} vectors.",
            source="ip-insights.md: the maximum supported model size is 8 GB",
        )


class IPInsights(Algorithm):
    """Embeddings of entities and IPv4 addresses."""

    repo_name = "ipinsights"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/ip-insights-hyperparameters.html"
    encoding = "csv"
    content_type = CSV
    channels = channels(
        ChannelRule("train", required=True, content_type=CSV, label="none", vectors=False),
        ChannelRule(
            "validation",
            required=False,
            content_type=CSV,
            distribution=REPLICATED,
            label="none",
            vectors=False,
        ),
    )
    instances = Instances(gpu="any")
    inference = Inference(
        accepts=(CSV, JSON, JSON_LINES),
        returns=(JSON, JSON_LINES),
        fields=(
            Field("dot_product"),
            Field("entity_embedding", "vector", optional=True),
            Field("ip_embedding", "vector", optional=True),
        ),
        rows="entity_pair",
        excluded={
            RECORDIO: "the Amazon SageMaker IP Insights algorithm does not currently support RecordIO format"
        },
        verbose="True",
        serverless_caution="its model takes up to 8 GB, a serverless endpoint has 6 GB of memory at most",
        undocumented_model="AWS does not document the file that holds the embeddings",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/ip-insights-inference-data-formats.html",
    )
    metrics = (
        score("validation:discriminator_auc", epoch=True),
        loss(
            "train:binary_classification_cross_entropy:epoch",
            logged="binary_classification_cross_entropy",
            epoch=True,
            objective=False,
        ),
        score(
            "train:binary_classification_accuracy:epoch",
            logged="binary_classification_accuracy",
            epoch=True,
            objective=False,
        ),
        score("train:binary_classification_accuracy", epoch=True, batch=True, objective=False),
        loss("train:binary_classification_cross_entropy", epoch=True, batch=True, objective=False),
        *PROGRESS,
    )
    rules = (_sampling_rates, _model_size)
    container_settings = (
        "_kvstore",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
        "_tuning_objective_metric",
    )

    num_entity_vectors = integer(
        at_least=1,
        at_most=250_000_000,
        required=True,
        tuning=tuning(10_000, 1_000_000),
        doc="Vectors that entities are hashed to; twice the number of entities is recommended.",
    )
    vector_dim = integer(
        at_least=4,
        at_most=4096,
        required=True,
        tuning=tuning(8, 256),
        doc="Dimension of the vectors; 128 is recommended.",
    )
    batch_metrics_publish_interval = integer(
        at_least=1, default=1000, doc="Batches between two lines of training speed in the log."
    )
    epochs = integer(at_least=1, default=10, tuning=tuning(1, 100), doc="Passes over the training data.")
    learning_rate = number(
        at_least=1e-6,
        at_most=10.0,
        default=0.001,
        tuning=tuning(1e-4, 0.1),
        doc="Step size of the optimizer.",
    )
    mini_batch_size = integer(
        at_least=1, at_most=500_000, default=10_000, tuning=tuning(100, 50_000), doc="Records per mini-batch."
    )
    num_ip_encoder_layers = integer(
        at_least=0,
        at_most=100,
        default=1,
        tuning=tuning(1, 10),
        doc="Fully connected layers that encode an address.",
    )
    random_negative_sampling_rate = integer(
        at_least=0,
        at_most=500,
        default=1,
        tuning=tuning(0, 10),
        doc="Random addresses made as negative samples, for every record.",
    )
    shuffled_negative_sampling_rate = integer(
        at_least=0,
        at_most=500,
        default=1,
        tuning=tuning(0, 10),
        doc="Addresses of other records of the mini-batch taken as negative samples, for every record.",
    )
    weight_decay = number(
        at_least=0.0, at_most=10.0, default=1e-5, tuning=tuning(0.0, 1.0), doc="L2 regularisation."
    )
