"""Describe a data set as a user would bring it: files by channel, source options, hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.pipeline.channels import channel_options
from amazon_estimators.storage.input_files import data_files


@dataclass(frozen=True)
class Sample:
    """A data set.

    Attributes:
        title: A few words that describe it.
        files: Its files, by channel.
        hyperparameters: Values that suit it.
        sources: Options of ``sources.Source`` by channel, such as the label's column.
        instance_count: Number of training instances.
        roots: Directories of the channels whose files are in folders.
    """

    title: str
    files: Mapping[str, Sequence[Path]]
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    instance_count: int = 2
    roots: Mapping[str, Path] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Return app.py's settings for one algorithm, for its context ``algorithms``."""
        return {
            "hyperparameters": dict(self.hyperparameters),
            "channels": {name: dict(self.sources.get(name, {})) for name in self.files},
            "instance_count": self.instance_count,
        }

    def uploads(self) -> Iterator[tuple[str, str, Path]]:
        """Yield each file with its channel, and its key below the channel's prefix."""
        for channel, files in self.files.items():
            for path in files:
                yield channel, path.relative_to(self.roots.get(channel, path.parent)).as_posix(), path


def own(data: Path, algorithm: type[Algorithm], options: Mapping[str, Any] | None = None) -> Sample:
    """Return the user's file, or all files below the user's directory, as a sample with the train channel.

    If the directory has a folder ``train``, each folder is the channel of its name. Hidden files and
    markers are skipped, as on S3.

    Args:
        data: The file or directory.
        algorithm: The algorithm to train.
        options: Options of ``Source``; each channel gets those that apply to it.

    Raises:
        FileNotFoundError: There is no data file.
        RequestError: An option is about columns, but the algorithm reads lines.
    """
    if (data / "train").is_dir():
        roots = {folder.name: folder for folder in sorted(data.iterdir()) if folder.is_dir()}
    else:
        roots = {"train": data}
    return Sample(
        str(data),
        {channel: _files(root) for channel, root in roots.items()},
        sources={channel: channel_options(algorithm, channel, options or {}) for channel in roots},
        instance_count=1 if algorithm.instances.single_instance else 2,
        roots={channel: root if root.is_dir() else root.parent for channel, root in roots.items()},
    )


def _files(data: Path) -> list[Path]:
    if data.is_file():
        return [data]
    files, _ = data_files(data)
    if not files:
        raise FileNotFoundError(
            f"There is no file at {data}. Give --data the path of a file, or of a directory of files."
        )
    return files
