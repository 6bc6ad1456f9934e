"""A data set as a user would bring it: files by channel, how to read them, hyperparameters that suit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amazon_estimators.algorithms import Algorithm


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


def own(data: Path, algorithm: type[Algorithm], *, label: int | str | None = None) -> Sample:
    """The user's file, or all files below their directory, as the train channel.

    Of a directory that has a folder ``train`` each folder is the channel of that name. ``label`` is the
    label's column, by position or name, in the channels that take one. Raises FileNotFoundError.
    """
    if (data / "train").is_dir():
        files = {folder.name: _files(folder) for folder in sorted(data.iterdir()) if folder.is_dir()}
    else:
        files = {"train": _files(data)}
    labelled = {name for name, rule in algorithm.channels.items() if rule.vectors and rule.label != "none"}
    sources = {} if label is None else {channel: {"label": label} for channel in sorted(labelled & {*files})}
    count = 1 if algorithm.instances.single_instance else 2
    return Sample(str(data), files, sources=sources, instance_count=count)


def _files(data: Path) -> list[Path]:
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    if not files or not all(path.is_file() for path in files):
        raise FileNotFoundError(
            f"There is no file at {data}. Give --data the path of a file, or of a directory of files."
        )
    return files
