"""Rules that look at more than one hyperparameter, or at the data, as small declarations.

A field rule is called with the algorithm, a data rule with the algorithm and the :class:`Data`. Both yield a
:class:`Problem`, which is an error, or a :class:`Caution`, which is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf

from amazon_estimators.algorithms.instances import is_accelerated
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.owner import Owner


class Problem(str):
    """An error: what is wrong, what is allowed, the way out."""


class Caution(str):
    """A warning about something the service takes but that does not do what it seems to."""


Finding = Problem | Caution
FieldRule = Callable[[Owner], Iterator[Finding]]
DataRule = Callable[[Owner, Data], Iterator[Finding]]


def required_with(name: str, other: str, *values: object) -> FieldRule:
    """``name`` must be given when ``other`` is set to one of ``values``."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        if algorithm.effective(other) in values and algorithm.effective(name) is None:
            expecting = type(algorithm).hyperparameter(name).kind.expecting
            setting = f"{other} is {algorithm.effective(other)!r}"
            yield Problem(f"{name} is required when {setting}: give {expecting}.")

    return rule


def choices_by(name: str, other: str, choices: Mapping[object, tuple[str, ...]]) -> FieldRule:
    """Which values ``name`` takes depends on the value of ``other``."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        value, chosen = algorithm.effective(name), algorithm.effective(other)
        allowed = choices.get(chosen)
        if allowed is not None and value not in allowed:
            yield Problem(
                f"Invalid hyperparameter value {value!r} for {name} when {other} is {chosen!r}. "
                f"Expecting: one of {', '.join(map(repr, allowed))}."
            )

    return rule


def without_effect(*names: str, unless: str, among: tuple[object, ...]) -> FieldRule:
    """Each of ``names`` does something only while ``unless`` has one of the values in ``among``."""

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
    """More epochs of patience than epochs switch early stopping off; ``tolerance`` is idle then."""

    def rule(algorithm: Owner) -> Iterator[Finding]:
        waits, epochs = algorithm.effective(patience), algorithm.effective("epochs")
        if tolerance in algorithm.values and waits > epochs:
            yield Caution(
                f"{tolerance} has no effect: early stopping is off, as {patience} ({waits}) "
                f"is greater than epochs ({epochs})."
            )

    return rule


def at_most_records(*names: str) -> DataRule:
    """Each of ``names`` may not exceed the number of training records."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        for name in names:
            value = algorithm.values.get(name)
            if isinstance(value, int) and value > data.train.num_records:
                yield Problem(
                    f"{name} is {value:,}, but channel train has {data.train.num_records:,} records. "
                    f"Expecting: at most {data.train.num_records:,}; lower {name} or add data."
                )

    return rule


def at_most_features(name: str) -> DataRule:
    """``name`` may not exceed the number of features."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        value = algorithm.values.get(name)
        if isinstance(value, int) and value > data.train.feature_dim:
            yield Problem(
                f"{name} is {value:,}, but the data have {data.train.feature_dim:,} features. "
                f"Expecting: at most {data.train.feature_dim:,}; lower {name}."
            )

    return rule


def class_labels(
    *, when: tuple[str, object] | None, classes: int | str | None, only: tuple[str, ...] = ()
) -> DataRule:
    """Labels are whole numbers from 0 to ``classes`` - 1; applied while the setting ``when`` holds.

    ``classes`` is a number, the name of a hyperparameter that holds it, or None for any whole numbers.
    ``only`` names the channels it is about (default: all).
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
                yield Problem(
                    f"Labels of channel {name} lie between {labels.minimum:g} and {labels.maximum:g}{kind}. "
                    f"Expecting{why}: {allowed}. Renumber the classes{mend}."
                )
            elif name == "train" and labels.minimum == labels.maximum:
                yield Caution(f"Every label of channel train is {labels.minimum:g}: one class to learn.")
            elif name == "train" and isinstance(classes, str) and labels.maximum < highest:
                yield Caution(
                    f"{classes} is {count}, but the largest label of channel train is {labels.maximum:g}: "
                    f"with classes 0 to {labels.maximum:g}, {classes} is {labels.maximum + 1:g}."
                )

    return rule


def no_sparse_on_gpu(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Sparse records train on CPU only. Silent if the instance type is not known."""
    if data.instance_type is None or not is_accelerated(data.instance_type):
        return
    for name, record_set in data.record_sets.items():
        if record_set.sparse:
            yield Problem(
                f"Channel {name} holds sparse records, which do not train on {data.instance_type}. "
                "Expecting: a CPU type such as ml.m5.large, or dense records."
            )


def needs_channel(name: str, channel: str) -> DataRule:
    """``name`` does something only if there is the channel."""

    def rule(algorithm: Owner, data: Data) -> Iterator[Finding]:
        if name in algorithm.values and channel not in data.record_sets:
            yield Caution(f"{name} has no effect without a channel {channel!r}.")

    return rule
