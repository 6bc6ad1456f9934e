"""Tables and text as channels read them: the formats' readers, under the encodings that write records."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from scipy import sparse

from amazon_estimators import recordio
from amazon_estimators.encodings import encoding_named
from amazon_estimators.encodings.contract import PlannedChannel
from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.pipeline.encode import share_of
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.sources import Piece, Source
from amazon_estimators.storage.object_list import ObjectList
from fuzz.binary_files import npy_file, npy_seeds, numbers, recordio_file, recordio_seeds
from fuzz.mutations import after, any_of, gzipped, json_lines, raw, text, zipped
from fuzz.target import BrokenPromiseError, Mutate, Target
from sources.in_memory_s3 import InMemoryS3

Options = Sequence[tuple[str, Mapping[str, Any]]]
"""Extensions with options of Source; the first byte of an input chooses one."""
HEAD = 2
"""Bytes before the content: the options, and where it is cut."""

RULES: Options = [
    ("", {}),
    ("", {"label": 0}),
    ("", {"label": -1, "drop_incomplete": True}),
    ("", {"features": (1, 0)}),
    ("", {"exclude": (0,), "fill": {1: 0.5}}),
    ("", {"label": 0, "classes": ("no", "yes", "1", "0")}),
    ("", {"one_hot": {0: ("0", "1", "red")}, "unknown": "other"}),
    ("", {"one_hot": {1: ("0", "1", "red")}, "unknown": "zeros", "label": 0}),
    ("", {"hashed": {0: 64}, "scale": {1: (1.0, 2.0)}}),
    ("", {"drop_incomplete": True, "scale": {0: (0.0, 3.0)}}),
]
NAMED: Options = [
    ("", {"label": "y"}),
    ("", {"features": ("a", "b"), "fill": {"a": 0.0}}),
    ("", {"label": "y", "exclude": ("a",), "drop_incomplete": True}),
    ("", {"one_hot": {"b": ("1", "x")}, "label": "y"}),
]


def with_extension(extension: str, options: Options) -> Options:
    """Return the options for files with another extension."""
    return [(extension, values) for _, values in options]


class Sink:
    """The object that an encoding writes. It is sent in parts: only its digest is held."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return memoryview(data).nbytes


def reader(encoding: str, options: Options, **always: Any) -> Any:
    """Return a function that reads an input as Plan and Encode do: as a whole, and in two shares.

    Both must come to the same records, if both come to an end.
    """
    module = encoding_named(encoding)

    def use(data: bytes) -> None:
        head, body = data[:HEAD].ljust(HEAD, b"\0"), data[HEAD:]
        extension, values = options[head[0] % len(options)]
        s3, source = InMemoryS3(), Source(**{**always, **values})
        entry = s3.put(f"in/file{extension}", body)
        source = module.resolve(s3, ObjectList.of("bucket", "train", [entry]), source)
        layout = module.look(s3, entry, source)
        if layout.schema.at_least:
            layout = layout.of_width(layout.schema.width, known=True)
        planned = PlannedChannel(source, layout.schema, 1, encoding, "", "", entry.uri)

        def shards(*shares: Piece) -> bytes:
            out = Sink()
            for share in shares:
                profile = ProfileBuilder()
                module.encode(s3, out, iter([share]), planned, profile)  # type: ignore[arg-type]  # a double
                profile.profile()
            return out.digest.digest()

        cut = entry.size * head[1] // 256
        ends = [(0, entry.size)] if cut in (0, entry.size) else [(0, cut), (cut, entry.size)]
        shares = [share_of(layout, Piece(entry, *each)) for each in ends]
        first = 0 if layout.records is not None else None
        whole = shards(Piece(entry, layout.start, layout.stop, first))
        if shards(*(share for share in shares if share is not None)) != whole:
            raise BrokenPromiseError("two shares hold other records than the whole")

    return use


def csv_seeds() -> Mapping[str, bytes]:
    rows = numbers()
    plain = "".join(f"{a:g},{b:g},{c:g}\n" for a, b, c in rows)
    named = "y,a,b\n" + plain
    words = 'color,"size, cm",n\n"red ""dark""",1,2\nred,"3",4\n\\N,5,\n"a\nb",6,7\n'
    european = "y;a;b\n" + plain.replace(",", ";").replace(".", ",")
    bodies = {
        "plain": (0, plain.encode()),
        "labelled": (1, named.encode()),
        "named": (len(RULES), named.encode()),
        "gaps": (2, plain.replace("1.5", "").encode() + b"1,,3\n"),
        "words": (6, (b"0,1,2\nred,2,3\n1,3,4\n")),
        "quoted": (csv_at(quoting="minimal"), b'"1","2"\n"3","4"\n'),
        "quoted_words": (csv_at(label="n", one_hot=True), words.encode()),
        "european": (csv_at(delimiter=";"), european.encode()),
        "blanks": (csv_at(delimiter=" "), plain.replace(",", "  ").encode()),
        "tabs": (csv_at(extension=".tsv"), plain.replace(",", "\t").encode()),
        "escaped": (csv_at(escape="\\"), b'1,2\n"3","4"\n5,6\n'),
        "windows": (1, b"\xef\xbb\xbf" + named.replace("\n", "\r\n").encode()),
        "gzip": (csv_at(extension=".csv.gz"), gzip.compress(plain.encode(), mtime=0)),
        "zstd": (csv_at(extension=".csv.zst"), pa.Codec("zstd").compress(plain.encode(), asbytes=True)),
    }
    return {name: bytes([option, 100]) + body for name, (option, body) in bodies.items()}


CSV: Options = [
    *with_extension(".csv", RULES),
    *with_extension(".csv", NAMED),
    (".csv", {"quoting": "minimal", "header": "absent"}),
    (".csv", {"quoting": "minimal", "quoted_newlines": False}),
    (
        ".csv",
        {
            "label": "n",
            "features": ("color",),
            "one_hot": {"color": ("red",)},
            "unknown": "zeros",
            "drop_incomplete": True,
        },
    ),
    (".csv", {"delimiter": ";", "decimal": ","}),
    (".csv", {"delimiter": " "}),
    (".tsv", {}),
    (".tsv", {"quoting": "none", "header": "present"}),
    (".csv", {"escape": "\\"}),
    (".csv.gz", {"header": "absent"}),
    (".csv.gz", {}),
    (".csv.zst", {}),
    (".csv", {"header": "present", "label": 0}),
    (".csv", {"delimiter": "|", "escape": ""}),
]


def csv_at(extension: str = ".csv", **options: Any) -> int:
    """Return the place of options with this extension that agree with ``options``; True is any value."""
    return next(
        place
        for place, (end, values) in enumerate(CSV)
        if end == extension
        and all(values.get(k) == v or (v is True and k in values) for k, v in options.items())
    )


def parquet_seeds() -> Mapping[str, bytes]:
    rows = numbers(40)
    table = pa.table({"y": rows[:, 0], "a": rows[:, 1], "b": rows[:, 2].astype(np.int32)})
    gaps = table.append_column("g", pa.array([None, 1.5] * 20))
    words = pa.table({"y": rows[:, 0], "a": rows[:, 1], "b": ["1", "x"] * 20})
    vectors = pa.table(
        {"y": rows[:, 0], "a": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(80.0)), 2)}
    )
    lists = pa.table({"y": rows[:, 0], "a": [[1.0, 2.0]] * 40})
    dates = pa.table(
        {
            "y": rows[:, 0],
            "a": pa.array(range(40), pa.timestamp("us")),
            "b": pa.array([1] * 40, pa.decimal128(9, 2)),
        }
    )

    def written(content: Any, **options: Any) -> bytes:
        out = io.BytesIO()
        parquet.write_table(content, out, **{"compression": "none", "store_schema": False, **options})
        return out.getvalue()

    bodies = {
        "plain": (0, written(table, use_dictionary=False)),
        "named": (len(RULES), written(table, row_group_size=10)),
        "snappy": (1, written(table, compression="snappy")),
        "gzip": (1, written(table, compression="gzip", data_page_version="2.0", row_group_size=20)),
        "zstd": (1, written(table, compression="zstd", write_page_checksum=True)),
        "lz4": (0, written(table, compression="lz4", use_dictionary=False, data_page_size=64)),
        "brotli": (0, written(table, compression="brotli")),
        "gaps": (2, written(gaps)),
        "words": (len(RULES) + 3, written(words)),
        "vectors": (1, written(vectors, store_schema=True)),
        "refused_lists": (1, written(lists)),
        "refused_dates": (1, written(dates)),
        "split": (0, written(table, use_dictionary=False, use_byte_stream_split=True)),
        "index": (0, written(table, write_page_index=True, data_page_size=64, use_dictionary=False)),
    }
    return {name: bytes([option, 128]) + body for name, (option, body) in bodies.items()}


def parquet_file(data: bytes, dice: random.Random) -> bytes:
    """Change the footer, whose length then fits again, or the pages before it."""
    size = int.from_bytes(data[-8:-4], "little")
    if len(data) < 12 or not 0 < size <= len(data) - 12 or not dice.randrange(8):
        return raw(data, dice)
    pages, footer = data[4 : -8 - size], data[-8 - size : -8]
    if dice.randrange(3):
        footer = raw(footer, dice)
    else:
        changed = raw(pages, dice)
        pages = changed[: len(pages)].ljust(len(pages), b"\0")
    return b"PAR1" + pages + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def npz_seeds() -> Mapping[str, bytes]:
    rows = numbers()

    def arrays(save: Any = np.savez, **members: Any) -> bytes:
        out = io.BytesIO()
        save(out, **members)
        return out.getvalue()

    def csr(compressed: bool, **options: Any) -> bytes:
        out = io.BytesIO()
        sparse.save_npz(out, sparse.csr_matrix(rows, **options), compressed=compressed)
        return out.getvalue()

    bodies = {
        "one": (1, arrays(x=rows)),
        "columns": (len(RULES), arrays(np.savez_compressed, y=rows[:, 0], a=rows[:, 1], b=rows[:, 2])),
        "matrix": (len(RULES), arrays(np.savez_compressed, y=rows[:, 0], x=rows)),
        "csr": (0, csr(False)),
        "csr_compressed": (0, csr(True, dtype=np.float32)),
    }
    return {name: bytes([option, 128]) + body for name, (option, body) in bodies.items()}


def libsvm_seeds() -> Mapping[str, bytes]:
    body = b"1 1:0.5 3:2\n-1 2:1e3 # note\n0 1:1 2:2 3:3\n1\n"
    bodies = {
        "plain": (0, body),
        "refused_ranks": (0, b"2 qid:3 1:1 2:0\n1 qid:3 2:1\n"),
        "counted": (1, body),
        "from_zero": (2, body.replace(b"3:", b"0:")),
        "gzip": (4, gzip.compress(body, mtime=0)),
    }
    return {name: bytes([option, 90]) + content for name, (option, content) in bodies.items()}


LIBSVM: Options = [
    (".libsvm", {}),
    (".libsvm", {"feature_count": 8}),
    (".libsvm", {"first_index": 0, "keep_labels": False}),
    (".svm", {"keep_labels": False}),
    (".libsvm.gz", {}),
]


def check(data: bytes) -> None:
    """Check, then read what the checker passed: all of them must agree on it."""
    body = data[HEAD:]
    try:
        summary = recordio.check(io.BytesIO(body))
    except AmazonEstimatorsError:
        recordio.read_matrix(io.BytesIO(body))
        raise
    features, _ = recordio.read_matrix(io.BytesIO(body))
    if features.shape != (summary.records, summary.feature_dim):
        raise BrokenPromiseError(f"{summary} is not what is read: {features.shape}")


def pair_seeds() -> Mapping[str, bytes]:
    lines = [
        {"label": 1, "in0": [6, 17, 606], "in1": [16, 21]},
        {"label": 0.5, "in0": [0], "in1": [2**31 - 1]},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return {
        "pairs": b"\0\x80" + body,
        "asked": b"\x01\x80" + body.replace(b'"label": 1, ', b""),
        "gzip": b"\x02\x80" + gzip.compress(body, mtime=0),
    }


def address_seeds() -> Mapping[str, bytes]:
    body = b'user_7,192.0.2.10\n"a ""b""",192.0.2.11\r\n\nother,10.0.0.1'
    return {"addresses": b"\0\x80" + body, "gzip": b"\x01\x80" + gzip.compress(body, mtime=0)}


PAIRS: Options = [(".jsonl", {}), (".jsonl", {"keep_labels": False}), (".jsonl.gz", {})]
ADDRESSES: Options = [(".csv", {}), (".csv.gz", {})]
CSV_TEXT: Mutate = text(b"red", b"y", b"a", b"\\N", b"NA", b"null", b'"1"', b"yes", b"no")
LIBSVM_TEXT: Mutate = text(
    b"1:1", b"0:1", b"2147483647:1", b"2147483648:1", b"qid:1", b"#", b"-1:2", b"1:1 1:1", b"3:", b":3"
)


def table(name: str, use: Any, seeds: Any, mutate: Mutate) -> Target:
    """Return a target whose inputs begin with the bytes of options."""
    return Target(name=name, use=use, seeds=seeds, mutate=after(HEAD, mutate))


TABLES = (
    table("csv", reader("recordio", CSV), csv_seeds, any_of(CSV_TEXT, CSV_TEXT, gzipped(CSV_TEXT))),
    table(
        "parquet",
        reader("recordio", [*with_extension(".parquet", RULES), *with_extension(".parquet", NAMED)]),
        parquet_seeds,
        parquet_file,
    ),
    table("npy", reader("recordio", with_extension(".npy", RULES)), npy_seeds, npy_file),
    table(
        "npz",
        reader("recordio", [*with_extension(".npz", RULES), *with_extension(".npz", NAMED)]),
        npz_seeds,
        zipped(npy_file),
    ),
    table(
        "libsvm",
        reader("recordio", LIBSVM),
        libsvm_seeds,
        any_of(LIBSVM_TEXT, LIBSVM_TEXT, gzipped(LIBSVM_TEXT)),
    ),
    table(
        "recordio",
        reader("recordio", [(".pbr", {}), (".pbr", {"keep_labels": False})]),
        recordio_seeds,
        recordio_file,
    ),
    table("checker", check, recordio_seeds, recordio_file),
    table(
        "jsonlines",
        reader("jsonlines", PAIRS),
        pair_seeds,
        any_of(json_lines, text(b"[]", b"{}", b"NaN"), gzipped(json_lines)),
    ),
    table(
        "addresses",
        reader("csv", ADDRESSES),
        address_seeds,
        any_of(text(b"192.0.2.1", b"256.1.1.1", b"1.1.1"), gzipped(text())),
    ),
    table(
        "vocabulary",
        reader("files", [(".txt", {}), ("", {"format": "auto"})]),
        lambda: {"words": b"\0\x80one\ntwo\nthree\n"},
        text(b"\xc3\xbc"),
    ),
)
