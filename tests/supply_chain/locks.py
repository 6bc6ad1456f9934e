"""Read the locks: what is installed, in which version, with which hashes, and into which environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv"
CODE = ROOT / "lambda" / "amazon_estimators" / "requirements.txt"
READER = ROOT / "constructs" / "cdk_amazon_estimators" / "assets" / "table_reader.txt"


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock, and the directory its packages are installed into. None is this program's own environment."""

    file: Path
    directory: Path | None = None

    @property
    def name(self) -> str:
        """Return its path in the repository."""
        return self.file.relative_to(ROOT).as_posix()


def beside(name: str) -> Lock:
    """Return a lock that is installed apart from the rest, into a directory of its name."""
    return Lock(file=ROOT / "requirements" / f"{name}.txt", directory=VENV / name)


SHIPPED = (Lock(file=CODE), Lock(file=READER), Lock(file=ROOT / "requirements" / "rehearse.txt"))
"""What the Lambda functions and the users of the rehearsal install."""
DEVELOPMENT = (
    Lock(file=ROOT / "requirements" / "test.txt"),
    Lock(file=ROOT / "requirements" / "release.txt"),
)
BESIDE = (beside("checkov"), beside("localstack"), beside("fuzz"))
"""Programs for the tests alone, which run on this repository's own files."""
OLDEST = beside("protobuf_oldest")
"""The oldest version that is supported, which is older than its known faults."""
LOCKS = (*SHIPPED, *DEVELOPMENT, *BESIDE, OLDEST)


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A package of a lock: ``hashes`` are SHA-256, in hexadecimal, of the files that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]
    applies: bool
    """Whether its marker holds on this machine and Python."""


def pins(lock: Path) -> list[Pin]:
    """Return the packages that ``lock`` pins, by name."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [_pin(line) for line in lines]


def _pin(line: str) -> Pin:
    requirement = Requirement(line.partition(" --hash")[0])
    (specifier,) = requirement.specifier
    return Pin(
        name=canonicalize_name(requirement.name),
        version=specifier.version,
        hashes=tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)),
        applies=requirement.marker is None or requirement.marker.evaluate(),
    )


def installed(directory: Path | None) -> dict[str, metadata.Distribution]:
    """Return the packages in ``directory``, or in this program's environment, by name."""
    packages = metadata.distributions(path=[str(directory)]) if directory else metadata.distributions()
    return {canonicalize_name(package.name): package for package in packages}
