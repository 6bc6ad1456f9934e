"""Leave and read the receipt of a shard: what Encode recorded, so that Seal verifies shards by listing.

A receipt is an empty object whose *key* holds its content: listing them, 1,000 keys a call, reads them all.
S3 takes keys of up to 1,024 bytes; a receipt's name takes at most 700 of them, which RECEIPT_LIMIT holds to.
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
from amazon_estimators.storage.s3 import list_stored, put_text
from amazon_estimators.summaries import Labels, Tokens

RECEIPT_LIMIT = 700
CHECK_DIGITS = 8
"""Hexadecimal digits in front of a receipt, made of the rest of it."""


@dataclass(frozen=True)
class Receipt:
    """One shard of a channel: ``shard`` is its index there, sizes in bytes, ``etag`` what S3 answered."""

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
        """Read what :meth:`key` wrote. Raises ValueError for any other key."""
        told = base64.urlsafe_b64decode(key.rpartition("/")[2]).decode()
        check, text = told[:CHECK_DIGITS], told[CHECK_DIGITS:]
        if check != _check(text):
            raise ValueError(f"{key} is not the key of a receipt")
        values = json.loads(text)
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


def read_receipts(s3: Any, bucket: str, prefix: str, channel: str) -> Iterator[Receipt]:
    """Yield all receipts of a channel; a shard that was encoded twice under another ETag has two.

    What cannot be read is no receipt: its shard counts as missing, and is encoded again.
    """
    for key, _, _ in list_stored(s3, bucket, keys.receipts_prefix(prefix, channel)):
        try:
            receipt = Receipt.from_key(key)
        except ValueError:
            continue
        yield receipt


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:CHECK_DIGITS]
