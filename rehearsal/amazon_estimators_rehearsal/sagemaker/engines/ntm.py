"""Verify the data of NTM. No small model is an honest stand-in for a neural topic model."""

from __future__ import annotations

from collections.abc import Mapping

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted, verified

VOCABULARY = "vocab.txt"


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Check that records are word counts, and that a vocabulary, if any, has one word per feature."""
    for name, records in channels.items():
        if name != "auxiliary" and records.values.min() < 0:
            raise ValueError(f"Channel {name} holds {records.values.min():g}, which is not a word count.")
    if "auxiliary" in channels:
        vocabulary = channels["auxiliary"]
        if vocabulary.files != (VOCABULARY,):
            raise ValueError(
                f"Channel auxiliary holds {', '.join(vocabulary.files)}; it takes one file, {VOCABULARY}."
            )
        if vocabulary.count != channels["train"].features:
            raise ValueError(
                f"{VOCABULARY} has {vocabulary.count:,} words; "
                f"channel train has {channels['train'].features:,} features."
            )
    return verified()
