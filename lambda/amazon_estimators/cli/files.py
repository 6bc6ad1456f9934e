"""Open the files a command reads: local paths, S3 objects, and the shards a manifest lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from amazon_estimators.errors import InputError, RecordSetError
from amazon_estimators.record_sets.keys import MANIFEST, PROFILE
from amazon_estimators.record_sets.manifest import manifest_entries
from amazon_estimators.record_sets.reading import manifest_shards, open_shard
from amazon_estimators.storage.s3 import is_there, read_object
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of

if TYPE_CHECKING:
    from amazon_estimators.record_sets.profiles.document import ProfileDocument

MANIFEST_SUFFIXES = (".manifest", ".json")
SHARD_SUFFIX = ".pbr"


@dataclass(frozen=True)
class Readable:
    """A RecordIO file: its ``name``, its ``size`` in bytes, and a function that opens it."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def readables(names: tuple[str, ...]) -> list[Readable]:
    """Return all files of the arguments. A directory stands for its manifest, or else its ``.pbr`` files."""
    return [
        file for name in names for file in (_on_s3(name) if name.startswith("s3://") else _local(Path(name)))
    ]


def profile_beside(name: str) -> ProfileDocument | None:
    """Return the profile of the RecordSet that ``name`` stands for; None for one shard, or without one.

    Args:
        name: A directory, or the path or S3 URI of a manifest or of its directory.

    Raises:
        DamagedFileError: The file is not a profile.
    """
    from amazon_estimators.record_sets.profiles.document import ProfileDocument  # noqa: PLC0415 - numpy

    is_manifest = name.endswith(MANIFEST_SUFFIXES)
    if not name.startswith("s3://"):
        path = Path(name)
        if not is_manifest and not path.is_dir():
            return None
        path = (path if path.is_dir() else path.parent) / PROFILE
        return ProfileDocument.from_json(path.read_bytes(), str(path)) if path.is_file() else None
    if name.endswith(SHARD_SUFFIX):
        return None
    s3: Any = client_of(None, "s3")
    root = Place.of(name, what="manifest") if is_manifest else Place.prefix(name, what="RecordSet")
    place = root.beside(PROFILE)
    if not is_there(s3, place.bucket, place.key):
        return None
    return ProfileDocument.from_json(read_object(s3, place.bucket, place.key), place.uri)


def _local(path: Path) -> Iterator[Readable]:
    if path.is_dir():
        manifest = path / MANIFEST
        if manifest.exists():
            yield from _local(manifest)
            return
        shards = sorted(path.glob("*.pbr"))
        if not shards:
            raise InputError(f"{path} holds neither a {MANIFEST} nor .pbr files")
        for shard in shards:
            yield from _local(shard)
        return
    if path.name.endswith(MANIFEST_SUFFIXES):
        for shard in _listed(path):
            yield from _local(shard)
        return
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    yield Readable(str(path), path.stat().st_size, lambda: path.open("rb"))


def _listed(manifest: Path) -> list[Path]:
    """Return the shards of a manifest on disk. They lie beside it, whatever its prefix says."""
    try:
        text = manifest.read_bytes()
    except OSError as error:
        raise RecordSetError(
            f"{manifest} cannot be read: {error}", remedy="Make the RecordSet again."
        ) from error
    _, names = manifest_entries(text, str(manifest))
    inside = manifest.parent.resolve()
    shards = [manifest.parent / name for name in names]
    for shard in shards:
        if inside not in shard.resolve().parents:
            raise RecordSetError(
                f"{manifest} lists {shard}, which lies outside of it", remedy="Correct the manifest."
            )
    return shards


def _on_s3(uri: str) -> Iterator[Readable]:
    s3: Any = client_of(None, "s3")
    place = Place.of(uri, what="file")
    shards = manifest_shards(s3, place) if place.key.endswith(MANIFEST_SUFFIXES) else [place]
    for shard in shards:
        size = s3.head_object(Bucket=shard.bucket, Key=shard.key)["ContentLength"]
        yield Readable(shard.uri, size, lambda shard=shard: open_shard(s3, shard))  # type: ignore[misc]  # bound now
