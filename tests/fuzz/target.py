"""A target of the fuzzer: code that reads hostile bytes, and what it may do with them."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from amazon_estimators.errors import AmazonEstimatorsError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

HERE = Path(__file__).parent
CORPUS, FINDINGS = HERE / "corpus", HERE / "findings"
MEMORY = 100 * 2**20
"""Bytes that reading may take beyond the input."""
SECONDS = 5
"""How long reading may take."""
STATM = Path("/proc/self/statm")
DATA_FIELD = 5

WAYS_OUT = ("allowed", "expect", "it takes", "did you mean", "; ")
"""How a message that has no remedy tells what would be right."""

Mutate = Callable[[bytes, random.Random], bytes]
"""Changes an input, so that what it holds deeper inside is reached."""


class BrokenPromiseError(AssertionError):
    """Raised for an error without a way out, or for memory that the input made somebody ask for."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that reads input.

    Attributes:
        name: Its name on the command line, and of the folder of its corpus.
        use: Reads an input to its end.
        seeds: Sound inputs by name, which ``python -m fuzz.seeds`` writes into the corpus.
        mutate: Changes an input.
        refuses: The errors by which it may refuse an input. Default: the library's own, with a way out.
    """

    name: str
    use: Callable[[bytes], None]
    seeds: Callable[[], Mapping[str, bytes]]
    mutate: Mutate
    refuses: tuple[type[Exception], ...] = field(default=(AmazonEstimatorsError,))

    def accepts(self, data: bytes) -> bool:
        """Return whether an input is read, or refused as promised.

        Raises:
            BrokenPromiseError: It is refused without a way out, or for want of memory.
            Exception: What the reader raised, if it is none of ``refuses``.
        """
        with warnings.catch_warnings(), np.errstate(all="ignore"), limited_memory():
            warnings.simplefilter("ignore")
            try:
                self.use(data)
            except self.refuses as error:
                if any(isinstance(cause, MemoryError) for cause in _causes(error)):
                    raise BrokenPromiseError("more memory was asked for than the input can need") from error
                if isinstance(error, AmazonEstimatorsError) and not shows_a_way_out(error):
                    raise BrokenPromiseError(f"no way out: {error}") from error
                return False
        return True

    def kept(self) -> list[Path]:
        """Return the files of its corpus, and those that broke it once."""
        return sorted(path for root in (CORPUS, FINDINGS) for path in (root / self.name).glob("*"))


def shows_a_way_out(error: AmazonEstimatorsError) -> bool:
    """Return whether an error says what to do, or what it would accept."""
    return bool(error.remedy) or any(word in error.message.lower() for word in WAYS_OUT)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def limited_memory(more: int = MEMORY) -> Iterator[None]:
    """Refuse the process more than ``more`` bytes beyond what it has, where the system can.

    What is only asked for counts, too: a size that is believed before it is checked is the fault.
    """
    if resource is None or not STATM.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    pages = int(STATM.read_text(encoding="ascii").split()[DATA_FIELD])
    resource.setrlimit(resource.RLIMIT_DATA, (pages * os.sysconf("SC_PAGE_SIZE") + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def write_seeds(targets: Iterable[Target]) -> None:
    """Write the seeds of targets into the corpus."""
    for target in targets:
        folder = CORPUS / target.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in target.seeds().items():
            (folder / name).write_bytes(data)
