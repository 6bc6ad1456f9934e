"""Digest files with their names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def file_digest(start: bytes, root: Path, paths: Iterable[Path]) -> str:
    """Return the SHA-256, in hexadecimal, of ``start``, and of each file's path below ``root``, length and
    content."""
    digest = hashlib.sha256(start)
    for path in paths:
        content = path.read_bytes()
        digest.update(json.dumps([path.relative_to(root).as_posix(), len(content)]).encode())
        digest.update(content)
    return digest.hexdigest()
