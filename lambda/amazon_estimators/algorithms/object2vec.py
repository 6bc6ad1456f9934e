"""Object2Vec: embeddings of pairs of objects, from whether they belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from amazon_estimators.algorithms import object2vec_encoder as each
from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.channel_rules import (
    JSON,
    JSON_LINES,
    PLAIN_TEXT,
    REPLICATED,
    ChannelRule,
    channels,
)
from amazon_estimators.algorithms.filled_in import always, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import PROGRESS, loss, score
from amazon_estimators.algorithms.rules import (
    Caution,
    Finding,
    Problem,
    class_labels,
    required_with,
    without_effect,
)
from amazon_estimators.algorithms.text_rules import files_there, tokens_fit
from amazon_estimators.algorithms.training_data import Data
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
from amazon_estimators.hyperparameters.value_types import Choice

FILES = (
    "object2vec-hyperparameters.md: files of pretrained token embeddings and of vocabularies are in the "
    "auxiliary data channel"
)


def _shared_embedding(algorithm: Owner) -> Iterator[Finding]:
    """Warn if two encoders that share an embedding layer differ in vocabulary or dimension."""
    if algorithm.effective("tied_token_embedding_weight") and algorithm.effective("enc1_network") != "enc0":
        for setting in ("vocab_size", "token_embedding_dim"):
            first, second = (algorithm.effective(f"{encoder}_{setting}") for encoder in ("enc0", "enc1"))
            if second is not None and first != second:
                yield Caution(
                    f"tied_token_embedding_weight shares one embedding layer, but enc0_{setting} is "
                    f"{first:,} and enc1_{setting} {second:,}: make them equal."
                )


def _row_sparse(algorithm: Owner) -> Iterator[Finding]:
    """Warn of optimizers without gradients by row, and of bucketing, which they switch off."""
    if algorithm.effective("token_embedding_storage_type") != "row_sparse":
        return
    optimizer = algorithm.effective("optimizer")
    if optimizer not in {"adam", "adagrad", "sgd"}:
        yield Caution(
            f"optimizer {optimizer!r} may be refused while token_embedding_storage_type is 'row_sparse': "
            "take 'adam', 'adagrad' or 'sgd'."
        )
    if algorithm.effective("bucket_width"):
        yield Caution("bucket_width has no effect while token_embedding_storage_type is 'row_sparse'.")


def _auxiliary_files(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Refuse embedding and vocabulary files without the auxiliary channel that holds them."""
    if "auxiliary" in data.record_sets:
        return
    for encoder in ("enc0", "enc1"):
        for setting in ("pretrained_embedding_file", "vocab_file"):
            value = algorithm.effective(f"{encoder}_{setting}")
            if value:
                yield Problem(
                    f"{encoder}_{setting} is {value!r}, a file of channel auxiliary, but that channel has no "
                    "data. Give it a RecordSet or leave the hyperparameter out.",
                    source=FILES,
                )


class Object2Vec(Algorithm):
    """Embeddings of pairs: sentences, items and their buyers, anything written as token ids."""

    repo_name = "object2vec"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/object2vec-hyperparameters.html"
    encoding = "jsonlines"
    content_type = JSON_LINES
    channels = channels(
        *(
            ChannelRule(
                name,
                required=name == "train",
                content_type=JSON_LINES,
                distribution=distribution,
                label="required",
                vectors=False,
            )
            for name, distribution in (
                ("train", "ShardedByS3Key"),
                ("validation", REPLICATED),
                ("test", REPLICATED),
            )
        ),
        ChannelRule(
            "auxiliary",
            required=False,
            content_type=PLAIN_TEXT,
            distribution=REPLICATED,
            label="none",
            vectors=False,
        ),
    )
    instances = Instances(gpu="any", single_instance=True)
    inference = Inference(
        accepts=(JSON_LINES, JSON),
        returns=(JSON_LINES, JSON),
        fields=(
            Field("scores", "vector", optional=True),
            Field("embeddings", "vector", optional=True),
        ),
        rows="token_pair",
        undocumented_model="AWS does not document the file that holds the encoders",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/object2vec-inference-formats.html",
    )
    metrics = (
        loss("test:mean_squared_error"),
        loss("validation:mean_squared_error", epoch=True),
        score("test:accuracy"),
        loss("test:cross_entropy"),
        score("validation:accuracy", epoch=True),
        loss("validation:cross_entropy", epoch=True),
        score("train:accuracy", epoch=True, objective=False),
        loss("train:cross_entropy", epoch=True, objective=False),
        loss("train:mean_squared_error", epoch=True, objective=False),
        *PROGRESS,
    )
    rules = (
        required_with("enc1_max_seq_len", "enc1_network", *each.NETWORKS),
        required_with("enc1_vocab_size", "enc1_network", *each.NETWORKS),
        without_effect("num_classes", unless="output_layer", among=("softmax",)),
        without_effect("enc0_cnn_filter_width", unless="enc0_network", among=("hcnn",)),
        without_effect("enc0_layers", unless="enc0_network", among=("hcnn", "bilstm")),
        without_effect(
            *(f"enc1_{name}" for name in each.SETTINGS if name not in {"cnn_filter_width", "layers"}),
            unless="enc1_network",
            among=each.NETWORKS,
        ),
        without_effect("enc1_cnn_filter_width", unless="enc1_network", among=("hcnn",)),
        without_effect("enc1_layers", unless="enc1_network", among=("hcnn", "bilstm")),
        each.pretrained("enc0"),
        each.pretrained("enc1"),
        _shared_embedding,
        _row_sparse,
    )
    data_rules = (
        class_labels(when=("output_layer", "softmax"), classes="num_classes"),
        _auxiliary_files,
        files_there(
            *(
                f"{encoder}_{name}"
                for encoder in ("enc0", "enc1")
                for name in ("pretrained_embedding_file", "vocab_file")
            ),
            source=FILES,
        ),
        tokens_fit,
    )
    fills = filling(mini_batch_size=always(32))
    container_settings = (
        "_num_gpus",
        "_num_kv_servers",
        "_tuning_objective_metric",
        "_kvstore",
    )

    enc0_max_seq_len = each.max_seq_len("enc0", required=True)
    enc0_vocab_size = each.vocab_size("enc0", required=True)
    bucket_width = integer(
        at_least=0,
        at_most=100,
        default=0,
        doc="Difference of sequence lengths allowed in one bucket; 0 for no bucketing.",
    )
    comparator_list = listing(
        Choice(("hadamard", "concat", "abs_diff")),
        encoding="comma",
        distinct=True,
        default=("hadamard", "concat", "abs_diff"),
        doc="How the two encodings are compared; the parts are joined in this order.",
    )
    dropout = number(
        at_least=0.0, at_most=1.0, default=0.0, tuning=tuning(0.0, 1.0), doc="Probability of dropping a unit."
    )
    early_stopping_patience = integer(
        at_least=1,
        at_most=5,
        default=3,
        tuning=tuning(1, 5),
        doc="Epochs without improvement before training stops.",
    )
    early_stopping_tolerance = number(
        at_least=1e-6,
        at_most=0.1,
        default=0.01,
        tuning=tuning(0.001, 0.1),
        doc="Reduction of the loss that counts as improvement.",
    )
    enc_dim = integer(
        at_least=4,
        at_most=10_000,
        default=4096,
        tuning=tuning(4, 4096),
        doc="Dimension of both encodings.",
    )
    enc0_network = choice(*each.NETWORKS, default="hcnn", doc="Network of enc0.")
    enc0_cnn_filter_width = each.filter_width("enc0")
    enc0_freeze_pretrained_embedding = each.freeze("enc0")
    enc0_layers = each.layers("enc0")
    enc0_pretrained_embedding_file = each.embedding_file("enc0")
    enc0_token_embedding_dim = each.embedding_dim("enc0")
    enc0_vocab_file = each.vocab_file("enc0")
    enc1_network = choice(
        "enc0",
        *each.NETWORKS,
        default="enc0",
        doc="Network of enc1; 'enc0' for the same with the same settings.",
    )
    enc1_cnn_filter_width = each.filter_width("enc1")
    enc1_freeze_pretrained_embedding = each.freeze("enc1")
    enc1_layers = each.layers("enc1")
    enc1_max_seq_len = each.max_seq_len("enc1", required=False)
    enc1_pretrained_embedding_file = each.embedding_file("enc1")
    enc1_token_embedding_dim = each.embedding_dim("enc1")
    enc1_vocab_file = each.vocab_file("enc1")
    enc1_vocab_size = each.vocab_size("enc1", required=False)
    epochs = integer(
        at_least=1, at_most=100, default=30, tuning=tuning(4, 20), doc="Passes over the training data."
    )
    learning_rate = number(
        at_least=1e-6,
        at_most=1.0,
        default=0.0004,
        tuning=tuning(1e-6, 1.0),
        doc="Step size of the optimizer.",
    )
    mini_batch_size = integer(
        at_least=1,
        at_most=10_000,
        default=32,
        tuning=tuning(1, 8192),
        doc="Records per mini-batch. Filled in: 32.",
    )
    mlp_activation = choice(
        "tanh",
        "relu",
        "linear",
        default="linear",
        tuning=tuning_values("tanh", "relu", "linear"),
        doc="Activation function of the multilayer perceptron.",
    )
    mlp_dim = integer(
        at_least=2,
        at_most=10_000,
        default=512,
        tuning=tuning(16, 1024),
        doc="Output dimension of the multilayer perceptron.",
    )
    mlp_layers = integer(
        at_least=0, at_most=10, default=2, tuning=tuning(1, 4), doc="Layers of the multilayer perceptron."
    )
    negative_sampling_rate = integer(
        at_least=0, default=0, doc="Negative records made for every positive one; 0 for none."
    )
    num_classes = integer(
        at_least=2, at_most=30, default=2, doc="Number of classes, labelled 0 to num_classes - 1."
    )
    optimizer = choice(
        "adadelta",
        "adagrad",
        "adam",
        "sgd",
        "rmsprop",
        default="adam",
        tuning=tuning_values("adagrad", "adam", "rmsprop", "sgd", "adadelta"),
        doc="Optimizer.",
    )
    output_layer = choice(
        "softmax",
        "mean_squared_error",
        default="softmax",
        doc="Classification (softmax) or regression (mean_squared_error).",
    )
    tied_token_embedding_weight = flag(
        capitals=True, default=False, doc="Whether both encoders share one token embedding layer."
    )
    token_embedding_storage_type = choice(
        "dense",
        "row_sparse",
        default="dense",
        doc="Whether gradients of embeddings are kept whole or by row.",
    )
    weight_decay = number(
        at_least=0, at_most=10_000, default=0, tuning=tuning(0.0, 1.0), doc="L2 regularisation; 0 for none."
    )

    def vocabulary_size(self, encoder: Literal["enc0", "enc1"]) -> int:
        """Return the size of the encoder's vocabulary: its token ids are smaller."""
        if encoder == "enc1" and self.effective("enc1_network") == "enc0":
            encoder = "enc0"
        return cast(int, self.effective(f"{encoder}_vocab_size"))
