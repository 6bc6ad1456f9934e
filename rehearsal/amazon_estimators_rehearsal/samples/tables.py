"""Write the tables that ship with scikit-learn as users keep them: an array, or CSV with a header."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from amazon_estimators_rehearsal.samples.sample import Sample

SEED = 0


def digits(directory: Path) -> Sample:
    """Write 8 x 8 images of handwritten digits: 1,797 records of 64 features, float32, as .npy."""
    path = directory / "digits.npy"
    *pixels, _ = np.loadtxt(_file_of_sklearn("digits.csv.gz"), np.float32, delimiter=",", unpack=True)
    np.save(path, np.column_stack(pixels))
    return Sample("handwritten digits from scikit-learn", {"train": [path]}, {"k": 10})


def wine(directory: Path) -> Sample:
    """Write chemical analyses of 178 wines as CSV with a header. The cultivar is not a feature."""
    from sklearn.datasets import load_wine  # noqa: PLC0415 - a slow import

    bunch = load_wine()
    names = [name.replace("/", "_") for name in bunch.feature_names]
    path = directory / "wine.csv"
    rows = zip(bunch.data.tolist(), bunch.target.tolist(), strict=True)
    _write(path, [*names, "cultivar"], [[*row, label] for row, label in rows])
    return Sample(
        "chemical analyses of wines from scikit-learn, CSV",
        {"train": [path]},
        {"num_components": 3},
        {"train": {"exclude": ["cultivar"]}},
    )


def iris(directory: Path) -> Sample:
    """Write 150 irises with four measures and the species as a named column. Every fifth is test data."""
    from sklearn.datasets import load_iris  # noqa: PLC0415 - a slow import

    bunch = load_iris()
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
    rows = [[*row, label] for row, label in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True)]
    files = _split(directory, "iris", names, rows, ("train", "train", "train", "train", "test"))
    return Sample(
        "irises from scikit-learn, CSV with a header",
        files,
        {"k": 5, "predictor_type": "classifier", "sample_size": len(rows) * 4 // 5},
        {channel: {"label": "species"} for channel in files},
    )


def diabetes(directory: Path) -> Sample:
    """Write 442 patients with ten measures and the disease's progression a year later as a named column."""
    from sklearn.datasets import load_diabetes  # noqa: PLC0415 - a slow import

    bunch = load_diabetes()
    rows = [[label, *row] for row, label in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True)]
    names = ["progression", *bunch.feature_names]
    files = _split(directory, "patients", names, rows, ("train", "train", "train", "validation", "test"))
    return Sample(
        "progression of diabetes from scikit-learn, CSV with a header",
        files,
        {"predictor_type": "regressor"},
        {channel: {"label": "progression"} for channel in files},
    )


def _file_of_sklearn(name: str) -> Path:
    """Return a file of scikit-learn's data, without an import that takes seconds."""
    found = find_spec("sklearn")
    assert found is not None and found.origin is not None
    return Path(found.origin).with_name("datasets") / "data" / name


def _split(
    directory: Path, name: str, names: Sequence[str], rows: Sequence[Any], channels: Sequence[str]
) -> dict[str, list[Path]]:
    """Shuffle the rows and assign them to ``channels`` in turn. Write one file per channel."""
    shuffled = [rows[index] for index in np.random.default_rng(SEED).permutation(len(rows))]
    files: dict[str, list[Path]] = {}
    for channel in dict.fromkeys(channels):
        places = [place for place, target in enumerate(channels) if target == channel]
        path = directory / channel / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        _write(path, names, [row for at, row in enumerate(shuffled) if at % len(channels) in places])
        files[channel] = [path]
    return files


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
