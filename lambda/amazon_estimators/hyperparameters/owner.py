"""The part of an algorithm that its hyperparameters and rules use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Owner(Protocol):
    """Holds the values of hyperparameters, by the service's names."""

    @classmethod
    def hyperparameter(cls, name: str) -> Any:
        """Return the declaration of one hyperparameter; KeyError if there is none."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """Return the values that have been set."""
        ...

    def effective(self, name: str) -> Any:
        """Return the value that holds in training: the one set, or the documented default, or None."""
        ...

    def assign(self, name: str, value: object) -> None:
        """Set one value; nothing changes if the result would not be valid."""
        ...
