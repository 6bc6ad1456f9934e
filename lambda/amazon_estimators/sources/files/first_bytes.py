"""Recognise from its first bytes a file that is not what its name or its Source says."""

from __future__ import annotations

import re

from amazon_estimators.errors import InputError
from amazon_estimators.storage.s3 import InputObject

TEXT_FORMATS = ("text of fields", "libsvm")
ENOUGH = 512
"""Bytes that are enough to recognise every kind listed here."""

DECOMPRESS = "Decompress it, or compress it with gzip or zstd."
FROM_OTHERS = "Export the table as CSV, with the program that wrote it."
TAKE_OUT = "It holds no table: leave it out, by skip in the Source."
AS_PARQUET = "Write it as Parquet or CSV: pandas and pyarrow read it."

KINDS: tuple[tuple[str, bytes, int, str], ...] = (
    ("a gzip file", b"\x1f\x8b", 0, 'Name it .gz, or set compression="gzip" in the Source.'),
    ("a zstd file", b"\x28\xb5\x2f\xfd", 0, 'Name it .zst, or set compression="zstd" in the Source.'),
    ("a bzip2 file", b"BZh", 0, DECOMPRESS),
    ("an xz file", b"\xfd7zXZ\0", 0, DECOMPRESS),
    ("an LZMA file", b"\x5d\0\0", 0, DECOMPRESS),
    *(("a zlib stream", b"\x78" + level, 0, DECOMPRESS) for level in (b"\x01", b"\x9c", b"\xda")),
    ("an LZ4 file", b"\x04\x22\x4d\x18", 0, DECOMPRESS),
    ("a Snappy file", b"\xff\x06\0\0sNaPpY", 0, DECOMPRESS),
    ("a 7-Zip archive", b"7z\xbc\xaf\x27\x1c", 0, "Unpack it and upload the files in it."),
    ("a RAR archive", b"Rar!\x1a\x07", 0, "Unpack it and upload the files in it."),
    ("a tar archive", b"ustar", 257, "Unpack it and upload the files in it."),
    ("a Parquet file", b"PAR1", 0, 'Name it .parquet, or set format="parquet" in the Source.'),
    ("an encrypted Parquet file", b"PARE", 0, "Write it without encryption of its footer."),
    ("an Arrow file", b"ARROW1", 0, AS_PARQUET),
    ("an Arrow stream", b"\xff\xff\xff\xff", 0, AS_PARQUET),
    ("a Feather file", b"FEA1", 0, AS_PARQUET),
    ("an ORC file", b"ORC", 0, AS_PARQUET),
    ("an Avro file", b"Obj\x01", 0, AS_PARQUET),
    ("an HDF5 file", b"\x89HDF\r\n\x1a\n", 0, AS_PARQUET),
    ("an old Excel file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "Save the sheet as CSV UTF-8."),
    ("a SQLite database", b"SQLite format 3\0", 0, "Export the table as CSV."),
    ("a NumPy array", b"\x93NUMPY", 0, 'Name it .npy, or set format="npy" in the Source.'),
    ("RecordIO-protobuf", b"\x0a\x23\xd7\xce", 0, 'Name it .pbr, or set format="recordio" in the Source.'),
    ("a PDF", b"%PDF-", 0, "Export the table as CSV."),
    *(("a Python pickle", b"\x80" + bytes([protocol]), 0, AS_PARQUET) for protocol in range(2, 6)),
    *(("a file of R", magic, 0, FROM_OTHERS) for magic in (b"RDX2\n", b"RDX3\n", b"X\n\0\0\0")),
    ("a MATLAB file", b"MATLAB 5.0", 0, FROM_OTHERS),
    ("a Stata file", b"<stata_dta>", 0, FROM_OTHERS),
    *(("an SPSS file", magic, 0, FROM_OTHERS) for magic in (b"$FL2", b"$FL3")),
    ("a SAS file", b"\xc2\xea\x81\x60", 12, FROM_OTHERS),
    ("a picture", b"\x89PNG\r\n", 0, TAKE_OUT),
    ("a picture", b"\xff\xd8\xff", 0, TAKE_OUT),
    ("an empty zip archive", b"PK\x05\x06", 0, TAKE_OUT),
    ("a zip archive in parts", b"PK\x07\x08", 0, "Unpack it and upload the files in it."),
)
"""(what it is, its magic bytes, their offset, the remedy)."""

ZIPPED = {
    b"xl/": ("an Excel file", "Save the sheet as CSV UTF-8."),
    b"[Content_Types].xml": ("an Excel or other Office file", "Save the sheet as CSV UTF-8."),
    b".npy": ("a NumPy archive", 'Name it .npz, or set format="npz" in the Source.'),
}
"""Zip archives by the name of their first member."""

ARFF = "Remove the lines up to @data and name it .csv."
UTF16 = "Save it as UTF-8: iconv -f UTF-16 -t UTF-8, or Excel's CSV UTF-8."


def kind_of(head: bytes) -> tuple[str, str] | None:
    """Return what a file is, judging by its first ENOUGH bytes, and the remedy; None for text and unknown
    kinds.

    Example:
        >>> kind_of(b"PAR1...")[0]
        'a Parquet file'
        >>> kind_of("id,price".encode("utf-16-le"))[0]
        'text in UTF-16'
    """
    if head.startswith(b"PK\x03\x04"):
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        known = next((kind for part, kind in ZIPPED.items() if part in name), None)
        return known or ("a zip archive", "Unpack it and upload the files in it.")
    for what, magic, at, way_out in KINDS:
        if head[at:].startswith(magic):
            return what, way_out
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "text in UTF-32", "Save it as UTF-8: iconv -f UTF-32 -t UTF-8."
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _every_other_is_zero(head):
        return "text in UTF-16", UTF16
    if b"\0" in head.partition(b"\n")[0]:
        return "binary data", "Write the table as CSV or Parquet."
    return _text_kind(head.removeprefix(b"\xef\xbb\xbf").lstrip())


def refuse_other_kind(head: bytes, input_object: InputObject, expected: str, *, inside: str = "none") -> None:
    """Raise InputError if an object's first bytes are those of another kind than is expected.

    ``inside`` is the compression that was removed from the bytes, if any.
    """
    kind = kind_of(head[:ENOUGH])
    if kind is None and expected not in TEXT_FORMATS and _is_text(head[:ENOUGH]):
        kind = "text", 'If it is CSV, name it .csv, or set format="csv" in the Source.'
    if kind is None or kind[0] == expected:
        return
    what, way_out = kind
    if inside != "none":
        what, way_out = (
            f"{what} inside {inside}",
            f"Remove the {inside} compression and give the file its own extension. {way_out}",
        )
    raise InputError(f"{input_object.uri} is {what}, not {expected}", remedy=way_out)


def _every_other_is_zero(head: bytes) -> bool:
    even = head[: len(head) // 2 * 2]
    share = len(even) // 8  # of UTF-16 in other scripts, digits and marks alone have zeros
    return len(even) >= 4 and any(
        even[start::2].count(0) > share and all(even[1 - start :: 2]) for start in (0, 1)
    )


def _is_text(head: bytes) -> bool:
    """Return True for printable UTF-8, which may be cut off within a character."""
    text = head.decode("utf-8", "ignore")
    whole = len(text.encode()) > len(head) - 4
    return bool(text) and whole and all(mark.isprintable() or mark in "\t\r\n\ufeff" for mark in text)


DOWNLOAD = "Download the file itself: this may be an error page, or a login."
TEXTS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"<error>", b'<?xml version="1.0" encoding="utf-8"?>\n<error>'), "an error in XML", DOWNLOAD),
    (
        (b"<!doctype html", b"<html", b"<head", b"<body"),
        "an HTML page",
        DOWNLOAD,
    ),
    ((b"<?xml",), "XML", AS_PARQUET),
    ((b"{", b'["', b"[{", b"[["), "JSON", AS_PARQUET),
    ((b"version https://git-lfs",), "a pointer of Git LFS", "Fetch the file itself: git lfs pull."),
    ((b"%%matrixmarket",), "a Matrix Market file", "Write it as scipy.sparse.save_npz, or as libsvm."),
    ((b"@relation",), "an ARFF file", ARFF),
)
"""(how the text begins, in lower case, what it is, the remedy)."""

PATTERNS = (
    (re.compile(rb"<[A-Za-z][\w:.-]*(?: +[\w:.-]+=|>(?:\s*\n\s*)?<)"), "XML", AS_PARQUET),
    (re.compile(rb"\[\s*(?:[{\[\"]|\n)|\[[^\n]*\],?\s*?(?:\n\[|\Z)"), "JSON", AS_PARQUET),
    (re.compile(rb"(?:%[^\n]*\n|\s)*@relation\s", re.IGNORECASE), "an ARFF file", ARFF),
    (
        re.compile(rb"[\d.+-]+(?: \d+:[\d.eE+-]+){2,} *\r?\n[\d.+-]+(?: \d+:[\d.eE+-]+)+ *\r?\n"),
        "libsvm",
        'Name it .libsvm, or set format="libsvm" in the Source.',
    ),
)
"""(how the text begins, what it is, the remedy), where that is no fixed text."""


def _text_kind(text: bytes) -> tuple[str, str] | None:
    lower = text.lower()
    known = next(((what, way_out) for begins, what, way_out in TEXTS if lower.startswith(begins)), None)
    return known or next(
        ((what, way_out) for pattern, what, way_out in PATTERNS if pattern.match(text)), None
    )
