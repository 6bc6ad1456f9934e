"""Load a trained model from its ``model.tar.gz``, to predict with NumPy alone."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS, Algorithm, algorithm_named
from amazon_estimators.errors import ModelError
from amazon_estimators.inference.archive import MAX_BYTES, Archive, read_archive
from amazon_estimators.inference.models import LOCAL_MODELS, Content, LocalModel
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of

KNN_LABELS = ".labels"
"""How the names of KNN's other files end.

https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_how-it-works.html
"""


class ModelWarning(UserWarning):
    """Something about a model's container that AWS does not document, and is assumed."""


def load_model(
    source: str | os.PathLike[str] | bytes,
    algorithm: str | type[Algorithm] | Algorithm | None = None,
    *,
    predictor_type: str | None = None,
    max_bytes: int = MAX_BYTES,
    session: Any = None,
) -> LocalModel:
    """Load the model of KMeans, PCA, LDA, LinearLearner, FactorizationMachines or NTM.

    Args:
        source: Path or S3 URI of a ``model.tar.gz``, or of the ``model_algo-1`` in it; or its bytes.
        algorithm: The algorithm, by name or class; or as it was trained, with its hyperparameters. Default:
            it is recognised by the arrays in the file.
        predictor_type: ``"regressor"``, ``"binary_classifier"`` or ``"multiclass_classifier"``, which the
            files of LinearLearner and FactorizationMachines leave open. Default: as the algorithm or the
            file says; without either, such a model does not predict.
        max_bytes: Most bytes the model may take: of the file, unpacked, or of sparse arrays when filled.
            Default: 2 GiB.
        session: A ``boto3.Session`` for S3. Default: a new one.

    Returns:
        The model: ``predict(rows)``, ``describe()``, ``to_sklearn()``; LDA and NTM have ``topics`` and
        ``top_words()``. What is assumed about its container is a ModelWarning.

    Raises:
        ModelError: The file is damaged, too large, of no known layout, or of another algorithm; or the
            algorithm's layout is not public, with the reason.

    Example:
        >>> model = load_model("model.tar.gz")  # doctest: +SKIP
        >>> model.predict([[5.1, 3.5, 1.4, 0.2]])["closest_cluster"]  # doctest: +SKIP
        array([2])
    """
    archive = read_archive(_bytes(source, max_bytes, session), max_bytes=max_bytes)
    hyperparameters = dict(algorithm.values) if isinstance(algorithm, Algorithm) else {}
    if predictor_type is not None:
        hyperparameters["predictor_type"] = predictor_type
    model = read_model(archive, _name(algorithm), hyperparameters, max_bytes=max_bytes)
    for assumption in model.assumptions:
        warnings.warn(f"{model.algorithm}: {assumption}", ModelWarning, stacklevel=2)
    return model


def read_model(
    archive: Archive,
    algorithm: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> LocalModel:
    """Read the model of an archive; see :func:`load_model`."""
    if algorithm is None and any(name.endswith(KNN_LABELS) for name in archive.beside):
        algorithm = "KNN"
    if algorithm is not None and algorithm not in LOCAL_MODELS:
        raise ModelError(
            f"a model of {algorithm} is not read without SageMaker: "
            f"{algorithm_named(algorithm).inference.undocumented_model}",
            remedy="Ask an endpoint or a transform job.",
        )
    try:
        content = Content.of(archive, max_bytes)
    except ModelError as error:
        raise ModelError(
            f"{archive.name} is not a model that can be read without SageMaker: {error.message}",
            remedy=error.remedy or _unreadable(),
        ) from error
    matching = [name for name, model in LOCAL_MODELS.items() if model.matches(content)]
    if algorithm is not None and matching != [algorithm]:
        likely = f"; they are those of {matching[0]}" if matching else ""
        raise ModelError(f"the arrays {_shapes(content)} are not those of {algorithm}{likely}")
    if len(matching) != 1:
        raise ModelError(f"no algorithm is recognised by the arrays {_shapes(content)}", remedy=_unreadable())
    return LOCAL_MODELS[matching[0]].read(content, hyperparameters or {})


def _unreadable() -> str:
    others = ", ".join(sorted(ALGORITHMS.keys() - LOCAL_MODELS.keys()))
    return f"Models of {', '.join(LOCAL_MODELS)} are read; those of {others} need their containers."


def _shapes(content: Content) -> str:
    named = [f"{name} {tuple(array.shape)}" for name, array in content.arrays.items()]
    more = f" and {len(named) - 10:,} more" if len(named) > 10 else ""
    return ", ".join(named[:10]) + more or "(none)"


def _name(algorithm: str | type[Algorithm] | Algorithm | None) -> str | None:
    if algorithm is None:
        return None
    if isinstance(algorithm, str):
        return algorithm_named(algorithm).__name__
    return algorithm.__name__ if isinstance(algorithm, type) else type(algorithm).__name__


def _bytes(source: str | os.PathLike[str] | bytes, max_bytes: int, session: Any) -> bytes:
    if isinstance(source, bytes | bytearray):
        return bytes(source)
    if str(source).startswith("s3://"):
        place = Place.of(str(source), what="model")
        s3 = client_of(session, "s3")
        answer = s3.get_object(Bucket=place.bucket, Key=place.key)
        _check(place.uri, answer["ContentLength"], max_bytes)
        body: bytes = answer["Body"].read()
        return body
    path = Path(source)
    if not path.is_file():
        raise ModelError(f"there is no file {path}", remedy="Give a model.tar.gz, or its S3 URI.")
    _check(str(path), path.stat().st_size, max_bytes)
    return path.read_bytes()


def _check(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ModelError(
            f"{name} has {size:,} bytes; allowed: {max_bytes:,}",
            remedy="Pass a higher max_bytes if you trust the file and have the memory.",
        )
