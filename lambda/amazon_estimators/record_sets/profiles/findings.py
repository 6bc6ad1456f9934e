"""Warn of features that are legal but seldom meant, from the profile alone. Nothing here is an error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amazon_estimators.record_sets.profiles.feature_profile import FeatureProfile
from amazon_estimators.text import listed

EXACT_IN_FLOAT32 = 2**24
"""Up to here float32 holds every whole number."""
APART = 1e5
MOST_SHOWN = 5


def warnings_of(
    profile: FeatureProfile, names: Sequence[str] | None, *, counts_words: bool = False
) -> tuple[str, ...]:
    """Return a sentence for each kind of finding, with the features it is about.

    Args:
        profile: The profile of a channel.
        names: The names of its features; without names they are shown by number.
        counts_words: True for an algorithm that reads how often each word occurs, such as NTM and LDA.
    """
    moments = profile.moments
    largest = np.maximum(np.abs(moments.minimum), np.abs(moments.maximum))
    flagged = [
        (
            moments.constant & (moments.records > 1),
            "constant: {}. They do not distinguish records; leave them out",
        ),
        (
            ~moments.fractional & (largest >= EXACT_IN_FLOAT32),
            "whole numbers of 16,777,216 or more: {}. float32 rounds them, so that identifiers, for example, "
            "are no longer distinct",
        ),
    ]
    if counts_words:
        flagged += [
            (moments.minimum < 0, "negative, where the algorithm reads counts of words: {}"),
            (moments.fractional, "fractional, where the algorithm reads counts of words: {}"),
        ]
    texts = [text.format(_shown(np.flatnonzero(flags), names)) for flags, text in flagged if flags.any()]
    return (*texts, *_far_apart(profile, names))


def _far_apart(profile: FeatureProfile, names: Sequence[str] | None) -> tuple[str, ...]:
    deviation = np.sqrt(profile.moments.variance)
    varying = np.flatnonzero(deviation > 0)
    if not len(varying):
        return ()
    least, most = (varying[pick(deviation[varying])] for pick in (np.argmin, np.argmax))
    if deviation[most] < APART * deviation[least]:
        return ()
    narrow, wide = (listed([feature_name(int(at), names)]) for at in (least, most))
    return (
        f"five orders of magnitude apart or more: standard deviations are from {deviation[least]:.3g} "
        f"(feature {narrow}) to {deviation[most]:.3g} (feature {wide}). The wide features outweigh the "
        "narrow ones in distances and gradients; scale them",
    )


def feature_name(number: int, names: Sequence[str] | None) -> int | str:
    """Return the name of a feature, or its number if there are no names."""
    return names[number] if names else number


def _shown(features: np.ndarray, names: Sequence[str] | None) -> str:
    few = [feature_name(int(feature), names) for feature in features[: MOST_SHOWN + 1]]
    more = len(features) - MOST_SHOWN
    text = listed(few[:MOST_SHOWN])
    noun = "feature" if len(features) == 1 else "features"
    return f"{noun} {text}" + (f", and {more:,} more" if more > 0 else "")
