"""Parse ``--source NAME=VALUE``, for both command lines. Without click, which the rehearsal does not have."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from amazon_estimators.errors import RequestError

if TYPE_CHECKING:
    pass

HELP = (
    "An option of Source (docs/sources.md), such as exclude=id, delimiter=';' or first_index=0. "
    "Repeatable; repeat exclude and features to name more columns."
)
LISTS = ("features", "exclude", "include", "skip", "classes")


def source_options(assignments: Iterable[tuple[str, str]], **short: Any) -> dict[str, Any]:
    """Return the options of a Source from names and values, as JSON or text. Raises RequestError for a wrong
    one.

    ``short`` holds the values of the command's own options, such as ``--label``; None for those not used.
    """
    from amazon_estimators.sources import Source  # noqa: PLC0415 - not needed for --help

    options: dict[str, Any] = {}
    for name, text in assignments:
        value = _value(text)
        if name in LISTS:
            value = [*options.get(name, ()), *(value if isinstance(value, list) else [value])]
        if value is not None:
            options[name] = value
    chosen = {name: value for name, value in short.items() if value is not None}
    if twice := sorted(chosen.keys() & options.keys()):
        raise RequestError(
            f"{', '.join(twice)}: set by --source and by an option of its own", remedy="Give it once."
        )
    options |= chosen
    if "prefix" in options:
        raise RequestError(
            f"--source prefix={options['prefix']}: files have no key prefix", remedy="Leave it out."
        )
    Source.from_dict(options)
    return options


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)  # a column may be called NaN
    except ValueError:
        return text
