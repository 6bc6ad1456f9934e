"""Write and read the receipts of shards: Encode records what it wrote, and Seal verifies shards by listing.

A receipt is an empty object whose *key* holds its content: listing, at 1,000 keys per call, reads them all.
S3 allows keys of up to 1,024 bytes; RECEIPT_LIMIT keeps a receipt's name within 700.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

from amazon_estimators.encodings.contract import Facts
from amazon_estimators.pipeline import keys
from amazon_estimators.storage.documents import check_fields
from amazon_estimators.storage.s3 import list_stored, put_text
from amazon_estimators.summaries import Labels, Tokens

RECEIPT_LIMIT = 700
CHECK_DIGITS = 8
"""Hexadecimal digits that begin a receipt: a digest of the rest."""


@dataclass(frozen=True)
class Receipt:
    """One shard of a channel: ``shard`` is its index there, sizes are in bytes, ``etag`` is what S3
    returned."""

    shard: int
    num_bytes: int
    sha256: str
    etag: str
    facts: Facts

    def key(self, prefix: str, channel: str) -> str:
        text = json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)
        name = base64.urlsafe_b64encode(f"{_check(text)}{text}".encode()).decode()
        if len(name) > RECEIPT_LIMIT:
            raise ValueError(f"the receipt of shard {self.shard} takes {len(name)} bytes of key: {text}")
        return f"{keys.receipts_prefix(prefix, channel, self.shard)}{name}"

    def leave(self, s3: Any, bucket: str, prefix: str, channel: str) -> None:
        put_text(s3, bucket, self.key(prefix, channel), "", "application/json")

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Parse a key that :meth:`key` made. Raises ValueError for any other key."""
        told = base64.urlsafe_b64decode(key.rpartition("/")[2]).decode()
        check, text = told[:CHECK_DIGITS], told[CHECK_DIGITS:]
        if check != _check(text):
            raise ValueError(f"{key} is not the key of a receipt")
        try:
            values = json.loads(text)
            check_fields(cls, values)
            facts = values["facts"]
            labels, tokens = facts["labels"], facts["tokens"]
            return cls(
                **{
                    **values,
                    "facts": Facts(
                        **{
                            **facts,
                            "labels": Labels(**labels) if labels else None,
                            "tokens": tuple(Tokens(**one) for one in tokens) if tokens else None,
                        }
                    ),
                }
            )
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{key} is not the key of a receipt: {error}") from error


def read_receipts(s3: Any, bucket: str, prefix: str, channel: str) -> Iterator[Receipt]:
    """Yield all receipts of a channel; a shard that was encoded twice under another ETag has two.

    Skips keys that are not receipts: their shards count as missing, and are encoded again.
    """
    yield from _listed(s3, bucket, keys.receipts_prefix(prefix, channel))


def read_receipts_of_group(s3: Any, bucket: str, prefix: str, channel: str, group: int) -> Iterator[Receipt]:
    """Yield the receipts of a group's shards as :func:`read_receipts` does; it may yield others too."""
    yield from _listed(s3, bucket, keys.receipts_of_group_prefix(prefix, channel, group))


def _listed(s3: Any, bucket: str, prefix: str) -> Iterator[Receipt]:
    for key, _, _ in list_stored(s3, bucket, prefix):
        try:
            receipt = Receipt.from_key(key)
        except ValueError:
            continue
        yield receipt


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:CHECK_DIGITS]
