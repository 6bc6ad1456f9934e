"""What is no matrix: Object2Vec's pairs as JSON Lines, IPInsights' pairs as CSV, NTM's vocabulary as text."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.facts import ChannelRule
from amazon_estimators.client.matrix import is_frame
from amazon_estimators.client.shards import Shards
from amazon_estimators.errors import InputError, RequestError
from amazon_estimators.record_set import Labels, RecordSet, Tokens

VOCABULARY = "vocab.txt"


def write_lines(
    shards: Shards, algorithm: Algorithm, rule: ChannelRule, train: Any, labels: Any
) -> RecordSet:
    """Write ``train`` as the algorithm reads it and return what is known of it. Raises InputError naming the row."""
    if not rule.vectors and rule.content_type == "text/plain":
        return _write_vocabulary(shards, train)
    if algorithm.encoding == "jsonlines":
        lines, facts = _token_pairs(train, labels)
    else:
        if labels is not None:
            raise RequestError(
                f"{type(algorithm).__name__} learns from pairs without labels; leave labels out"
            )
        lines, facts = _entity_pairs(train)
    for start, stop, writer in shards.ranges(len(lines), sum(map(len, lines))):
        writer.write("".join(lines[start:stop]).encode())
    return facts


def _token_pairs(train: Any, labels: Any) -> tuple[list[str], RecordSet]:
    """Rows as mappings with ``in0``, ``in1`` and ``label``, or as pairs of token lists with ``labels`` beside."""
    rows = list(train)
    if labels is not None and len(labels) != len(rows):
        raise InputError(f"{len(labels)} labels for {len(rows)} pairs", remedy="Give one label a pair.")
    highest, longest, lines, known = [-1, -1], [0, 0], [], []
    for index, row in enumerate(rows):
        if isinstance(row, Mapping):
            first, second, label = row.get("in0"), row.get("in1"), row.get("label")
        else:
            first, second = row
            label = None
        label = label if labels is None else labels[index]
        sides = []
        for side, tokens in enumerate((first, second)):
            ids = _token_ids(tokens, f"pair {index}, in{side}")
            highest[side] = max(highest[side], *ids)
            longest[side] = max(longest[side], len(ids))
            sides.append(ids)
        if not _is_finite_number(label):
            raise InputError(f"pair {index}: label {label!r} is no number", remedy="Give each pair a label.")
        number = float(label)  # type: ignore[arg-type]  # it is a number
        known.append(number)
        shown = int(number) if number.is_integer() else number
        lines.append(json.dumps({"label": shown, "in0": sides[0], "in1": sides[1]}) + "\n")
    facts = RecordSet(
        "",
        len(rows),
        0,
        labels=Labels(min(known), max(known), all(one.is_integer() for one in known)) if known else None,
        tokens=(Tokens(highest[0], longest[0]), Tokens(highest[1], longest[1])),
    )
    return lines, facts


def _token_ids(tokens: Any, where: str) -> list[int]:
    values = np.asarray(tokens if tokens is not None else ())
    if values.ndim != 1 or not len(values) or values.dtype.kind not in "iu" or values.min() < 0:
        raise InputError(
            f"{where}: {tokens!r} is no list of token ids",
            remedy="Give one or more whole numbers from 0: the positions of the tokens in the vocabulary.",
        )
    return [int(value) for value in values]


def _is_finite_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))


def _entity_pairs(train: Any) -> tuple[list[str], RecordSet]:
    """Rows of two: an entity and its IPv4 address."""
    rows: Iterable[Sequence[Any]] = train.to_numpy() if is_frame(train) else train
    lines = []
    for index, row in enumerate(rows):
        if len(row) != 2:
            raise InputError(
                f"row {index} has {len(row)} columns, expecting two: the entity and its IPv4 address"
            )
        entity, address = str(row[0]), str(row[1])
        if not entity or any(mark in entity for mark in ',"\r\n'):
            raise InputError(
                f"row {index}: entity {entity!r} is empty or has a comma, a quote or a line end",
                remedy="Give each entity a plain name.",
            )
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise InputError(
                f"row {index}: {address!r} is no IPv4 address", remedy="Write it as 192.0.2.1."
            ) from None
        lines.append(f"{entity},{address}\n")
    return lines, RecordSet("", len(lines), 0)


def _write_vocabulary(shards: Shards, words: Iterable[Any]) -> RecordSet:
    listed = [str(word) for word in words]
    for index, word in enumerate(listed):
        if not word or any(mark in word for mark in "\r\n"):
            raise InputError(f"word {index} of the vocabulary is {word!r}", remedy="Give one word an entry.")
    shards.check_rows(len(listed))
    writer = shards.open(VOCABULARY)
    writer.write("".join(f"{word}\n" for word in listed).encode())
    shards.records[-1] = len(listed)
    writer.close()
    return RecordSet("", len(listed), 0, files=(VOCABULARY,))
