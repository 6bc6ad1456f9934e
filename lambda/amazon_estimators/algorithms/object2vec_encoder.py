"""Declare the hyperparameters that each of Object2Vec's two encoders has."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms.rules import Caution, FieldRule, Finding
from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter, file_name, flag, integer, tuning
from amazon_estimators.hyperparameters.owner import Owner

NETWORKS = ("hcnn", "bilstm", "pooled_embedding")
SETTINGS = (
    "cnn_filter_width",
    "freeze_pretrained_embedding",
    "layers",
    "max_seq_len",
    "pretrained_embedding_file",
    "token_embedding_dim",
    "vocab_file",
    "vocab_size",
)


def pretrained(encoder: str) -> FieldRule:
    """Warn of settings for pretrained embeddings where there are none."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        if algorithm.effective(f"{encoder}_pretrained_embedding_file"):
            return
        for name in (f"{encoder}_freeze_pretrained_embedding", f"{encoder}_vocab_file"):
            if algorithm.values.get(name) not in {None, ""}:
                yield Caution(f"{name} has no effect without {encoder}_pretrained_embedding_file.")

    return rule


def filter_width(encoder: str) -> Hyperparameter[int | str]:
    """Width of the convolutions."""
    return integer(
        at_least=1,
        at_most=9,
        default=3,
        tuning=tuning(1, 5),
        doc=f"Filter width of {encoder}'s convolutions; network hcnn.",
    )


def freeze(encoder: str) -> Hyperparameter[bool]:
    """Declare if pretrained embeddings stay fixed."""
    return flag(capitals=True, default=True, doc=f"Whether {encoder}'s pretrained embeddings stay fixed.")


def layers(encoder: str) -> Hyperparameter[int | str]:
    """Layers of the network."""
    return integer(
        at_least=1,
        at_most=4,
        literals=("auto",),
        default="auto",
        tuning=tuning(1, 4),
        doc=f"Layers of {encoder}; auto is 4 for hcnn and 1 for bilstm.",
    )


def embedding_file(encoder: str) -> Hyperparameter[str]:
    """File of pretrained embeddings."""
    return file_name(default="", doc=f"File of channel auxiliary with {encoder}'s pretrained embeddings.")


def embedding_dim(encoder: str) -> Hyperparameter[int | str]:
    """Dimension of token embeddings."""
    return integer(
        at_least=2,
        at_most=1000,
        default=300,
        tuning=tuning(5, 300),
        doc=f"Dimension of {encoder}'s token embeddings.",
    )


def vocab_file(encoder: str) -> Hyperparameter[str]:
    """File of the pretrained vocabulary."""
    return file_name(
        default="", doc=f"File of channel auxiliary that maps {encoder}'s pretrained embeddings to token ids."
    )


def max_seq_len(encoder: str, *, required: bool) -> Hyperparameter[int | str]:
    """Longest sequence."""
    return integer(
        at_least=1, at_most=5000, required=required, doc=f"Most tokens of a sequence {encoder} reads."
    )


def vocab_size(encoder: str, *, required: bool) -> Hyperparameter[int | str]:
    """Size of the vocabulary."""
    return integer(
        at_least=2,
        at_most=3_000_000,
        required=required,
        doc=f"Size of {encoder}'s vocabulary: token ids are 0 to this less 1.",
    )
