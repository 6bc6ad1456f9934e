"""Decide the number of shards and where to cut the input."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from amazon_estimators.sources import Layout, Piece
from amazon_estimators.storage.s3 import InputObject

DEFAULT_SHARD_BYTES = 256 * 2**20
"""Bytes of the largest shard by default, for pipelines, estimators and the command line."""


def shard_count(*, output_bytes: int, target_bytes: int, instance_count: int) -> int:
    """Return the smallest multiple of ``instance_count`` that keeps shards at or under ``target_bytes``.

    Example:
        >>> shard_count(output_bytes=900, target_bytes=100, instance_count=2)
        10
    """
    rounds = max(1, -(-output_bytes // (target_bytes * instance_count)))
    return rounds * instance_count


def cut_evenly(total: int, parts: int) -> list[int]:
    """Return ``parts + 1`` cuts from 0 to ``total``. Parts differ by one at most.

    Example:
        >>> cut_evenly(19, 10)
        [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19]
    """
    size, more = divmod(total, parts)
    return [part * size + min(part, more) for part in range(parts + 1)]


def pieces_of_shards(objects: Sequence[tuple[InputObject, Layout]], parts: int) -> Iterator[Iterator[Piece]]:
    """Yield the pieces of each shard, in order: cut by rows if all row counts are known, otherwise by bytes.

    Cut by rows, shards differ by at most one row. Cut by bytes, the rows of an object count as the bytes they
    take, and a cut inside an object that cannot be cut moves to its nearer end. A shard is empty only if
    there are fewer such objects than shards.

    For example, objects of 70 and 30 rows make three shards with cuts at 0, 34, 67 and 100::

        a.npy  |----- 0 to 34 -----|----- 34 to 67 -----|- 67 to 70 -|
        b.npy                                           |------------ 0 to 30 ------------|
        shard            0                    1                        2
    """
    counted = all(layout.records is not None for _, layout in objects)
    sizes, whole = array("Q"), bytearray()
    for found, layout in objects:
        sizes.append((layout.records or 0) if counted else found.size)
        whole.append(layout.whole)
    ends = array("Q", accumulate(sizes))
    cuts = cut_evenly(ends[-1] if ends else 0, parts)
    if not counted and any(whole):
        cuts = _around_units(cuts, ends, whole)

    def pieces(first: int, last: int) -> Iterator[Piece]:
        index = bisect_right(ends, first)
        while index < len(objects) and ends[index] - sizes[index] < last:
            found, layout = objects[index]
            before = ends[index] - sizes[index]
            start, stop = max(first - before, 0), min(last - before, sizes[index])
            piece = _piece(found, layout, start, stop, counted=counted)
            if piece.start < piece.stop:
                yield piece
            index += 1

    for first, last in pairwise(cuts):
        yield pieces(first, last)


def most_shards(objects: Sequence[tuple[InputObject, Layout]]) -> int | None:
    """Return the number of shards that can have records, or None if the input can be cut at any byte."""
    if all(layout.whole or layout.records is not None for _, layout in objects):
        return sum(1 if layout.records is None else layout.records for _, layout in objects)
    return None


def _piece(found: InputObject, layout: Layout, start: int, stop: int, *, counted: bool) -> Piece:
    """Return the share ``[start, stop)`` of an object, in rows or bytes, as cuts of its layout."""
    if layout.records is not None:
        if not counted:
            start, stop = (layout.records * cut // found.size for cut in (start, stop))
        return Piece(found, layout.cut(start), layout.cut(stop), first_row=start)
    if layout.whole:
        return Piece(found, layout.start, layout.stop)
    return Piece(found, max(start, layout.start), min(stop, layout.stop))


def _around_units(cuts: list[int], ends: Sequence[int], whole: Sequence[int]) -> list[int]:
    """Move cuts out of units, then apart as far as possible, so that no shard is empty unnecessarily.

    For example, a unit from byte 40 to 90 moves the cut at 50 to 40, and the cut at 75 to 90.
    """

    def unit_at(cut: int) -> tuple[int, int]:
        """Return the ends of the unit that holds a cut, or the cut twice."""
        index = bisect_right(ends, cut)
        if index == len(ends) or not whole[index]:
            return cut, cut
        return (ends[index - 1] if index else 0), ends[index]

    moved = [0]
    for cut in cuts[1:-1]:
        low, high = unit_at(cut)
        near = low if cut - low <= high - cut else high
        if near <= moved[-1]:
            near = unit_at(moved[-1])[1]
            near = near if near > moved[-1] else min(moved[-1] + 1, ends[-1])
        moved.append(near)
    moved.append(cuts[-1])
    for index in range(len(moved) - 2, 0, -1):
        if moved[index] >= moved[index + 1]:
            before = max(0, moved[index + 1] - 1)
            at = bisect_left(ends, moved[index + 1])
            start = ends[at - 1] if at else 0
            moved[index] = start if whole[at] else before
    return moved
