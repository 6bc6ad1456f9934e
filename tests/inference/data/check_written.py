"""Let MXNet load and run what this library writes: see README.md beside it."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from amazon_estimators.inference import load_model, mxnet_arrays
from amazon_estimators.inference.archive import read_zip

HERE = Path(__file__).parent
EXPECTED = np.load(HERE / "expected.npz")
X = EXPECTED["X"]


def loaded(content: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays"
        path.write_bytes(content)
        return mx.nd.load(str(path))


def same(ours: Any, theirs: Any) -> None:
    full = mxnet_arrays.dense(ours, 2**20)
    assert full.dtype == theirs.dtype, (full.dtype, theirs.dtype)
    np.testing.assert_array_equal(full, theirs.asnumpy())


def check_arrays() -> None:
    for name in ("dtypes", "sparse"):
        arrays = mxnet_arrays.read((HERE / f"{name}.params").read_bytes())
        assert isinstance(arrays, dict)
        theirs = loaded(mxnet_arrays.write(arrays))
        assert list(arrays) == list(theirs)
        for key, array in arrays.items():
            same(array, theirs[key])


def check_models() -> None:
    for name in ("kmeans", "pca", "lda", "linear_multiclass_classifier", "fm_columns", "ntm"):
        content = load_model(HERE / f"{name}.tar.gz").to_bytes()
        if content.startswith(b"PK"):
            members = read_zip(content)
            content = members["params" if "params" in members else "mx-mod-0000.params"]
        assert len(loaded(content)) > 0


def check_module() -> None:
    """The linear learner's files are a checkpoint of ``mx.mod.Module``, as public code loads them."""
    members = read_zip(load_model(HERE / "linear_multiclass_classifier.tar.gz").to_bytes())
    with tempfile.TemporaryDirectory() as folder:
        for name, content in members.items():
            (Path(folder) / name).write_bytes(content)
        module = mx.mod.Module.load(f"{folder}/mx-mod", 0, label_names=None)
        module.bind([("data", X.shape)], for_training=False)
        raw = module.predict(mx.io.NDArrayIter(X, batch_size=len(X)))
    np.testing.assert_allclose(
        mx.nd.softmax(raw).asnumpy(), EXPECTED["linear_multiclass_classifier/score"], rtol=1e-5
    )


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for check in (check_arrays, check_models, check_module):
            check()
            sys.stdout.write(f"{check.__name__}: passed\n")
