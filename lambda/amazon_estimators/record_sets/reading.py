"""Read a RecordSet from S3: its facts, and its records as arrays."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from amazon_estimators.errors import RecordSetError, ServiceError
from amazon_estimators.record_sets.keys import RECORD_SET
from amazon_estimators.record_sets.manifest import StoredRecordSet, manifest_entries
from amazon_estimators.storage.faults import naming, whole_body
from amazon_estimators.storage.s3 import list_stored
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
MISSING = ("NoSuchKey", "404", "AccessDenied", "403")
"""How S3 answers for an object that is not there; with 403 to those who may not list the bucket."""

MANIFEST_LIMIT = 64 * 2**20
"""Bytes of a manifest or of record_set.json; 10,000 shards make about 2 MB."""

IN_MEMORY = 16 * 2**20
"""Bytes of a shard above which it is spilled to a temporary file."""


def from_manifest(kind: Any, uri: str, *, channel: str | None, session: Any) -> Any:
    """See :meth:`RecordSet.from_manifest`."""
    s3 = client_of(session, "s3")
    manifest = Place.of(uri, what="manifest")
    facts = manifest.beside(RECORD_SET)
    try:
        text = _small(s3, facts)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
            raise ServiceError(f"GetObject of {facts.uri}: {error}") from error
        return _checked(s3, kind, manifest, channel or "train")
    stored = StoredRecordSet.from_json(text, facts.uri, kind)
    _check_names(s3, stored, manifest)
    record_set = stored.record_set
    # A RecordSet may have been copied with its manifest: its shards are beside the manifest.
    return kind.from_dict({**record_set.to_dict(), "s3_data": uri, "channel": channel or record_set.channel})


def _check_names(s3: Any, stored: StoredRecordSet[Any], manifest: Place) -> None:
    """Raise RecordSetError if the manifest does not list the shards in the record_set.json beside it."""
    if not stored.shards:
        return
    _, names = manifest_entries(_small(s3, manifest), manifest.uri)
    _, expected = manifest_entries(stored.manifest(), manifest.uri)
    if names != expected:
        raise RecordSetError(
            f"{manifest.uri} lists other shards than {RECORD_SET} beside it: {len(names)}, first {names[0]}, "
            f"against {len(expected)}, first {expected[0]}",
            remedy="Make the RecordSet again.",
        )


def _checked(s3: Any, kind: Any, manifest: Place, channel: str) -> Any:
    from amazon_estimators.recordio import check  # noqa: PLC0415

    shards = manifest_shards(s3, manifest)
    summary = check(open_shard(s3, shard) for shard in shards)
    return kind(
        manifest.uri,
        summary.records,
        summary.feature_dim,
        channel=channel,
        content_type="application/x-recordio-protobuf",
        labels=summary.labels,
        dtype=summary.dtype,
        sparse=summary.sparse,
        num_bytes=summary.bytes,
        num_shards=len(shards),
    )


def shards_of(s3: Any, record_set: Any) -> list[Place]:
    """Return the shards, in order. Raises RecordSetError if the manifest cannot be read or lists none."""
    place = Place.of(record_set.s3_data, what="RecordSet")
    if record_set.s3_data_type == "ManifestFile":
        return manifest_shards(s3, place)
    objects = [Place(place.bucket, key) for key, _, size in list_stored(s3, place.bucket, place.key) if size]
    if not objects:
        raise RecordSetError(
            f"there is no object under {place.uri}", remedy="Check the prefix of the RecordSet."
        )
    return objects


def manifest_shards(s3: Any, manifest: Place) -> list[Place]:
    """Return the objects that a manifest lists, in order. Raises RecordSetError if it cannot be read."""
    try:
        text = _small(s3, manifest)
    except s3.exceptions.ClientError as error:
        raise RecordSetError(
            f"{manifest.uri}: {error}", remedy="Check the URI and the bucket's policy."
        ) from error
    prefix, names = manifest_entries(text, manifest.uri)
    return [Place.of(prefix + name, what="shard") for name in names]


def read(record_set: Any, *, max_records: int | None, session: Any) -> tuple[Any, np.ndarray | None]:
    """See :meth:`RecordSet.read`."""
    import numpy as np  # noqa: PLC0415

    from amazon_estimators.recordio import read_matrix  # noqa: PLC0415

    if not record_set.feature_dim:
        raise RecordSetError(
            f"{record_set.s3_data} holds {record_set.content_type}, not vectors",
            remedy="Read its shards as text: they are JSON Lines or CSV.",
        )
    s3 = client_of(session, "s3")
    features, labels, rows = [], [], 0
    for shard in shards_of(s3, record_set):
        if max_records is not None and rows >= max_records:
            break
        with open_shard(s3, shard) as file:
            matrix, label = read_matrix(file)
        features.append(matrix)
        labels.append(label)
        rows += matrix.shape[0]
    joined = _stacked(features) if record_set.sparse else np.concatenate(features)
    known = [label for label in labels if label is not None]
    return joined, np.concatenate(known) if known else None


def _stacked(parts: list[Any]) -> Any:
    """Stack compressed rows, those of SciPy or the parts of them."""
    import numpy as np  # noqa: PLC0415

    from amazon_estimators.recordio import CsrParts  # noqa: PLC0415

    if not isinstance(parts[0], CsrParts):
        from scipy.sparse import vstack  # noqa: PLC0415

        return vstack(parts, format="csr")
    ends = np.cumsum([0, *(int(part.indptr[-1]) for part in parts)])
    pointers = [part.indptr[1:] + end for part, end in zip(parts, ends, strict=False)]
    return CsrParts(
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.indices for part in parts]),
        np.concatenate([np.zeros(1, np.int64), *pointers]),
        (sum(part.shape[0] for part in parts), parts[0].shape[1]),
    )


def open_shard(s3: Any, shard: Place) -> BinaryIO:
    """Return a shard as a file that the caller closes. A connection that breaks amid it is retried.

    Raises RecordSetError if S3 refuses it, ServiceError if it does not arrive whole.
    """
    file = cast(BinaryIO, SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 - the caller closes it

    def fill() -> None:
        file.seek(0)
        file.truncate()
        for chunk in s3.get_object(Bucket=shard.bucket, Key=shard.key)["Body"].iter_chunks(2**20):
            file.write(chunk)

    try:
        _retried(s3, fill, shard.uri)
    except s3.exceptions.ClientError as error:
        raise RecordSetError(f"{shard.uri}: {error}", remedy="Make the RecordSet again.") from error
    file.seek(0)
    return file


def _retried(s3: Any, read: Callable[[], T], uri: str) -> T:
    """Read a body. Raises ServiceError for every error except S3's refusals, which it raises unchanged."""
    try:
        return whole_body(read, uri)
    except s3.exceptions.ClientError:
        raise
    except Exception as error:
        with naming("GetObject", uri):
            raise error from None


def _small(s3: Any, place: Place) -> bytes:
    def read() -> bytes:
        return bytes(s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read(MANIFEST_LIMIT + 1))

    body = _retried(s3, read, place.uri)
    if len(body) > MANIFEST_LIMIT:
        raise RecordSetError(
            f"{place.uri} is longer than {MANIFEST_LIMIT:,} bytes, so it is not a manifest",
            remedy="Give the URI of the manifest itself.",
        )
    return body
