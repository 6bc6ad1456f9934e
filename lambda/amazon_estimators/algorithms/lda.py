"""LDA: topics as mixtures of words, documents as mixtures of topics."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, RECORDIO, REPLICATED, ChannelRule, channels
from amazon_estimators.algorithms.filled_in import features, filling, records
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.algorithms.rules import Caution, Finding
from amazon_estimators.algorithms.training_data import UNKNOWN_RECORDS, Data
from amazon_estimators.hyperparameters.hyperparameter import integer, number, tuning
from amazon_estimators.hyperparameters.owner import Owner


def _whole_corpus(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Warn of a mini_batch_size below the number of documents; the base warns of one above."""
    size = algorithm.values.get("mini_batch_size")
    if isinstance(size, int) and size < data.train.num_records < UNKNOWN_RECORDS:
        yield Caution(
            f"mini_batch_size is {size:,}, but AWS documents it as the total number of documents, and "
            f"channel train has {data.train.num_records:,}: leave it out and it is filled in from the data."
        )


class LDA(Algorithm):
    """Latent Dirichlet allocation, by tensor decomposition."""

    repo_name = "lda"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/lda_hyperparameters.html"
    counts_words = True
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,)),
        ChannelRule("test", required=False, also=(CSV,), distribution=REPLICATED),
    )
    instances = Instances(gpu="refused", single_instance=True)
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON),
        returns=(RECORDIO, JSON),
        fields=(Field("topic_mixture", "vector"),),
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/lda.html",
    )
    metrics = (Metric("test:pwll", "Maximize", True, None),)
    data_rules = (_whole_corpus,)
    fills = filling(feature_dim=features, mini_batch_size=records)
    container_settings = (
        "allow_svd_init",
        "epochs",
        "_num_gpus",
        "_kvstore",
        "_tuning_objective_metric",
    )

    num_topics = integer(at_least=1, required=True, tuning=tuning(1, 150), doc="Number of topics to find.")
    feature_dim = integer(
        at_least=1, required=True, doc="Number of words in the vocabulary. Filled in from the data."
    )
    mini_batch_size = integer(
        at_least=1, required=True, doc="Total number of documents in the corpus. Filled in from the data."
    )
    alpha0 = number(
        above=0,
        default=1.0,
        tuning=tuning(0.1, 10),
        doc="Initial guess of the concentration: small values favour few topics per document, above 1 many.",
    )
    max_restarts = integer(
        at_least=1, default=10, doc="Restarts of the spectral decomposition (alternating least squares)."
    )
    max_iterations = integer(at_least=1, default=1000, doc="Most iterations of the spectral decomposition.")
    tol = number(above=0, default=1e-8, doc="Error below which the spectral decomposition stops.")
