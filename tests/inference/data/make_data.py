"""Make the files of this directory with MXNet itself: see README.md beside it."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

HERE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
RNG = np.random.default_rng(1)
ROWS, FEATURES = 12, 5
X = RNG.normal(size=(ROWS, FEATURES)).astype("f4")
EXPECTED: dict[str, Any] = {"X": X}


def saved(arrays: Any) -> bytes:
    """Return the bytes that ``mx.nd.save`` writes. It tears a sparse array that is not computed yet."""
    for array in arrays.values() if isinstance(arrays, dict) else arrays:
        array.wait_to_read()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays"
        mx.nd.save(str(path), arrays)
        return path.read_bytes()


def nd(array: Any, dtype: str = "float32") -> Any:
    return mx.nd.array(array, dtype=dtype)


def model(name: str, member: bytes, member_name: str = "model_algo-1") -> None:
    with tarfile.open(HERE / f"{name}.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo(member_name)
        entry.size = len(member)
        tar.addfile(entry, io.BytesIO(member))


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "-").replace("_DOT_", "."), content)
    return out.getvalue()


def array_files() -> None:
    numbers = RNG.normal(size=(3, 4)) * 10
    kinds = ["float32", "float64", "float16", "uint8", "int32", "int8", "int64"]
    arrays = {kind: nd(np.abs(numbers), kind) for kind in kinds}
    for kind in kinds:
        EXPECTED[f"dtypes/{kind}"] = arrays[kind].asnumpy()
    (HERE / "dtypes.params").write_bytes(saved(arrays))
    (HERE / "list.params").write_bytes(saved([arrays["float32"], arrays["int64"]]))
    few = np.where(RNG.random((6, 4)) < 0.3, RNG.normal(size=(6, 4)), 0).astype("f4")
    few[2] = 0
    EXPECTED["sparse"] = few
    sparse = {"rows": nd(few).tostype("row_sparse"), "csr": nd(few).tostype("csr")}
    empty = {"rows": mx.nd.sparse.zeros("row_sparse", (6, 4)), "csr": mx.nd.sparse.zeros("csr", (6, 4))}
    (HERE / "sparse.params").write_bytes(saved({**sparse, **{f"no_{k}": v for k, v in empty.items()}}))
    with mx.util.np_shape(True):
        scalar = mx.nd.array(np.float32(2.5)).reshape(())
        none = mx.nd.zeros((0, 3))
        (HERE / "numpy_shape.params").write_bytes(saved({"scalar": scalar, "none": none}))


def kmeans() -> None:
    centers = RNG.normal(size=(3, FEATURES)).astype("f4")
    model("kmeans", saved([nd(centers)]))
    squares = ((nd(X).expand_dims(1) - nd(centers).expand_dims(0)) ** 2).sum(axis=2)
    EXPECTED["kmeans/closest_cluster"] = squares.argmin(axis=1).asnumpy().astype("i8")
    EXPECTED["kmeans/distance_to_cluster"] = squares.min(axis=1).sqrt().asnumpy()


def pca() -> None:
    mean, v = RNG.normal(size=(1, FEATURES)).astype("f4"), np.linalg.qr(RNG.normal(size=(FEATURES, 2)))[0]
    s = nd([1.5, 4.0])
    model("pca", saved({"mean": nd(mean), "s": s, "v": nd(v)}))
    model("pca_uncentred", saved({"s": s, "v": nd(v)}), "./model_algo-2")
    EXPECTED["pca/projection"] = mx.nd.dot(nd(X) - nd(mean), nd(v)).asnumpy()
    EXPECTED["pca_uncentred/projection"] = mx.nd.dot(nd(X), nd(v)).asnumpy()


def linear_learner() -> None:
    for name, classes in (("regressor", 1), ("binary_classifier", 1), ("multiclass_classifier", 4)):
        data = mx.sym.Variable("data")
        raw = mx.sym.FullyConnected(data, num_hidden=classes, name="fc0")
        weight, bias = nd(RNG.normal(size=(classes, FEATURES))), nd(RNG.normal(size=classes))
        params = saved({"arg:fc0_weight": weight, "arg:fc0_bias": bias})
        model(
            f"linear_{name}",
            zipped(
                mx__mod__0000_DOT_params=params,
                mx__mod__symbol_DOT_json=raw.tojson().encode(),
                manifest_DOT_json=b"{}",
                additional__params_DOT_json=b"{}",
            ),
        )
        out = mx.nd.FullyConnected(nd(X), weight, bias, num_hidden=classes)
        if classes > 1:
            EXPECTED[f"linear_{name}/score"] = mx.nd.softmax(out).asnumpy()
            EXPECTED[f"linear_{name}/predicted_label"] = out.argmax(axis=1).asnumpy().astype("i8")
        elif name == "regressor":
            EXPECTED[f"linear_{name}/score"] = out.asnumpy()[:, 0]
        else:
            EXPECTED[f"linear_{name}/score"] = out.sigmoid().asnumpy()[:, 0]
            EXPECTED[f"linear_{name}/predicted_label"] = (out.asnumpy()[:, 0] >= 0).astype("i8")


def factorization_machines() -> None:
    factors, linear, bias = RNG.normal(size=(FEATURES, 3)), RNG.normal(size=(FEATURES, 1)), nd([0.25])
    v, w = nd(factors), nd(linear)
    pairs = (mx.nd.dot(nd(X), v) ** 2 - mx.nd.dot(nd(X) ** 2, v**2)).sum(axis=1) / 2
    raw = mx.nd.dot(nd(X), w)[:, 0] + pairs + bias
    meta = {"training_parameters": {"feature_dim": str(FEATURES), "num_factors": "3"}}
    layouts = {
        "fm_columns": {"v": v.tostype("row_sparse"), "w1_weight": w.tostype("row_sparse"), "w0_weight": bias},
        "fm_rows": {"v": v.T, "Linear_Plus_Bias_weight": w.T, "Linear_Plus_Bias_bias": bias},
    }
    for name, arrays in layouts.items():
        params = saved({f"arg:{key}": value for key, value in arrays.items()})
        model(name, zipped(params=params, symbol_DOT_json=b"{}", meta_DOT_json=json.dumps(meta).encode()))
    EXPECTED["fm/raw"] = raw.asnumpy()
    EXPECTED["fm/score"] = raw.sigmoid().asnumpy()


def topics() -> None:
    alpha, beta = RNG.random(2), RNG.dirichlet(np.ones(FEATURES), 2)
    model("lda", saved([nd(alpha), nd(beta)]))
    EXPECTED["lda/topics"], EXPECTED["lda/alpha"] = nd(beta).asnumpy(), nd(alpha).asnumpy()
    projection = nd(RNG.normal(size=(FEATURES, 2)))
    params = saved(
        {"arg:projection_weight": projection, "arg:encoder_0_weight": nd(RNG.normal(size=(2, FEATURES)))}
    )
    model("ntm", zipped(params=params, symbol_DOT_json=b"{}", meta_DOT_json=b"{}"))
    EXPECTED["ntm/topics"] = mx.nd.softmax(projection, axis=0).T.asnumpy()


if __name__ == "__main__":
    for make in (array_files, kmeans, pca, linear_learner, factorization_machines, topics):
        make()
    np.savez_compressed(HERE / "expected.npz", **EXPECTED)
