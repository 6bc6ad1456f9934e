"""Every input of the corpora, and every one that broke something once: read, or refused with a way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import numpy as np
import pytest

from amazon_estimators.errors import InputError
from fuzz.target import CORPUS, FINDINGS, SECONDS, BrokenPromiseError, Target, limited_memory
from fuzz.targets import TARGETS


@contextmanager
def no_hang() -> Iterator[None]:
    """End what computes for longer than any input may take."""

    def end(number: int, frame: FrameType | None) -> None:
        raise BrokenPromiseError(f"it computes for longer than {SECONDS} seconds")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_kept_input_is_read_or_refused_with_a_way_out(target: Target) -> None:
    for path in target.kept():
        with no_hang():
            accepted = target.accepts(path.read_bytes())
        if path.parent.parent == CORPUS:
            assert accepted is not path.name.startswith("refused_"), path.name


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_corpus_is_what_our_own_writers_make(target: Target) -> None:
    """A seed for each kind of input; ``python -m fuzz.seeds`` writes them."""
    assert {path.name for path in (CORPUS / target.name).iterdir()} == target.seeds().keys()


def test_corpora_and_findings_are_small_and_of_known_targets() -> None:
    files = [path for root in (CORPUS, FINDINGS) for path in root.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 300 * 2**10
    assert {path.parent.name for path in files} <= TARGETS.keys()


def target(use: object) -> Target:
    return Target(name="t", use=use, seeds=dict, mutate=lambda data, dice: data)  # type: ignore[arg-type]


def untyped(data: bytes) -> None:
    raise KeyError("name")


def silent(data: bytes) -> None:
    raise InputError("it is wrong")


def greedy(data: bytes) -> None:
    np.empty(200 * 2**20, np.uint8)


def greedy_and_typed(data: bytes) -> None:
    try:
        greedy(data)
    except MemoryError as error:
        raise InputError("it is damaged", remedy="Write it again.") from error


@pytest.mark.parametrize(
    ("use", "raised"),
    [
        (untyped, KeyError),
        (silent, BrokenPromiseError),
        (greedy, MemoryError),
        (greedy_and_typed, BrokenPromiseError),
    ],
)
def test_what_breaks_the_promise_is_noticed(use: object, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        target(use).accepts(b"")


def test_a_refusal_with_a_way_out_is_as_promised() -> None:
    def refuse(data: bytes) -> None:
        raise InputError("it is wrong", remedy="Write it again.")

    assert not target(refuse).accepts(b"")
    assert target(lambda data: None).accepts(b"")


def test_the_limit_of_memory_ends_with_the_input() -> None:
    with limited_memory(2**20), pytest.raises(MemoryError):
        np.empty(200 * 2**20, np.uint8)
    assert len(np.empty(200 * 2**20, np.uint8)) == 200 * 2**20


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_change_what_is_inside_and_stay_bytes(name: str) -> None:
    import random

    for seed in TARGETS[name].seeds().values():
        changed = {TARGETS[name].mutate(seed, random.Random(number)) for number in range(8)}
        assert len(changed) > 1 and all(isinstance(data, bytes) for data in changed)
