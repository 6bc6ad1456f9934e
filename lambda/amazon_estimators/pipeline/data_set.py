"""A data set version: a named list of exact object versions.

An execution trains on a data set version, never on whatever is in the bucket: nothing can slip in between the
event that started it and the first byte read, and every model can be traced to the exact bytes it learned
from.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Self

from amazon_estimators.errors import DamagedFileError, RequestError
from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import RECORD_SET
from amazon_estimators.storage.documents import open_document, seal_document
from amazon_estimators.storage.input_files import InputFiles, LeftOut, LeftOutFiles
from amazon_estimators.storage.multipart_upload import upload
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject, is_there, read_object
from amazon_estimators.storage.versions import VersionListing
from amazon_estimators.text import shown

VERSION = re.compile(r"[0-9a-f]{24}")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of the last change if nothing has ever changed."""
SCHEMA = "data-set/1"
DAMAGE = (
    DamagedFileError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    StopIteration,
    EOFError,
    OSError,
    zlib.error,
)
"""The errors that a truncated or edited list raises."""


@dataclass(frozen=True)
class DataSet:
    """The exact object versions that are the input of all channels.

    Attributes:
        version: 24 hexadecimal digits, the same for the same versions of the same objects.
        as_of: The time, in UTC by S3's clock, of this state of the bucket.
        channels: The objects of each channel, by key.
        left_out: The objects under each channel's prefix that are not input.
        is_present: True if nothing had changed between ``as_of`` and the listing.
    """

    version: str
    as_of: datetime
    channels: Mapping[str, ObjectList]
    left_out: Mapping[str, tuple[LeftOut, ...]] = field(default_factory=dict)
    is_present: bool = False

    @classmethod
    def take(
        cls,
        s3: Any,
        bucket: str,
        files: Mapping[str, InputFiles | str],
        moment: datetime | None = None,
    ) -> Self:
        """List the objects under each channel's prefix, now or at the end of the second ``moment``.

        ``as_of`` is the time of the last upload or deletion until then, so the same content has the same
        ``as_of`` whenever it is listed. A moment in the future means now.
        """
        rules = {
            name: InputFiles(given) if isinstance(given, str) else given
            for name, given in sorted(files.items())
        }
        as_of, is_present, version = BEGINNING, True, _Version()
        channels: dict[str, ObjectList] = {}
        left_out: dict[str, tuple[LeftOut, ...]] = {}
        for name, rule in rules.items():
            listing, others = VersionListing(s3, bucket, rule.prefix, moment), LeftOutFiles()
            objects = ObjectList(bucket, name)
            for found in listing:
                if rule.takes(found.key, others):
                    objects.append(found)
                    version.add(name, found)
            channels[name], left_out[name] = objects, others.groups
            as_of = max(as_of, listing.changed or BEGINNING)
            is_present = is_present and listing.is_present
        return cls(str(version), as_of.replace(microsecond=0), channels, left_out, is_present)

    def freeze(self, s3: Any, bucket: str, prefix: str) -> None:
        """Save the list of objects, compressed. Saving it again changes only ``as_of``."""
        head = {
            "data_set": self.version,
            "as_of": self.as_of.isoformat(),
            "channels": sorted(self.channels),
            "left_out": {name: [vars(group) for group in groups] for name, groups in self.left_out.items()},
        }
        # A gzip file may consist of members: the objects were compressed when they were listed.
        members = chain.from_iterable(objects.members() for _, objects in sorted(self.channels.items()))
        key = keys.data_set_key(prefix, self.version)
        sealed = seal_document(SCHEMA, head, place=f"s3://{bucket}/{key}")
        first = gzip.compress(f"{json.dumps(sealed)}\n".encode(), mtime=0)
        upload(s3, bucket, key, chain([first], members), "application/gzip")

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str, version: object) -> Self:
        """Read a list that :meth:`freeze` wrote. Raises RequestError if there is no such data set."""
        check_version(version)
        known = (keys.data_set_key(prefix, str(version)), keys.plain_data_set_key(prefix, str(version)))
        key = next((key for key in known if is_there(s3, bucket, key)), None)
        if key is None:
            raise RequestError(
                f"data_set is {version!r}, and there is no s3://{bucket}/{known[0]}",
                remedy="Leave data_set out to train on the input as it is now.",
            )
        body = io.BytesIO(read_object(s3, bucket, key))
        changed = RequestError(
            f"s3://{bucket}/{key} does not hold the objects its name was made of: it was changed",
            remedy="Leave data_set out to train on the input as it is now.",
        )
        try:
            lines, held = iter(body if key == known[1] else gzip.GzipFile(fileobj=body)), _Version()
            head = _head(next(lines), f"s3://{bucket}/{key}", is_plain=key == known[1])
            as_of = datetime.fromisoformat(head["as_of"])
            channels = {name: ObjectList(bucket, name) for name in head["channels"]}
            for line in map(json.loads, lines):
                name = line.pop("channel")
                found = InputObject(bucket=bucket, **line)
                channels[name].append(found)
                held.add(name, found)
            left_out = {
                name: tuple(LeftOut(**group) for group in groups) for name, groups in head["left_out"].items()
            }
        except DAMAGE:
            raise changed from None
        if str(held) != version:
            raise changed
        return cls(str(version), as_of, channels, left_out)


def _head(line: bytes, uri: str, *, is_plain: bool) -> dict[str, Any]:
    """Return the first line of a list. One of an earlier release has no digest: its left_out is ignored."""
    if is_plain:
        head: dict[str, Any] = json.loads(line)
        return {**head, "left_out": dict.fromkeys(head.get("left_out", {}), ())}
    return open_document(line, SCHEMA, uri=uri, remedy="")


def check_version(version: object) -> None:
    """Raise RequestError unless this is a valid name of a data set."""
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise RequestError(
            f"data_set is {shown(version)}; allowed: 24 hexadecimal digits, as in {RECORD_SET}",
            remedy="Leave data_set out to train on the input as it is now.",
        )


class _Version:
    """Computes the name of a data set object by object: the SHA-256 of the JSON of all that identifies
    them."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(b"[")
        self._between = ""

    def add(self, channel: str, found: InputObject) -> None:
        """Add an object. Channels come in order of name, objects in order of key."""
        self._digest.update(f"{self._between}{json.dumps([channel, found.identity()])}".encode())
        self._between = ", "

    def __str__(self) -> str:
        whole = self._digest.copy()
        whole.update(b"]")
        return whole.hexdigest()[:24]
