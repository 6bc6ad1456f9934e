"""Fit LDA with scikit-learn's variational Bayes: the algorithm's model, fitted by another method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn
from sklearn.decomposition import LatentDirichletAllocation

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference.models import LocalLDA
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

MAX_PASSES = 100
"""The most passes: max_iterations counts spectral decomposition steps; variational Bayes needs far fewer."""

MAX_PRIOR = 1.0
"""Largest prior that scikit-learn takes; alpha0 is tuned up to 10."""


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Find topics in the train channel; score the test channel, if any, by log-likelihood per word."""
    topics = algorithm.effective("num_topics")
    model = LatentDirichletAllocation(
        n_components=topics,
        doc_topic_prior=min(algorithm.effective("alpha0") / topics, MAX_PRIOR),
        max_iter=min(algorithm.effective("max_iterations"), MAX_PASSES),
        learning_method="batch",
        evaluate_every=5,
        random_state=0,
    ).fit(_counts(channels, "train"))
    metrics = {}
    if "test" in channels:
        test = _counts(channels, "test")
        # The variational lower bound of the log-likelihood, in nats.
        metrics["test:pwll"] = float(model.score(test)) / float(test.sum())
    words = model.components_ / model.components_.sum(axis=1, keepdims=True)
    return Fitted(
        engine="scikit-learn",
        metrics=metrics,
        model={
            "class": "sklearn.decomposition.LatentDirichletAllocation",
            "version": sklearn.__version__,
            "topics": words.tolist(),
        },
        layout=LocalLDA(
            np.full(topics, algorithm.effective("alpha0") / topics, np.float32), words.astype(np.float32)
        ),
    )


def _counts(channels: Mapping[str, Records], channel: str) -> Any:
    """Return the word counts of each document, sparse or dense."""
    values = channels[channel].values
    if values.min() < 0:
        raise ValueError(f"Channel {channel} holds {values.min():g}, which is not a word count.")
    if not values.sum():
        raise ValueError(f"Channel {channel} holds no words.")
    return values
