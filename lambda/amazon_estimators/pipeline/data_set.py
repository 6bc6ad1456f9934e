"""A data set version: exactly these versions of these objects, listed under a name of its own.

An execution trains on a data set version, never on "what lies there": between the event that started it and
the first byte read nothing can slip in, and from a model the exact bytes it was trained on can be found
again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import RECORD_SET
from amazon_estimators.storage.input_files import InputFiles, LeftOut
from amazon_estimators.storage.s3 import InputObject, is_there, list_as_of, put_text, read_object
from amazon_estimators.text import shown

VERSION = re.compile(r"[0-9a-f]{24}")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The last change of a bucket in which nothing has ever changed."""


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
    channels: Mapping[str, list[InputObject]]
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
        listings = {name: list_as_of(s3, bucket, rule.prefix, moment) for name, rule in rules.items()}
        as_of = max((listing.changed for listing in listings.values() if listing.changed), default=BEGINNING)
        channels: dict[str, list[InputObject]] = {}
        left_out: dict[str, tuple[LeftOut, ...]] = {}
        for name, listing in listings.items():
            objects = {found.key: found for found in listing.objects}
            taken, left_out[name] = rules[name].choose(objects)
            channels[name] = [objects[key] for key in taken]
        is_present = all(listing.is_present for listing in listings.values())
        return cls(_version(channels), as_of.replace(microsecond=0), channels, left_out, is_present)

    def freeze(self, s3: Any, bucket: str, prefix: str) -> None:
        """Keep the list of objects. Written again, it is the same but for ``as_of``."""
        head = {
            "schema": "data-set/1",
            "data_set": self.version,
            "as_of": self.as_of.isoformat(),
            "channels": sorted(self.channels),
            "left_out": {name: [vars(group) for group in groups] for name, groups in self.left_out.items()},
        }
        text = "".join(f"{json.dumps(line)}\n" for line in (head, *_lines(self.channels)))
        put_text(s3, bucket, keys.data_set_key(prefix, self.version), text, "application/jsonlines")

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str, version: object) -> Self:
        """Read what :meth:`freeze` wrote. Raises RequestError if there is no such data set."""
        check_version(version)
        key = keys.data_set_key(prefix, str(version))
        if not is_there(s3, bucket, key):
            raise RequestError(
                f"data_set is {version!r}, and there is no s3://{bucket}/{key}",
                remedy="Leave data_set out to train on the input as it is now.",
            )
        body = read_object(s3, bucket, key)
        changed = RequestError(
            f"s3://{bucket}/{key} does not hold the objects its name was made of: it was changed",
            remedy="Leave data_set out to train on the input as it is now.",
        )
        try:
            head, *lines = map(json.loads, body.splitlines())
            channels: dict[str, list[InputObject]] = {name: [] for name in head["channels"]}
            for line in lines:
                channels[line.pop("channel")].append(InputObject(bucket=bucket, **line))
            as_of = datetime.fromisoformat(head["as_of"])
            is_whole = _version(channels) == version
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise changed from None
        if not is_whole:
            raise changed
        left_out = {
            name: tuple(LeftOut(**group) for group in groups)
            for name, groups in head.get("left_out", {}).items()
        }
        return cls(str(version), as_of, channels, left_out)


def check_version(version: object) -> None:
    """Raise RequestError unless this may be the name of a data set."""
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise RequestError(
            f"data_set is {shown(version)}; allowed: 24 hexadecimal digits, as in {RECORD_SET}",
            remedy="Leave data_set out to train on the input as it is now.",
        )


def _lines(channels: Mapping[str, list[InputObject]]) -> Iterator[dict[str, Any]]:
    for name, objects in sorted(channels.items()):
        for one in objects:
            values = {key: value for key, value in vars(one).items() if key != "bucket"}
            yield {"channel": name, **values}


def _version(channels: Mapping[str, list[InputObject]]) -> str:
    content = [[name, one.identity()] for name, objects in sorted(channels.items()) for one in objects]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]
