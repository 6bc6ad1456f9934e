"""NTM: topics of documents, by a variational autoencoder."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.channel_rules import (
    CSV,
    JSON,
    JSON_LINES,
    PLAIN_TEXT,
    RECORDIO,
    REPLICATED,
    ChannelRule,
    channels,
)
from amazon_estimators.algorithms.filled_in import features, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import loss
from amazon_estimators.algorithms.rules import Caution, Finding, early_stopping
from amazon_estimators.algorithms.text_rules import files_are
from amazon_estimators.algorithms.training_data import UNKNOWN_RECORDS, Data
from amazon_estimators.hyperparameters.hyperparameter import (
    choice,
    flag,
    integer,
    listing,
    number,
    tuning,
    tuning_values,
)
from amazon_estimators.hyperparameters.owner import Owner
from amazon_estimators.hyperparameters.value_types import Bounds, Integer


def _vocabulary(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Warn if vocab.txt does not name every feature; its words are counted as records."""
    auxiliary, features = data.record_sets.get("auxiliary"), data.train.feature_dim
    if auxiliary is None or not features or auxiliary.num_records == UNKNOWN_RECORDS:
        return
    if auxiliary.num_records != features:
        yield Caution(
            f"The vocabulary of channel auxiliary has {auxiliary.num_records:,} words, but the data have "
            f"{features:,} features: list one word per feature, in order."
        )


class NTM(Algorithm):
    """Neural topic model."""

    repo_name = "ntm"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/ntm_hyperparameters.html"
    counts_words = True
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,)),
        ChannelRule(
            "validation", required=False, also=(CSV,), distribution=REPLICATED, distributions=(REPLICATED,)
        ),
        ChannelRule(
            "test", required=False, also=(CSV,), distribution=REPLICATED, distributions=(REPLICATED,)
        ),
        ChannelRule(
            "auxiliary",
            required=False,
            content_type=PLAIN_TEXT,
            distribution=REPLICATED,
            distributions=(REPLICATED,),
            label="none",
            vectors=False,
        ),
    )
    instances = Instances(gpu="any")
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON, JSON_LINES),
        returns=(RECORDIO, JSON, JSON_LINES),
        fields=(Field("topic_weights", "vector"),),
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/ntm-in-formats.html",
    )
    metrics = (
        loss("validation:total_loss", epoch=True),
        loss("train:total_loss", epoch=True, objective=False),
    )
    rules = (early_stopping("num_patience_epochs", "tolerance"),)
    data_rules = (
        files_are("vocab.txt", source="ntm.md: the vocabulary file must be named vocab.txt"),
        _vocabulary,
    )
    fills = filling(feature_dim=features)
    container_settings = (
        "_tuning_objective_metric",
        "_data_format",
        "_num_gpus",
        "_num_kv_servers",
        "_kvstore",
    )

    feature_dim = integer(
        at_least=1,
        at_most=1_000_000,
        required=True,
        doc="Number of words in the vocabulary. Filled in from the data.",
    )
    num_topics = integer(at_least=2, at_most=1000, required=True, doc="Number of topics to find.")
    batch_norm = flag(default=False, doc="Whether to normalise batches while training.")
    clip_gradient = number(
        at_least=0.001, infinity=True, default="Infinity", doc="Greatest magnitude of a gradient's component."
    )
    encoder_layers = listing(
        Integer(Bounds(at_least=1)),
        encoding="comma",
        literals=("auto",),
        default="auto",
        doc="Output size of every encoder layer; auto is two layers of 3 and 2 times num_topics.",
    )
    encoder_layers_activation = choice(
        "sigmoid",
        "tanh",
        "relu",
        default="sigmoid",
        tuning=tuning_values("sigmoid", "tanh", "relu"),
        doc="Activation function of the encoder layers.",
    )
    epochs = integer(at_least=1, default=50, doc="Most passes over the training data.")
    learning_rate = number(
        at_least=1e-6, at_most=1.0, default=0.001, tuning=tuning(1e-4, 0.1), doc="Step size of the optimizer."
    )
    mini_batch_size = integer(
        at_least=1, at_most=10_000, default=256, tuning=tuning(16, 2048), doc="Records per mini-batch."
    )
    num_patience_epochs = integer(
        at_least=1,
        default=3,
        doc="Epochs over which early stopping looks. More than epochs: never stop early.",
    )
    optimizer = choice(
        "sgd",
        "adam",
        "adagrad",
        "adadelta",
        "rmsprop",
        default="adadelta",
        tuning=tuning_values("sgd", "adam", "adadelta"),
        doc="Optimizer.",
    )
    rescale_gradient = number(
        at_least=0.001, at_most=1.0, default=1.0, tuning=tuning(0.1, 1.0), doc="Factor of the gradients."
    )
    sub_sample = number(
        at_least=0.0, at_most=1.0, default=1.0, doc="Share of the training data sampled every epoch."
    )
    tolerance = number(
        at_least=1e-6,
        at_most=0.1,
        default=0.001,
        doc="Relative change of the loss below which training stops early.",
    )
    weight_decay = number(
        at_least=0.0, at_most=1.0, default=0.0, tuning=tuning(0.0, 1.0), doc="L2 regularisation."
    )
