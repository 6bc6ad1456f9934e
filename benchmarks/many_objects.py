"""The starter's listing and Plan with a million objects: seconds and peak memory, ``[--write]``.

Each runs in a process of its own and talks to S3 through boto3, whose answers are made where it would send
its requests: what is measured is all the work of a function, the reading of S3's XML too, but no network.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lambda"))

from amazon_estimators.pipeline.keys import input_prefix  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "many_objects.json"
OBJECTS = 1_000_000
BARS = {"CPU seconds": 60.0, "peak MB": 300.0}
"""Seconds of one processor: what else runs on the machine does not count."""
MB = 1_000_000
ROWS = b"1.5,2.5,3.5\n" * 80
PREFIX = input_prefix("", "train")
OWNER = "<Owner><ID>" + "75aa57f09aa0c8ca" * 4 + "</ID></Owner>"
STEPS = ("starter", "plan")


def key_of(number: int) -> str:
    """Return the key of an object, as Spark and Firehose write them."""
    return f"{PREFIX}day={number // 5_000:04d}/part-{number:08d}-c000.csv"


def version_of(number: int) -> tuple[str, str]:
    """Return version id and ETag, which no compression makes smaller."""
    digest = (number * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95) % 2**256
    return f"{digest:064x}"[:32], f"{digest:064x}"[32:]


class Bucket:
    """Answers the requests of a boto3 client. Objects of ours lie in a directory."""

    def __init__(self, directory: Path, count: int) -> None:
        self._directory, self._count = directory, count

    def connect(self, client: Any) -> Any:
        """Let the client's requests end here."""
        client.meta.events.register("before-send.s3.*", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse  # noqa: PLC0415

        parts = urlsplit(request.url)
        key, query = unquote(parts.path).lstrip("/"), parse_qs(parts.query, keep_blank_values=True)
        if "versions" in query:
            status, body = 200, self._versions(query)
        elif "list-type" in query:
            status, body = 200, self._listed(query["prefix"][0])
        elif request.method == "GET":
            status, body = self._read(key, str(request.headers.get("Range", "")))
        else:
            status, body = 200, self._write(request, key, query)
        headers = {"ETag": '"e"', "Content-Type": "application/xml", "Content-Length": str(len(body))}
        return AWSResponse(request.url, status, headers, _Raw(body))

    def _versions(self, query: dict[str, list[str]]) -> bytes:
        marker = query.get("key-marker", [""])[0]
        first = int(marker[-17:-9]) + 1 if marker else 0
        stop = min(first + 1_000, self._count) if query["prefix"] == [PREFIX] else first
        entries = []
        for number in range(first, stop):
            version, etag = version_of(number)
            entries.append(
                f"<Version><Key>{key_of(number)}</Key><VersionId>{version}</VersionId><IsLatest>true</IsLatest>"
                f"<LastModified>2026-03-01T12:00:00.000Z</LastModified><ETag>&quot;{etag}&quot;</ETag>"
                f"<Size>{len(ROWS)}</Size>{OWNER}<StorageClass>STANDARD</StorageClass></Version>"
            )
        more = stop < self._count and first < stop
        last = f"<NextKeyMarker>{key_of(stop - 1)}</NextKeyMarker>" if more else ""
        last += f"<NextVersionIdMarker>{version_of(stop - 1)[0]}</NextVersionIdMarker>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{last}{''.join(entries)}</ListVersionsResult>"
        ).encode()

    def _listed(self, prefix: str) -> bytes:
        keys = [path.relative_to(self._directory).as_posix() for path in self._directory.rglob("*.*")]
        found = "".join(
            f"<Contents><Key>{key}</Key><Size>1</Size><ETag>e</ETag></Contents>"
            for key in sorted(keys)
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()

    def _read(self, key: str, span: str) -> tuple[int, bytes]:
        body = ROWS if key.startswith(PREFIX) else (self._directory / key).read_bytes()
        if not span:
            return 200, body
        first, last = map(int, re.findall(r"\d+", span))
        return 206, body[first : last + 1]

    def _write(self, request: Any, key: str, query: dict[str, list[str]]) -> bytes:
        if "uploads" in query:
            return b"<R><UploadId>1</UploadId></R>"
        if request.method == "POST":
            return b'<R><ETag>"e"</ETag></R>'
        path = self._directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        body = request.body if isinstance(request.body, bytes) else request.body.read()
        with path.open("ab" if query.get("partNumber", ["1"]) != ["1"] else "wb") as file:
            file.write(body)
        return b""


class _Raw(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def run(step: str, directory: Path, count: int) -> dict[str, float]:
    """Run one step and tell what it took."""
    from amazon_estimators.pipeline.data_set import DataSet  # noqa: PLC0415
    from amazon_estimators.pipeline.plan import plan_step  # noqa: PLC0415
    from amazon_estimators.pipeline.settings import Settings  # noqa: PLC0415
    from amazon_estimators.storage import s3 as storage  # noqa: PLC0415

    s3 = Bucket(directory, count).connect(storage.client())
    started, busy = time.perf_counter(), time.process_time()
    if step == "starter":
        data_set = DataSet.take(s3, "bucket", {"train": PREFIX})
        data_set.freeze(s3, "bucket", "")
    else:
        (frozen,) = (directory / "datasets").iterdir()
        settings = Settings.from_dict(
            {
                "pipeline": "Benchmark",
                "algorithm": "KMeans",
                "hyperparameters": {"k": "2"},
                "instance_type": "ml.m5.large",
                "instance_count": 1,
                "job_name_prefix": "benchmark",
                "data_bucket": "bucket",
                "prefix": "",
                "target_shard_bytes": 256 * 2**20,
                "channels": {"train": {}},
            }
        )
        execution = {"name": "benchmark", "start_time": "2026-11-28T10:00:00.000Z", "redrive": 0}
        asked = {"data_set": frozen.name.partition(".")[0]}
        plan_step(s3, settings, asked, execution)
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - busy,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB,
    }


def measure(count: int) -> dict[str, Any]:
    """Run the steps one after the other, each in a process of its own."""
    directory = Path(tempfile.mkdtemp())
    account = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",  # a body as it is, without a trailer
    }
    try:
        result: dict[str, Any] = {"objects": count}
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, str(directory), "--objects", str(count)]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **account}
            )
            result[step] = json.loads(done.stdout.splitlines()[-1])
            print(step, result[step], flush=True)
        result["kept_mb"] = {
            path.relative_to(directory).parts[0]: path.stat().st_size / MB
            for path in directory.rglob("*")
            if path.suffix == ".gz"
        }
    finally:
        shutil.rmtree(directory)
    result["load_average"] = os.getloadavg()[0]
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/")
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--step", nargs=2, metavar=("STEP", "DIRECTORY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(run(given.step[0], Path(given.step[1]), given.objects)))
        return 0
    result = measure(given.objects)
    print(json.dumps(result, indent=1))
    if given.write:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
