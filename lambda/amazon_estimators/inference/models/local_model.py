"""The base of the models that predict with NumPy, and the content of the file they are read from."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.errors import InputError, ModelError
from amazon_estimators.inference.archive import Archive, read_zip
from amazon_estimators.inference.mxnet_arrays import FILE_MAGIC, Stored, dense, read
from amazon_estimators.inference.responses import Predictions
from amazon_estimators.inference.rows import BLOCK_BYTES, Vectors, vectors
from amazon_estimators.recordio import CsrParts

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Content:
    """The content of a model's member: the arrays by name, in order, and its JSON files.

    Arrays of a file without names are named "0", "1" …; the prefixes ``arg:`` and ``aux:`` are removed.
    """

    arrays: Mapping[str, Stored]
    named: bool
    documents: Mapping[str, Any]
    max_bytes: int

    @classmethod
    def of(cls, archive: Archive, max_bytes: int) -> Self:
        """Read the member of an archive. Raises ModelError if it has not one MXNet array file."""
        if not archive.is_zip:
            return cls(*_arrays(archive.model), {}, max_bytes)
        members = read_zip(archive.model, max_bytes=max_bytes)
        files = [name for name, content in members.items() if content.startswith(FILE_MAGIC)]
        if len(files) != 1:
            held = ", ".join(sorted(members)[:10]) or "nothing"
            raise ModelError(
                f"{archive.name} holds {len(files)} MXNet array files, expecting one; it has {held}"
            )
        documents = {name: _document(name, text) for name, text in members.items() if name.endswith(".json")}
        return cls(*_arrays(members[files[0]]), documents, max_bytes)

    def array(self, name: str, dimensions: int) -> Array:
        """Return a float array of so many dimensions. Raises ModelError if there is none."""
        if name not in self.arrays:
            raise ModelError(f"the model has no array {name!r}; it has {', '.join(self.arrays) or 'none'}")
        stored = self.arrays[name]
        if len(stored.shape) != dimensions or 0 in stored.shape:
            raise ModelError(f"array {name!r} has shape {stored.shape}; expecting {dimensions} dimensions")
        array = dense(stored, self.max_bytes)
        if array.dtype.kind != "f" or array.dtype.itemsize < 4:
            raise ModelError(f"array {name!r} is of dtype {array.dtype}; expecting float32 or float64")
        return array

    def setting(self, name: str) -> Any:
        """Return the value of a key wherever in the JSON files it stands first, None if nowhere."""
        return next(_found(list(self.documents.values()), name), None)


class LocalModel(ABC):
    """A trained model that predicts without SageMaker."""

    algorithm: ClassVar[str]
    """The class name of its algorithm."""

    def __post_init__(self) -> None:
        """Make the arrays read-only: predictions keep what they derived from them."""
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                array = value.view()
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    @classmethod
    @abstractmethod
    def matches(cls, content: Content) -> bool:
        """Return True if the content has the layout of this algorithm."""

    @classmethod
    @abstractmethod
    def read(cls, content: Content, hyperparameters: Mapping[str, Any]) -> Self:
        """Read the model from the content.

        Args:
            content: What the model's member holds.
            hyperparameters: What the caller knows of the training; only what the file leaves open is taken.

        Raises:
            ModelError: The arrays do not belong together.
        """

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Write the model as its container does: the content of ``model_algo-1``."""

    @property
    @abstractmethod
    def feature_dim(self) -> int:
        """Number of features of a row, or of words in the vocabulary."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what is known of the model: names and numbers, as JSON has them."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Return the assumptions about the container where AWS documents nothing."""
        return ()

    def predict(self, rows: Any) -> Predictions:
        """Predict what the endpoint would, field by field.

        Args:
            rows: An array of shape (rows, features) or (features,), a data frame, a SciPy sparse matrix, or
                :class:`CsrParts`. float64 rows are computed in float64, all others in float32.

        Returns:
            The fields of ``algorithm.inference.fields`` as arrays.

        Raises:
            InputError: The rows are not numbers, or not of ``feature_dim`` features.
            ModelError: The model's mathematics is not public, or a setting is missing.
        """
        taken = vectors(rows)
        if taken.shape[1] != self.feature_dim:
            raise InputError(
                f"the rows have {taken.shape[1]:,} features; the model was trained on {self.feature_dim:,}",
                remedy="Give the features of training, in their order, without label and id columns.",
            )
        return self._predict(taken)

    def to_sklearn(self) -> Any:
        """Return the scikit-learn estimator of the same kind, fitted with this model's parameters.

        Raises:
            ModelError: scikit-learn has no counterpart.
        """
        raise ModelError(f"scikit-learn has no counterpart of {self.algorithm}")

    @abstractmethod
    def _predict(self, rows: Vectors) -> Predictions: ...

    def _parameters(self, dtype: npt.DTypeLike) -> Any:
        """Return what :meth:`_derive` makes of the model for rows of a dtype; it is made once."""
        derived: dict[np.dtype[Any], Any] = vars(self).setdefault("_derived", {})
        key = np.dtype(dtype)
        if key not in derived:
            derived[key] = self._derive(key)
        return derived[key]

    def _derive(self, dtype: np.dtype[Any]) -> Any:
        """Return the model's parameters in a dtype, in the form its prediction multiplies with."""
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.describe().items())
        return f"{type(self).__name__}({facts})"


def algorithm_of(model: LocalModel) -> type[Algorithm]:
    """Return the algorithm's class."""
    return algorithm_named(model.algorithm)


def product(rows: Vectors, matrix: Array) -> Array:
    """Return rows times matrix, in the dtype of the rows."""
    if not isinstance(rows, CsrParts):
        return np.asarray(rows @ matrix.astype(rows.dtype, copy=False))
    factor = matrix.astype(rows.data.dtype, copy=False)
    try:
        from scipy.sparse import csr_array  # noqa: PLC0415 - optional
    except ImportError:
        return _sparse_product(rows, factor)
    return np.asarray(csr_array((rows.data, rows.indices, rows.indptr), shape=rows.shape) @ factor)


def squared(rows: CsrParts) -> CsrParts:
    """Return compressed rows of the squares of their values."""
    return rows._replace(data=np.square(rows.data))


def double(rows: CsrParts) -> CsrParts:
    """Return compressed rows in float64: sums of squares minus products lose the digits of float32."""
    return rows._replace(data=rows.data.astype(np.float64))


def _sparse_product(rows: CsrParts, factor: Array) -> Array:
    """Return compressed rows times factor, where SciPy is not installed."""
    out = np.zeros((rows.shape[0], *factor.shape[1:]), rows.data.dtype)
    row_of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    step = max(1, BLOCK_BYTES // (factor[:1].nbytes or 1))
    for start in range(0, len(rows.data), step):
        part = slice(start, start + step)
        terms = (factor[rows.indices[part]].T * rows.data[part]).T
        np.add.at(out, row_of[part], terms)
    return out


def _arrays(data: bytes) -> tuple[dict[str, Stored], bool]:
    arrays = read(data)
    if isinstance(arrays, list):
        return {str(number): array for number, array in enumerate(arrays)}, False
    bare = {name.removeprefix("arg:").removeprefix("aux:"): array for name, array in arrays.items()}
    if len(bare) != len(arrays):
        raise ModelError(f"two arrays of the model have one name: {', '.join(arrays)}")
    return bare, True


def _document(name: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name} of the model is not JSON: {error}") from error


def _found(values: list[Any], name: str) -> Iterator[Any]:
    """Yield the values of a key, level by level. Without recursion: a file may be nested deeply."""
    while values:
        for value in values:
            if isinstance(value, dict) and name in value:
                yield value[name]
        values = [
            inner
            for value in values
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
