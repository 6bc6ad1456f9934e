"""Remember which sources the handlers import: to find out takes longer than the rest of a small synth."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from cdk_amazon_estimators.assets import handler_sources as finder
from cdk_amazon_estimators.assets.file_digest import file_digest
from cdk_amazon_estimators.assets.handler_sources import handler_sources
from cdk_amazon_estimators.assets.locked_packages import cache_directory


def known_handler_sources(package: Path) -> list[Path]:
    """Return :func:`handler_sources` of ``package``, from the cache if every file is as it was then."""
    known = cache_directory() / f"sources-{_digest(package)}.json"
    if known.is_file():
        return [package / name for name in json.loads(known.read_text(encoding="utf-8"))]
    sources = handler_sources(package)
    names = [path.relative_to(package).as_posix() for path in sources]
    with suppress(OSError):  # without a cache, they are found again
        known.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=known.parent, prefix="finding-") as scratch:
            written = Path(scratch, known.name)
            written.write_text(json.dumps(names), encoding="utf-8")
            written.replace(known)
    return sources


def _digest(package: Path) -> str:
    """Return the SHA-256, in hexadecimal, of the package and of how the sources are found."""
    files = (path for path in sorted(package.rglob("*")) if path.suffix != ".pyc" and path.is_file())
    return file_digest(Path(finder.__file__).read_bytes(), package, files)
