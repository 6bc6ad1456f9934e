"""A data set as a user would bring it: files by channel, how to read them, hyperparameters that suit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """``title`` says what it is; ``files`` by channel; ``hyperparameters`` that suit it.

    ``sources`` are options of a ``sources.Source`` by channel, such as the label's column;
    ``instance_count`` is how many training instances it is for.
    """

    title: str
    files: Mapping[str, Sequence[Path]]
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    instance_count: int = 2

    def settings(self) -> dict[str, Any]:
        """What app.py takes for one algorithm in its context ``algorithms``."""
        return {
            "hyperparameters": dict(self.hyperparameters),
            "channels": {name: dict(self.sources.get(name, {})) for name in self.files},
            "instance_count": self.instance_count,
        }


def own(data: Path) -> Sample:
    """The user's file, or all files below their directory, as the train channel. Raises FileNotFoundError."""
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    missing = [path for path in files if not path.is_file()]
    if missing or not files:
        raise FileNotFoundError(
            f"There is no file at {data}. Give --data the path of a file, or of a directory of files."
        )
    return Sample(str(data), {"train": files})
