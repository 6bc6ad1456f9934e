"""Read ``record_set.json`` and the manifest: text in, checked values out. ``manifest.py`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

from amazon_estimators.errors import RecordSetError
from amazon_estimators.record_sets.keys import shard_name

VERSION = 1
"""Raise it when ``record_set.json`` changes so that an older reader would misunderstand it."""

Described = TypeVar("Described")


def record_set_facts(text: str | bytes, uri: str) -> dict[str, Any]:
    """Read the text of ``record_set.json`` as the object it holds.

    Args:
        text: The text, as this release or 0.1.0 wrote it.
        uri: Where it lies, for errors.

    Raises:
        RecordSetError: The text is not a JSON object, or a newer release wrote it.
    """
    facts = _parsed(text, uri)
    if not isinstance(facts, dict):
        raise RecordSetError(f"{uri} is not a JSON object", remedy="Make the RecordSet again.")
    version = facts.get("version", VERSION)
    if version != VERSION:
        raise RecordSetError(
            f"{uri} has version {version!r}; allowed: {VERSION}, or none",
            remedy="Install the release of the library that wrote it, or a newer one.",
        )
    return facts


def described(kind: type[Described], values: Mapping[str, Any], uri: str) -> Described:
    """Make a ``kind``, a dataclass, of the values it has fields for; other values are left out.

    Raises:
        RecordSetError: A field is missing or has a value of another type.
    """
    make = getattr(kind, "from_dict", lambda known: kind(**known))
    try:
        names = {field.name for field in fields(cast(Any, kind))}
        return cast(Described, make({name: value for name, value in values.items() if name in names}))
    except (TypeError, KeyError, AttributeError) as error:
        raise no_record_set(uri, error) from error


def no_record_set(uri: str, reason: object) -> RecordSetError:
    """Return the error of a ``record_set.json`` whose values do not make a RecordSet."""
    return RecordSetError(
        f"{uri} does not describe a RecordSet: {reason}", remedy="Make the RecordSet again."
    )


def manifest_entries(text: str | bytes, uri: str) -> tuple[str, list[str]]:
    """Read a manifest.

    Args:
        text: The text of the manifest.
        uri: Where it lies, for errors.

    Returns:
        The prefix that the names continue, and the names of the shards: at least one.

    Raises:
        RecordSetError: The text is not a manifest, or lists no shard.
    """
    listed = _parsed(text, uri)
    head, *names = listed if isinstance(listed, list) and listed else [None]
    prefix = head.get("prefix") if isinstance(head, dict) else None
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
        raise RecordSetError(
            f'{uri} is not a manifest; expecting [{{"prefix": "s3://…/"}}, "{shard_name("recordio", 0)}", …]',
            remedy="Give the URI of the manifest itself.",
        )
    if not names:
        raise RecordSetError(f"{uri} lists no shard", remedy="Make the RecordSet again.")
    return prefix, cast(list[str], names)


def _parsed(text: str | bytes, uri: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordSetError(f"{uri} is not JSON: {error}", remedy="Make the RecordSet again.") from error
