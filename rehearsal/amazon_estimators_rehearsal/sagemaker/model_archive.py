"""Pack and unpack the stand-in's ``model.tar.gz``: in Amazon's layout if it is documented, with its
origin."""

from __future__ import annotations

import io
import json
import tarfile
import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.errors import AmazonEstimatorsError, ModelError
from amazon_estimators.inference import Predictions
from amazon_estimators.inference.archive import MAX_BYTES, MODEL_NAME, read_archive, write_archive
from amazon_estimators.inference.load import read_model
from amazon_estimators.inference.models import LOCAL_MODELS, LocalLDA
from amazon_estimators_rehearsal.sagemaker.engines.fitted import NO_ENGINE, Fitted

DESCRIPTION, ARRAYS = "rehearsal.json", "rehearsal.npz"


class Predicting(Protocol):
    """A model that predicts rows of ``feature_dim`` features."""

    @property
    def feature_dim(self) -> int: ...

    def predict(self, rows: Any) -> Predictions: ...


class UnservedModelError(Exception):
    """Raised if the stand-in cannot predict with this model. The text says why."""


def pack_model(described: Mapping[str, Any], fitted: Fitted) -> bytes:
    """Return the archive: ``model_algo-1`` if it has a documented layout, otherwise the engine's own
    arrays."""
    members = {DESCRIPTION: json.dumps(described, indent=1).encode()}
    if fitted.layout is not None:
        return write_archive(fitted.layout.to_bytes(), members)
    if fitted.arrays:
        file = io.BytesIO()
        arrays: dict[str, Any] = dict(fitted.arrays)
        np.savez_compressed(file, **arrays)
        members[ARRAYS] = file.getvalue()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def unpack_model(body: bytes, algorithm: str) -> Predicting:
    """Return the model from an archive that a training job of the stand-in, or of SageMaker, wrote.

    Args:
        body: The ``model.tar.gz``.
        algorithm: Class name of the algorithm whose image serves it.

    Raises:
        UnservedModelError: The archive is not a model of this algorithm, or the stand-in cannot predict with
            it.
    """
    members = _members(body)
    described = json.loads(members.get(DESCRIPTION, b"{}"))
    made_for = described.get("algorithm", algorithm)
    if made_for != algorithm:
        raise UnservedModelError(f"The model was trained by {made_for}; the image is that of {algorithm}.")
    if described.get("engine") == NO_ENGINE:
        raise UnservedModelError(
            f"The rehearsal verifies training jobs of {algorithm} and trains no model: it predicts nothing."
        )
    try:
        trained = _trained(algorithm, described.get("hyperparameters", {}))
        if MODEL_NAME in members or algorithm in LOCAL_MODELS:
            return _layout(body, algorithm, dict(trained.values) if trained else {})
    except AmazonEstimatorsError as error:
        raise UnservedModelError(f"Unable to load the model: {error.message}") from error
    if ARRAYS not in members or trained is None:
        raise UnservedModelError(
            f"Unable to load the model: the rehearsal serves {algorithm} only from models that it trained."
        )
    with np.load(io.BytesIO(members[ARRAYS]), allow_pickle=False) as stored:
        return _engine_model(algorithm, trained, {name: stored[name] for name in stored.files})


def _trained(algorithm: str, hyperparameters: Mapping[str, str]) -> Algorithm | None:
    if not hyperparameters:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were set when the job was created
        return algorithm_named(algorithm).from_hyperparameters(hyperparameters)


def _layout(body: bytes, algorithm: str, hyperparameters: Mapping[str, Any]) -> Predicting:
    model = read_model(read_archive(body), algorithm, hyperparameters)
    return _Mixtures(model) if isinstance(model, LocalLDA) else model


class _Mixtures:
    """LDA's predictions: the mixtures that scikit-learn infers from the model's topics."""

    def __init__(self, model: LocalLDA) -> None:
        self._fitted = model.to_sklearn()
        self.feature_dim = model.feature_dim

    def predict(self, rows: Any) -> Predictions:
        return Predictions({"topic_mixture": self._fitted.transform(np.asarray(rows, np.float64))})


def _engine_model(algorithm: str, trained: Algorithm, arrays: Mapping[str, Any]) -> Predicting:
    if algorithm == "KNN":
        from amazon_estimators_rehearsal.sagemaker.engines.knn import Neighbours  # noqa: PLC0415 - slow

        return Neighbours(trained, arrays["records"], arrays["labels"], arrays["projection"])
    from amazon_estimators_rehearsal.sagemaker.engines.random_cut_forest import forest_of  # noqa: PLC0415

    return forest_of(arrays)


def _members(body: bytes) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            listed = [member for member in archive.getmembers() if member.isreg()]
            if sum(member.size for member in listed) > MAX_BYTES:
                raise ModelError(f"it unpacks to more than {MAX_BYTES:,} bytes")
            files = {member.name.removeprefix("./"): archive.extractfile(member) for member in listed}
            return {name: file.read() for name, file in files.items() if file}
    except (tarfile.TarError, OSError, EOFError, ModelError) as error:
        raise UnservedModelError(f"Unable to load the model: {error}") from error
