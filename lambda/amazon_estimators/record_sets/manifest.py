"""Write and read the two files that make shards a RecordSet: ``record_set.json`` and the manifest.

The manifest has the shape that SageMaker reads: ``[{"prefix": "s3://bucket/root/"}, "matrix_00000.pbr", …]``.
``record_set.json`` beside it holds the RecordSet, where it comes from and its shards, in a shape of ours with
a ``version`` and a digest. Files of release 0.1.0 have neither and, where a client wrote them, no origin or
no shards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from amazon_estimators.errors import RecordSetError
from amazon_estimators.record_sets.keys import manifest_key, record_set_key, shard_name
from amazon_estimators.storage.documents import ANYWHERE, DIGEST, check_fields, digest_of
from amazon_estimators.storage.s3_uri import Place

VERSION = 1
"""Raise it when ``record_set.json`` changes so that an older reader would misunderstand it."""


class Described(Protocol):
    """A RecordSet as it is stored: a dataclass, see :class:`RecordSet`."""

    @property
    def s3_data(self) -> str:
        """The URI of the manifest."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return its fields as JSON-ready values."""
        ...

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        ...


Kind = TypeVar("Kind", bound=Described)


@dataclass(frozen=True)
class StoredShard:
    """One shard as it was written.

    Attributes:
        key: Its key in the bucket.
        records: The number of records.
        bytes: Its size.
        sha256: Of its bytes, in hexadecimal.
        etag: As S3 answered; None for a shard that was written to disk.
    """

    key: str
    records: int
    bytes: int
    sha256: str
    etag: str | None


@dataclass(frozen=True)
class StoredRecordSet(Generic[Kind]):
    """A RecordSet with the shards it is made of.

    Attributes:
        record_set: The RecordSet; ``s3_data`` is the URI of its manifest.
        shards: Its shards, in the order of the manifest.
        fingerprint: The plan it was made by; None if a client made it.
        data_set: The version of the data it was made from; None if a client made it.
    """

    record_set: Kind
    shards: tuple[StoredShard, ...]
    fingerprint: str | None = None
    data_set: str | None = None

    @property
    def root(self) -> str:
        """The key prefix of ``record_set.json`` and the manifest."""
        return Place.of(self.record_set.s3_data, what="manifest").beside("").key

    def to_json(self) -> str:
        """Return the text of ``record_set.json``."""
        facts = {
            "version": VERSION,
            **self.record_set.to_dict(),
            "fingerprint": self.fingerprint,
            "data_set": self.data_set,
            "shards": [vars(shard) for shard in self.shards],
        }
        return json.dumps({**facts, DIGEST: digest_of(facts, place=ANYWHERE)})

    @classmethod
    def from_json(cls, text: str | bytes, uri: str, kind: type[Kind]) -> StoredRecordSet[Kind]:
        """Read what :meth:`to_json` wrote, or release 0.1.0; unknown fields are left out.

        A RecordSet may be copied: the digest covers the content, not its location.

        Args:
            text: The text of ``record_set.json``.
            uri: Where it lies, for errors.
            kind: The class of its RecordSet.

        Raises:
            RecordSetError: The text was changed, does not describe a RecordSet, or a newer release wrote it.
        """
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecordSetError(f"{uri} is not JSON: {error}", remedy="Make the RecordSet again.") from error
        if not isinstance(facts, dict):
            raise RecordSetError(f"{uri} is not a JSON object", remedy="Make the RecordSet again.")
        version = facts.get("version", VERSION)
        if version != VERSION:
            raise RecordSetError(
                f"{uri} has version {version!r}; allowed: {VERSION}, or none",
                remedy="Install the release of the library that wrote it, or a newer one.",
            )
        digest = facts.pop(DIGEST, None)
        if ("version" in facts or digest is not None) and digest != digest_of(facts, place=ANYWHERE):
            raise RecordSetError(
                f"{uri} was changed: its digest is not that of its content",
                remedy="Make the RecordSet again.",
            )
        try:
            check_fields(StoredRecordSet, facts, beside={"record_set", "shards"})
            shards = [_known(StoredShard, shard) for shard in facts.get("shards", ())]
            for shard in shards:
                check_fields(StoredShard, shard)
            return StoredRecordSet(
                kind.from_dict(_known(kind, facts)),
                tuple(StoredShard(**shard) for shard in shards),
                facts.get("fingerprint"),
                facts.get("data_set"),
            )
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise RecordSetError(
                f"{uri} does not describe a RecordSet: {error}", remedy="Make the RecordSet again."
            ) from error

    def manifest(self) -> str:
        """Return the text of the manifest.

        A training container sees a shard under its name in the manifest, so names have no directories: the
        prefix is the one that all shards share.
        """
        first = Place(Place.of(self.record_set.s3_data, what="manifest").bucket, self.shards[0].key)
        root = first.beside("")
        names = [shard.key.removeprefix(root.key) for shard in self.shards]
        return json.dumps([{"prefix": root.uri}, *names])


def write(record_sets: Iterable[StoredRecordSet[Any]], put: Callable[[str, str], None]) -> None:
    """Write every ``record_set.json`` and then every manifest: from there on all of them are complete.

    Args:
        record_sets: The channels' RecordSets that belong together. Their shards are written already.
        put: Writes an object, called with its key and text.
    """
    roots = {stored.root: stored for stored in record_sets}
    for root, stored in roots.items():
        put(record_set_key(root), stored.to_json())
    for root, stored in roots.items():
        put(manifest_key(root), stored.manifest())


def manifest_entries(text: str | bytes, uri: str) -> tuple[str, list[str]]:
    """Read a manifest.

    Args:
        text: The text of the manifest.
        uri: Where it lies, for errors.

    Returns:
        The prefix that the names continue, and the names of the shards: at least one.

    Raises:
        RecordSetError: The text is not a manifest, or lists no shard.
    """
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordSetError(f"{uri} is not JSON: {error}", remedy="Make the RecordSet again.") from error
    head, *names = listed if isinstance(listed, list) and listed else [None]
    prefix = head.get("prefix") if isinstance(head, dict) else None
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
        raise RecordSetError(
            f'{uri} is not a manifest; expecting [{{"prefix": "s3://…/"}}, "{shard_name("recordio", 0)}", …]',
            remedy="Give the URI of the manifest itself.",
        )
    if not names:
        raise RecordSetError(f"{uri} lists no shard", remedy="Make the RecordSet again.")
    return prefix, cast(list[str], names)


def _known(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
