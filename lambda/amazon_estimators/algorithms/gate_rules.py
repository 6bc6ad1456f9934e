"""Check the metric that a gate judges a model by against the algorithm's own tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import isfinite

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.rules import Finding, Problem
from amazon_estimators.algorithms.tuning import METRICS, metric_findings


def gate_findings(
    algorithm: Algorithm,
    metric: str,
    channels: Collection[str],
    *,
    at_least: float | None,
    at_most: float | None,
    against_current: bool,
    margin: float,
) -> Iterator[Finding]:
    """Yield what is wrong with a gate.

    Args:
        algorithm: The algorithm with the hyperparameters of the trainings.
        metric: The metric's name, such as ``"test:msd"``.
        channels: The channels of the trainings.
        at_least: The least value that passes; None for any.
        at_most: The greatest value that passes; None for any.
        against_current: If the model in use is compared with.
        margin: How much worse than the model in use passes.
    """
    kind = type(algorithm)
    known = {declared.name: declared for declared in kind.metrics}
    if not any(declared.objective for declared in kind.metrics):
        yield Problem(
            f"{kind.__name__} logs no metric of a model's quality, so there is nothing to judge it by.",
            source=algorithm.documentation,
        )
        return
    yield from metric_findings(kind, "metric", metric, known, channels=channels, settings=algorithm.values)
    if metric not in known:
        return
    yield from _unscored(algorithm, metric)
    direction = known[metric].direction
    if against_current and direction is None:
        better = ", ".join(name for name, declared in known.items() if declared.direction)
        yield Problem(
            f"metric {metric!r} does not say which of two models is better; allowed with against_current: "
            f"{better}.",
            source=METRICS,
        )
    for name, value, wrong in (("at_least", at_least, "Minimize"), ("at_most", at_most, "Maximize")):
        if value is not None and not isfinite(value):
            yield Problem(f"{name} is {value}; allowed: a finite number.", source=METRICS)
        if value is not None and direction == wrong:
            other = "at_most" if name == "at_least" else "at_least"
            better = "lower" if wrong == "Minimize" else "higher"
            yield Problem(
                f"{name} is {value}, but {metric} is better the {better} it is: give {other}.",
                source=METRICS,
            )
    if not (isfinite(margin) and margin >= 0):
        yield Problem(f"margin is {margin}; allowed: 0 or more.", source=METRICS)
    if at_least is None and at_most is None and not against_current:
        yield Problem(
            "a gate with neither at_least nor at_most nor against_current lets every model through: give "
            "one of them.",
            source=METRICS,
        )


def _unscored(algorithm: Algorithm, metric: str) -> Iterator[Finding]:
    """Yield if ``eval_metrics`` leaves a metric out that it could name."""
    if "eval_metrics" not in algorithm.declared():
        return
    channel, _, name = metric.partition(":")
    chosen = algorithm.effective("eval_metrics") or ()
    allowed = getattr(getattr(algorithm.hyperparameter("eval_metrics").kind, "item", None), "choices", ())
    if channel == "test" and name in allowed and name not in chosen:
        yield Problem(
            f"{metric} is not computed, as eval_metrics is {', '.join(chosen)}: add {name} to it.",
            source=algorithm.documentation,
        )
