"""Fuzz one target in this process, guided by its coverage: the second process of ``python -m fuzz``.

Errors that break the promise are kept as files and the run goes on; crashes and hangs end the process, and
the fuzzer keeps the input.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import random
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from fuzz.target import BrokenPromiseError, Target

MOST_FOUND = 200
"""Different errors after which a target is left alone: there is enough to mend."""
ROOMS = (
    *("algorithms", "encodings", "inference", "pipeline", "record_sets", "recordio"),
    *("scoring", "serving", "sources", "storage", "triggers"),
)
"""The rooms of the library whose coverage guides the fuzzer. The others read nothing hostile."""


def one_after_the_other(read: Callable[[Any], Any], items: Iterable[Any], *, width: int) -> Iterator[Any]:
    """Stand in for reading ahead: a thread for each small input would be most of the time."""
    return map(read, items)


def load(atheris: Any, name: str) -> Target:
    """Import the library instrumented, then the target."""
    with atheris.instrument_imports(include=["amazon_estimators"]):
        prefetch = importlib.import_module("amazon_estimators.prefetch")
        setattr(prefetch, "ahead", one_after_the_other)  # noqa: B010 (mypy)
        for room in ROOMS:
            package = importlib.import_module(f"amazon_estimators.{room}")
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
        targets = importlib.import_module("fuzz.targets").TARGETS
    target: Target = targets[name]
    return target


def cause_of(error: BaseException) -> BaseException:
    """Return the error that a broken promise is about."""
    return error.__cause__ if isinstance(error, BrokenPromiseError) and error.__cause__ else error


def place_of(error: BaseException) -> str:
    """Return what tells faults apart: the kind of an error, and the line of the library it is from."""
    cause = cause_of(error)
    frames = traceback.extract_tb(cause.__traceback__)
    ours = [frame for frame in frames if "/amazon_estimators/" in frame.filename] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return f"{type(error).__name__} {type(cause).__name__} {where}"


def main() -> None:
    """Run the fuzzer's own options on the target that the first argument names."""
    import atheris

    name, findings, *options = sys.argv[1:]
    target = load(atheris, name)
    seen: set[str] = set()
    folder = Path(findings)

    def read(data: bytes) -> None:
        try:
            target.accepts(data)
        except Exception as error:
            place = place_of(error)
            if place not in seen:
                seen.add(place)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
                sys.stderr.write(f"FOUND {place}: {str(cause_of(error))[:200]!r}\n")
            if len(seen) >= MOST_FOUND:
                os._exit(0)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if not dice.randrange(5):
            return bytes(atheris.Mutate(data, max_size))
        changed = target.mutate(data, dice)
        return changed if len(changed) <= max_size else changed[:max_size]

    atheris.Setup([sys.argv[0], *options], read, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
