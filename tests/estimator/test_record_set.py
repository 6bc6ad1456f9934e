"""record_set(): what lands on S3 is what was handed in, in shards of which every instance has its share."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from client_account import Account
from scipy import sparse

from amazon_estimators import (
    NTM,
    Estimator,
    FactorizationMachines,
    InputError,
    IPInsights,
    KMeans,
    LinearLearner,
    Object2Vec,
    RecordSet,
    RequestError,
)
from amazon_estimators.client.upload_record_set import PART_BYTES
from amazon_estimators.errors import RecordIOError, RecordSetError
from amazon_estimators.recordio import read_matrix
from amazon_estimators.summaries import Labels, Tokens

X = np.random.default_rng(7).normal(size=(101, 4)).astype(np.float32)
Y = np.arange(101) % 3


def make(account: Account, algorithm: Any = None, **settings: Any) -> Estimator:
    values: dict[str, Any] = {"instance_count": 2, "data_location": account.location, **settings}
    return Estimator(
        algorithm or KMeans(k=3),
        role=account.role,
        instance_type="ml.m5.large",
        session=account.session,
        **values,
    )


def stored(account: Account, estimator: Estimator) -> list[str]:
    return account.keys(estimator.data_location)


def shards(account: Account, records: RecordSet) -> list[tuple[Any, Any]]:
    head, *names = account.json(records.s3_data)
    bucket, _, prefix = head["prefix"].removeprefix("s3://").partition("/")
    return [
        read_matrix(io.BytesIO(account.s3.get_object(Bucket=bucket, Key=prefix + name)["Body"].read()))
        for name in names
    ]


def frame() -> pd.DataFrame:
    return pd.DataFrame(X, columns=list("abcd")).assign(label=Y)


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        (X, None),
        (X, Y),
        (X.astype(np.float64), Y.astype(np.float32)),
        (np.asfortranarray(X), list(Y)),
        (X[::-1][::-1], Y),
        (X.tolist(), Y),
        (frame(), "label"),
        (pd.DataFrame(X), pd.Series(Y)),
        (pd.DataFrame(X).convert_dtypes(), Y),
    ],
    ids=["float32", "labels", "float64", "fortran", "view", "lists", "column", "frame", "nullable"],
)
def test_records_come_back_as_they_were(account: Account, data: Any, labels: Any) -> None:
    records = make(account, LinearLearner(predictor_type="multiclass_classifier", num_classes=3)).record_set(
        data, labels
    )
    features, found = records.read(session=account.session)
    np.testing.assert_array_equal(features, X)
    if labels is None:
        assert found is None and records.labels is None
    else:
        np.testing.assert_array_equal(found, Y)
        assert records.labels == Labels(0.0, 2.0, True)
    assert (records.num_records, records.feature_dim, records.num_shards) == (101, 4, 2)
    assert [len(part) for part, _ in shards(account, records)] == [51, 50]


def test_sparse_records_stay_sparse(account: Account) -> None:
    matrix = sparse.random(60, 500, density=0.02, random_state=1, dtype=np.float64, format="coo")
    estimator = make(account, FactorizationMachines(num_factors=2, predictor_type="regressor"))
    records = estimator.record_set(matrix, np.ones(60))
    features, _ = records.read(session=account.session)
    np.testing.assert_array_equal(features.toarray(), matrix.astype(np.float32).toarray())
    assert records.sparse
    csr = matrix.tocsr()
    parts = estimator.record_set((csr.data, csr.indices, csr.indptr, csr.shape), np.ones(60))
    assert (parts.num_bytes, parts.feature_dim) == (records.num_bytes, 500)


def test_memory_mapped_arrays(account: Account, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    records = make(account).record_set(np.load(tmp_path / "x.npy", mmap_mode="r"))
    np.testing.assert_array_equal(records.read(session=account.session)[0], X)


@pytest.mark.parametrize("sizes", [(101,), (1,) * 101, (3, 1, 1, 50, 46), (100, 1)])
def test_blocks_are_dealt_out_evenly(account: Account, sizes: tuple[int, ...]) -> None:
    def blocks() -> Iterator[Any]:
        start = 0
        for size in sizes:
            yield X[start : start + size], Y[start : start + size]
            start += size

    estimator = make(account, instance_count=3)
    records = estimator.record_set(blocks())
    parts = [len(part) for part, _ in shards(account, records)]
    assert sum(parts) == 101 and max(parts) - min(parts) <= 1 and len(parts) == 3
    features, labels = records.read(session=account.session)
    given, found = np.c_[X, Y], np.c_[features, labels]
    np.testing.assert_array_equal(found[np.lexsort(found.T)], given[np.lexsort(given.T)])
    facts = account.json(records.s3_data.replace(".amazon.manifest", "record_set.json"))
    assert [one["records"] for one in facts["shards"]] == parts


def test_blocks_open_new_shards_when_the_first_have_their_size(account: Account) -> None:
    estimator = make(account)
    records = estimator.record_set((X for _ in range(20)), target_shard_bytes=10_000)
    assert records.num_shards % 2 == 0 and records.num_shards > 2
    assert records.num_records == 2020
    features: Any = records.read(session=account.session)[0]
    np.testing.assert_array_equal(np.sort(features, axis=None), np.sort(np.tile(X, (20, 1)), axis=None))


def test_shards_are_kept_under_the_target(account: Account) -> None:
    records = make(account).record_set(np.ones((2000, 8)), target_shard_bytes=32 * 1024)
    sizes = [one["bytes"] for one in facts_of(account, records)["shards"]]
    assert records.num_shards % 2 == 0 and max(sizes) <= 32 * 1024 and sum(sizes) == records.num_bytes


def facts_of(account: Account, records: RecordSet) -> Any:
    return account.json(records.s3_data.replace(".amazon.manifest", "record_set.json"))


def test_multipart_uploads_hold_every_byte(account: Account) -> None:
    rows = np.random.default_rng(0).normal(size=(3 * PART_BYTES // 400, 100)).astype(np.float32)
    seen: list[tuple[int, int | None]] = []
    records = make(account, instance_count=1).record_set(rows, progress=lambda *both: seen.append(both))
    assert records.num_bytes > 3 * PART_BYTES
    np.testing.assert_array_equal(records.read(session=account.session)[0], rows)
    assert max(done for done, _ in seen) >= records.num_bytes


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"encrypt": True}, "AES256"), ({"kms_key": "alias/records"}, "aws:kms")],
)
def test_every_object_is_encrypted_as_asked(
    account: Account, settings: dict[str, Any], expected: str
) -> None:
    if "kms_key" in settings:
        kms = account.session.client("kms")
        settings = {"kms_key": kms.create_key()["KeyMetadata"]["KeyId"]}
    estimator = make(account)
    records = estimator.record_set(X, **settings)
    bucket, _, prefix = records.s3_data.removeprefix("s3://").partition("/")
    for name in account.keys(records.s3_data.removesuffix(".amazon.manifest")):
        head = account.s3.head_object(Bucket=bucket, Key=prefix.removesuffix(".amazon.manifest") + name)
        assert head["ServerSideEncryption"] == expected


@pytest.mark.parametrize(
    ("data", "labels", "text"),
    [
        (np.full((9, 2), np.nan), None, "row 0"),
        (np.r_[X, [[1, np.inf, 0, 0]]], None, r"row 101.*column 1"),
        (np.full((9, 2), 1e300), None, "row 0"),
        (X, Y[:-1], r"shape \(100,\)"),
        (np.array([["a", "b"]] * 9), None, "numbers"),
        (np.ones(9), None, "rows and columns"),
        (np.ones((1, 4)), None, "1 records for 2 instances"),
        (frame().assign(c="x"), "label", r"column 'c', row 0: 'x'"),
        (frame(), "price", "no column 'price'"),
        (iter([X, X[:, :2]]), None, "block from row 101"),
        (iter([]), None, "no block"),
        (np.ma.masked_array(X, X > 0), None, "masked"),
    ],
)
def test_what_cannot_be_encoded_is_refused_and_leaves_nothing(
    account: Account, data: Any, labels: Any, text: str
) -> None:
    estimator = make(account)
    with pytest.raises(InputError, match=text):
        estimator.record_set(data, labels, target_shard_bytes=1024)
    assert stored(account, estimator) == []


def test_a_failed_upload_takes_back_what_it_wrote(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = make(account, instance_count=1)
    rows = np.ones((3 * PART_BYTES // 100, 16), np.float32)
    rows[-1, -1] = np.nan  # found after whole shards and parts have been sent
    with pytest.raises(InputError, match=f"row {len(rows) - 1}"):
        estimator.record_set(rows, target_shard_bytes=2 * PART_BYTES)
    assert stored(account, estimator) == []
    uploads = account.s3.list_multipart_uploads(Bucket=account.bucket).get("Uploads", [])
    prefix = estimator.data_location.removeprefix(f"s3://{account.bucket}/")
    assert [one for one in uploads if one["Key"].startswith(prefix)] == []


def test_channels_and_distributions(account: Account) -> None:
    estimator = make(account)
    test = estimator.record_set(X[:1], channel="test")
    assert (test.channel, test.distribution, test.num_shards) == ("test", "FullyReplicated", 1)
    with pytest.raises(RequestError, match="no channel 'tset'; it has train, test"):
        estimator.record_set(X, channel="tset")
    with pytest.raises(RequestError, match="distribution is 'Sharded'"):
        estimator.record_set(X, distribution="Sharded")


def test_from_manifest_knows_what_was_recorded(account: Account) -> None:
    records = make(account).record_set(X, Y)
    assert RecordSet.from_manifest(records.s3_data, session=account.session) == records
    other = RecordSet.from_manifest(records.s3_data, channel="test", session=account.session)
    assert other.channel == "test"


def test_from_manifest_refuses_a_manifest_that_lists_other_shards(account: Account) -> None:
    records = make(account).record_set(X, Y)
    bucket, _, key = records.s3_data.removeprefix("s3://").partition("/")
    listed = json.loads(account.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    account.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps([*listed, "matrix_00099.pbr"]).encode())
    with pytest.raises(RecordSetError, match=r"lists other shards than record_set\.json"):
        RecordSet.from_manifest(records.s3_data, session=account.session)


def test_from_manifest_without_facts_checks_the_shards(account: Account) -> None:
    records = make(account).record_set(X, Y)
    bucket, _, key = records.s3_data.removeprefix("s3://").partition("/")
    account.s3.delete_object(Bucket=bucket, Key=key.replace(".amazon.manifest", "record_set.json"))
    assert RecordSet.from_manifest(records.s3_data, session=account.session) == records
    account.s3.put_object(
        Bucket=bucket, Key=key.replace(".amazon.manifest", "matrix_00001.pbr"), Body=b"nonsense"
    )
    with pytest.raises(RecordIOError):
        RecordSet.from_manifest(records.s3_data, session=account.session)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'["a"]', b'[{"prefix": 3}, "a"]', b'[{"prefix": "s3://b/"}]']
)
def test_manifests_that_are_none(account: Account, body: bytes) -> None:
    place = account.location.removeprefix(f"s3://{account.bucket}/")
    account.s3.put_object(Bucket=account.bucket, Key=f"{place}/.amazon.manifest", Body=body)
    with pytest.raises(RecordSetError):
        RecordSet.from_manifest(f"s3://{account.bucket}/{place}/.amazon.manifest", session=account.session)


def test_pairs_of_tokens_are_json_lines(account: Account) -> None:
    algorithm = Object2Vec(enc0_max_seq_len=10, enc0_vocab_size=100)
    estimator = make(account, algorithm, instance_count=1)
    records = estimator.record_set([([1, 2], np.array([3])), ((4,), [5, 60, 7])], labels=[1, np.int64(0)])
    assert records.tokens == (Tokens(4, 2), Tokens(60, 3))
    assert (records.content_type, records.num_records) == ("application/jsonlines", 2)
    bucket, _, key = records.s3_data.removeprefix("s3://").partition("/")
    body = account.s3.get_object(Bucket=bucket, Key=key.replace(".amazon.manifest", "part_00000.jsonl"))[
        "Body"
    ]
    lines = [json.loads(line) for line in body.read().splitlines()]
    assert lines == [{"in0": [1, 2], "in1": [3], "label": 1}, {"in0": [4], "in1": [5, 60, 7], "label": 0}]
    with pytest.raises(InputError, match="pair 1: in1"):
        estimator.record_set([([1], [2]), ([1], [-2])], labels=[1, 1])


def test_entities_and_addresses_are_csv(account: Account) -> None:
    estimator = make(account, IPInsights(num_entity_vectors=10, vector_dim=8))
    records = estimator.record_set(pd.DataFrame({"user": ["a", "b,c"], "ip": ["192.0.2.1", "192.0.2.9"]}))
    assert (records.content_type, records.num_records, records.num_shards) == ("text/csv", 2, 2)
    bucket, _, key = records.s3_data.removeprefix("s3://").partition("/")
    body = account.s3.get_object(Bucket=bucket, Key=key.replace(".amazon.manifest", "part_00001.csv"))["Body"]
    assert body.read() == b'"b,c",192.0.2.9\n'
    with pytest.raises(InputError, match=r"row 1: .*192\.0\.2\.256"):
        estimator.record_set([("a", "192.0.2.1"), ("b", "192.0.2.256")])


def test_a_vocabulary_is_a_file_of_words(account: Account) -> None:
    records = make(account, NTM(num_topics=2)).record_set(["red", "green"], channel="auxiliary")
    assert (records.num_records, records.files) == (2, ("vocab.txt",))
    bucket, _, key = records.s3_data.removeprefix("s3://").partition("/")
    body = account.s3.get_object(Bucket=bucket, Key=key.replace(".amazon.manifest", "vocab.txt"))["Body"]
    assert body.read() == b"red\ngreen\n"


def test_describe_tells_what_is_known() -> None:
    records = RecordSet(
        "s3://b/.amazon.manifest", 1000, 4, labels=Labels(0, 2, True), num_bytes=9, num_shards=1
    )
    text = records.describe()
    for part in ("1,000 records, 4 features, dense float32", "1 shard, 9 bytes", "labels from 0 to 2, whole"):
        assert part in text
