"""Encode knows no algorithm: a cold start loads none, and a new algorithm cannot change a shard."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FORBIDDEN = ("amazon_estimators.algorithms", "amazon_estimators.hyperparameters", "amazon_estimators.client")


@pytest.mark.parametrize("encoding", ["recordio", "jsonlines", "csv", "files"])
def test_encode_loads_no_algorithm(encoding: str) -> None:
    code = (
        "import json, sys; import amazon_estimators.handlers.encode;"
        "from amazon_estimators.encodings import encoding_named;"
        f"encoding_named({encoding!r}); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    loaded = json.loads(done.stdout)
    assert "amazon_estimators.pipeline.encode" in loaded
    assert [name for name in loaded if name.startswith(FORBIDDEN)] == []
