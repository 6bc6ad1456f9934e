"""Open the files a command reads: local paths, S3 objects, and the shards a manifest lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from amazon_estimators.cli.aws_errors import told
from amazon_estimators.errors import InputError, RecordSetError
from amazon_estimators.record_sets.keys import MANIFEST, PROFILE, RECORD_SET
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


def readables(names: Sequence[str]) -> list[Readable]:
    """Return all files of the arguments. A directory or prefix stands for its manifest, or else its shards.

    What lies beside the shards of a RecordSet, as in ``out/*``, is left out; named alone, it stands for them.

    Raises:
        InputError: There is no such file, directory or prefix, or it holds no RecordIO files.
        RecordSetError: A manifest cannot be read.
    """
    files = [name for name in names if not _is_beside(name)] or sorted({_folder(name) for name in names})
    return [
        file for name in files for file in (_on_s3(name) if name.startswith("s3://") else _local(Path(name)))
    ]


def record_set_of(names: Sequence[str]) -> str | None:
    """Return the one RecordSet that arguments stand for, as a directory, prefix or manifest; else None."""
    folders = {_folder(name) for name in names if _is_beside(name)}
    if folders:
        return folders.pop() if len(folders) == 1 else None
    return names[0] if len(names) == 1 else None


def _is_beside(name: str) -> bool:
    return name.rpartition("/")[2] in (RECORD_SET, PROFILE)


def _folder(name: str) -> str:
    return name.rpartition("/")[0] + "/" if "/" in name else "."


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
        shards = sorted(path.glob(f"*{SHARD_SUFFIX}"))
        if not shards:
            raise _nothing_in(str(path), sorted(entry.name for entry in path.iterdir() if entry.is_dir()))
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
    if place.key.endswith(MANIFEST_SUFFIXES):
        shards = manifest_shards(s3, place)
    elif place.key.endswith(SHARD_SUFFIX) or _is_object(s3, place):
        shards = [place]
    else:
        shards = _below(s3, Place.prefix(uri, what="file"))
    for shard in shards:
        with told(f"there is no object {shard.uri}"):
            size = s3.head_object(Bucket=shard.bucket, Key=shard.key)["ContentLength"]
        yield Readable(shard.uri, size, lambda shard=shard: open_shard(s3, shard))  # type: ignore[misc]  # bound now


def _is_object(s3: Any, place: Place) -> bool:
    return bool(place.key) and not place.key.endswith("/") and is_there(s3, place.bucket, place.key)


def _below(s3: Any, root: Place) -> list[Place]:
    """Return the shards of a prefix: those of its manifest, or else its ``.pbr`` objects."""
    keys: list[str] = []
    folders: list[str] = []
    with told(f"there is no bucket {root.bucket}"):
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=root.bucket, Prefix=root.key, Delimiter="/"
        ):
            keys += [entry["Key"] for entry in page.get("Contents", ())]
            folders += [
                entry["Prefix"].removeprefix(root.key).rstrip("/") for entry in page.get("CommonPrefixes", ())
            ]
    if f"{root.key}{MANIFEST}" in keys:
        return manifest_shards(s3, Place(root.bucket, f"{root.key}{MANIFEST}"))
    shards = [Place(root.bucket, key) for key in keys if key.endswith(SHARD_SUFFIX)]
    if not shards:
        raise _nothing_in(root.uri, folders)
    return shards


def _nothing_in(where: str, folders: list[str]) -> InputError:
    named = f"Name one of its folders: {', '.join(folders[:10])}." if folders else "Check the path."
    return InputError(f"{where} holds neither a {MANIFEST} nor {SHARD_SUFFIX} files", remedy=named)
