"""Rules that look at more than one hyperparameter, or at the data, as small declarations.

A field rule is called with the algorithm, a data rule with the algorithm and the :class:`Data`. Both yield
findings. A :class:`Problem` is an error, and names its source: the sentence of AWS's documentation, or of
the service's error, that refuses the value. What only we conclude is a :class:`Caution`, a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Self

from amazon_estimators.algorithms.instances import is_accelerated, types_of
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.owner import Owner


class Problem(str):
    """An error: what is wrong, what is allowed, the way out. ``source`` says who refuses it."""

    source: str

    def __new__(cls, text: str, *, source: str) -> Self:
        problem = super().__new__(cls, text)
        problem.source = source
        return problem


class Caution(str):
    """A warning: the service may take it, but it has no effect, or may not train as expected."""


Finding = Problem | Caution
FieldRule = Callable[[Owner], Iterator[Finding]]
DataRule = Callable[[Owner, Data], Iterator[Finding]]


def required_with(name: str, other: str, *values: object, source: str | None = None) -> FieldRule:
    """Expect ``name`` when ``other`` is one of ``values``: an error with a ``source``, else a warning."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        if algorithm.effective(other) in values and algorithm.effective(name) is None:
            expecting = type(algorithm).hyperparameter(name).kind.expecting
            setting = f"{other} is {algorithm.effective(other)!r}"
            if source:
                yield Problem(f"{name} is required when {setting}: give {expecting}.", source=source)
            else:
                yield Caution(f"{name} should be given when {setting}: {expecting}.")

    return rule


def choices_by(name: str, other: str, choices: Mapping[object, tuple[str, ...]], *, source: str) -> FieldRule:
    """Allow ``name`` only the values listed for the value of ``other``."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        value, chosen = algorithm.effective(name), algorithm.effective(other)
        allowed = choices.get(chosen)
        if allowed is not None and value not in allowed:
            yield Problem(
                f"Invalid hyperparameter value {value!r} for {name} when {other} is {chosen!r}. "
                f"Expecting: one of {', '.join(map(repr, allowed))}.",
                source=source,
            )

    return rule


def without_effect(*names: str, unless: str, among: tuple[object, ...]) -> FieldRule:
    """Warn that each of ``names`` is idle unless ``unless`` has one of the values in ``among``."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        setting = algorithm.effective(unless)
        if setting in among:
            return
        for name in names:
            if name in algorithm.values:
                yield Caution(
                    f"{name} has no effect while {unless} is {setting!r}: "
                    f"it needs {' or '.join(repr(value) for value in among)}."
                )

    return rule


def early_stopping(patience: str, tolerance: str) -> FieldRule:
    """Warn that ``tolerance`` is idle where more epochs of patience than epochs switch early stopping off."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        waits, epochs = algorithm.effective(patience), algorithm.effective("epochs")
        if tolerance in algorithm.values and waits > epochs:
            yield Caution(
                f"{tolerance} has no effect: early stopping is off, as {patience} ({waits}) "
                f"is greater than epochs ({epochs})."
            )

    return rule


def at_most_records(*names: str) -> DataRule:
    """Warn if one of ``names`` exceeds the number of training records."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        for name in names:
            value = algorithm.values.get(name)
            if isinstance(value, int) and value > data.train.num_records:
                yield Caution(
                    f"{name} is {value:,}, but channel train has {data.train.num_records:,} records: "
                    f"lower {name} or add data if training fails."
                )

    return rule


def at_most_features(name: str) -> DataRule:
    """Warn if ``name`` exceeds the number of features."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        value = algorithm.values.get(name)
        features = data.train.feature_dim
        if isinstance(value, int) and 0 < features < value:
            yield Caution(f"{name} is {value:,}, but the data have {features:,} features: lower {name}.")

    return rule


def class_labels(
    *,
    when: tuple[str, object] | None,
    classes: int | str | None,
    only: tuple[str, ...] = (),
    source: str | None = None,
) -> DataRule:
    """Expect whole-number labels from 0 to ``classes`` - 1 while the setting ``when`` holds.

    ``classes`` is a number, the name of a hyperparameter that holds it, or None for any whole numbers.
    ``only`` names the channels it is about (default: all). Other labels are an error with a ``source``,
    else a warning.
    """

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        if when is not None and algorithm.effective(when[0]) != when[1]:
            return
        count = algorithm.effective(classes) if isinstance(classes, str) else classes
        lowest, highest = (0, count - 1) if isinstance(count, int) else (-inf, inf)
        allowed = "whole numbers" if count is None else f"whole numbers from 0 to {highest}"
        why = f" when {when[0]} is {when[1]!r}" if when else ""
        for name, record_set in data.record_sets.items():
            labels = record_set.labels
            if labels is None or (only and name not in only):
                continue
            if not labels.integral or labels.minimum < lowest or labels.maximum > highest:
                kind = "" if labels.integral else ", not all whole numbers"
                mend = f", or raise {classes}" if isinstance(classes, str) and labels.integral else ""
                text = (
                    f"Labels of channel {name} lie between {labels.minimum:g} and {labels.maximum:g}{kind}. "
                    f"Expecting{why}: {allowed}. Renumber the classes{mend}."
                )
                yield Problem(text, source=source) if source else Caution(text)
            elif name == "train" and labels.minimum == labels.maximum:
                yield Caution(f"Every label of channel train is {labels.minimum:g}: one class to learn.")
            elif name == "train" and isinstance(classes, str) and labels.maximum < highest:
                yield Caution(
                    f"{classes} is {count}, but the largest label of channel train is {labels.maximum:g}: "
                    f"with classes 0 to {labels.maximum:g}, {classes} is {labels.maximum + 1:g}."
                )

    return rule


def no_sparse_on_gpu(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Refuse sparse records on GPU instances. Silent if the instance type is not known."""
    accelerated = ", ".join(filter(is_accelerated, types_of(data.instance_type)))
    for name, record_set in data.record_sets.items():
        if accelerated and record_set.sparse:
            yield Problem(
                f"Channel {name} holds sparse records, which do not train on {accelerated}. "
                "Expecting: a CPU type such as ml.m5.large, or dense records.",
                source="fact-machines.md: training with GPUs is available only on dense data",
            )


def needs_channel(name: str, channel: str) -> DataRule:
    """Warn that ``name`` is idle without the channel."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        if name in algorithm.values and channel not in data.record_sets:
            yield Caution(f"{name} has no effect without a channel {channel!r}.")

    return rule
