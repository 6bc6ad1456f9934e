"""Data that ships with the rehearsal's packages, for a first run without any of one's own.

One entry an algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """``title`` says what it is; ``files`` by channel; ``hyperparameters`` that suit it."""

    title: str
    files: Mapping[str, list[Path]]
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


def digits(directory: Path) -> Sample:
    """8 x 8 images of handwritten digits as they ship inside scikit-learn: 1,797 records of 64 features,
    float32.
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a slow import

    path = directory / "digits.npy"
    np.save(path, load_digits().data.astype(np.float32))
    return Sample("handwritten digits from scikit-learn", {"train": [path]}, {"k": 10})


SAMPLES: Mapping[str, Callable[[Path], Sample]] = MappingProxyType({"KMeans": digits})
"""Writes the sample for an algorithm into a directory."""


def own(data: Path) -> Sample:
    """The user's file, or all files below their directory, as the train channel. Raises FileNotFoundError."""
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    missing = [path for path in files if not path.is_file()]
    if missing or not files:
        raise FileNotFoundError(
            f"There is no file at {data}. Give --data the path of a file, or of a directory of files."
        )
    return Sample(str(data), {"train": files})
