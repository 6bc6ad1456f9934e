"""Validate JSON by a JSON Schema of draft 2020-12: the keywords that OpenLineage uses, and no others.

A keyword that is unknown here is an error, so that nothing passes unchecked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

TYPES: Mapping[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
WITHOUT_MEANING = {"$schema", "$id", "$defs", "description", "example", "examples", "title", "oneOf"}
"""``oneOf`` stands at the root of the core schema alone, which tests enter by its definitions."""


class Schemas:
    """The schemas of a directory, by ``$id``."""

    def __init__(self, directory: Path) -> None:
        files = [json.loads(path.read_text(encoding="utf-8")) for path in directory.rglob("*.json")]
        self.by_id = {schema["$id"]: schema for schema in files}

    def at(self, uri: str, base: str = "") -> tuple[Any, str]:
        """Return the schema that a reference names, and the document it stands in."""
        name, _, pointer = uri.partition("#")
        schema = self.by_id[name or base]
        for part in pointer.strip("/").split("/"):
            schema = schema[part] if part else schema
        return schema, name or base

    def problems(self, value: Any, uri: str) -> list[str]:
        """Return what is wrong with a value, by the schema at a URI."""
        return [*self._problems(value, *self.at(uri), "$")]

    def _problems(self, value: Any, schema: Mapping[str, Any], base: str, where: str) -> Iterator[str]:
        for keyword, rule in schema.items():
            if keyword in WITHOUT_MEANING:
                continue
            yield from getattr(self, f"_{keyword.lstrip('$')}")(value, rule, base, where)
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        for name in value.keys() - known.keys() if isinstance(value, dict) else ():
            if rest is False:
                yield f"{where}.{name} is unknown"
            elif rest is not True:
                yield from self._problems(value[name], rest, base, f"{where}.{name}")

    def _additionalProperties(self, value: Any, rule: Any, base: str, where: str) -> Iterator[str]:
        yield from ()  # above, where the known properties are at hand

    def _ref(self, value: Any, rule: str, base: str, where: str) -> Iterator[str]:
        yield from self._problems(value, *self.at(rule, base), where)

    def _type(self, value: Any, rule: str, base: str, where: str) -> Iterator[str]:
        if not isinstance(value, TYPES[rule]) or (rule == "integer" and isinstance(value, bool)):
            yield f"{where} is not of type {rule}"

    def _enum(self, value: Any, rule: list[Any], base: str, where: str) -> Iterator[str]:
        if value not in rule:
            yield f"{where} is {value!r}"

    def _minimum(self, value: Any, rule: int, base: str, where: str) -> Iterator[str]:
        if value < rule:
            yield f"{where} is below {rule}"

    def _required(self, value: Any, rule: list[str], base: str, where: str) -> Iterator[str]:
        yield from (f"{where}.{name} is missing" for name in rule if name not in value)

    def _properties(self, value: Any, rule: Mapping[str, Any], base: str, where: str) -> Iterator[str]:
        for name in value.keys() & rule.keys():
            yield from self._problems(value[name], rule[name], base, f"{where}.{name}")

    def _items(self, value: Any, rule: Any, base: str, where: str) -> Iterator[str]:
        for number, item in enumerate(value):
            yield from self._problems(item, rule, base, f"{where}[{number}]")

    def _allOf(self, value: Any, rule: list[Any], base: str, where: str) -> Iterator[str]:
        for one in rule:
            yield from self._problems(value, one, base, where)

    def _anyOf(self, value: Any, rule: list[Any], base: str, where: str) -> Iterator[str]:
        found = [[*self._problems(value, one, base, where)] for one in rule]
        yield from () if any(not problems for problems in found) else found[0]

    def _format(self, value: str, rule: str, base: str, where: str) -> Iterator[str]:
        try:
            if rule == "date-time":
                if datetime.fromisoformat(value).tzinfo is None or not re.search(r"\dT\d", value):
                    raise ValueError
            elif rule == "uuid":
                UUID(value)
            elif rule == "uri" and not (urlsplit(value).scheme and urlsplit(value).netloc):
                raise ValueError
        except ValueError:
            yield f"{where} is no {rule}: {value!r}"
