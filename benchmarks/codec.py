"""Measure the RecordIO-protobuf codec: ``python benchmarks/codec.py [--peer] [--write]``.

It runs on one thread and measures processor time, so that other work on the machine disturbs little. Each
case alternates with a copy of ready-made bytes to the same warm memory, so that the ratio holds on any
machine. For both, the best round counts; the median is kept beside it. Speeds count bytes of RecordIO,
1 MB = 10^6 bytes.

- encode: ``encode_dense`` into a warm buffer; sparse rows are written to a ``BytesIO`` of full size
- write: ``write_numpy_to_dense_tensor`` to such a ``BytesIO``
- decode: ``read_matrix`` from a ``BytesIO`` to a new array
- check: the strict checker on that ``BytesIO``

``--peer`` also measures the SageMaker Python SDK 2, installed into ``.cache/peer`` or the environment that
``--peer-environment`` names. ``--write`` saves the figures to ``benchmarks/results/codec.json`` and draws
``docs/images/codec.svg``. The exit code is 1 if a bar is missed.
"""

# ruff: noqa: E402 - the number of threads is set before numpy loads
from __future__ import annotations

import os

# Before numpy loads its linear algebra: everything is measured on one thread.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lambda"), str(Path(__file__).parent)]

from machine import machine
from memory import extra_memory, import_seconds
from picture import draw

from amazon_estimators import recordio

RESULTS = ROOT / "benchmarks" / "results" / "codec.json"
PICTURE = ROOT / "docs" / "images" / "codec.svg"
PEER = "sagemaker>=2.257,<3"
MB = 1_000_000
WIDTHS = (8, 20, 100, 784)
DENSE_BYTES = 64 << 20

# Bars: at least this part of the copy's speed, this many times the peer's, this many MB/s.
BARS: dict[str, dict[str, float]] = {
    "encode dense 8": {"copy": 0.3, "peer": 100},
    "encode dense 20": {"copy": 0.3, "peer": 100},
    "encode dense 100": {"copy": 0.6, "peer": 150},
    "encode dense 784": {"copy": 0.6, "peer": 150},
    "encode sparse": {"peer": 60, "mb": 250},
    "decode dense 8": {"copy": 0.25},
    "decode dense 20": {"copy": 0.25},
    "decode dense 100": {"copy": 0.25},
    "decode dense 784": {"copy": 0.25},
    "decode sparse": {"mb": 100},
}
EXTRA_MEMORY_MB = 32
IMPORT_SECONDS = 0.1


def dense_case(columns: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(columns)
    features = rng.standard_normal((size // (4 * columns), columns), np.float32)
    return features, rng.integers(0, 10, len(features)).astype(np.float32)


def sparse_case(
    rows: int, columns: int = 10_000, density: float = 0.001
) -> tuple[recordio.CsrParts, np.ndarray]:
    """Return a matrix with values at uniformly random positions, as compressed rows."""
    rng = np.random.default_rng(rows)
    counts = rng.binomial(columns, density, rows)
    indices = np.concatenate([np.sort(rng.choice(columns, count, replace=False)) for count in counts])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    data = rng.standard_normal(int(indptr[-1]), np.float32)
    labels = rng.integers(0, 2, rows).astype(np.float32)
    return recordio.CsrParts(data, indices.astype(np.int32), indptr, (rows, columns)), labels


def seconds(work: Callable[[], Any]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


def versus_copy(work: Callable[[], Any], copy: Callable[[], Any], size: int, rounds: int) -> dict[str, float]:
    """Measure ``work`` on ``size`` bytes in turn with a copy of as many bytes."""
    work()
    pairs = [(seconds(copy), seconds(work)) for _ in range(rounds)]
    copies, works = zip(*pairs, strict=True)
    return {
        "mb_per_second": size / min(works) / MB,
        "copy_mb_per_second": size / min(copies) / MB,
        "of_copy": min(copies) / min(works),
        "median_of_copy": median(copy / took for copy, took in pairs),
    }


def measure(rounds: int) -> dict[str, dict[str, float]]:
    cases: dict[str, dict[str, float]] = {}
    for columns in WIDTHS:
        features, labels = dense_case(columns, DENSE_BYTES)
        ready = np.frombuffer(recordio.encode_dense(features, labels), np.uint8)
        file, memory = io.BytesIO(ready.tobytes()), np.zeros_like(ready)
        copies = {"encode": partial(np.copyto, memory, ready)}
        works: dict[str, Callable[[], Any]] = {
            "encode": partial(recordio.encode_dense, features, labels, out=memory),
            "write": rewound(file, recordio.write_numpy_to_dense_tensor, features, labels),
            "decode": rewound(file, recordio.read_matrix),
            "check": rewound(file, recordio.check),
        }
        for what, work in works.items():
            copy = copies.get(what, partial(copy_into, file, ready))
            cases[f"{what} dense {columns}"] = versus_copy(work, copy, ready.size, rounds)
    parts, labels = sparse_case(100_000)
    ready = np.frombuffer(recordio.encode_sparse(parts, labels), np.uint8)
    file = io.BytesIO(ready.tobytes())
    works = {
        "encode": rewound(file, recordio.write_spmatrix_to_sparse_tensor, parts, labels),
        "decode": rewound(file, recordio.read_matrix),
        "check": rewound(file, recordio.check),
    }
    for what, work in works.items():
        cases[f"{what} sparse"] = versus_copy(work, partial(copy_into, file, ready), ready.size, rounds)
    return cases


def rewound(file: io.BytesIO, work: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    def run() -> None:
        file.seek(0)
        work(file, *arguments)

    return run


def copy_into(file: io.BytesIO, ready: np.ndarray) -> None:
    """Copy straight into the memory of ``file``."""
    np.copyto(np.frombuffer(file.getbuffer(), np.uint8), ready)


def peer_python(environment: Path) -> Path:
    """Return the interpreter of an environment with the SageMaker SDK 2; create it if it is missing."""
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER, "scipy"], check=True)
    return python


def measure_peer(environment: Path) -> dict[str, Any]:
    """Measure the peer on smaller pieces of the same data, and check that it writes the same bytes."""
    arrays: dict[str, np.ndarray] = {}
    ours: dict[str, str] = {}
    for columns in WIDTHS:
        features, labels = dense_case(columns, DENSE_BYTES)
        rows = (1 << 20) // (4 * columns)
        features, labels = features[:rows], labels[:rows]
        arrays[f"dense {columns}/features"], arrays[f"dense {columns}/labels"] = features, labels
        ours[f"dense {columns}"] = hashlib.sha256(recordio.encode_dense(features, labels)).hexdigest()
    parts, labels = sparse_case(5_000)
    arrays |= {f"sparse/{name}": getattr(parts, name) for name in ("data", "indices", "indptr")}
    arrays |= {"sparse/labels": labels, "sparse_shape": np.array(parts.shape)}
    ours["sparse"] = hashlib.sha256(recordio.encode_sparse(parts, labels)).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "cases.npz"
        np.savez(data, allow_pickle=False, **arrays)
        command = [str(peer_python(environment)), str(Path(__file__).with_name("peer.py")), str(data), "2"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if answer["sha256"] != ours:
        raise SystemExit(f"the peer writes other bytes: {answer['sha256']} instead of {ours}")
    return answer


def verdicts(result: dict[str, Any]) -> dict[str, bool]:
    """Return each bar that this run could measure; True if it is met."""
    met: dict[str, bool] = {}
    for case, bars in BARS.items():
        figure = result["cases"][case]
        if "copy" in bars:
            met[f"{case} ≥ {bars['copy']} of copy"] = figure["of_copy"] >= bars["copy"]
        if "mb" in bars:
            met[f"{case} ≥ {bars['mb']:.0f} MB/s"] = figure["mb_per_second"] >= bars["mb"]
        if "peer" in bars and "times_peer" in figure:
            met[f"{case} ≥ {bars['peer']:.0f} x peer"] = figure["times_peer"] >= bars["peer"]
    small, large = (entry["extra_mb"] for entry in result["memory"])
    met[f"extra memory ≤ {EXTRA_MEMORY_MB} MB"] = max(small, large) <= EXTRA_MEMORY_MB
    met["extra memory the same for small and large"] = abs(large - small) <= 2
    met[f"import ≤ {IMPORT_SECONDS} s"] = result["import_seconds"] <= IMPORT_SECONDS
    return met


def table(result: dict[str, Any]) -> str:
    lines = [f"{'case':<18}{'MB/s':>9}{'copy MB/s':>11}{'of copy':>9}{'peer MB/s':>11}{'x peer':>8}"]
    for case, figure in result["cases"].items():
        peer = figure.get("peer_mb_per_second")
        beside = f"{peer:>11.1f}{figure['times_peer']:>8.0f}" if peer else ""
        lines.append(
            f"{case:<18}{figure['mb_per_second']:>9.0f}{figure['copy_mb_per_second']:>11.0f}"
            f"{figure['of_copy']:>9.2f}{beside}"
        )
    for entry in result["memory"]:
        lines.append(f"extra memory to encode {entry['input_mb']:.0f} MB: {entry['extra_mb']:.1f} MB")
    lines.append(f"import beyond numpy: {result['import_seconds']:.3f} s")
    lines += [f"{'met   ' if met else 'MISSED'}  {bar}" for bar, met in result["bars"].items()]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="store_true", help="measure the SageMaker Python SDK 2 too")
    parser.add_argument("--peer-environment", type=Path, default=ROOT / ".cache" / "peer")
    parser.add_argument("--rounds", type=int, default=60, help="repetitions of each case")
    parser.add_argument("--large", type=float, default=4.0, help="GB of the larger input of the memory test")
    parser.add_argument("--write", action="store_true", help="keep the figures and draw them")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "cases": measure(options.rounds)}
    result["memory"] = [extra_memory(size) for size in (100 * MB, int(options.large * 1000) * MB)]
    result["import_seconds"] = import_seconds()
    if options.peer:
        answer = measure_peer(options.peer_environment)
        result["peer"] = {"name": "SageMaker Python SDK", **answer}
        for case, speed in answer["bytes_per_second"].items():
            for ours in (case, case.replace("encode", "write")):
                if ours in result["cases"]:
                    figure = result["cases"][ours]
                    figure |= {
                        "peer_mb_per_second": speed / MB,
                        "times_peer": figure["mb_per_second"] * MB / speed,
                    }
    result["bars"] = verdicts(result)
    print(table(result))
    if options.write:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_text(draw(result))
    return 0 if all(result["bars"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
