"""Do the next few things while the caller works on the last one, and hand the results on in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item], *, width: int) -> Iterator[Result]:
    """``map(work, items)`` with up to ``width`` calls under way in threads, and no more results held.

    A single item needs no thread: the caller would only wait for it.
    """
    rest = iter(items)
    first = list(islice(rest, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    pool = ThreadPoolExecutor(width)
    under_way: deque[Future[Result]] = deque()
    try:
        for item in chain(first, rest):
            under_way.append(pool.submit(work, item))
            if len(under_way) == width:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
