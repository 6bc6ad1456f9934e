"""A million objects: they are never all in memory at once, and their names are what they were before."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_runs import Pipeline

from amazon_estimators.errors import RequestError, ServiceError
from amazon_estimators.pipeline.data_set import DataSet
from amazon_estimators.pipeline.input_scan import MOST_LOOKED_AT
from amazon_estimators.storage import multipart_upload, object_list
from amazon_estimators.storage.documents import seal_document, sealed_list
from amazon_estimators.storage.object_list import ObjectList
from amazon_estimators.storage.s3 import InputObject
from amazon_estimators.storage.versions import VersionListing
from faulty_s3 import NOON, FaultyS3

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 1_000, 9_000
BYTES_OF_AN_OBJECT = 300
"""A million of them have to fit in 300 MB. As Python objects they take some 600 bytes each."""

OBJECTS = st.lists(
    st.builds(
        InputObject,
        bucket=st.just("data"),
        key=st.text(max_size=8),
        size=st.integers(0, 5 * 2**40),
        etag=st.text(max_size=4),
        version_id=st.none() | st.text(max_size=4),
    ),
    max_size=20,
)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_list, "BLOCK", 3)


@pytest.mark.usefixtures("small_blocks")
class TestTheList:
    @given(OBJECTS)
    def test_it_holds_what_was_appended(self, objects: list[InputObject]) -> None:
        held = ObjectList.of("data", "train", objects)
        assert list(held) == objects
        assert [held[index] for index in reversed(range(len(objects)))] == objects[::-1]
        assert list(held.sizes) == [entry.size for entry in objects]

    @given(OBJECTS, st.data())
    def test_a_choice_of_it_is_a_list_too(self, objects: list[InputObject], data: st.DataObject) -> None:
        held = ObjectList.of("data", "train", objects)
        first = data.draw(indexes_of(objects))
        chosen, expected = held.pick(first), [objects[index] for index in first]
        second = data.draw(indexes_of(first))
        for picked, wanted in (
            (chosen, expected),
            (chosen.pick(second), [expected[index] for index in second]),
            (chosen[1::2], expected[1::2]),
        ):
            assert (list(picked), list(picked.sizes)) == (wanted, [entry.size for entry in wanted])
            assert lines_of(picked) == [{"channel": "train", **values_of(entry)} for entry in wanted]

    @given(OBJECTS)
    def test_its_members_are_the_lines_of_a_data_set(self, objects: list[InputObject]) -> None:
        held = ObjectList.of("data", "train", objects)
        assert lines_of(held) == [{"channel": "train", **values_of(entry)} for entry in objects]
        assert list(held.members()) == list(ObjectList.of("data", "train", objects).members())


def indexes_of(objects: list[Any]) -> st.SearchStrategy[list[int]]:
    return st.lists(st.sampled_from(range(len(objects))), unique=True) if objects else st.just([])


def values_of(entry: InputObject) -> dict[str, Any]:
    return {name: value for name, value in vars(entry).items() if name != "bucket"}


def lines_of(held: ObjectList) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(b"".join(held.members())).splitlines()]


JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@given(st.dictionaries(st.text(), JSON, max_size=3), st.text(), st.lists(JSON, max_size=4))
def test_a_document_that_is_written_item_by_item_is_the_same(
    values: dict[str, Any], name: str, items: list[Any]
) -> None:
    values = {key: value for key, value in values.items() if key not in ("schema", "digest")}
    if name in ("schema", "digest"):
        return
    values.pop(name, None)
    whole = seal_document("test/1", {**values, name: items}, place="s3://b/k")
    texts = sealed_list("test/1", values, name, iter(items), place="s3://b/k")
    assert "".join(texts) == json.dumps(whole)


def uploaded(*names: str) -> FaultyS3:
    s3 = FaultyS3()
    for name in names:
        s3.put(f"in/{name}", name.encode())
    return s3


def test_a_version_is_named_as_by_earlier_releases() -> None:
    s3 = uploaded("a.csv", "ä.csv", "c.csv")
    data_set = DataSet.take(s3, "bucket", {"test": "in/c", "train": "in/"})
    content = [
        [name, one.identity()] for name, objects in sorted(data_set.channels.items()) for one in objects
    ]
    assert len(content) == 4
    assert data_set.version == hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv")], ids=["nothing", "objects"])
def test_what_an_earlier_release_froze_is_read(names: tuple[str, ...]) -> None:
    s3 = uploaded(*names)
    data_set = DataSet.take(s3, "bucket", {"train": "in/"})
    data_set.freeze(s3, "bucket", "")
    key = f"datasets/{data_set.version}.jsonl"
    loaded = DataSet.load(s3, "bucket", "", data_set.version)
    body = gzip.decompress(s3.objects.pop(f"{key}.gz")[0][1])
    s3.put(key, body)
    plain = DataSet.load(s3, "bucket", "", data_set.version)
    for found in (loaded, plain):
        assert list(found.channels["train"]) == list(data_set.channels["train"])
        assert (found.version, found.as_of, found.left_out) == (
            data_set.version,
            data_set.as_of,
            data_set.left_out,
        )
    s3.put(key, body.replace(b"a.csv", b"x.csv") + b"{}\n")
    with pytest.raises(RequestError, match="was changed"):
        DataSet.load(s3, "bucket", "", data_set.version)


class Pages:
    """S3 whose listing is in these pages."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = pages

    def get_paginator(self, _: str) -> Pages:
        return self

    def paginate(self, **_: Any) -> Any:
        return iter(self._pages)


def entry(key: str, version: str, *, latest: bool = True, deleted: bool = False) -> dict[str, Any]:
    """Return a line of a listing; later versions are uploaded later."""

    at = NOON + timedelta(minutes=int(version))
    content = {} if deleted else {"ETag": '"e"', "Size": 1}
    return {"Key": key, "VersionId": version, "IsLatest": latest, "LastModified": at, **content}


def test_the_versions_of_a_key_may_lie_on_several_pages() -> None:

    pages = Pages(
        {"Versions": [entry("a", "5"), entry("b", "9")]},
        {
            "Versions": [entry("b", "7", latest=False)],
            "DeleteMarkers": [entry("b", "6", latest=False, deleted=True)],
        },
        {"Versions": [entry("b", "3", latest=False), entry("c", "4")]},
    )
    for minutes, expected in (
        (9, [("a", "5"), ("b", "9"), ("c", "4")]),
        (8, [("a", "5"), ("b", "7"), ("c", "4")]),
        (6, [("a", "5"), ("c", "4")]),
        (4, [("b", "3"), ("c", "4")]),
    ):
        listing = VersionListing(pages, "bucket", "", NOON + timedelta(minutes=minutes))
        assert [(found.key, found.version_id) for found in listing] == expected
        assert listing.is_present is (minutes == 9)
        assert listing.changed == NOON + timedelta(minutes={9: 9, 8: 7, 6: 6, 4: 4}[minutes])


def test_a_listing_out_of_order_is_refused() -> None:
    pages = Pages({"Versions": [entry("b", "1"), entry("c", "1")]}, {"Versions": [entry("a", "1")]})
    with pytest.raises(ServiceError, match="'a' comes after 'b'"):
        list(VersionListing(pages, "bucket", ""))


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("many_objects", ROOT / "benchmarks" / "many_objects.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["many_objects"] = module
    spec.loader.exec_module(module)
    return module


def peak(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Generated(FaultyS3):
    """So many objects, listed page by page; what is written is not kept, but for the data set."""

    def __init__(self, benchmark: ModuleType, count: int) -> None:
        super().__init__()
        self._benchmark, self._count = benchmark, count

    def put(self, key: str, body: bytes) -> str:
        return super().put(key, b"" if key.endswith("pieces.jsonl") else body)

    def upload_part(self, *, Key: str, Body: bytes, **given: Any) -> dict[str, Any]:
        return super().upload_part(Key=Key, Body=b"" if Key.endswith("pieces.jsonl") else Body, **given)

    def get_object(self, *, Key: str, **given: Any) -> dict[str, Any]:
        if Key.startswith(self._benchmark.PREFIX):
            return {"Body": io.BytesIO(self._benchmark.ROWS)}
        return super().get_object(Key=Key, **given)

    def get_paginator(self, operation: str) -> Any:
        return self if operation == "list_object_versions" else super().get_paginator(operation)

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for first in range(0, self._count, 1_000):
            yield {"Versions": [self._entry(number) for number in range(first, first + 1_000)]}

    def _entry(self, number: int) -> dict[str, Any]:
        version, etag = self._benchmark.version_of(number)
        key, size = self._benchmark.key_of(number), len(self._benchmark.ROWS)
        return {**entry(key, "0"), "VersionId": version, "ETag": etag, "Size": size}


def test_an_object_more_takes_little_memory(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart_upload, "PART_BYTES", 2**18)  # what is in memory however many there are
    peaks: dict[str, list[int]] = {"starter": [], "plan": []}
    # The first time, modules are loaded; how much is under way at once varies, so the least of two counts.
    for count in (FEW, FEW, MANY, MANY):
        s3 = Generated(benchmark, count)
        pipeline = Pipeline(s3, "bucket")
        pipeline.settings["channels"] = {"train": {"header": "absent"}}
        peaks["starter"].append(peak(partial(freeze, s3, benchmark.PREFIX)))
        (frozen,) = s3.objects
        version = frozen.removeprefix("datasets/").partition(".")[0]
        peaks["plan"].append(peak(partial(pipeline.plan, data_set=version)))
    assert FEW > MOST_LOOKED_AT
    for step, (_, few, *many) in peaks.items():
        assert (min(many) - few) / (MANY - FEW) < BYTES_OF_AN_OBJECT, f"{step}: {peaks}"


def freeze(s3: FaultyS3, prefix: str) -> None:
    DataSet.take(s3, "bucket", {"train": prefix}).freeze(s3, "bucket", "")


def test_what_was_measured_holds_the_bars(benchmark: ModuleType) -> None:
    result = json.loads(benchmark.RESULTS.read_text("utf-8"))
    assert result["objects"] == 1_000_000
    for step in benchmark.STEPS:
        assert result[step]["cpu_seconds"] <= benchmark.BARS["CPU seconds"]
        assert result[step]["peak_mb"] <= benchmark.BARS["peak MB"]
