"""Encode the first quarter of a local file, then twice the rest of it as one piece, as test_memory.py asks.

``encode_alone.py <file> <slow|fast>``: of a slow upload, as many parts are under way as may be. Prints each
shard's bytes, the most memory held up to then, which is told of whole processes only, and the bytes of fresh
pages that the shard took.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from pathlib import Path
from threading import Condition
from typing import Any

from amazon_estimators.encodings import encoding_named
from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.pipeline.encode import PART_BYTES, PARTS_SENT_AT_ONCE
from amazon_estimators.pipeline.sharding import pieces_of_shards
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Piece, Source
from amazon_estimators.storage.multipart_upload import Uploads
from amazon_estimators.storage.s3 import InputObject

FILLING = 0.3
"""Seconds; a part takes less to encode."""


class OneFile:
    """S3 whose every object is one local file, and where what is uploaded goes nowhere."""

    def __init__(self, path: Path, *, slow: bool) -> None:
        self._path, self._slow = path, slow
        self._changed = Condition()
        self._under_way = 0
        self._ending = False

    def get_object(self, *, Range: str, **_: Any) -> dict[str, Any]:
        first, last = (int(cut) for cut in Range.removeprefix("bytes=").split("-"))
        with self._path.open("rb") as file:
            file.seek(first)
            return {"Body": io.BytesIO(file.read(last - first + 1))}

    def create_multipart_upload(self, **_: Any) -> dict[str, str]:
        self._ending = False
        return {"UploadId": "1"}

    def upload_part(self, *, Body: bytes, **_: Any) -> dict[str, str]:
        if self._slow:
            self._wait(last=len(Body) < PART_BYTES)
        return {"ETag": '"etag"'}

    def complete_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"ETag": '"etag"'}

    put_object = complete_multipart_upload

    def _wait(self, *, last: bool) -> None:
        """Until no more can be under way, and a moment for the next part to be filled."""
        with self._changed:
            self._under_way += 1
            self._ending |= last
            if self._ending or self._under_way == PARTS_SENT_AT_ONCE:
                time.sleep(FILLING)
                self._under_way = 0
                self._changed.notify_all()
            else:
                assert self._changed.wait(timeout=60)


def main(path: Path, *, slow: bool) -> None:
    s3, encoding, source = OneFile(path, slow=slow), encoding_named("recordio"), Source()
    found = InputObject("bucket", path.name, path.stat().st_size, "etag")
    layout = encoding.look(s3, found, source)
    planned = PlannedChannel(source, layout.schema, 1, "recordio", "", "", found.uri)
    (first,), (second,), *_, (last,) = map(list, pieces_of_shards([(found, layout)], 4))
    rest = Piece(found, second.start, last.stop, second.first_row)
    shards = []
    for piece in (first, rest, rest):
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        with Uploads(s3, "bucket", part_bytes=PART_BYTES, threads=PARTS_SENT_AT_ONCE) as uploads:
            shard = uploads.open("out", "")
            encoding.encode(s3, shard, [piece], planned, ProfileBuilder())
        status = Path("/proc/self/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
        shards.append((shard.size, peak, faults * resource.getpagesize()))
    sys.stdout.write(json.dumps(shards))


if __name__ == "__main__":
    main(Path(sys.argv[1]), slow=sys.argv[2] == "slow")
