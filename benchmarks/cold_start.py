"""Measure what a cold start imports: ``python benchmarks/cold_start.py [--write]``.

Each handler is imported from the functions' code as `cdk synth` builds it for this machine and Python, in a
process of its own, and so is NumPy alone. They take turns, and processor time counts; boto3, which the
runtime brings, is left out. A second copy of the code is without its bytecode: its directory is read-only for
a function, so Python compiles there at each start.

``--write`` saves the figures to ``benchmarks/results/cold_start.json``. The exit code is 1 if the bar is
missed: NumPy's own import and 60 ms for the handler of Encode.
"""

# ruff: noqa: E402 - the library is found beside this file
from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lambda"), str(ROOT / "constructs"), str(Path(__file__).parent)]

from machine import machine

from cdk_amazon_estimators import LambdaBundle
from cdk_amazon_estimators.assets import table_reader_layer

RESULTS = ROOT / "benchmarks" / "results" / "cold_start.json"
HANDLERS = ("starter", "plan", "encode", "seal", "announce")
BAR_MS = 60
PROGRAM = """
import importlib, sys, time
from types import ModuleType
code, module = sys.argv[1:]
sys.path.append(code)
sys.modules["boto3"] = ModuleType("boto3")
start = time.process_time()
importlib.import_module(module)
print(time.process_time() - start)
"""


def import_ms(code: Path, module: str) -> float:
    """Return the milliseconds of processor time that the import of ``module`` from ``code`` takes."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(code), module]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout) * 1000


def size_mb(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6


def unpack(write: Callable[[Path], None], directory: Path) -> None:
    archive = directory.with_suffix(".zip")
    write(archive)
    shutil.unpack_archive(archive, directory)


def without_bytecode(code: Path, bare: Path) -> Path:
    return Path(shutil.copytree(code, bare, ignore=shutil.ignore_patterns("__pycache__")))


def measure(rounds: int) -> dict[str, Any]:
    modules = {"numpy": "numpy"} | {name: f"amazon_estimators.handlers.{name}" for name in HANDLERS}
    bundle = LambdaBundle(platform="host")
    with tempfile.TemporaryDirectory() as scratch:
        code, layer, bare = (Path(scratch) / name for name in ("code", "layer", "bare"))
        unpack(bundle.archive, code)
        unpack(table_reader_layer.table_reader(bundle).archive, layer)
        trees = {"with bytecode": code, "without": without_bytecode(code, bare)}
        sizes = {name: round(size_mb(path), 1) for name, path in (("code", code), ("layer", layer))}
        times: dict[str, dict[str, list[float]]] = {tree: {name: [] for name in modules} for tree in trees}
        for _ in range(rounds):
            for tree, directory in trees.items():
                for name, module in modules.items():
                    times[tree][name].append(import_ms(directory, module))
    figures = {
        tree: {
            name: {"best_ms": round(min(values), 1), "median_ms": round(median(values), 1)}
            for name, values in by_name.items()
        }
        for tree, by_name in times.items()
    }
    own = zip(times["with bytecode"]["encode"], times["with bytecode"]["numpy"], strict=True)
    return {
        "machine": machine(),
        "rounds": rounds,
        "unzipped_mb": sizes,
        "import": figures,
        "encode_beyond_numpy_ms": round(median(encode - numpy for encode, numpy in own), 1),
        "bar_ms": BAR_MS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    result = measure(options.rounds)
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if result["encode_beyond_numpy_ms"] <= BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
