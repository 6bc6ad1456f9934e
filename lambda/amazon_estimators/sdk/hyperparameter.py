"""Hyperparameters as programs declare them: ``sagemaker.amazon.hyperparameter``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

Validator = Callable[[Any], bool]


class Hyperparameter:
    """A descriptor that checks and holds a hyperparameter of a program's own class.

    Args:
        name: The service's name for it.
        validate: A function, or several, that return False for a value that is not allowed. Default: all are.
        validation_message: Completes the error text "Expecting: …". Default: none.
        data_type: A type or function that converts every value. Default: ``str``.

    Reading it while unset raises AttributeError. Setting None does not unset it, but None is not sent.

    Example:
        >>> class Mine:
        ...     k = Hyperparameter("k", lambda value: value > 0, "a positive number", int)
        >>> mine = Mine()
        >>> mine.k = "3"
        >>> mine.k, Hyperparameter.serialize_all(mine)
        (3, {'k': '3'})
    """

    def __init__(
        self,
        name: str,
        validate: Validator | Iterable[Validator] = lambda _: True,
        validation_message: str = "",
        data_type: Callable[[Any], Any] = str,
    ) -> None:
        self.name = name
        self.validation = [validate] if callable(validate) else [*validate]
        self.validation_message = validation_message
        self.data_type = data_type

    def validate(self, value: Any) -> None:
        """Raise ValueError unless every validator allows the value; None is always allowed."""
        if value is not None and not all(valid(value) for valid in self.validation):
            message = f"Invalid hyperparameter value {value} for {self.name}"
            raise ValueError(
                f"{message}. Expecting: {self.validation_message}" if self.validation_message else message
            )

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return vars(instance)["_hyperparameters"][self.name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__}.{self.name} is not set") from None

    def __set__(self, instance: Any, value: Any) -> None:
        value = None if value is None else self.data_type(value)
        self.validate(value)
        vars(instance).setdefault("_hyperparameters", {})[self.name] = value

    def __delete__(self, instance: Any) -> None:
        try:
            del vars(instance).get("_hyperparameters", {})[self.name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__}.{self.name} is not set") from None

    @staticmethod
    def serialize_all(instance: Any) -> dict[str, str]:
        """Return the values that are set, by the service's name, in the form of CreateTrainingJob."""
        return {
            name: json.dumps(value) if isinstance(value, list) else str(value)
            for name, value in vars(instance).get("_hyperparameters", {}).items()
            if value is not None
        }
