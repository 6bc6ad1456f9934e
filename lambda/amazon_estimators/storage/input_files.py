"""Decide which files below a prefix are input. Pipelines, the starter and local directories share the
rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

HIDDEN = "hidden by a name that begins with _ or ."
MARKER = "markers of folders and of copies under way"
WRITTEN_BESIDE = "files that Athena writes beside its results"
SKIPPED = "matched by skip"
NOT_INCLUDED = "not matched by include"
EMPTY = "without rows"
DELTA, HUDI, ICEBERG = "log of a Delta table", "log of a Hudi table", "metadata of an Iceberg table"
PAIMON, SPARK_STREAM = "snapshots of a Paimon table", "log of a Spark stream"

TABLE_LOGS = {
    DELTA: re.compile(r"(?P<root>(?:.*?/)?)_delta_log/"),
    HUDI: re.compile(r"(?P<root>(?:.*?/)?)\.hoodie/"),
    ICEBERG: re.compile(r"(?P<root>(?:.*?/)?)metadata/[^/]+\.metadata\.json\Z"),
    PAIMON: re.compile(r"(?P<root>(?:.*?/)?)snapshot/snapshot-\d+\Z"),
    SPARK_STREAM: re.compile(r"(?P<root>(?:.*?/)?)_spark_metadata/"),
}
"""Where a table format lists its valid files. Without that list, the files below its root are not a table."""

LOG_NAMES = {
    DELTA: "_delta_log/*",
    HUDI: ".hoodie/*",
    ICEBERG: "metadata/*",
    PAIMON: "snapshot/*",
    SPARK_STREAM: "_spark_metadata/*",
}
"""The patterns that skip the logs."""

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ATHENA = re.compile(rf"(?:.*/)?(?:[^/]+\.csv\.metadata|{_UUID}(?:\.metadata|-manifest\.csv))\Z")
_MARKERS = ("_$folder$", "._COPYING_")


@dataclass(frozen=True)
class LeftOut:
    """Files of one channel that are not read: the reason, their number, and the first path below the
    prefix."""

    why: str
    count: int
    first: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.why}, first {self.first}"


class LeftOutFiles:
    """Counts the files that are not read, by reason. Each table's log is a reason of its own."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], LeftOut] = {}

    def add(self, why: str, path: str) -> None:
        """Count a file, by its path below the prefix."""
        reason = (why, log_root(why, path))
        group = self._groups.get(reason, LeftOut(why, 0, path))
        self._groups[reason] = replace(group, count=group.count + 1)

    @property
    def groups(self) -> tuple[LeftOut, ...]:
        """Return the counts, in the order of the first files."""
        return tuple(self._groups.values())


@dataclass(frozen=True)
class InputFiles:
    """The rule for the keys of one channel.

    Attributes:
        prefix: The key prefix of the channel. Names that are part of it are never hidden.
        include: fnmatch patterns; if there are any, a file must match one.
        skip: fnmatch patterns; a file that matches one is not read.

    A pattern with a slash is matched against the path below the prefix, a pattern without against the file's
    name.
    """

    prefix: str = ""
    include: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def below(self, key: str) -> str:
        """Return the path of a key below the prefix."""
        return key.removeprefix(self.prefix)

    def why_left_out(self, key: str) -> str:
        """Return why a file is not input, or "" if it is.

        Like Spark, Hive and Arrow, it hides a path if a part begins with ``_`` or ``.``, unless it is a
        partition.

        Example:
            >>> InputFiles("in/").why_left_out("in/_temporary/0/part-00001.csv")
            'hidden by a name that begins with _ or .'
            >>> InputFiles("in/").why_left_out("in/_part=1/part-00001.csv")
            ''
        """
        path, by_pattern = self.below(key), self.why_by_pattern(key)
        if key.endswith(("/", *_MARKERS)) or not path:
            return MARKER
        if by_pattern == SKIPPED:
            return SKIPPED
        for name, log in TABLE_LOGS.items():
            if log.match(path):
                return name
        parts = path.split("/")
        if self.prefix and not self.prefix.endswith("/"):
            del parts[0]  # it begins inside the prefix
        if any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in parts):
            return HIDDEN
        return by_pattern or (WRITTEN_BESIDE if not self.include and _ATHENA.match(path) else "")

    def why_by_pattern(self, key: str) -> str:
        """Return why the patterns exclude a file, or "" if they do not."""
        path = self.below(key)
        if any(_matches(path, pattern) for pattern in self.skip):
            return SKIPPED
        if self.include and not any(_matches(path, pattern) for pattern in self.include):
            return NOT_INCLUDED
        return ""

    def takes(self, key: str, left_out: LeftOutFiles) -> bool:
        """Return True if a key is input; otherwise count it in ``left_out``."""
        why = self.why_left_out(key)
        if why:
            left_out.add(why, self.below(key))
        return not why

    def choose(self, keys: Iterable[str]) -> tuple[list[str], tuple[LeftOut, ...]]:
        """Return the keys that are input, in order, and what is left out, by reason."""
        left_out = LeftOutFiles()
        taken = [key for key in keys if self.takes(key, left_out)]
        return taken, left_out.groups

    def tables_among(self, taken: Iterable[str], left_out: Iterable[LeftOut]) -> Iterator[tuple[str, str]]:
        """Yield (reason, root) of each table whose log was left out while its data files are read."""
        roots = [
            (group.why, log_root(group.why, group.first)) for group in left_out if group.why in TABLE_LOGS
        ]
        missing = {root for _, root in roots}
        for path in map(self.below, taken) if roots else ():
            missing = {root for root in missing if not path.startswith(root)}
            if not missing:
                break
        yield from ((why, root) for why, root in roots if root not in missing)


def data_files(directory: Path, rule: InputFiles | None = None) -> tuple[list[Path], tuple[LeftOut, ...]]:
    """Return the files below a local directory that would be input on S3, by path, and what is left out.

    ``rule`` gives the patterns; paths are matched below the directory.
    """
    paths = {
        path.relative_to(directory).as_posix(): path
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    taken, left_out = replace(rule or InputFiles(), prefix="").choose(paths)
    return [paths[name] for name in taken], left_out


def log_root(why: str, path: str) -> str:
    """Return the root of the table whose log holds ``path``, or "" for another reason."""
    match = TABLE_LOGS[why].match(path) if why in TABLE_LOGS else None
    return match["root"] if match else ""


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path if "/" in pattern else path.rpartition("/")[2], pattern)
