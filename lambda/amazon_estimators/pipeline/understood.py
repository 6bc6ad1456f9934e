"""Describe in five lines how Plan understood a channel's input, before anything is encoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from amazon_estimators.pipeline.channels import Channel
from amazon_estimators.pipeline.input_scan import Found
from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.sources import Schema, format_of
from amazon_estimators.sources.columns.rules import ColumnRules
from amazon_estimators.sources.delimited.fronts import dialect_of
from amazon_estimators.sources.formats import COMPRESSIONS
from amazon_estimators.text import counted, listed

MOST_NAMED = 8
UNNAMED = re.compile(r"Unnamed: \d+(_level_\d+)?")
"""The name that pandas gives a column without a name."""
LONGEST_LINE = 160
"""Characters of a line in the state of an execution, which holds 8 KB in total."""


def understood(channel: Channel, found: Found) -> ReadAs:
    """Return the description of a channel's input."""
    schema = found.schema
    features = schema.feature_names if channel.rule.vectors else None
    label = None
    if schema.label is not None:
        label = schema.names[schema.label] if schema.names else str(schema.label)
    elif schema.sparse and found.source.label is not None:
        label = str(found.source.label)
    lines = (_files(channel, found), _format(channel, found), *_columns(channel, found, label), _cut(found))
    columns = None
    if features is not None and schema.names is not None:
        columns = tuple(schema.names[position] for position in schema.recipe.features)
    return ReadAs(found.source.to_dict(), features, label, (*lines, *_notes(found)), columns)


def shortened(read_as: ReadAs) -> list[str]:
    """Return the lines, shortened to fit the state of an execution."""
    return [
        line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…" for line in read_as.lines[:7]
    ]


def _files(channel: Channel, found: Found) -> str:
    first, sizes = channel.files.below(found.objects[0][0].key), found.sizes
    others = f"; left out: {'; '.join(map(str, found.left_out))}" if found.left_out else ""
    return f"files: {len(sizes):,} of {sum(sizes):,} bytes, first {first}{others}"


def _format(channel: Channel, found: Found) -> str:
    source = found.source
    if not channel.rule.vectors:
        return f"format: lines for {channel.rule.content_type}"
    kinds: dict[str, str] = {}
    for name, (entry, _) in found.formats.items():
        kinds[name] = name
        if name == "csv":
            dialect = dialect_of(entry, source)
            header = "a header" if found.schema.names else "no header"
            quotes = "quotes enclose fields" if dialect.quotes else "quotes are text"
            kinds[name] += f", {header}, fields separated by {dialect.delimiter.decode()!r}, {quotes}"
            kinds[name] += f", escaped by {dialect.escape.decode()!r}" if dialect.escape else ""
            kinds[name] += ", decimal commas" if dialect.decimal == b"," else ""
    return f"format: {'; '.join(kinds.values())}"


def _columns(channel: Channel, found: Found, label: str | None) -> Iterator[str]:
    """Describe the columns that are read and those that are not."""
    schema = found.schema
    if not channel.rule.vectors:
        return
    rules = schema.recipe.rules if schema.rules else None
    kind = "sparse" if schema.sparse or (rules and rules.sparse) else "dense"
    columns = [] if schema.sparse else list(schema.recipe.features)
    named = _named(found, columns)
    features = f"{schema.feature_dim:,} {kind}" + (f", {named}" if named else "")
    yield f"features: {features}; label: {label or _own(found)}"
    yield from rule_lines(schema)
    used = {*columns, schema.label}
    index = [column for column in schema.index if column not in used]
    others = (
        []
        if schema.sparse
        else [column for column in range(schema.width) if column not in used and column not in index]
    )
    directories = _directories(channel, found)
    parts = [
        f"columns {_named(found, others)}" if others else "",
        f"index {_named(found, index)}" if index else "",
        f"directories {', '.join(f'{name}=' for name in directories)}" if directories else "",
    ]
    yield f"not read: {'; '.join(part for part in parts if part) or 'nothing'}"


def rule_lines(schema: Schema) -> Iterator[str]:
    """Say in a line what becomes of the columns that rules name; in none if there are no rules."""
    if schema.rules:
        yield f"columns: {'; '.join(_rules(schema, schema.rules))}"


def _rules(schema: Schema, rules: ColumnRules) -> Iterator[str]:
    told: dict[str, Callable[[Any], str]] = {
        "one_hot": lambda words: f"as {counted(len(words), 'word')}",
        "hashed": lambda count: f"to {count:,}",
        "fill": lambda value: f"with {value}",
        "scale": lambda pair: f"by {pair[0]:g} and {pair[1]:g}",
    }
    for name, tell in told.items():
        pairs = getattr(rules, name)
        columns = [f"{schema.key(key)} {tell(value)}" for key, value in pairs[:MOST_NAMED]]
        if columns:
            more = f" and {len(pairs) - MOST_NAMED:,} more" if len(pairs) > MOST_NAMED else ""
            yield f"{name} {', '.join(columns)}{more}"
    if rules.one_hot:
        yield f"unknown words: {rules.unknown}"
    if rules.classes:
        yield f"classes {listed([*rules.classes], MOST_NAMED)}"
    if rules.drop_incomplete:
        yield "rows with a gap that is not filled are left out"


def _own(found: Found) -> str:
    """Describe the position of a label that is not in a column."""
    names = {format_of(found.objects[0][0], found.source)[0]}
    return "of each record" if names <= {"libsvm", "recordio"} and found.source.keep_labels else "none"


def _named(found: Found, columns: list[int]) -> str:
    names = found.schema.names
    return listed([names[column] if names else column for column in columns], MOST_NAMED)


def _directories(channel: Channel, found: Found) -> list[str]:
    """Return the names of the ``key=value`` directories below the prefix that are not columns."""
    parts = (
        part.partition("=")[0]
        for entry, _ in found.objects
        for part in channel.files.below(entry.key).split("/")[:-1]
        if "=" in part
    )
    return [name for name in dict.fromkeys(parts) if name not in found.schema.directories]


def _cut(found: Found) -> str:
    whole = sum(layout.whole for _, layout in found.objects)
    if not whole:
        rows = found.records is not None
        return "cut: at any row, by number of rows" if rows else "cut: at rows, by bytes of input"
    first = next(entry for entry, layout in found.objects if layout.whole)
    return (
        f"cut: {counted(whole, 'file')} of {len(found.objects):,} "
        f"{'is' if whole == 1 else 'are'} never cut, such as {first.uri}: a file is read by one shard"
    )


def _notes(found: Found) -> Iterator[str]:
    if not found.looked:
        return  # objects that were not inspected have no notes and no row counts
    notes = [note for _, layout in found.objects for note in layout.notes]
    yield from (f"note: {note}" for note in dict.fromkeys(notes[:100]))
    schema = found.schema
    read = [] if schema.sparse or not schema.names else [schema.names[column] for column in schema.used]
    if found.source.features is None and (given := [name for name in read if UNNAMED.fullmatch(name)]):
        yield (
            f"note: {listed(given, MOST_NAMED)}: pandas uses this name for a column without one, "
            f"such as an index written with the rows; if it is an index, set exclude={given}"
        )
    packed = [
        entry.uri
        for entry, layout in found.objects
        if layout.records is not None and entry.key.lower().endswith((*COMPRESSIONS,))
    ]
    if packed:
        yield (
            f"note: {packed[0]} is compressed text: beyond 4 MiB it is one shard, however many instances "
            "there are; write as many files as instances"
        )
