"""NTM: no small model is an honest stand-in for a neural topic model, so its data are verified only."""

from __future__ import annotations

from collections.abc import Mapping

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted, verified

VOCABULARY = "vocab.txt"


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Counts of words by document; a vocabulary, if given, of one word a feature."""
    for name, records in channels.items():
        if name != "auxiliary" and records.values.min() < 0:
            raise ValueError(f"Channel {name} holds {records.values.min():g}, which is no number of words.")
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
