"""Tell which algorithms' models predict with NumPy, and why the others do not."""

from __future__ import annotations

from amazon_estimators.algorithms import Algorithm
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
