"""A profile's file: read back as written, and never believed when it is something else."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest

from amazon_estimators.errors import DamagedFileError
from amazon_estimators.record_sets.profiles.document import SCHEMA, ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.storage.documents import ANYWHERE, open_document, seal_document


def written(names: tuple[str, ...] | None = ("a", "b", "c")) -> ProfileDocument:
    builder = ProfileBuilder()
    builder.add_dense(np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32))
    profile = builder.profile()
    assert profile is not None
    return ProfileDocument(profile, names, 7, 2, ("told",), "abc")


@pytest.mark.parametrize("names", [None, ("a", "b", "ü")])
def test_it_is_read_back_as_it_was_written(names: tuple[str, ...] | None) -> None:
    document = written(names)
    again = ProfileDocument.from_json(document.to_json(), "uri")
    assert again.to_json() == document.to_json()
    assert (again.names, again.shards, again.missing, again.warnings) == (names, 7, 2, ("told",))
    for name, array in vars(document.profile.moments).items():
        assert np.array_equal(getattr(again.profile.moments, name), array), name
    for name, array in vars(document.profile.sketch).items():
        assert np.array_equal(getattr(again.profile.sketch, name), array), name


def packed(values: Any, kind: str) -> str:
    return base64.b64encode(zlib.compress(np.asarray(values, kind).tobytes())).decode()


BOMB = base64.b64encode(zlib.compress(bytes(2**26), 9)).decode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("features", 4),
        ("features", 10**9),
        ("features", "x"),
        ("features", None),
        ("records", 0),
        ("records", 1e400),
        ("sampled", 0),
        ("sampled", 701),
        ("sampled", "x"),
        ("names", ["a"]),
        ("names", 5),
        ("warnings", None),
        ("moments", None),
        ("moments.mean", "???"),
        ("moments.mean", packed([1.0, 2.0], "<f8")),
        ("moments.mean", packed([1.0, 2.0, 3.0, 4.0], "<f8")),
        ("moments.mean", BOMB),
        ("sketch", {}),
        ("sketch.levels", packed([32, 0, 0], "|u1")),
        ("sketch.sizes", packed([-1, 0, 0], "<i4")),
        ("sketch.sizes", packed([2**31 - 1] * 3, "<i4")),
        ("sketch.sizes", packed([1, 1, 1], "<i4")),
        ("sketch.counts", BOMB),
        ("sketch.rows", "x"),
    ],
)
def test_a_value_that_cannot_be_is_refused_though_the_digest_is_right(path: str, value: Any) -> None:
    values = open_document(written().to_json(), SCHEMA, uri="", place=ANYWHERE, remedy="")
    *parents, last = path.split(".")
    inside = values
    for parent in parents:
        inside = inside[parent]
    inside[last] = value
    with pytest.raises(DamagedFileError, match="uri is not a profile"):
        ProfileDocument.from_json(json.dumps(seal_document(SCHEMA, values, place=ANYWHERE)), "uri")


def test_a_profile_of_an_older_release_is_of_all_rows() -> None:
    values = open_document(written().to_json(), SCHEMA, uri="", place=ANYWHERE, remedy="")
    del values["sampled"]
    older = json.dumps(
        seal_document(SCHEMA, {k: v for k, v in values.items() if k != "schema"}, place=ANYWHERE)
    )
    assert ProfileDocument.from_json(older, "uri").profile.moments.sampled == 700


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", '{"schema": "feature_profile/2"}', written().to_json().replace("told", "t0ld")],
)
def test_text_that_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(DamagedFileError, match="uri"):
        ProfileDocument.from_json(text, "uri")
