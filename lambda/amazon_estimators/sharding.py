"""The sharding rule: how many shards, and where the input is cut."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from amazon_estimators.s3 import InputObject
from amazon_estimators.sources import Layout, Piece


def shard_count(*, output_bytes: int, target_bytes: int, instance_count: int) -> int:
    """The smallest multiple of ``instance_count`` that keeps shards at or under ``target_bytes``."""
    rounds = max(1, -(-output_bytes // (target_bytes * instance_count)))
    return rounds * instance_count


def cut_evenly(total: int, parts: int) -> list[int]:
    """``parts + 1`` cuts from 0 to ``total``; neighbours differ by one at most.

    >>> cut_evenly(19, 10)
    [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19]
    """
    size, more = divmod(total, parts)
    return [part * size + min(part, more) for part in range(parts + 1)]


def pieces_of_shards(objects: Sequence[tuple[InputObject, Layout]], parts: int) -> Iterator[list[Piece]]:
    """The pieces of each shard, in order: by rows where all row counts are known, else by bytes."""
    counted = all(layout.records is not None for _, layout in objects)
    sizes = [layout.records or 0 if counted else layout.stop - layout.start for _, layout in objects]
    ends = list(accumulate(sizes))
    cuts = cut_evenly(ends[-1] if ends else 0, parts)
    for first, last in zip(cuts, cuts[1:], strict=False):
        pieces = []
        index = bisect_right(ends, first)
        while index < len(objects) and ends[index] - sizes[index] < last:
            found, layout = objects[index]
            before = ends[index] - sizes[index]
            start, stop = max(first - before, 0), min(last - before, sizes[index])
            if counted:
                pieces.append(Piece(found, layout.cut(start), layout.cut(stop), first_row=start))
            else:
                pieces.append(Piece(found, layout.start + start, layout.start + stop))
            index += 1
        yield pieces
