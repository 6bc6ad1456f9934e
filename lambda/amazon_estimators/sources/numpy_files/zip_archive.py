"""Read NumPy's .npz, a zip archive of .npy files: stored members by range, deflated ones as streams."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from amazon_estimators.errors import AmazonEstimatorsError, InputError
from amazon_estimators.sources.files.first_bytes import ENOUGH, refuse_other_kind
from amazon_estimators.sources.files.windowed_file import ColumnFile
from amazon_estimators.sources.numpy_files.stored_array import (
    NUMERIC_KINDS,
    ObjectView,
    StoredArray,
    View,
    open_array,
)
from amazon_estimators.storage.s3 import InputObject, read_range

LOCAL_HEADER = struct.Struct("<4s22xHH")
LOCAL_MAGIC = b"PK\x03\x04"
MEMBERS_LIMIT = 1000
TURNED_LIMIT = 64 * 2**20
"""Bytes of the largest deflated array in Fortran order: its rows are spread all over it, so it is held in
memory."""
SKIPPED = 2**20
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
"""The errors that zipfile raises for a damaged archive."""


@contextmanager
def opened(s3: Any, input_object: InputObject) -> Iterator[Archive]:
    """Open the archive in an object. Errors that zipfile raises become InputErrors."""
    try:
        with ColumnFile(s3, input_object) as file, zipfile.ZipFile(file) as archive:
            yield Archive(s3, input_object, archive)
    except AmazonEstimatorsError:
        raise
    except DAMAGED as error:
        head = read_range(s3, input_object, 0, min(input_object.size, ENOUGH))
        if not head.startswith(b"PK"):
            refuse_other_kind(head, input_object, "a NumPy archive")
        raise _damaged(input_object, error) from error


def _damaged(input_object: InputObject, error: Exception) -> InputError:
    return InputError(
        f"{input_object.uri} is not a usable .npz file: {error}", remedy="Write it again with numpy.savez."
    )


class Archive:
    """The arrays of an .npz file by name."""

    def __init__(self, s3: Any, input_object: InputObject, archive: zipfile.ZipFile) -> None:
        self._s3, self._input_object, self._archive = s3, input_object, archive
        members = archive.infolist()
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        self.names = tuple(self._members)
        if len(members) > MEMBERS_LIMIT or len(self.names) != len(members):
            raise InputError(
                f"{input_object.uri} has {len(members)} members of {len(self.names)} names; "
                f"allowed: {MEMBERS_LIMIT}, each of its own name",
                remedy="Write it again with numpy.savez.",
            )

    def array(self, name: str, *, kinds: str = NUMERIC_KINDS) -> StoredArray:
        """Return an array with its header checked. It can be read while the archive is open."""
        return self.in_rows(self.header(name, kinds=kinds))

    def header(self, name: str, *, kinds: str = NUMERIC_KINDS) -> StoredArray:
        """Read only an array's header, and check it. Raises InputError if it is not an array."""
        try:
            return open_array(self._view(name), kinds=kinds)
        except AmazonEstimatorsError:
            raise
        except DAMAGED as error:
            raise _damaged(self._input_object, error) from error

    def in_rows(self, array: StoredArray) -> StoredArray:
        """Return the array; held in memory if a stream would yield columns where rows are needed."""
        view = array.view
        if not isinstance(view, DeflatedView) or not array.fortran or array.width == 1:
            return array
        if view.size > TURNED_LIMIT:
            raise InputError(
                f"{view.where} is deflated and in Fortran order, {view.size} bytes; allowed: {TURNED_LIMIT}",
                remedy="Write it in C order, numpy.ascontiguousarray(array), or uncompressed, numpy.savez.",
            )
        return replace(array, view=_Held(view.where, view.read(0, view.size)), waiting=0)

    def _view(self, name: str) -> View:
        member = self._members[name]
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f"{self._input_object.uri}, {name} is encrypted or compressed in a way NumPy does not use",
                remedy="Write it again with numpy.savez or numpy.savez_compressed.",
            )
        if member.compress_type == zipfile.ZIP_DEFLATED:
            return DeflatedView(self._archive, member, self._input_object, name)
        return self._stored(member, name)

    def _stored(self, member: zipfile.ZipInfo, name: str) -> View:
        start = member.header_offset
        header = read_range(
            self._s3, self._input_object, start, min(start + LOCAL_HEADER.size, self._input_object.size)
        )
        magic, name_length, extra = (
            LOCAL_HEADER.unpack(header) if len(header) == LOCAL_HEADER.size else (b"", 0, 0)
        )
        start += LOCAL_HEADER.size + name_length + extra
        if magic != LOCAL_MAGIC or start + member.file_size > self._input_object.size:
            raise InputError(
                f"{self._input_object.uri}, {name}: its {member.file_size} bytes at {start} are not there",
                remedy="The file is cut off or damaged: write it again.",
            )
        return ObjectView(self._s3, self._input_object, start, member.file_size, name)


class DeflatedView:
    """A deflated member. It is read forwards; to go back, it starts again from the beginning."""

    def __init__(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, input_object: InputObject, name: str
    ) -> None:
        self._archive, self._member = archive, member
        self.where, self.size = f"{input_object.uri}, {name}", member.file_size
        self._file: Any = None

    def read(self, start: int, stop: int) -> bytes:
        if self._file is None or self._file.tell() > start:
            self._file = self._archive.open(self._member)
        while (missing := start - self._file.tell()) > 0:
            if not self._file.read(min(missing, SKIPPED)):
                break
        data: bytes = self._file.read(stop - start)
        if len(data) != stop - start:
            raise InputError(f"{self.where} ends before byte {stop} of {self.size}", remedy="Write it again.")
        return data

    def chunks(self, start: int, stop: int, chunk: int) -> Iterator[bytes]:
        for at in range(start, stop, chunk):
            yield self.read(at, min(at + chunk, stop))


class _Held:
    """A member's bytes, held in memory."""

    def __init__(self, where: str, data: bytes) -> None:
        self.where, self.size, self._data = where, len(data), data

    def read(self, start: int, stop: int) -> bytes:
        return self._data[start:stop]

    def chunks(self, start: int, stop: int, chunk: int) -> Iterator[bytes]:
        return (self._data[at : min(at + chunk, stop)] for at in range(start, stop, chunk))
