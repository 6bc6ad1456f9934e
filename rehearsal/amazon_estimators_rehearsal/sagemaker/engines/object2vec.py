"""Verify the data of Object2Vec. No small model is an honest stand-in for its networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from amazon_estimators.algorithms import Algorithm, Object2Vec
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted, verified


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Check token ids and labels against the hyperparameters.

    A sequence longer than ``enc0_max_seq_len`` is no reason to fail: the integration test of AWS's own SDK
    trains on such.
    """
    vectors = cast(Object2Vec, algorithm)
    vocabularies = {"in0": vectors.vocabulary_size("enc0"), "in1": vectors.vocabulary_size("enc1")}
    classes = algorithm.effective("num_classes") if algorithm.effective("output_layer") == "softmax" else None
    for name, records in channels.items():
        if name == "auxiliary":
            continue
        for number, pair in enumerate(records.values, start=1):
            problem = next(_problems(pair, vocabularies, classes), None)
            if problem:
                raise ValueError(f"Channel {name}, record {number}: {problem}")
    _check_files(algorithm, channels.get("auxiliary"))
    return verified()


def _problems(pair: Mapping[str, Any], vocabularies: Mapping[str, int], classes: int | None) -> Iterator[str]:
    for side, vocabulary in vocabularies.items():
        tokens = pair[side]
        if max(tokens) >= vocabulary:
            yield f"{side} holds token {max(tokens)}; the vocabulary has ids 0 to {vocabulary - 1}."
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
