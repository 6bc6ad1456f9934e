"""Write and read profiles as JSON: one beside each receipt, and one beside ``record_set.json``.

Each array is text: its little-endian values, compressed by zlib, in base64. ``keys`` holds the differences of
neighbours. How long an array must be follows from the number of features, and is checked before it is
decompressed.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.record_sets.profiles.feature_profile import PROFILED_FEATURES, FeatureProfile
from amazon_estimators.record_sets.profiles.moments import Moments
from amazon_estimators.record_sets.profiles.sketch import Sketch, most_buckets
from amazon_estimators.storage.documents import ANYWHERE, open_document, seal_document

SCHEMA = "feature_profile/1"
REMEDY = "Make the RecordSet again to profile it; training does not need the profile."
MOMENTS = {
    "minimum": "<f8",
    "maximum": "<f8",
    "mean": "<f8",
    "squares": "<f8",
    "zeros": "<i8",
    "fractional": "|b1",
}
"""The arrays of :class:`Moments`, by type."""


@dataclass(frozen=True)
class ProfileDocument:
    """A profile with the facts about it that people and Seal need.

    Attributes:
        profile: The moments and the sketch.
        names: The features' names, if the input has some.
        shards: The number of shards profiled.
        missing: The number of shards without a profile that can be read.
        warnings: What :func:`warnings_of` says of it.
        shard_sha256: Of one shard's profile, the SHA-256 of the shard. Of a group's, that of the list of its
            shards. Empty for a whole RecordSet.
    """

    profile: FeatureProfile
    names: tuple[str, ...] | None = None
    shards: int = 1
    missing: int = 0
    warnings: tuple[str, ...] = ()
    shard_sha256: str = ""

    @property
    def identity(self) -> tuple[int, int, str]:
        """The features, the records and the SHA-256 of what it is the profile of."""
        return self.profile.features, self.profile.records, self.shard_sha256

    def to_json(self) -> str:
        """Return the text of the file."""
        moments, sketch = self.profile.moments, self.profile.sketch
        values = {
            "features": self.profile.features,
            "records": moments.records,
            "sampled": moments.sampled,
            "names": self.names,
            "shards": self.shards,
            "missing": self.missing,
            "warnings": self.warnings,
            "shard_sha256": self.shard_sha256,
            "moments": {name: _packed(getattr(moments, name), kind) for name, kind in MOMENTS.items()},
            "sketch": None if sketch is None else _packed_sketch(sketch),
        }
        return json.dumps(seal_document(SCHEMA, json.loads(json.dumps(values)), place=ANYWHERE))

    @classmethod
    def from_json(cls, text: str | bytes, uri: str) -> ProfileDocument:
        """Read what :meth:`to_json` wrote.

        Raises:
            DamagedFileError: The text is something else, or of another release.
        """
        values = open_document(text, SCHEMA, uri=uri, place=ANYWHERE, remedy=REMEDY)
        try:
            features, names = int(values["features"]), values["names"]
            if not 1 <= features <= PROFILED_FEATURES or len(names or ()) not in (0, features):
                raise ValueError(f"{features} features and {len(names or ())} names")
            records = int(values["records"])
            # Profiles of older releases are of all rows.
            sampled = float(values.get("sampled", records))
            if not 0 < sampled <= records:
                raise ValueError(f"{records} records, of which {sampled} are sampled")
            moments = Moments(
                records,
                **{
                    name: _unpacked(values["moments"][name], kind, features) for name, kind in MOMENTS.items()
                },
                sampled=sampled,
            )
            sketch = values["sketch"]
            return cls(
                FeatureProfile(moments, None if sketch is None else _unpacked_sketch(sketch, features)),
                None if names is None else tuple(map(str, names)),
                int(values["shards"]),
                int(values["missing"]),
                tuple(map(str, values["warnings"])),
                str(values["shard_sha256"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, zlib.error) as error:
            raise DamagedFileError(f"{uri} is not a profile: {str(error)[:200]}", remedy=REMEDY) from error


def _packed_sketch(sketch: Sketch) -> dict[str, Any]:
    steps = np.diff(sketch.keys, prepend=np.uint32(0))
    return {
        "rows": sketch.rows,
        "levels": _packed(sketch.levels, "|u1"),
        "sizes": _packed(sketch.sizes, "<i4"),
        "keys": _packed(steps, "<u4"),
        "counts": _packed(sketch.counts, "<i8"),
    }


def _unpacked_sketch(values: Mapping[str, Any], features: int) -> Sketch:
    levels = _unpacked(values["levels"], "|u1", features)
    sizes = _unpacked(values["sizes"], "<i4", features).astype(np.int64)
    if levels.max() > 31 or sizes.min() < 0 or sizes.max() > most_buckets(features):
        raise ValueError("levels or sizes are out of range")
    buckets = int(sizes.sum())
    keys = np.cumsum(_unpacked(values["keys"], "<u4", buckets), dtype=np.uint32)
    counts = _unpacked(values["counts"], "<i8", buckets)
    if (counts < 1).any():
        raise ValueError("a bucket of no rows")
    return Sketch(int(values["rows"]), levels, sizes, keys, counts)


def _packed(array: np.ndarray[Any, Any], kind: str) -> str:
    return base64.b64encode(zlib.compress(array.astype(kind).tobytes(), 1)).decode()


def _unpacked(text: str, kind: str, length: int) -> np.ndarray[Any, Any]:
    expected = length * np.dtype(kind).itemsize
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(text, validate=True), expected + 1)
    if len(data) != expected or not unpacker.eof:
        raise ValueError(f"an array is not of {length} values")
    return np.frombuffer(data, kind).astype(np.dtype(kind).newbyteorder("="))
