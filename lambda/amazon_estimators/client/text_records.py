"""Encode records that are not a matrix: Object2Vec's JSON Lines, IPInsights' CSV, NTM's vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.channel_rules import ChannelRule
from amazon_estimators.client.shard_writers import Shards
from amazon_estimators.encodings import ip_insights, object2vec
from amazon_estimators.errors import InputError, RequestError
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources.in_memory import is_frame
from amazon_estimators.summaries import Labels, Tokens

VOCABULARY = "vocab.txt"


def write_lines(
    shards: Shards, algorithm: Algorithm, rule: ChannelRule, train: Any, labels: Any
) -> RecordSet:
    """Write ``train`` in the algorithm's format, and return what is known about it.

    Raises InputError naming the row.
    """
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
        writer.write(b"".join(lines[start:stop]))
    return facts


def _token_pairs(train: Any, labels: Any) -> tuple[list[bytes], RecordSet]:
    """Yield rows from mappings with ``in0``, ``in1``, ``label``, or from pairs of token lists and
    ``labels``."""
    rows = list(train)
    if labels is not None and len(labels) != len(rows):
        raise InputError(f"{len(labels)} labels for {len(rows)} pairs", remedy="Pass one label per pair.")
    lines, known, sides = [], [], ([-1, 0], [-1, 0])
    for index, row in enumerate(rows):
        pair = dict(row) if isinstance(row, Mapping) else dict(zip(("in0", "in1"), row, strict=False))
        if labels is not None:
            pair["label"] = labels[index]
        line = json.dumps(pair, default=_plain).encode()
        if problem := object2vec.reason(line):
            raise InputError(f"pair {index}: {problem}", remedy=object2vec.REMEDY)
        lines.append(line + b"\n")
        known.append(float(pair["label"]))
        for seen, name in zip(sides, ("in0", "in1"), strict=True):
            seen[:] = max(seen[0], *map(int, pair[name])), max(seen[1], len(pair[name]))
    ranges = Labels(min(known), max(known), all(one.is_integer() for one in known)) if known else None
    first, second = (Tokens(*seen) for seen in sides)
    return lines, RecordSet("", len(rows), 0, labels=ranges, tokens=(first, second))


def _plain(value: Any) -> Any:
    """Return NumPy's scalars and arrays as JSON values."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise InputError(f"{value!r} is neither a number nor a list of numbers", remedy=object2vec.REMEDY)


def _entity_pairs(train: Any) -> tuple[list[bytes], RecordSet]:
    """Yield rows of an entity and its IPv4 address."""
    rows: Iterable[Sequence[Any]] = train.to_numpy() if is_frame(train) else train
    lines = []
    for index, row in enumerate(rows):
        if len(row) != 2:
            raise InputError(f"row {index} has {len(row)} columns, expecting two", remedy=ip_insights.REMEDY)
        line = ",".join(map(_field, row)).encode()
        if problem := ip_insights.reason(line):
            raise InputError(f"row {index}: {problem}", remedy=ip_insights.REMEDY)
        lines.append(line + b"\n")
    return lines, RecordSet("", len(lines), 0)


def _field(value: Any) -> str:
    """Return a CSV field, quoted if necessary."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"') else text


def _write_vocabulary(shards: Shards, words: Iterable[Any]) -> RecordSet:
    listed = [str(word) for word in words]
    for index, word in enumerate(listed):
        if not word or any(mark in word for mark in "\r\n"):
            raise InputError(f"word {index} of the vocabulary is {word!r}", remedy="Pass one word per entry.")
    shards.check_rows(len(listed))
    writer = shards.open(VOCABULARY)
    writer.write("".join(f"{word}\n" for word in listed).encode())
    shards.records[-1] = len(listed)
    writer.close()
    return RecordSet("", len(listed), 0, files=(VOCABULARY,))
