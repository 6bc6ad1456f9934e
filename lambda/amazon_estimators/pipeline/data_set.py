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
from amazon_estimators.storage.input_files import InputFiles, LeftOut
from amazon_estimators.storage.s3 import InputObject, is_there, list_as_of, put_text
from amazon_estimators.text import shown

VERSION = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class DataSet:
    """Name exact versions of objects as the input of all channels.

    Attributes:
        version: 24 hexadecimal digits, the same for the same versions of the same objects.
        as_of: The time, UTC, whose state of the bucket this is.
        channels: The objects of each channel, by key.
        left_out: What lies under each channel's prefix and is not input.
    """

    version: str
    as_of: datetime
    channels: Mapping[str, list[InputObject]]
    left_out: Mapping[str, tuple[LeftOut, ...]] = field(default_factory=dict)

    @classmethod
    def take(
        cls,
        s3: Any,
        bucket: str,
        files: Mapping[str, InputFiles | str],
        moment: datetime | None = None,
    ) -> Self:
        """Take what lies under each channel's prefix, or lay there at ``moment``, and is input.

        Without a moment ``as_of`` is when the newest object was made: a time of S3's clock, like the events'.
        """
        channels: dict[str, list[InputObject]] = {}
        left_out: dict[str, tuple[LeftOut, ...]] = {}
        made: list[datetime] = []
        for name, given in sorted(files.items()):
            rule = InputFiles(given) if isinstance(given, str) else given
            listed = {one.key: (one, time) for one, time in list_as_of(s3, bucket, rule.prefix, moment)}
            taken, left_out[name] = rule.choose(listed)
            channels[name] = [listed[key][0] for key in taken]
            made += [listed[key][1] for key in taken]
        as_of = moment or max(made, default=datetime.now(UTC)).replace(microsecond=0)
        return cls(_version(channels, as_of), as_of, channels, left_out)

    def freeze(self, s3: Any, bucket: str, prefix: str) -> None:
        """Keep the list of objects. Written again, it is the same but for ``as_of``."""
        head = {
            "data_set": self.version,
            "as_of": self.as_of.isoformat(),
            "channels": sorted(self.channels),
            "left_out": {name: [vars(group) for group in groups] for name, groups in self.left_out.items()},
        }
        text = "".join(f"{json.dumps(line)}\n" for line in (head, *_lines(self.channels)))
        put_text(s3, bucket, frozen_key(prefix, self.version), text, "application/jsonlines")

    @classmethod
    def load(cls, s3: Any, bucket: str, prefix: str, version: object) -> Self:
        """Read what :meth:`freeze` wrote. Raises RequestError if there is no such data set."""
        check_version(version)
        key = frozen_key(prefix, str(version))
        if not is_there(s3, bucket, key):
            raise RequestError(
                f"data_set is {version!r}, and there is no s3://{bucket}/{key}",
                remedy="Leave data_set out to train on the input as it is now.",
            )
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        head, *lines = map(json.loads, body.splitlines())
        channels: dict[str, list[InputObject]] = {name: [] for name in head["channels"]}
        for line in lines:
            channels[line.pop("channel")].append(InputObject(bucket=bucket, **line))
        as_of = datetime.fromisoformat(head["as_of"])
        if _version(channels, as_of) != version:
            raise RequestError(
                f"s3://{bucket}/{key} does not hold the objects its name was made of: it was changed",
                remedy="Leave data_set out to train on the input as it is now.",
            )
        left_out = {
            name: tuple(LeftOut(**group) for group in groups)
            for name, groups in head.get("left_out", {}).items()
        }
        return cls(str(version), as_of, channels, left_out)


def check_version(version: object) -> None:
    """Raise RequestError unless this may be the name of a data set."""
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise RequestError(
            f"data_set is {shown(version)}; allowed: 24 hexadecimal digits, as in record_set.json",
            remedy="Leave data_set out to train on the input as it is now.",
        )


def frozen_key(prefix: str, version: str) -> str:
    """Where the list of a data set's objects lies."""
    return f"{prefix}datasets/{version}.jsonl"


def _lines(channels: Mapping[str, list[InputObject]]) -> Iterator[dict[str, Any]]:
    for name, objects in sorted(channels.items()):
        for one in objects:
            values = {key: value for key, value in vars(one).items() if key != "bucket"}
            yield {"channel": name, **values}


def _version(channels: Mapping[str, list[InputObject]], as_of: datetime) -> str:
    identities: list[Any] = [
        [name, one.identity()] for name, objects in sorted(channels.items()) for one in objects
    ]
    # Nothing is nothing only at its time: a later batch without data is a failure of its own.
    content = identities or [as_of.isoformat()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]
