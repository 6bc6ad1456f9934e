"""The types of hyperparameter values: how they are read, and how the service spells them.

Reading is strict. A number is a number or its decimal text, never a boolean, NaN or an infinity. A whole
number may be an exact float (``3.0``). A flag is ``True``, ``False``, ``1``, ``0`` or the text of a boolean.
numpy's scalars are read as the values they hold.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, cast

from amazon_estimators.text import is_unicode

T = TypeVar("T")

MAX_VALUE_CHARACTERS = 2500
"""The longest hyperparameter value CreateTrainingJob takes."""

INTEGERS = range(-(2**63), 2**63)
"""The whole numbers of 64 bits: the training containers hold no others."""

_EXACT_FLOAT = 2**53
"""Up to here every whole number has a float of its own."""
_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FILE_NAME = re.compile(r"[A-Za-z0-9._]*")
_INFINITY = re.compile(r"\+?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class Bounds:
    """Holds the bounds of numbers; ``above`` and ``below`` exclude the bound itself."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def admit(self, value: float) -> bool:
        """Return True if ``value`` is in the range."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        parts = [
            f"{words} {bound:,}"
            for words, bound in (
                ("at least", self.at_least),
                ("greater than (not equal to)", self.above),
                ("at most", self.at_most),
                ("less than (not equal to)", self.below),
            )
            if bound is not None
        ]
        return " and ".join(parts)


class Kind(Protocol[T]):
    """A type of value: ``read`` takes what a user or a job wrote, ``spell`` gives what the service reads."""

    @property
    def expecting(self) -> str:
        """Return the allowed values, to complete "Expecting: …"."""

    def read(self, value: object) -> T:
        """Read a value; ValueError if it is none of this kind."""

    def spell(self, value: T) -> str:
        """Return the value as the service reads it."""


def _plain(value: object) -> object:
    """Return the Python value in a numpy scalar. Whoever passes one has imported numpy."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return cast(Any, value).item()
    return value


class TooLargeError(ValueError):
    """A whole number that takes more than 64 bits."""

    def __init__(self) -> None:
        super().__init__(f"Whole numbers are sent from {INTEGERS[0]} to {INTEGERS[-1]}.")


def _whole(value: object) -> int:
    is_text = isinstance(value, str) and len(value) <= MAX_VALUE_CHARACTERS and _WHOLE.fullmatch(value)
    is_float = isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_FLOAT
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not (is_text or is_float or is_integer):
        raise ValueError
    number = int(cast(Any, value))  # a subclass, such as an enumeration, may spell itself otherwise
    if number not in INTEGERS:
        raise TooLargeError
    return number


def _boolean(value: object) -> bool:
    """Read ``True``, ``False``, ``1`` or ``0``; ValueError for anything else."""
    if isinstance(value, bool | int) and value in (0, 1):
        return bool(value)
    raise ValueError


def _real(value: object) -> float:
    if isinstance(value, str) and len(value) <= MAX_VALUE_CHARACTERS and _DECIMAL.fullmatch(value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            raise ValueError from None
        if math.isfinite(number):
            return number
    raise ValueError


def _either(*parts: str) -> str:
    return " or ".join(part for part in parts if part)


def _quoted(values: Sequence[object]) -> str:
    return ", ".join(repr(value) for value in values)


@dataclass(frozen=True)
class Integer:
    """A whole number within bounds or one of ``choices``, or one of the literals.

    ``also`` are numbers that AWS does not document but its SDK and samples use.
    """

    bounds: Bounds = Bounds()
    choices: tuple[int, ...] = ()
    literals: tuple[int | str, ...] = ()
    also: tuple[int, ...] = ()

    @property
    def expecting(self) -> str:
        numbers = f"one of {_quoted(self.choices)}" if self.choices else f"an integer {self.bounds}".rstrip()
        return _either(numbers, _quoted(self.literals))

    def read(self, value: object) -> int | str:
        plain = _plain(value)
        if isinstance(plain, str) and plain in self.literals:
            return plain
        number = _whole(plain)
        allowed = number in self.choices if self.choices else self.bounds.admit(number)
        if allowed or number in (*self.literals, *self.also):
            return number
        raise ValueError

    def spell(self, value: int | str) -> str:
        return str(value)


@dataclass(frozen=True)
class Real:
    """A finite number within bounds, or one of the literals; ``infinity`` admits positive infinity too."""

    bounds: Bounds = Bounds()
    literals: tuple[str, ...] = ()
    infinity: bool = False

    @property
    def expecting(self) -> str:
        return _either(
            f"a number {self.bounds}".rstrip(),
            _quoted(self.literals),
            "'Infinity'" if self.infinity else "",
        )

    def read(self, value: object) -> float | str:
        plain = _plain(value)
        if isinstance(plain, str) and plain in self.literals:
            return plain
        if self.infinity and (plain == math.inf or (isinstance(plain, str) and _INFINITY.fullmatch(plain))):
            return math.inf
        number = _real(plain)
        if self.bounds.admit(number):
            return number
        raise ValueError

    def spell(self, value: float | str) -> str:
        if isinstance(value, str):
            return value
        return "Inf" if value == math.inf else repr(value)


@dataclass(frozen=True)
class Choice:
    """One of a few names. Booleans, 1 and 0 are read where ``'true'`` and ``'false'`` are among them.

    ``also`` are names that AWS does not document but its SDK and samples use.
    """

    choices: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def expecting(self) -> str:
        return f"one of {_quoted(self.choices)}"

    def read(self, value: object) -> str:
        plain = _plain(value)
        if not isinstance(plain, str):
            plain = str(_boolean(plain))
        if plain in {"True", "False"}:
            plain = plain.lower()
        if plain in (*self.choices, *self.also):
            return plain
        raise ValueError

    def spell(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Flag:
    """True or false; ``capitals`` selects the spelling that the service documents."""

    capitals: bool = False

    @property
    def expecting(self) -> str:
        return "True or False"

    @property
    def choices(self) -> tuple[str, str]:
        return self.spell(True), self.spell(False)

    def read(self, value: object) -> bool:
        plain = _plain(value)
        if isinstance(plain, str) and plain in {"true", "True", "false", "False"}:
            return plain in {"true", "True"}
        return _boolean(plain)

    def spell(self, value: bool) -> str:
        return str(value) if self.capitals else str(value).lower()


@dataclass(frozen=True)
class Listing:
    """One or more items, sent as a JSON list or joined by commas.

    With ``ordered`` the order is the user's; without, items come in the order they are documented in.
    """

    item: Integer | Choice
    encoding: Literal["json", "comma"]
    distinct: bool = False
    ordered: bool = True
    literals: tuple[str, ...] = ()

    @property
    def expecting(self) -> str:
        what = "distinct items" if self.distinct else "items"
        return _either(f"a list of one or more {what}, each {self.item.expecting}", _quoted(self.literals))

    def read(self, value: object) -> tuple[int | str, ...] | str:
        if isinstance(value, str):
            if value in self.literals:
                return value
            value = self._parse(value)
        if not isinstance(value, list | tuple):
            raise ValueError
        items = tuple(self.item.read(item) for item in value)
        if not items or (self.distinct and len(set(items)) < len(items)):
            raise ValueError
        if self.ordered or not isinstance(self.item, Choice):
            return items
        return tuple(name for name in self.item.choices if name in items)

    def _parse(self, text: str) -> object:
        if len(text) > MAX_VALUE_CHARACTERS:
            raise ValueError
        if text.startswith("["):
            return json.loads(text)
        if self.encoding == "json":
            raise ValueError
        return [part.strip() for part in text.split(",")]

    def spell(self, value: tuple[int | str, ...] | str) -> str:
        if isinstance(value, str):
            return value
        if self.encoding == "json":
            return json.dumps(value)
        return ",".join(map(str, value))


@dataclass(frozen=True)
class FileName:
    """A file's name of letters, digits, underscores and periods; empty for none."""

    @property
    def expecting(self) -> str:
        return "a file name of letters A-Z and a-z, digits, '_' and '.'"

    def read(self, value: object) -> str:
        plain = _plain(value)
        if isinstance(plain, str) and _FILE_NAME.fullmatch(plain):
            return plain
        raise ValueError

    def spell(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Text:
    """Any text, number or boolean, passed on unchanged: a setting that AWS does not document."""

    @property
    def expecting(self) -> str:
        return "text, a number or a boolean"

    def read(self, value: object) -> str:
        plain = _plain(value)
        if isinstance(plain, bool):
            return str(plain).lower()
        if isinstance(plain, str | int | float) and is_unicode(str(plain)):
            return str(plain)
        raise ValueError

    def spell(self, value: str) -> str:
        return value
