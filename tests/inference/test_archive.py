"""``model.tar.gz``: read in memory, bombs and damage end in a ModelError."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from amazon_estimators.errors import ModelError
from amazon_estimators.inference.archive import read_archive, read_zip, write_archive, write_zip

LIMIT = 2**20


def tar(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, size: int | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content)
            archive.addfile(entry, io.BytesIO(content))
    data = out.getvalue()
    if size is not None:  # a size that the archive does not hold
        entry = tarfile.TarInfo(members[0][0])
        entry.size = size
        data = entry.tobuf() + data[512:]
    return gzip.compress(data, compresslevel=1)


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("name", ["model_algo-1", "./model_algo-1", "model_algo-2", "./model_algo-12"])
def test_the_model_is_the_one_member_of_that_name(name: str) -> None:
    archive = read_archive(tar((name, b"model"), ("rehearsal.json", b"{}")))
    assert (archive.name, archive.model) == (name.removeprefix("./"), b"model")
    assert archive.beside == {"rehearsal.json": b"{}"}


def test_the_model_itself_is_read_too() -> None:
    assert read_archive(b"\x12\x01").model == b"\x12\x01"


def test_archives_come_back_and_are_reproducible() -> None:
    written = write_archive(b"model" * 1000, {"rehearsal.json": b"{}"})
    assert written == write_archive(b"model" * 1000, {"rehearsal.json": b"{}"})
    archive = read_archive(written)
    assert (archive.name, archive.model, archive.beside) == (
        "model_algo-1",
        b"model" * 1000,
        {"rehearsal.json": b"{}"},
    )
    assert read_zip(write_zip({"params": b"1", "meta.json": b"{}"})) == {"params": b"1", "meta.json": b"{}"}
    assert write_zip({"params": b"1"}) == write_zip({"params": b"1"})


BOMB = bytes(50 * LIMIT)
TARS = {
    "no model": (tar(("xgboost-model", b"x")), "holds no model_algo-<n>; its members are xgboost-model"),
    "empty": (tar(), "its members are nothing"),
    "two models": (tar(("model_algo-1", b"x"), ("model_algo-2", b"x")), "holds 2 model_algo-<n>"),
    "one name twice": (tar(("model_algo-1", b"x"), ("./model_algo-1", b"x")), "twice"),
    "a link for a model": (tar(("model_algo-1", b""), kind=tarfile.SYMTYPE), "holds no model_algo-<n>"),
    "a bomb": (tar(("model_algo-1", BOMB)), "allowed: 1,000 members and 1,048,576 bytes"),
    "a bomb beside": (tar(("model_algo-1", b""), ("zeros", BOMB)), "allowed: 1,000 members"),
    "a bomb that is skipped": (tar(("zeros", BOMB), kind=tarfile.CHRTYPE), "its members are|unpacks to more"),
    "a bomb without members": (
        gzip.compress(bytes(512) + b"x" * 512 + BOMB),
        "holds no model|cannot be read",
    ),
    "a bomb in a long name": (tar(("n" * 50 * LIMIT, b"")), "unpacks to more than 1,048,576 bytes"),
    "very many members": (tar(*((f"m{number}", b"") for number in range(1001))), "at least 1,001 members"),
    "a size that is not there": (tar(("model_algo-1", b"x"), size=2**50), "allowed: 1,000 members"),
    "cut": (tar(("model_algo-1", BOMB[:1000]))[:-30], "cannot be read"),
    "gzip of something else": (gzip.compress(b"no tar" * 1000), "cannot be read"),
    "gzip damaged": (b"\x1f\x8b" + bytes(100), "cannot be read"),
}


@pytest.mark.parametrize("case", TARS)
def test_hostile_archives_are_refused(case: str) -> None:
    data, text = TARS[case]
    with pytest.raises(ModelError, match=text):
        read_archive(data, max_bytes=LIMIT)


ZIPS = {
    "a bomb": (zipped(params=BOMB), "allowed: 1,000 members and 1,048,576 bytes"),
    "many small bombs": (zipped(**{f"m{n}": BOMB[: LIMIT // 2] for n in range(4)}), "allowed: 1,000 members"),
    "very many members": (zipped(**{f"m{n}": b"" for n in range(1001)}), "at least 1,001 members"),
    "cut": (zipped(params=b"1" * 1000)[:-10], "cannot be read"),
    "encrypted": (
        zipped(params=b"1").replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
        "encrypted",
    ),
}


@pytest.mark.parametrize("case", ZIPS)
def test_hostile_zips_are_refused(case: str) -> None:
    data, text = ZIPS[case]
    with pytest.raises(ModelError, match=text):
        read_zip(data, max_bytes=LIMIT)


def test_a_zip_that_lies_about_a_size_hands_out_no_more() -> None:
    honest = zipped(params=BOMB)
    directory = honest.rindex(b"PK\x01\x02")
    lying = bytearray(honest)
    lying[directory + 24 : directory + 28] = (10).to_bytes(4, "little")  # the size before compression
    with pytest.raises(ModelError, match="cannot be read"):
        read_zip(bytes(lying), max_bytes=LIMIT)
