"""The two files that make shards a RecordSet: ``record_set.json`` and the manifest.

The manifest has the shape that SageMaker reads: ``[{"prefix": "s3://bucket/root/"}, "matrix_00000.pbr", …]``.
``record_set.json`` beside it holds the RecordSet, where it comes from and its shards, in a shape of ours with
a ``version``. Files of release 0.1.0 have no version and, where a client wrote them, no origin or no shards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Self

from amazon_estimators.record_sets import parsing
from amazon_estimators.record_sets.keys import manifest_key, record_set_key, shard_name
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3_uri import Place

EXAMPLE = shard_name("recordio", 0)


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
class StoredRecordSet:
    """A RecordSet with the shards it is made of.

    Attributes:
        record_set: The RecordSet; ``s3_data`` is the URI of its manifest.
        shards: Its shards, in the order of the manifest.
        fingerprint: The plan it was made by; None if a client made it.
        data_set: The version of the data it was made from; None if a client made it.
    """

    record_set: RecordSet
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
            "version": parsing.VERSION,
            **self.record_set.to_dict(),
            "fingerprint": self.fingerprint,
            "data_set": self.data_set,
            "shards": [asdict(shard) for shard in self.shards],
        }
        return json.dumps(facts)

    @classmethod
    def from_json(cls, text: str | bytes, uri: str) -> Self:
        """Read what :meth:`to_json` wrote, or release 0.1.0; unknown fields are left out.

        Args:
            text: The text of ``record_set.json``.
            uri: Where it lies, for errors.

        Raises:
            RecordSetError: The text does not describe a RecordSet, or a newer release wrote it.
        """
        facts = parsing.record_set_facts(text, uri)
        shards = facts.get("shards", [])
        if not isinstance(shards, list):
            raise parsing.no_record_set(uri, "shards is not a list")
        return cls(
            parsing.described(RecordSet, facts, uri),
            tuple(parsing.described(StoredShard, shard, uri) for shard in shards),
            facts.get("fingerprint"),
            facts.get("data_set"),
        )

    def manifest(self) -> str:
        """Return the text of the manifest.

        A training container sees a shard under its name in the manifest, so names have no directories: the
        prefix is the one that all shards share.
        """
        first = Place(Place.of(self.record_set.s3_data, what="manifest").bucket, self.shards[0].key)
        root = first.beside("")
        names = [shard.key.removeprefix(root.key) for shard in self.shards]
        return json.dumps([{"prefix": root.uri}, *names])


def write(record_sets: Iterable[StoredRecordSet], put: Callable[[str, str], None]) -> None:
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
