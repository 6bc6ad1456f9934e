"""Model archives and the model file of each algorithm, loaded and asked for predictions."""

from __future__ import annotations

import gzip
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.inference import LocalModel, load_model
from amazon_estimators.inference.archive import read_archive, write_archive
from fuzz.mutations import json_value, raw, zipped
from fuzz.target import Target

DATA = Path(__file__).parents[1] / "inference" / "data"
LIMIT = 2**24
"""Bytes that a model may take here."""
TYPES = ("regressor", "binary_classifier", "multiclass_classifier", None)
WIDEST = 1000
"""Features of a model that is asked for predictions."""


def use(data: bytes) -> None:
    """Load a model and do with it what a notebook does. The first byte chooses the predictor type."""
    model = load_model(
        data[1:], predictor_type=TYPES[data[0] % len(TYPES)] if data else None, max_bytes=LIMIT
    )
    model.describe()
    if model.feature_dim <= WIDEST:
        _ask(model)


def _ask(model: LocalModel) -> None:
    rows = np.linspace(-1, 1, 2 * model.feature_dim).reshape(2, model.feature_dim)
    model.predict(rows).records()


def seeds() -> Mapping[str, bytes]:
    """Return models that MXNet wrote, in the layout of each algorithm, and files of arrays of every kind."""
    files = sorted((*DATA.glob("*.tar.gz"), *DATA.glob("*.params")))
    kinds = {"linear_binary": 1, "linear_multi": 2, "fm_": 1}
    return {
        name_of(path): bytes([next((n for k, n in kinds.items() if path.name.startswith(k)), 0)])
        + path.read_bytes()
        for path in files
    }


def name_of(path: Path) -> str:
    """Return the name of a seed; what is read and then refused says so in its name."""
    name = path.name.partition(".")[0]
    refused = path.suffix == ".params" or name in ("lda", "ntm")  # whose inference is not public
    return f"refused_{name}" if refused else name


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Change the archive, the tar in it, its model, or one member of the model."""
    head, archive = data[:1] or b"\0", data[1:]
    depth = dice.randrange(8)
    if depth == 0:
        return bytes([dice.randrange(4)]) + raw(archive, dice)
    if depth == 1:
        try:
            return head + gzip.compress(raw(gzip.decompress(archive)[:8192], dice), compresslevel=1, mtime=0)
        except (OSError, EOFError, ValueError, gzip.zlib.error):  # type: ignore[attr-defined]
            return head + raw(archive, dice)
    try:
        held = read_archive(archive, max_bytes=LIMIT)
    except AmazonEstimatorsError:
        return head + raw(archive, dice)
    changed = zipped(_member)(held.model, dice) if held.is_zip else _member(held.model, dice)
    return head + write_archive(changed, held.beside)


def _member(data: bytes, dice: random.Random) -> bytes:
    return json_value(data, dice) if data[:1] == b"{" else raw(data, dice)


MODELS = (Target(name="model", use=use, seeds=seeds, mutate=mutate),)
