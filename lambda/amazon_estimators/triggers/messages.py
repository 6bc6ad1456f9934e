"""Read the messages of triggers. Every field is checked; an error names what no trigger sends."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from amazon_estimators.text import is_unicode, shown

GROUP = "starter"
"""All messages are in one group: the queue delivers them one by one, in order."""
DAY = 86_400
"""Seconds; no quiet period is longer."""
LABEL = re.compile(r"[0-9A-Za-z_.-]{1,40}")
"""What the name of a schedule may begin with."""
LONGEST_TEXT = 2_048
"""Characters of the longest text; the longest ARN of an alarm is shorter."""


class UnknownMessageError(ValueError):
    """Raised for a message that no trigger sends: handling it again would not help."""


def parse(body: str) -> Mapping[str, Any]:
    """Parse a message's body. Raises UnknownMessageError unless it is a JSON object."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:  # RecursionError: thousands of nested brackets
        raise UnknownMessageError(f"the message is not JSON: {str(error)[:200]}") from None
    if not isinstance(message, Mapping):
        raise UnknownMessageError(f"the message is {shown(message)}; allowed: a JSON object")
    return message


def text(message: Mapping[str, Any], name: str) -> str:
    """Return a field that is a text of 1 to 2,048 characters."""
    value = message.get(name)
    if not _is_text(value) or not value:
        raise _refused(message, name, f"a text of 1 to {LONGEST_TEXT:,} characters")
    return str(value)


def optional_text(message: Mapping[str, Any], name: str) -> str:
    """Return a field that is a text, or "" if it is missing, null or empty."""
    value = message.get(name)
    return "" if value is None or value == "" else text(message, name)


def label(message: Mapping[str, Any], name: str) -> str:
    """Return a field that may begin the name of a schedule."""
    value = text(message, name)
    if not LABEL.fullmatch(value):
        raise _refused(message, name, "up to 40 letters, digits and _.-")
    return value


def choice(message: Mapping[str, Any], name: str, allowed: Collection[str]) -> str:
    """Return a field that is one of ``allowed``."""
    value = text(message, name)
    if value not in allowed:
        raise _refused(message, name, ", ".join(sorted(allowed)))
    return value


def flag(message: Mapping[str, Any], name: str) -> bool:
    """Return a field that is true or false. Default: False."""
    value = message.get(name, False)
    if not isinstance(value, bool):
        raise _refused(message, name, "true or false")
    return value


def texts(message: Mapping[str, Any], name: str) -> list[str]:
    """Return a field that is a list of texts of up to 2,048 characters."""
    values = message.get(name)
    if not isinstance(values, list) or not all(map(_is_text, values)):
        raise _refused(message, name, "a list of texts")
    return values


def time(message: Mapping[str, Any], name: str) -> datetime:
    """Return a field that is an ISO 8601 time, in UTC and whole seconds, the precision of S3's lists."""
    try:
        value = datetime.fromisoformat(text(message, name)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(message, name, "a time such as 2026-03-01T12:00:00Z") from None
    return value.replace(microsecond=0)


def number(message: Mapping[str, Any], name: str, most: float) -> float:
    """Return a field that is a number from 0 to ``most``."""
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _refused(message, name, f"a number from 0 to {most:,}")
    return float(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and is_unicode(value)


def _refused(message: Mapping[str, Any], name: str, allowed: str) -> UnknownMessageError:
    trigger = shown(message.get("trigger"))
    return UnknownMessageError(
        f"a message of {trigger}: {name} is {shown(message.get(name))}; allowed: {allowed}"
    )
