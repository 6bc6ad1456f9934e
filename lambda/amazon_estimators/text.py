"""Format counts and a user's values for messages, and suggest the name that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

HALF = re.compile("[\ud800-\udfff]")
LONGEST = 80
"""Characters; of a longer value only the beginning is shown."""
NEAR = 0.8
"""The least ratio of difflib for a suggestion: one wrong character among five."""
BEGINNING = 4
"""The least characters by which a name is known from its beginning."""
NO_NAMES: Mapping[str, Sequence[str]] = MappingProxyType({})


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


def nearest(
    name: object, known: Iterable[str], *, others: Mapping[str, Sequence[str]] = NO_NAMES
) -> str | None:
    """Return the one of the known names that was meant, or None: no hint is better than a wrong one.

    Case, hyphens, underscores and spaces do not count.

    Args:
        name: The name that is not known.
        known: The known names.
        others: Names by which other libraries call things, with what may be meant, the best first. Only what
            is known is suggested. Default: none.

    Example:
        >>> nearest("epoch", ["epochs", "k"]), nearest("lr", ["l1", "wd"])
        ('epochs', None)
        >>> nearest("lr", ["l1", "learning_rate"], others={"lr": ["learning_rate"]})
        'learning_rate'
    """
    folded = {_folded(candidate): candidate for candidate in known}
    typed = _folded(str(name))
    if typed in folded:
        return folded[typed]
    for meant in others.get(typed, ()):
        if _folded(meant) in folded:
            return folded[_folded(meant)]
    edited = [candidate for candidate in folded if _edited(typed, candidate)]
    begun = [candidate for candidate in folded if candidate.startswith(typed) and len(typed) >= BEGINNING]
    # Several that begin so, such as init_method and init_scale, are a guess.
    near = edited or (begun if len(begun) == 1 else get_close_matches(typed, folded, n=1, cutoff=NEAR))
    return folded[near[0]] if near else None


def _folded(name: str) -> str:
    return re.sub("[-_ ]", "", name.lower())


def _edited(typed: str, name: str) -> bool:
    """Return True for one typo: a character too many, too few or wrong, or two swapped.

    Two characters have to be left: "lr" is not "l1". A key that repeats is a typo of any name: "kk" is "k".
    """
    if set(typed) == set(name) and len(name) == 1:
        return True
    if len(typed) == len(name):
        wrong = [place for place, (left, right) in enumerate(zip(typed, name, strict=True)) if left != right]
        if len(wrong) == 1:
            return len(name) > 2
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
        return swapped and typed[wrong[0]] == name[wrong[1]] and typed[wrong[1]] == name[wrong[0]]
    shorter, longer = sorted((typed, name), key=len)
    one_more = len(longer) == len(shorter) + 1 and len(shorter) > 1
    return one_more and any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
