"""Object2Vec's JSON Lines: one pair a line, ``{"label": 1, "in0": [token ids], "in1": [token ids]}``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from amazon_estimators.encodings.contract import Facts, PlannedChannel
from amazon_estimators.encodings.text_lines import (
    count_lines,
    first_bad_line,
    look,
    newlines,
    resolve,
    shown,
    steps,
    tidy,
)
from amazon_estimators.encodings.token_lists import LAST_TOKEN, tokens_of
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Piece
from amazon_estimators.storage.multipart_upload import ObjectWriter
from amazon_estimators.summaries import LabelRange, Tokens

__all__ = ["encode", "look", "resolve"]

REMEDY = 'Write each line as {"label": 1, "in0": [6, 17, 606], "in1": [16, 21]}; token ids count from 0.'
_QUOTE, _OPENING, _CLOSING = b'"{}'
KEYS = {"label", "in0", "in1"}
SIDES = ("in0", "in1")
FLOAT32_MAX = float(np.finfo(np.float32).max)

Label = Annotated[float, Meta(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]
Side = Annotated[list[Annotated[int, Meta(ge=0, le=LAST_TOKEN)]], Meta(min_length=1)]


class Pair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line whose parsing finds what ``reason`` finds wrong. JSON has no NaN."""

    label: Label
    in0: Side
    in1: Side


class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line whose lists are left as texts: most are read so, without an object for each token."""

    label: Label
    in0: msgspec.Raw
    in1: msgspec.Raw


class Asked(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line to predict. A label is left out: what is asked has none."""

    in0: Side
    in1: Side
    label: msgspec.Raw = msgspec.Raw()


_ENCODER = msgspec.json.Encoder()
_PAIRS, _LINES, _ASKED = (msgspec.json.Decoder(kind) for kind in (Pair, Line, Asked))

Sides = tuple[Tokens, Tokens]


def encode(
    s3: Any,
    out: ObjectWriter,
    pieces: Iterable[Piece],
    planned: PlannedChannel,
    profile: ProfileBuilder,
) -> Facts:
    records, labels = 0, LabelRange()
    tokens: Sides | None = None
    labelled = planned.source.keep_labels
    for piece in pieces:
        for lines, number in steps(s3, piece, planned.source):
            text = tidy(lines)
            if not text:
                continue
            read = (_read_plain(text) or _read(text, _PAIRS)) if labelled else _read(text, _ASKED)
            if read is None:
                raise first_bad_line(lines, number, piece, partial(reason, labelled=labelled), REMEDY)
            pairs, sides = read
            records += len(pairs)
            if labelled:
                labels.add(np.array([pair.label for pair in pairs], np.float64))
            else:
                text = _ENCODER.encode_lines([{"in0": pair.in0, "in1": pair.in1} for pair in pairs])
            tokens = Tokens.merge([tokens, sides])
            out.write(text)
    return Facts(
        records=records,
        feature_dim=0,
        labels=None if labels.empty else labels.summary(),
        tokens=tokens,
    )


def _read_plain(text: bytes) -> tuple[list[Any], Sides] | None:
    """Read pairs as most programs write them; return None if any is written otherwise or is faulty.

    A line has six quotes: no key is there twice.
    """
    if np.count_nonzero(np.frombuffer(text, np.uint8) == _QUOTE) != 6 * count_lines(text):
        return None
    pairs = _objects(text, _LINES)
    if pairs is None:
        return None
    first, second = tokens_of([pair.in0 for pair in pairs]), tokens_of([pair.in1 for pair in pairs])
    return None if first is None or second is None else (pairs, (first, second))


def _read(text: bytes, decoder: Any) -> tuple[list[Any], Sides] | None:
    """Read pairs however JSON lets them be written; return None if any is faulty."""
    pairs = _objects(text, decoder)
    if pairs is None:
        return None
    return pairs, (_seen([pair.in0 for pair in pairs]), _seen([pair.in1 for pair in pairs]))


def _objects(text: bytes, decoder: Any) -> list[Any] | None:
    """Parse whole lines at once, at least one; return None unless each is one object of the decoder's kind.

    The parser takes blanks and newlines between values. Lines that begin and end with a brace, as many as
    there are values, are one value each: one cut in two would need a key where a brace is.
    """
    values = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(newlines(text))
    starts = np.concatenate(([0], ends[:-1] + 1))
    if not ((values[starts] == _OPENING).all() and (values[ends - 1] == _CLOSING).all()):
        return None
    try:
        objects: list[Any] = decoder.decode_lines(text)
    except (msgspec.DecodeError, RecursionError):  # the latter of thousands of nested brackets
        return None
    return objects if len(objects) == len(ends) else None


def _seen(lists: list[list[int]]) -> Tokens:
    return Tokens(max(map(max, lists)), max(map(len, lists)))


def reason(line: bytes, *, labelled: bool = True) -> str | None:
    """Say what is wrong with one line, without its end; return None if nothing is.

    ``labelled`` is False of lines to predict, where a label is left out.
    """
    try:
        pair = _parse(line)
    except (ValueError, RecursionError) as error:
        return f"{shown(line)} is not JSON: {error}"
    if type(pair) is not dict or not (line.startswith(b"{") and line.rstrip(b"\r").endswith(b"}")):
        return f"{shown(line)} is not one object from brace to brace"
    if not labelled:
        pair["label"] = 0
    if pair.keys() != KEYS:
        missing, unknown = sorted(KEYS - pair.keys()), sorted(pair.keys() - KEYS)
        return f"missing {', '.join(missing) or 'nothing'}, unknown {', '.join(unknown) or 'nothing'}"
    if type(pair["label"]) not in (int, float) or not _are_float32([pair["label"]]):
        return f"label is {_json(pair['label'])}, which is not a number of 32 bits"
    return next((problem for side in SIDES if (problem := _list_problem(side, pair[side]))), None)


def _list_problem(side: str, ids: Any) -> str | None:
    if type(ids) is not list or not ids:
        return f"{side} is {_json(ids)}, which is not a list of at least one token id"
    for token in ids:
        if type(token) is not int or not 0 <= token <= LAST_TOKEN:
            return f"{side} holds {_json(token)}, which is not a token id"
    return None


def _json(value: Any) -> str:
    return json.dumps(value)[:80]


def _are_float32(numbers: list[float]) -> bool:
    """Return True if all are finite as float32. JSON has no NaN, and the reader refuses it."""
    return min(numbers) >= -FLOAT32_MAX and max(numbers) <= FLOAT32_MAX


def _parse(text: bytes) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
