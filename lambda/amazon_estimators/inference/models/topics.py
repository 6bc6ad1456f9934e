"""LDA and NTM: tables of topics. How the containers infer the mixture of a document is not public."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from amazon_estimators.errors import InputError, ModelError
from amazon_estimators.inference import mxnet_arrays
from amazon_estimators.inference.archive import write_zip
from amazon_estimators.inference.models.local_model import Array, Content, LocalModel
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.rows import Vectors


class TopicTable(LocalModel):
    """A model whose topics are distributions over the words of a vocabulary."""

    @property
    @abstractmethod
    def topics(self) -> Array:
        """The probability of every word in every topic, shape (topics, words); rows add up to 1."""

    @property
    def feature_dim(self) -> int:
        return int(self.topics.shape[1])

    def describe(self) -> dict[str, Any]:
        return {"num_topics": len(self.topics), "feature_dim": self.feature_dim}

    def top_words(self, count: int = 10, vocabulary: Sequence[str] | None = None) -> list[list[str | int]]:
        """Return the likeliest words of every topic, the likeliest first.

        Args:
            count: Words per topic. Default: 10.
            vocabulary: The words in the order of the features. Default: positions instead of words.

        Raises:
            InputError: The vocabulary is not of ``feature_dim`` words.
        """
        if vocabulary is not None and len(vocabulary) != self.feature_dim:
            raise InputError(
                f"the vocabulary has {len(vocabulary):,} words; the model was trained on {self.feature_dim:,}"
            )
        order = np.argsort(-self.topics, axis=1, kind="stable")[:, :count].tolist()
        return [[word if vocabulary is None else vocabulary[word] for word in row] for row in order]

    def _predict(self, rows: Vectors) -> Predictions:
        raise ModelError(
            f"how {self.algorithm} infers the topics of a document is not public, so nothing is predicted "
            "without its container",
            remedy="Read its topics and top_words(), or ask an endpoint.",
        )


@dataclass(frozen=True, repr=False, eq=False)
class LocalLDA(TopicTable):
    """An MXNet list of two arrays: ``alpha`` (topics,), the prior, and ``beta`` (topics, words).

    https://docs.aws.amazon.com/sagemaker/latest/dg/lda-how-it-works.html
    """

    alpha: Array
    beta: Array
    algorithm = "LDA"

    @classmethod
    def matches(cls, content: Content) -> bool:
        return not content.named and [len(array.shape) for array in content.arrays.values()] == [1, 2]

    @classmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        alpha, beta = content.array("0", 1), content.array("1", 2)
        if len(alpha) != len(beta):
            raise ModelError(f"alpha has {len(alpha):,} topics, beta has {len(beta):,}")
        return cls(alpha, beta)

    def to_bytes(self) -> bytes:
        return mxnet_arrays.write([np.asarray(array, np.float32) for array in (self.alpha, self.beta)])

    @property
    def topics(self) -> Array:
        return self.beta

    def to_sklearn(self) -> Any:
        """Return a ``LatentDirichletAllocation`` of these topics, which infers mixtures in its own way.

        scikit-learn has one prior for all topics: it is the mean of ``alpha``.
        """
        from sklearn.decomposition import LatentDirichletAllocation  # noqa: PLC0415 - optional

        topics = self.beta.astype(np.float64)
        fitted = LatentDirichletAllocation(n_components=len(topics), doc_topic_prior=float(self.alpha.mean()))
        fitted.components_ = topics
        fitted.exp_dirichlet_component_ = topics
        fitted.doc_topic_prior_ = float(self.alpha.mean())
        fitted.topic_word_prior_ = 1 / len(topics)
        fitted.n_features_in_ = self.feature_dim
        fitted.n_batch_iter_ = fitted.n_iter_ = 1
        return fitted


@dataclass(frozen=True, repr=False, eq=False)
class LocalNTM(TopicTable):
    """A zip with ``params``, of which ``projection_weight`` (words, topics) is the decoder.

    A topic is the softmax over the words of its column.
    """

    projection: Array
    algorithm = "NTM"

    @classmethod
    def matches(cls, content: Content) -> bool:
        return content.named and "projection_weight" in content.arrays

    @classmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        return cls(content.array("projection_weight", 2))

    def to_bytes(self) -> bytes:
        params = mxnet_arrays.write({"arg:projection_weight": self.projection.astype(np.float32, copy=False)})
        return write_zip({"params": params, "meta.json": b"{}"})

    @property
    def topics(self) -> Array:
        exponents = np.exp(self.projection - self.projection.max(axis=0))
        return np.asarray((exponents / exponents.sum(axis=0)).T)
