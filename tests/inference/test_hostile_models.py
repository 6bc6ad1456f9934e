"""Mutations of every model and array file: a model, or a ModelError; never another error, never much memory.

``MODEL_FUZZ_SECONDS`` and ``MODEL_FUZZ_SEED`` lengthen and repeat a run.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import time
import tracemalloc
import warnings
from contextlib import suppress

import numpy as np
import pytest

from amazon_estimators.errors import ModelError
from amazon_estimators.inference import load_model, mxnet_arrays
from amazon_estimators.inference.archive import read_archive, read_zip, write_archive, write_zip
from inference.files import ARRAY_FILES, DATA, MODELS, X, archive

SECONDS = float(os.environ.get("MODEL_FUZZ_SECONDS", "6"))
LIMIT = 2**20
ALLOWED = 16 * 2**20
"""Bytes of memory at any time: the limit a few times over, and what tar and zip readers hold themselves."""
NUMBERS = [0, 1, 2, 0x7F, 0xFF, 2**15, 2**31 - 1, 2**32 - 1, 2**62, 2**63, 2**64 - 1]


def mutated(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:  # a whole number of any width, such as a count or a dimension
                width = rng.choice([4, 8])
                data[at : at + width] = (rng.choice(NUMBERS) % 2 ** (8 * width)).to_bytes(width, "little")
            case 2:
                del data[at : at + rng.choice([1, 4, 8])]
            case 3:
                data[at:at] = rng.randbytes(rng.choice([1, 4, 8]))
            case 4:
                other = rng.randrange(len(data) + 1)
                data[at : at + 8] = data[other : other + 8]
            case 5:
                del data[at:]
    return bytes(data)


def variants(name: str, rng: random.Random) -> bytes:
    """An archive that is damaged at one depth and sound around it."""
    whole = archive(name).read_bytes()
    depth = rng.randrange(4)
    if depth == 0:
        return mutated(whole, rng)
    if depth == 1:
        return gzip.compress(mutated(gzip.decompress(whole)[:4096], rng), compresslevel=1)
    found = read_archive(whole)
    if depth == 2 or not found.is_zip:
        return write_archive(mutated(found.model, rng))
    members = read_zip(found.model)
    chosen = rng.choice(sorted(members))
    return write_archive(write_zip({**members, chosen: mutated(members[chosen], rng)}))


def use(data: bytes) -> None:
    with suppress(ModelError):
        model = load_model(data, predictor_type="regressor", max_bytes=LIMIT)
        if model.feature_dim == X.shape[1]:
            model.predict(X)


@pytest.mark.parametrize("name", MODELS)
def test_damaged_models_end_in_a_model_error(name: str) -> None:
    rng = random.Random(os.environ.get("MODEL_FUZZ_SEED", name))
    end = time.monotonic() + SECONDS / len(MODELS)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        use(archive(name).read_bytes())
        tracemalloc.start()
        try:
            while time.monotonic() < end:
                data = variants(name, rng)
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                use(data)
                assert tracemalloc.get_traced_memory()[1] - before < ALLOWED, data.hex()
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error} of {data.hex()}")
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("name", ARRAY_FILES)
def test_damaged_array_files_end_in_a_model_error(name: str) -> None:
    rng = random.Random(os.environ.get("MODEL_FUZZ_SEED", name))
    content = (DATA / name).read_bytes()
    end = time.monotonic() + SECONDS / len(ARRAY_FILES) / 2
    tracemalloc.start()
    try:
        while time.monotonic() < end:
            data = mutated(content, rng)
            tracemalloc.reset_peak()
            with suppress(ModelError):
                arrays = mxnet_arrays.read(data)
                for stored in arrays.values() if isinstance(arrays, dict) else arrays:
                    mxnet_arrays.dense(stored, LIMIT)
            assert tracemalloc.get_traced_memory()[1] < ALLOWED, data.hex()
    finally:
        tracemalloc.stop()


def test_a_bomb_takes_no_memory() -> None:
    """100 MB of zeros in 100 kB: refused without holding them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo("model_algo-1")
        entry.size = 100 * 2**20
        tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    data = out.getvalue()
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="max_bytes"):
            load_model(data, max_bytes=LIMIT)
        assert tracemalloc.get_traced_memory()[1] < ALLOWED
    finally:
        tracemalloc.stop()
