"""whole_lines: every line exactly once, in order, wherever a file is cut."""

from __future__ import annotations

import gzip
import itertools

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.errors import InputError, ObjectChangedError
from amazon_estimators.sources.files import text_lines as lines
from amazon_estimators.sources.files.text_lines import BOM, LINE_LIMIT, whole_lines
from amazon_estimators.sources.layout import Piece
from sources.in_memory_s3 import InMemoryS3

LINES = st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"").replace(b"\xef", b""))
TEXTS = st.lists(LINES, max_size=8)


@given(TEXTS, st.booleans(), st.booleans(), st.data())
def test_the_pieces_of_a_file_hold_every_line_once(texts, closed, marked, data):
    content = b"\n".join(texts) + (b"\n" if closed and texts else b"")
    body = (BOM if marked else b"") + content
    s3 = InMemoryS3()
    found = s3.put("a.jsonl", body)
    inner = data.draw(st.lists(st.integers(0, len(body)), max_size=4).map(sorted))
    cuts = [0, *inner, len(body)]
    pieces = [Piece(found, start, stop) for start, stop in itertools.pairwise(cuts) if start < stop]
    together = b"".join(block for piece in pieces for block in whole_lines(s3, piece))
    assert together == content + (b"\n" if content and not content.endswith(b"\n") else b"")


@pytest.mark.parametrize("block", [1, 2, 3, 7])
def test_lines_longer_than_a_block(monkeypatch, block):
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    monkeypatch.setattr(lines, "LAST_LOOK", 2)
    s3 = InMemoryS3()
    body = b"first line\nsecond\n\nfourth"
    found = s3.put("a.jsonl", body)
    for cut in range(1, len(body)):
        halves = [b"".join(whole_lines(s3, Piece(found, *ends))) for ends in ((0, cut), (cut, len(body)))]
        assert b"".join(halves) == body + b"\n"
        assert all(half.endswith(b"\n") for half in halves if half)


def test_a_compressed_file_is_one_unit():
    s3 = InMemoryS3()
    body = b"".join(b"%d\n" % number for number in range(10_000))
    found = s3.put("a.jsonl.gz", gzip.compress(body[:5000]) + gzip.compress(body[5000:]))
    assert b"".join(whole_lines(s3, Piece(found, 0, found.size))) == body


@pytest.mark.parametrize("key", ["a.jsonl", "a.jsonl.gz"])
def test_a_line_without_end_is_refused_in_bounded_memory(key):
    s3 = InMemoryS3()
    body = b"x" * (12 * LINE_LIMIT)
    found = s3.put(key, gzip.compress(body, 1) if key.endswith("gz") else body)
    with pytest.raises(InputError, match="a line longer than 8 MiB"):
        for _ in whole_lines(s3, Piece(found, 0, found.size)):
            pass
    assert s3.served <= 6 * LINE_LIMIT


def test_what_s3_does_not_hand_out_may_be_gone():
    # Without the right to list, a deleted object and a forbidden one are both answered with 403.
    class Forbidden(InMemoryS3):
        def get_object(self, **_):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "GetObject")

    s3 = Forbidden()
    found = s3.put("a.jsonl", b"1\n2\n")
    with pytest.raises(
        InputError, match=r"bucket/a\.jsonl: S3 answers AccessDenied\. What Plan saw was deleted"
    ):
        list(whole_lines(s3, Piece(found, 0, found.size)))


def test_a_changed_object_is_refused():
    s3 = InMemoryS3()
    found = s3.put("a.jsonl", b"1\n2\n")
    s3.put("a.jsonl", b"3\n4\n")
    with pytest.raises(ObjectChangedError):
        list(whole_lines(s3, Piece(found, 0, found.size)))
