"""One hyperparameter of a first-party algorithm: how it is read, checked and spelt for the service.

An algorithm declares its hyperparameters as class attributes, made by the factories below::

    k = integer(at_least=1, required=True, doc="Number of clusters.")

A value is read strictly, see :mod:`amazon_estimators.hyperparameters.value_types`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, Self, TypeVar, cast, overload

from amazon_estimators.hyperparameters.owner import Owner
from amazon_estimators.hyperparameters.value_types import (
    MAX_VALUE_CHARACTERS,
    Bounds,
    Choice,
    FileName,
    Flag,
    Integer,
    Kind,
    Listing,
    Real,
    Text,
    TooLargeError,
)
from amazon_estimators.text import is_token, shown

T = TypeVar("T")


class HyperparameterWarning(UserWarning):
    """A hyperparameter that the service takes but that does nothing, or not what its value suggests."""


@dataclass(frozen=True)
class Tuning:
    """Holds the range AWS recommends automatic model tuning to search."""

    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


def tuning(low: float, high: float) -> Tuning:
    """Return a range of numbers, both ends included."""
    return Tuning(low=low, high=high)


def tuning_values(*values: str) -> Tuning:
    """Return a set of names."""
    return Tuning(values=values)


@dataclass(eq=False)
class Hyperparameter(Generic[T]):
    """A descriptor: reading it from an instance gives the value, None if unset; from the class, this object.

    ``default`` is what the service documents for an unset value; it is never sent. ``alias`` is the
    attribute name of the SageMaker Python SDK 2 where it differs. ``required`` is the service's word: what
    ``fit_to`` fills in from the data may still be left out at construction. ``documented`` is False for what
    only the SDK sends.
    """

    kind: Kind[T]
    doc: str
    default: Any = None
    required: bool = False
    tuning: Tuning | None = None
    alias: str | None = None
    documented: bool = True
    name: str = ""

    def __post_init__(self) -> None:
        self.__doc__ = self.doc

    def __set_name__(self, owner: type[Owner], name: str) -> None:
        self.name = name
        if self.alias:
            setattr(owner, self.alias, _Alias(self))

    @overload
    def __get__(self, instance: None, owner: type[Owner]) -> Self: ...
    @overload
    def __get__(self, instance: Owner, owner: type[Owner]) -> T | None: ...
    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Self | T | None:
        if instance is None:
            return self
        return cast("T | None", instance.values.get(self.name))

    def __set__(self, instance: Owner, value: object) -> None:
        instance.assign(self.name, value)

    @property
    def booleans(self) -> frozenset[str]:
        """The texts that stand for a boolean; none for other types."""
        choices = getattr(self.kind, "choices", ())
        return frozenset(choices) & {"true", "false"}

    def problem(self, value: object) -> str:
        """Return what is wrong with ``value`` and what is allowed."""
        if is_token(value):
            return (
                f"Invalid hyperparameter value for {self.name}: a CDK token, whose value is known when the "
                f"stack is deployed. Expecting: {self.kind.expecting}, known at synth. Or give it in the "
                "input of an execution."
            )
        return (
            f"Invalid hyperparameter value {shown(value)} for {self.name}. Expecting: {self.kind.expecting}."
        )

    def read(self, value: object) -> T:
        """Read and check a value; ValueError with the whole message if it is none."""
        try:
            result = self.kind.read(value)
        except TooLargeError as error:
            raise ValueError(f"{self.problem(value)} {error}") from None
        except (ValueError, RecursionError):
            raise ValueError(self.problem(value)) from None
        if len(self.kind.spell(result)) > MAX_VALUE_CHARACTERS:
            raise ValueError(f"{self.problem(value)} At most {MAX_VALUE_CHARACTERS:,} characters are sent.")
        return result


class _Alias:
    """The SDK's old attribute name of a hyperparameter."""

    def __init__(self, target: Hyperparameter[Any]) -> None:
        self._target = target

    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Any:
        return self._target.__get__(cast("Owner", instance), owner)

    def __set__(self, instance: Owner, value: object) -> None:
        self._target.__set__(instance, value)


def integer(
    *,
    doc: str,
    at_least: int | None = None,
    at_most: int | None = None,
    one_of: tuple[int, ...] = (),
    literals: tuple[int | str, ...] = (),
    also: tuple[int, ...] = (),
    **more: Any,
) -> Hyperparameter[int | str]:
    """Declare a whole number; bounds are included, ``also`` are undocumented ones.

    ``more`` goes to :class:`Hyperparameter`.
    """
    kind = Integer(Bounds(at_least=at_least, at_most=at_most), one_of, literals, also)
    return Hyperparameter(kind, doc, **more)


def number(
    *,
    doc: str,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    literals: tuple[str, ...] = (),
    infinity: bool = False,
    **more: Any,
) -> Hyperparameter[float | str]:
    """Declare a real number; ``above`` and ``below`` exclude the bound.

    ``more`` goes to :class:`Hyperparameter`.
    """
    return Hyperparameter(Real(Bounds(at_least, above, at_most, below), literals, infinity), doc, **more)


def choice(*choices: str, doc: str, also: tuple[str, ...] = (), **more: Any) -> Hyperparameter[str]:
    """Declare one of a few names; ``also`` are undocumented. ``more`` goes to :class:`Hyperparameter`."""
    return Hyperparameter(Choice(choices, also), doc, **more)


def flag(*, doc: str, capitals: bool = False, **more: Any) -> Hyperparameter[bool]:
    """Declare a flag, true or false. ``more`` goes to :class:`Hyperparameter`."""
    return Hyperparameter(Flag(capitals), doc, **more)


def container_setting(name: str) -> Hyperparameter[str]:
    """Declare a setting of the container that AWS does not document; it is passed on as it is written."""
    return Hyperparameter(
        Text(), f"Setting {name} of the container, which AWS does not document.", documented=False, name=name
    )


def file_name(*, doc: str, **more: Any) -> Hyperparameter[str]:
    """Declare a file's name. ``more`` goes to :class:`Hyperparameter`."""
    return Hyperparameter(FileName(), doc, **more)


def listing(
    item: Integer | Choice,
    *,
    doc: str,
    encoding: Literal["json", "comma"],
    distinct: bool = False,
    ordered: bool = True,
    literals: tuple[str, ...] = (),
    **more: Any,
) -> Hyperparameter[tuple[int | str, ...] | str]:
    """Declare a list of one or more items. ``more`` goes to :class:`Hyperparameter`."""
    return Hyperparameter(Listing(item, encoding, distinct, ordered, literals), doc, **more)
