"""Choose the engine that predicts with an algorithm's models."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import CSV, JSON, JSON_LINES, RECORDIO
from amazon_estimators.algorithms.rules import Finding, Problem
from amazon_estimators.inference.without_container import numpy_problem


def engine_findings(kind: type[Algorithm], engine: str) -> Iterator[Finding]:
    """Yield why an engine does not predict with an algorithm's models. A transform job does with all ten."""
    if engine == "numpy" and (problem := numpy_problem(kind)):
        yield Problem(
            f"engine is 'numpy', and a model of {kind.__name__} does not predict without its container: "
            f"{problem}. Use engine='transform', with an instance_type.",
            source=kind.inference.source,
        )


SPLIT_TYPES = {RECORDIO: "RecordIO", CSV: "Line", JSON_LINES: "Line"}
"""How an object of a content type is split into records."""


def transform_input(kind: type[Algorithm]) -> dict[str, str]:
    """Return the content type of an algorithm's shards, as TransformInput has it.

    Example:
        >>> from amazon_estimators.algorithms import KMeans
        >>> transform_input(KMeans)
        {'ContentType': 'application/x-recordio-protobuf', 'SplitType': 'RecordIO'}
    """
    return {"ContentType": kind.content_type, "SplitType": SPLIT_TYPES[kind.content_type]}


def accepted(kind: type[Algorithm]) -> str:
    """Return the content type that transform jobs of an algorithm answer in: lines, where it has them."""
    return JSON_LINES if JSON_LINES in kind.inference.returns else JSON


def transform_output(kind: type[Algorithm]) -> dict[str, str]:
    """Return the form of an algorithm's answers, as TransformOutput has it."""
    return {"Accept": accepted(kind), "AssembleWith": "Line"}
