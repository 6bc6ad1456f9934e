"""Measure the SageMaker Python SDK 2 at the same work; ``codec.py`` runs this in a separate environment.

Arguments: the .npz with the cases, and the seconds to spend on each. Prints one line of JSON.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

started = time.perf_counter()
from sagemaker.amazon import common  # noqa: E402

IMPORT_SECONDS = time.perf_counter() - started


def best_rate(work: Callable[[], Any], size: int, budget: float) -> float:
    """Return the best bytes per second of processor time over repeated ``work`` on ``size`` bytes."""
    best, end = float("inf"), time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return size / best


def read(content: bytes) -> None:
    common.read_records(io.BytesIO(content))


def main() -> None:
    arrays, budget = np.load(sys.argv[1]), float(sys.argv[2])
    rates: dict[str, float] = {}
    digests: dict[str, str] = {}
    for name in sorted({key.split("/")[0] for key in arrays.files if "/" in key}):
        labels = arrays[f"{name}/labels"]
        if name == "sparse":
            parts = tuple(arrays[f"sparse/{part}"] for part in ("data", "indices", "indptr"))
            features: Any = csr_matrix(parts, shape=tuple(arrays["sparse_shape"]))
            write = common.write_spmatrix_to_sparse_tensor
        else:
            features, write = arrays[f"{name}/features"], common.write_numpy_to_dense_tensor

        def encoded(write: Any = write, features: Any = features, labels: Any = labels) -> bytes:
            file = io.BytesIO()
            write(file, features, labels)
            return file.getvalue()

        content = encoded()
        digests[name] = hashlib.sha256(content).hexdigest()
        rates[f"encode {name}"] = best_rate(encoded, len(content), budget)
        rates[f"decode {name}"] = best_rate(partial(read, content), len(content), budget)
    answer = {
        "version": version("sagemaker"),
        "import_seconds": IMPORT_SECONDS,
        "bytes_per_second": rates,
        "sha256": digests,
    }
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


main()
