"""A data set version: exactly these versions of these objects, listed under a name of its own.

An execution trains on a data set version, never on "what lies there": between the event that started it and
the first byte read nothing can slip in, and from a model the exact bytes it was trained on can be found
again.
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
"""The last change of a bucket in which nothing has ever changed."""
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
"""What the list of a data set raises that was cut or changed."""


@dataclass(frozen=True)
class DataSet:
    """Name exact versions of objects as the input of all channels.

    Attributes:
        version: 24 hexadecimal digits, the same for the same versions of the same objects.
        as_of: The time, UTC by S3's clock, whose state of the bucket this is.
        channels: The objects of each channel, by key.
        left_out: What lies under each channel's prefix and is not input.
        is_present: True if nothing had changed since ``as_of`` when this was listed.
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
        """List what lies under each channel's prefix, or lay there at the end of the second ``moment``.

        ``as_of`` is when it changed last until then, be it by an upload or by a deletion: of the same
        content it is the same, whenever it is listed, and a moment in the future is the present.
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
        """Keep the list of objects, compressed. Written again, it is the same but for ``as_of``."""
        head = {
            "data_set": self.version,
            "as_of": self.as_of.isoformat(),
            "channels": sorted(self.channels),
            "left_out": {name: [vars(group) for group in groups] for name, groups in self.left_out.items()},
        }
        # The parts of a gzip file may each be compressed alone: the objects were, when they were listed.
        members = chain.from_iterable(objects.members() for _, objects in sorted(self.channels.items()))
        key = keys.data_set_key(prefix, self.version)
        sealed = seal_document(SCHEMA, head, place=f"s3://{bucket}/{key}")
        first = gzip.compress(f"{json.dumps(sealed)}\n".encode(), mtime=0)
        upload(s3, bucket, key, chain([first], members), "application/gzip")

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str, version: object) -> Self:
        """Read what :meth:`freeze` wrote. Raises RequestError if there is no such data set."""
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
    """Raise RequestError unless this may be the name of a data set."""
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise RequestError(
            f"data_set is {shown(version)}; allowed: 24 hexadecimal digits, as in {RECORD_SET}",
            remedy="Leave data_set out to train on the input as it is now.",
        )


class _Version:
    """The name of a data set, made object by object: the SHA-256 of the JSON of all that identifies them."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(b"[")
        self._between = ""

    def add(self, channel: str, found: InputObject) -> None:
        """Add an object: channels by name, objects by key."""
        self._digest.update(f"{self._between}{json.dumps([channel, found.identity()])}".encode())
        self._between = ", "

    def __str__(self) -> str:
        whole = self._digest.copy()
        whole.update(b"]")
        return whole.hexdigest()[:24]
