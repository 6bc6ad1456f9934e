"""Verify the data of Object2Vec. No small model is an honest stand-in for its networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from amazon_estimators.algorithms import Algorithm, Object2Vec
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted, verified


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Check token ids, lengths of sequences and labels against the hyperparameters."""
    vectors = cast(Object2Vec, algorithm)
    limits = {"in0": vectors.sequence_limits("enc0"), "in1": vectors.sequence_limits("enc1")}
    classes = algorithm.effective("num_classes") if algorithm.effective("output_layer") == "softmax" else None
    for name, records in channels.items():
        if name == "auxiliary":
            continue
        for number, pair in enumerate(records.values, start=1):
            problem = next(_problems(pair, limits, classes), None)
            if problem:
                raise ValueError(f"Channel {name}, record {number}: {problem}")
    _check_files(algorithm, channels.get("auxiliary"))
    return verified()


def _problems(
    pair: Mapping[str, Any], limits: Mapping[str, tuple[int, int]], classes: int | None
) -> Iterator[str]:
    for side, (vocabulary, longest) in limits.items():
        tokens = pair[side]
        if max(tokens) >= vocabulary:
            yield f"{side} holds token {max(tokens)}; the vocabulary has ids 0 to {vocabulary - 1}."
        if len(tokens) > longest:
            yield f"{side} has {len(tokens)} tokens; at most {longest}."
    label = pair["label"]
    if classes is not None and (label != int(label) or not 0 <= label < classes):
        yield f"label is {label}; with {classes} classes it is 0 to {classes - 1}."


def _check_files(algorithm: Algorithm, auxiliary: Records | None) -> None:
    files = () if auxiliary is None else auxiliary.files
    shown = ", ".join(files) or "no file"
    for encoder in ("enc0", "enc1"):
        for setting in ("vocab_file", "pretrained_embedding_file"):
            wanted = algorithm.effective(f"{encoder}_{setting}")
            if wanted and wanted not in files:
                raise ValueError(f"{encoder}_{setting} is {wanted!r}; channel auxiliary holds {shown}.")
