"""Generate texts about one or two of six subjects, from a fixed vocabulary."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SUBJECTS = (
    "oven dough flour butter sugar pan whisk recipe salt yeast simmer garlic onion pepper roast spoon",
    "sail mast anchor harbour tide rudder keel deck crew rope wind voyage sailor compass buoy wave",
    "star planet orbit telescope galaxy comet eclipse moon nebula gravity light dust probe crater sky mars",
    "bank loan interest market share bond profit budget credit price tax fund trade debt asset currency",
    "goal striker referee league match stadium penalty coach keeper pass season fan corner derby cup shot",
    "soil seed prune rose compost weed bloom shovel hedge lawn bulb root greenhouse tulip fern orchard",
)
VOCABULARY = tuple(word for subject in SUBJECTS for word in subject.split())
"""All words; a word's position is its id."""

WORDS_OF_A_SUBJECT = len(VOCABULARY) // len(SUBJECTS)
COMMON = 0.1
"""Share of a text's words that come from any subject."""


def mixed_texts(count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the count of each word in texts of 30 to 80 words, (count, vocabulary)."""
    counts = np.empty((count, len(VOCABULARY)), np.int64)
    for text in range(count):
        shares = rng.dirichlet([0.2] * len(SUBJECTS))
        counts[text] = rng.multinomial(rng.integers(30, 81), _mixture(shares, rng))
    return counts


def sentence(subject: int, rng: np.random.Generator) -> list[int]:
    """Return the ids of four to twelve words, most of them from one subject."""
    shares = np.eye(len(SUBJECTS))[subject]
    chosen = rng.choice(len(VOCABULARY), size=rng.integers(4, 13), p=_mixture(shares, rng))
    return [int(word) for word in chosen]


def _mixture(shares: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the probability of each word in a text, given each subject's share of it."""
    within = 1 / np.arange(1, WORDS_OF_A_SUBJECT + 1)  # a few words are frequent, as in natural language
    chances = np.outer(shares, within / within.sum()).ravel()
    return (1 - COMMON) * chances + COMMON / len(VOCABULARY)
