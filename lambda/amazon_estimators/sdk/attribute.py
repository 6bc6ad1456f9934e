"""The hyperparameters of the ten algorithms as attributes of their estimators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amazon_estimators.hyperparameters import hyperparameter as declarations
from amazon_estimators.sdk.hyperparameter import Hyperparameter

if TYPE_CHECKING:
    from amazon_estimators.sdk.base import AmazonAlgorithmEstimatorBase


class HyperparameterAttribute(Hyperparameter):
    """Reads and sets a hyperparameter of the estimator's algorithm.

    ``in_constructor``: the SDK's constructor sets it, by default to None, so it reads as None while unset.
        Others raise AttributeError while unset. Lists read back as lists.
    """

    def __init__(self, declared: declarations.Hyperparameter[Any], *, in_constructor: bool) -> None:
        super().__init__(declared.name, validation_message=declared.kind.expecting, data_type=declared.read)
        self._in_constructor = in_constructor
        self.__doc__ = declared.doc

    def validate(self, value: Any) -> None:
        """Raise ValueError unless the algorithm accepts the value; None is always allowed."""
        if value is not None:
            self.data_type(value)

    def __get__(self, instance: AmazonAlgorithmEstimatorBase | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        values, deleted = instance.fitted_algorithm.values, vars(instance)["_deleted"]
        if self.name not in values and (not self._in_constructor or self.name in deleted):
            raise AttributeError(f"{type(instance).__name__}.{self.name} is not set")
        value = values.get(self.name)
        return list(value) if isinstance(value, tuple) else value

    def __set__(self, instance: AmazonAlgorithmEstimatorBase, value: Any) -> None:
        instance.assign(self.name, value)

    def __delete__(self, instance: AmazonAlgorithmEstimatorBase) -> None:
        self.__get__(instance)
        instance.discard(self.name)
