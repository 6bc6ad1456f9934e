"""Encode the first quarter of a local file, then the rest: ``encode_alone.py <file>``, run by test_memory.py.

Prints each shard's bytes and the most memory held up to then, which is told of whole processes only.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from amazon_estimators.encode import PART_BYTES, PARTS_SENT_AT_ONCE
from amazon_estimators.encodings import encodings
from amazon_estimators.plan import PlannedChannel
from amazon_estimators.s3 import InputObject
from amazon_estimators.sharding import pieces_of_shards
from amazon_estimators.sources import Source
from amazon_estimators.upload import Uploads


class OneFile:
    """S3 whose every object is one local file, and where what is uploaded goes nowhere."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_object(self, *, Range: str, **_: Any) -> dict[str, Any]:
        first, last = (int(cut) for cut in Range.removeprefix("bytes=").split("-"))
        with self._path.open("rb") as file:
            file.seek(first)
            return {"Body": io.BytesIO(file.read(last - first + 1))}

    def create_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"UploadId": "1"}

    def upload_part(self, **_: Any) -> dict[str, str]:
        return {"ETag": '"etag"'}

    put_object = complete_multipart_upload = upload_part


def main(path: Path) -> None:
    s3, encoding, source = OneFile(path), encodings()["recordio"], Source()
    found = InputObject("bucket", path.name, path.stat().st_size, "etag")
    layout = encoding.look(s3, found, source)
    planned = PlannedChannel(source, layout.schema, 1, "recordio", "", "", found.uri)
    first, *others = pieces_of_shards([(found, layout)], 4)
    shards = []
    for pieces in (first, [piece for shard in others for piece in shard]):
        with Uploads(s3, "bucket", part_bytes=PART_BYTES, threads=PARTS_SENT_AT_ONCE) as uploads:
            shard = uploads.open("out", "")
            encoding.encode(s3, shard, pieces, planned)
        status = Path("/proc/self/status").read_text()
        shards.append((shard.size, int(status.partition("VmHWM:")[2].split()[0]) * 1024))
    sys.stdout.write(json.dumps(shards))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
