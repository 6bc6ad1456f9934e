"""Measure the codec's extra memory, as anonymous memory of a fresh process, and its import time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "lambda"

# The input is a memory-mapped file: its pages belong to the kernel. RssAnon, sampled at every write, is the
# memory that the process itself owns.
_ENCODE = """
import json, sys
import numpy as np
from amazon_estimators import recordio

path, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

class Sink:
    peak = size = 0
    def write(self, block):
        self.size += len(block)
        self.peak = max(self.peak, anonymous())
        return len(block)

recordio.write_numpy_to_dense_tensor(Sink(), np.zeros((1, 1)))  # what numpy loads on its first use
features = np.memmap(path, np.float32, "r", shape=(rows, columns))
labels = features[:, 0]
before, sink = anonymous(), Sink()
recordio.write_numpy_to_dense_tensor(sink, features, labels)
print(json.dumps([sink.size, sink.peak - before]))
"""


def _python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=LIBRARY).stdout


def extra_memory(size: int, columns: int = 100) -> dict[str, float]:
    """Return the peak of anonymous memory while a memory-mapped array of ``size`` bytes is encoded."""
    rows = size // (4 * columns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.bin"
        with path.open("wb") as file:
            file.truncate(rows * columns * 4)
        written, extra_kib = json.loads(_python(_ENCODE, str(path), str(rows), str(columns)))
    return {"input_mb": size / 1e6, "written_mb": written / 1e6, "extra_mb": extra_kib * 1024 / 1e6}


def import_seconds(rounds: int = 7) -> float:
    """Return the best time of ``import amazon_estimators.recordio`` in a process that has imported numpy."""
    code = (
        "import time, numpy; start = time.perf_counter(); import amazon_estimators.recordio; "
        "print(time.perf_counter() - start)"
    )
    return min(float(_python(code)) for _ in range(rounds))
