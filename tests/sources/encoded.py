"""Encode local files, and read the shards back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm, LinearLearner
from amazon_estimators.client.local_encoding import encode_files
from amazon_estimators.recordio import read_matrix
from amazon_estimators.sources import Source


def encoded(
    files: Path | Iterable[Path], algorithm: type[Algorithm] = LinearLearner, **options: Any
) -> tuple[Any, Any]:
    """Return features and labels of the shards that files become."""
    named = [files] if isinstance(files, Path) else list(files)
    with TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        encode_files(
            named,
            out,
            algorithm,
            channel="train",
            source=Source(**options),
            instance_count=1,
            target_shard_bytes=2**20,
            prefix="s3://b/p/",
            progress=lambda *_: None,
        )
        parts = [read_matrix(shard.open("rb")) for shard in sorted(out.glob("*.pbr"))]
    features = [part[0] for part in parts]
    if not isinstance(features[0], np.ndarray):
        from scipy.sparse import csr_matrix, vstack

        features = [vstack([csr_matrix(part) for part in features]).toarray()]
    labels = [part[1] for part in parts if part[1] is not None]
    return np.concatenate(features), np.concatenate(labels) if labels else None
