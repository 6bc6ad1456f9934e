"""Which engine predicts with the models of an algorithm."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.rules import Finding, Problem
from amazon_estimators.inference.models import LOCAL_MODELS, TopicTable

TOPICS = "how its container infers the topics of a document is not public"


def numpy_problem(kind: type[Algorithm]) -> str:
    """Return why NumPy does not predict with an algorithm's models; empty if it does.

    Example:
        >>> from amazon_estimators.algorithms import KMeans, LDA
        >>> numpy_problem(KMeans), numpy_problem(LDA)
        ('', 'how its container infers the topics of a document is not public')
    """
    model = LOCAL_MODELS.get(kind.__name__)
    if model is None:
        return kind.inference.undocumented_model
    return TOPICS if issubclass(model, TopicTable) else ""


def engine_findings(kind: type[Algorithm], engine: str) -> Iterator[Finding]:
    """Yield why an engine does not predict with an algorithm's models. A transform job does with all ten."""
    if engine == "numpy" and (problem := numpy_problem(kind)):
        yield Problem(
            f"engine is 'numpy', and a model of {kind.__name__} does not predict without its container: "
            f"{problem}. Use engine='transform', with an instance_type.",
            source=kind.inference.source,
        )
