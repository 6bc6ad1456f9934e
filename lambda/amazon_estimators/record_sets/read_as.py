"""Describe how a channel's input was read, for ``record_set.json`` and everywhere that users look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from amazon_estimators.storage.documents import check_fields


@dataclass(frozen=True)
class ReadAs:
    """The way input was read.

    Attributes:
        source: The options of Source, with detected values filled in, as JSON-ready values.
        features: The names of all features, in the order of the records; None if they have no names.
        label: The name of the label's column, or its position as text; None if there is none.
        lines: The same in words, a line each: files, format, features, what is not read, how it is cut; then
            what seems odd.
        columns: The names of the columns that the features are made of, in order; None if they have no names.
    """

    source: Mapping[str, Any]
    features: tuple[str, ...] | None
    label: str | None
    lines: tuple[str, ...]
    columns: tuple[str, ...] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The words of the label, in the order of their numbers; none if labels are numbers."""
        return tuple(self.source.get("classes", ()))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values; :meth:`from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote, as JSON or not. Raises TypeError for a value of another type."""
        check_fields(cls, json.loads(json.dumps(values)))
        features, columns = values["features"], values.get("columns")
        return cls(
            values["source"],
            None if features is None else tuple(features),
            values["label"],
            tuple(values["lines"]),
            None if columns is None else tuple(columns),
        )
