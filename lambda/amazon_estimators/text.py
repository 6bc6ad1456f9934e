"""Format counts and a user's values for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

HALF = re.compile("[\ud800-\udfff]")
LONGEST = 80
"""Characters; of a longer value only the beginning is shown."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "record"), counted(2000, "record")
        ('1 record', '2,000 records')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shown(value: object) -> str:
    """Return a ``repr`` short enough for a message.

    Python refuses to write integers of thousands of digits; those are named by their type.

    Example:
        >>> shown("a" * 200)[-8:]
        'a… (str)'
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"{type(value).__name__} that cannot be written"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}… ({type(value).__name__})"


def is_unicode(text: str) -> bool:
    r"""Return False for text with half of a character, which JSON can hold and UTF-8 cannot.

    Example:
        >>> is_unicode("\u00e9"), is_unicode("\ud800")
        (True, False)
    """
    return not HALF.search(text)


def is_template(value: object) -> bool:
    """Return True for text that a workflow fills in later, such as Airflow's ``"{{ instance_count }}"``.

    Example:
        >>> is_template("{{ role }}"), is_template("trainer")
        (True, False)
    """
    return isinstance(value, str) and "{{" in value and "}}" in value


def is_token(value: object) -> bool:
    """Return True for a value of the CDK that is known when a stack is deployed, and not at synth.

    The CDK writes it as text with ``${Token[…]}`` in it, or as a number below -1.8e289.

    Example:
        >>> is_token("${Token[TOKEN.17]}"), is_token(-1.8881545897087533e+289), is_token(3)
        (True, True, False)
    """
    if isinstance(value, str):
        return "${Token[" in value
    return isinstance(value, float) and -1.9e289 < value < -1.8e289


def listed(names: Sequence[int | str], most: int = 20) -> str:
    """Return the first ``most`` names, and how many more there are.

    Example:
        >>> listed(["age", "income", 7], most=2)
        "'age', 'income', and 1 more"
    """
    first = ", ".join(repr(name) for name in names[:most])
    return first if len(names) <= most else f"{first}, and {len(names) - most} more"
