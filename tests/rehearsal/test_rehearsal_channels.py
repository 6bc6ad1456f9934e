"""Who reads what: manifests, and how objects are shared out among training instances."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators_rehearsal.sagemaker.channels import parse_manifest, shares, split_uri
from amazon_estimators_rehearsal.sagemaker.checks.records import Records, combine, decode, unzipped
from amazon_estimators_rehearsal.sagemaker.errors import JobFailedError
from amazon_estimators_rehearsal.sagemaker.telemetry import log_line

URI = "s3://bucket/folder/.amazon.manifest"


def channel(distribution: str) -> dict[str, Any]:
    return {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataDistributionType": distribution}}}


@given(st.integers(1, 200), st.integers(1, 20))
def test_sharded_objects_go_to_one_instance_each(objects: int, instances: int) -> None:
    keys = [("bucket", f"{index:05}") for index in range(objects)]
    if objects < instances:
        with pytest.raises(JobFailedError, match=f"host algo-{objects + 1} received no data"):
            shares(keys, channel("ShardedByS3Key"), instances)
        return
    dealt = shares(keys, channel("ShardedByS3Key"), instances)
    assert sorted(key for share in dealt for key in share) == keys
    sizes = [len(share) for share in dealt]
    assert len(sizes) == instances and max(sizes) - min(sizes) <= 1


@given(st.integers(1, 50), st.integers(1, 20))
def test_replicated_objects_go_to_every_instance(objects: int, instances: int) -> None:
    keys = [("bucket", f"{index:05}") for index in range(objects)]
    assert shares(keys, channel("FullyReplicated"), instances) == [keys] * instances


def test_a_manifest() -> None:
    text = json.dumps([{"prefix": "s3://bucket/folder/"}, "a.pbr", "sub/b.pbr", "odd?name#1"]).encode()
    assert parse_manifest(text, URI) == [
        ("bucket", "folder/a.pbr"),
        ("bucket", "folder/sub/b.pbr"),
        ("bucket", "folder/odd?name#1"),
    ]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("no json", "is not JSON"),
        ("[]", "does not begin with"),
        ('["a.pbr"]', "does not begin with"),
        ('{"prefix": "s3://bucket/"}', "does not begin with"),
        ('[{"prefix": "s3://bucket/"}, 1]', "all non-empty strings"),
        ('[{"prefix": "s3://bucket/"}, ""]', "all non-empty strings"),
        ('[{"prefix": "s3://bucket/"}, "a", "a"]', "names a key twice"),
        ('[{"prefix": "bucket/"}, "a"]', "is not an S3 URI"),
    ],
)
def test_a_wrong_manifest(manifest: str, message: str) -> None:
    with pytest.raises(JobFailedError, match=message):
        parse_manifest(manifest.encode(), URI)


@pytest.mark.parametrize("uri", ["bucket/key", "https://bucket/key", "s3:///key", ""])
def test_what_is_no_s3_uri(uri: str) -> None:
    with pytest.raises(JobFailedError, match="is not an S3 URI"):
        split_uri(uri)


@pytest.mark.parametrize(
    ("content_type", "body", "count"),
    [
        (
            "application/jsonlines",
            b'{"label": 1, "in0": [1, 2], "in1": [3]}\n{"label": 0, "in0": [5], "in1": [4]}\n',
            2,
        ),
        ("text/csv", b'user_1,10.0.0.1\n"user,2",192.168.0.1\n', 2),
        ("text/plain", b"alpha\nbeta\n", 2),
    ],
)
def test_records_that_are_no_vectors(content_type: str, body: bytes, count: int) -> None:
    assert decode(content_type, body, URI).count == count


@pytest.mark.parametrize(
    ("content_type", "features", "labels"),
    [("text/csv;label_size=0", 3, None), ("text/csv; label_size=1", 2, [1, 0]), ("text/csv", 2, [1, 0])],
)
def test_rows_of_numbers(content_type: str, features: int, labels: list[int] | None) -> None:
    body = gzip.compress(b"1,2,3\n0,5.5,6\n")
    records = decode(content_type, unzipped(body, URI), URI, vectors=True)
    assert (records.count, records.features) == (2, features)
    assert (None if records.labels is None else records.label_vector().tolist()) == labels
    for wrong in (b"a,b\n", b"1,2\n3\n"):
        with pytest.raises(JobFailedError, match="Unable to read data"):
            decode(content_type, wrong, URI, vectors=True)
    with pytest.raises(JobFailedError, match="Unable to read data"):
        unzipped(b"1,2,3", URI)


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("application/x-recordio-protobuf", b"", "record"),
        ("application/x-recordio-protobuf", b"\0" * 16, "Unable to read data"),
        ("application/jsonlines", b'{"in0": [1]}\n', "line 1: it is not an object with label, in0 and in1"),
        (
            "application/jsonlines",
            b'{"label": 1, "in0": [1], "in1": [1.5]}\n',
            "in1 is not a list of token ids",
        ),
        (
            "application/jsonlines",
            b'{"label": 1, "in0": [true], "in1": [1]}\n',
            "in0 is not a list of token ids",
        ),
        ("text/csv", b"user,1.2.3.4\nnobody\n", "line 2: it does not have two columns"),
        ("text/plain", b"alpha\n\nbeta\n", "line 2: it is empty"),
        ("text/plain", b"", "holds no record"),
        ("text/csv", b"\xff\xfe,1\n", "Unable to read data"),
    ],
)
def test_records_that_cannot_be_read(content_type: str, body: bytes, message: str) -> None:
    with pytest.raises(JobFailedError, match=message):
        decode(content_type, body, URI)


def test_files_of_a_channel_must_agree() -> None:
    with pytest.raises(JobFailedError, match="3 features without labels in one, 4 without labels in another"):
        combine([Records(1, 3, [[0]]), Records(1, 4, [[0]])], "train")


METRICS = [metric for algorithm in ALGORITHMS.values() for metric in algorithm.metrics]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@pytest.mark.parametrize("value", [0.25, -1e-7, 12345.0])
def test_a_metric_is_found_in_its_log_line(metric: Any, value: float) -> None:
    import re

    line = log_line(metric, value)
    if metric.regex is None:
        assert line == f"{metric.name} = {value}"
        return
    found = re.search(metric.regex, line)
    assert found and float(found.group(1)) == value
