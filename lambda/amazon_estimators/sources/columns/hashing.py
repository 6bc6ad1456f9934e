"""MurmurHash3 of many texts at once, by NumPy.

The 32-bit x86 variant with seed 0, by Austin Appleby (SMHasher, public domain): the hash of scikit-learn's
FeatureHasher. A text of user 7 gives the same feature in every shard, release and language.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_C1, _C2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)
_FIVE, _PLUS = np.uint32(5), np.uint32(0xE6546B64)
LONG = 256
"""Bytes of a text from which on it is hashed alone: of few texts the arithmetic of arrays is slow."""


def murmur3(data: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the hash of each text, uint32, shape (texts,).

    Args:
        data: The bytes of all texts, uint8.
        starts: Where each text starts in it, int64.
        lengths: The bytes of each.

    Example:
        >>> text = np.frombuffer(b"user_7user_8", np.uint8)
        >>> murmur3(text, np.array([0, 6]), np.array([6, 6]))
        array([3749966656, 2225335881], dtype=uint32)
    """
    hashes = np.zeros(len(starts), np.uint32)
    padded = np.concatenate((data, np.zeros(4, np.uint8)))
    short = np.flatnonzero(lengths <= LONG)
    # By length, longest first: the texts that have one more word are always the first ones.
    order = short[np.argsort(-lengths[short].astype(np.int16), kind="stable")]
    first, size = starts[order], lengths[order]
    state = np.zeros(len(order), np.uint32)
    words = size >> 2
    for at in range(int(words[0]) if len(words) else 0):
        count = int(np.searchsorted(-words, -at, side="left"))  # those with more than ``at`` words
        part = state[:count]
        part ^= _scrambled(_words(padded, first[:count] + 4 * at))
        part[:] = _rotated(part, 13) * _FIVE + _PLUS
    tail = _words(padded, first + 4 * words) & _MASKS[size & 3]
    state ^= _scrambled(tail)
    hashes[order] = _finished(state, size)
    for at in np.flatnonzero(lengths > LONG).tolist():
        hashes[at] = _of_one(data[starts[at] : starts[at] + lengths[at]].tobytes())
    return hashes


_MASKS = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], np.uint32)
"""The bytes of a last word that belong to the text, by how many there are."""


def _words(data: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the words of four bytes at any places, little-endian."""
    at_any_byte = np.ndarray(len(data) - 3, "<u4", data, strides=(1,))
    words: np.ndarray = at_any_byte[places]
    return words


def _rotated(values: np.ndarray, bits: int) -> np.ndarray:
    rotated: np.ndarray = (values << np.uint32(bits)) | (values >> np.uint32(32 - bits))
    return rotated


def _scrambled(words: np.ndarray) -> np.ndarray:
    scrambled: np.ndarray = _rotated(words * _C1, 15) * _C2
    return scrambled


def _finished(state: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    state = state ^ lengths.astype(np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = (state ^ (state >> np.uint32(shift))) * np.uint32(factor)
    finished: np.ndarray = state ^ (state >> np.uint32(16))
    return finished


def _of_one(text: bytes) -> int:
    """Return the hash of one text."""
    every, state = 0xFFFFFFFF, 0
    whole = len(text) // 4 * 4
    for word in np.frombuffer(text[:whole], "<u4").tolist():
        mixed = word * 0xCC9E2D51 & every
        state ^= (mixed << 15 | mixed >> 17) * 0x1B873593 & every
        state = ((state << 13 | state >> 19) & every) * 5 + 0xE6546B64 & every
    return int(_finished(np.array([state ^ _tail(text[whole:])], np.uint32), np.array([len(text)]))[0])


def _tail(rest: bytes) -> int:
    mixed: Any = int.from_bytes(rest, "little") * 0xCC9E2D51 & 0xFFFFFFFF
    return int((mixed << 15 | mixed >> 17) * 0x1B873593 & 0xFFFFFFFF)
