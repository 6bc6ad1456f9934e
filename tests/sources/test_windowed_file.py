"""A file of spans gives the bytes of its object, fetches them ahead, once and in few requests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_estimators.sources.files import windowed_file
from amazon_estimators.sources.files.windowed_file import ColumnFile, Span
from sources.in_memory_s3 import InMemoryS3

BODY = np.random.default_rng(0).bytes(5000)


@settings(max_examples=200)
@given(st.data())
def test_every_read_gives_the_bytes_of_the_object(data: st.DataObject) -> None:
    """Forwards, backwards, across windows, inside spans and out of them, in any order of parts."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(BODY)), min_size=2, max_size=12)))
    spans = [
        Span(start, stop, data.draw(st.integers(1, 900)), data.draw(st.integers(0, len(BODY))))
        for start, stop in itertools.pairwise(cuts)
        if data.draw(st.booleans())
    ]
    parts: list[list[Span]] = [[], [], []]
    for span in spans:
        parts[data.draw(st.integers(0, 2))].append(span)
    s3 = InMemoryS3()
    found = s3.put("a", BODY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windowed_file, "AHEAD_BYTES", data.draw(st.sampled_from([1, 300, 10**6])))
        with ColumnFile(s3, found, parts) as file:
            for _ in range(data.draw(st.integers(1, 12))):
                start = data.draw(st.integers(0, len(BODY)))
                size = data.draw(st.integers(0, 1500))
                file.seek(start)
                assert bytes(file.read(size)) == BODY[start : start + size]


def test_columns_of_parts_are_fetched_once_and_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two columns side by side, then one of which only the first half is likely to be read."""
    monkeypatch.setattr(windowed_file, "AHEAD_BYTES", 600)
    s3 = InMemoryS3()
    found = s3.put("a", BODY)
    parts = [[Span(0, 1000, 200, 1000), Span(1000, 2000, 200, 2000)], [Span(2000, 4000, 200, 3000)]]
    with ColumnFile(s3, found, parts) as file:
        for at in range(0, 1000, 100):
            for column in (0, 1000):
                file.seek(column + at)
                assert bytes(file.read(100)) == BODY[column + at : column + at + 100]
            held = sum(len(window.result()) for window in file._windows._held.values())
            assert held <= 2 * 200 + 600 + 200
        file.seek(2000)
        assert bytes(file.read(1000)) == BODY[2000:3000]
    assert s3.served == 3000
    assert s3.calls == 15


def test_what_was_passed_over_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windowed_file, "AHEAD_BYTES", 600)
    s3 = InMemoryS3()
    with ColumnFile(
        s3, s3.put("a", BODY), [[Span(0, 2000, 200, 2000)], [Span(2000, 4000, 200, 4000)]]
    ) as file:
        file.read(100)
        file.seek(2000)
        file.read(100)
        assert all(at >= 10 for at in file._windows._held)
