"""NumPy and SciPy files: every row once, as it was saved, wherever it is cut; headers are not believed."""

from __future__ import annotations

import dataclasses
import io
import itertools
import random
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import scipy.sparse
from hypothesis import example, given
from hypothesis import strategies as st

from amazon_estimators.errors import AmazonEstimatorsError, InputError, SchemaError
from amazon_estimators.sources import Piece, Source
from amazon_estimators.sources.numpy_files import npy, npz
from amazon_estimators.sources.numpy_files import scipy_csr as csr
from amazon_estimators.sources.numpy_files import stored_array as arrays
from amazon_estimators.sources.numpy_files import zip_archive as archive
from sources.in_memory_s3 import InMemoryS3


def saved(save, *arrays, **named) -> bytes:
    out = io.BytesIO()
    save(out, *arrays, **named)
    return out.getvalue()


def pieces_of(found, cuts):
    return [
        Piece(found, start, stop, first_row=start) for start, stop in itertools.pairwise(cuts) if start < stop
    ]


def dense(form, s3, pieces, source, schema):
    blocks = [block for piece in pieces for block in form.read(s3, piece, source, schema)]
    labels = None if schema.label is None else np.concatenate([block.labels for block in blocks])
    return np.concatenate([block.features for block in blocks]), labels


def sparse(s3, pieces, schema):
    parts = []
    for piece in pieces:
        for block in npz.read(s3, piece, Source(), schema):
            rows = block.features
            parts.append(
                scipy.sparse.csr_matrix((rows.data, rows.indices, rows.indptr), (len(rows), rows.width))
            )
    return scipy.sparse.vstack(parts)


CUTS = st.lists(st.integers(0, 30), max_size=3).map(sorted)


@given(
    dtype=st.sampled_from(["?", "i1", "<u2", ">i4", "<i8", "<f2", ">f4", "<f8"]),
    order=st.sampled_from("CF"),
    version=st.sampled_from([(1, 0), (2, 0), (3, 0)]),
    columns=st.integers(1, 5),
    cuts=CUTS,
    at_once=st.integers(1, 200),
)
def test_npy_of_any_numeric_type_order_and_version(dtype, order, version, columns, cuts, at_once):
    array = np.asarray(np.arange(30 * columns).reshape(30, columns) % 100, dtype=dtype, order=order)
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    s3 = InMemoryS3()
    found = s3.put("a.npy", out.getvalue())
    layout = npy.look(s3, found, Source())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npy, "BLOCK_BYTES", at_once)
        features, _ = dense(npy, s3, pieces_of(found, [0, *cuts, 30]), Source(), layout.schema)
    np.testing.assert_array_equal(features, array)


@example(ends=[0, 10], columns=2, dtype=">i2", at_once=2, ranges=1, waiting=36, short=2**20)
@given(
    ends=st.lists(st.integers(0, 30), min_size=2, max_size=2, unique=True).map(sorted),
    columns=st.integers(2, 7),
    dtype=st.sampled_from([">i2", "<f8"]),
    at_once=st.integers(1, 40),
    ranges=st.integers(1, 600),
    waiting=st.integers(0, 3000),
    short=st.sampled_from([0, 2**20]),
)
def test_fortran_order_in_ranges_of_any_length(ends, columns, dtype, at_once, ranges, waiting, short):
    array = np.asfortranarray(np.arange(30 * columns).reshape(30, columns).astype(dtype))
    s3 = InMemoryS3()
    view = arrays.ObjectView(s3, s3.put("a.npy", saved(np.save, array)))
    stored = dataclasses.replace(arrays.open_array(view), waiting=waiting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "RANGE_BYTES", ranges)
        patch.setattr(arrays, "SHORT_RANGE", short)
        blocks = list(stored.rows(ends[0], ends[1], at_once))
    assert {len(block) for block in blocks[:-1]} <= {at_once}
    np.testing.assert_array_equal(np.concatenate(blocks), array[slice(*ends)])


def test_many_columns_in_fortran_order_take_few_requests(monkeypatch):
    monkeypatch.setattr(npy, "BLOCK_BYTES", 2**13)
    monkeypatch.setattr(arrays, "RANGE_BYTES", 2**13)
    array = np.asfortranarray(np.arange(20_000, dtype=np.float32).reshape(200, 100))
    s3 = InMemoryS3()
    found = s3.put("a.npy", saved(np.save, array))
    schema = npy.look(s3, found, Source()).schema
    for cuts, most in ([0, 200], 11), ([0, 100, 200], 2 * 101):
        s3.calls = s3.largest = 0
        features, _ = dense(npy, s3, pieces_of(found, cuts), Source(), schema)
        np.testing.assert_array_equal(features, array)
        assert s3.calls <= most
        assert s3.largest <= 2**13


@given(
    save=st.sampled_from([np.savez, np.savez_compressed]),
    order=st.sampled_from("CF"),
    cuts=CUTS,
    at_once=st.integers(1, 200),
)
def test_npz_arrays_side_by_side(save, order, cuts, at_once):
    x = np.asarray(np.random.default_rng(0).normal(size=(30, 4)), order=order)
    y, weight = np.arange(30) + 2**40, np.arange(30, dtype=np.float32)
    s3 = InMemoryS3()
    found = s3.put("a.npz", saved(save, x=x, y=y, weight=weight))
    for source, expected in (
        (Source(label="y"), np.column_stack([x, weight])),
        (Source(label="y", features=("x",)), x),
        (Source(label="y", exclude=("x",)), weight[:, None]),
        (Source(label="y", features=("weight", "x[2]")), np.column_stack([weight, x[:, 2]])),
        (Source(label=-2, features=(3, 1)), x[:, [3, 1]]),
        (Source(label="y", exclude=("x[1]", 0)), np.column_stack([x[:, 2:], weight])),
    ):
        layout = npz.look(s3, found, source)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(npz, "BLOCK_BYTES", at_once)
            features, labels = dense(npz, s3, pieces_of(found, [0, *cuts, 30]), source, layout.schema)
        np.testing.assert_array_equal(features, expected.astype(np.float32))
        np.testing.assert_array_equal(labels, y)


UNUSED = {
    "text": np.array(["a", "b"] * 15),
    "objects": np.array([{}] * 30, object),
    "a scalar": np.array(7),
    "a cube": np.ones((30, 2, 2)),
    "other rows": np.ones((4, 1)),
    "nothing": np.ones((30, 0)),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("unused", UNUSED.values(), ids=UNUSED)
def test_an_npz_array_that_is_not_used_may_hold_anything(save, unused):
    """It is one column if it is no table, so the columns behind it have positions too."""
    x, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30)
    s3 = InMemoryS3()
    found = s3.put("a.npz", saved(save, x=x, z=unused, y=y))
    for source in (
        Source(label="y", features=("x",)),
        Source(label="y", exclude=("z",)),
        Source(label=3, features=(0, 1)),
        Source(label=-1, exclude=(2,)),
    ):
        layout = npz.look(s3, found, source)
        assert layout.records == 30
        features, labels = dense(npz, s3, pieces_of(found, [0, 11, 30]), source, layout.schema)
        np.testing.assert_array_equal(features, x.astype(np.float32))
        np.testing.assert_array_equal(labels, y)
    with pytest.raises(InputError):
        npz.look(s3, found, Source(label="y"))


def test_an_npz_array_that_is_not_used_is_not_read(monkeypatch):
    monkeypatch.setattr(archive, "TURNED_LIMIT", 2**10)
    turned = np.asfortranarray(np.ones((30, 20)))
    s3 = InMemoryS3()
    found = s3.put("a.npz", saved(np.savez_compressed, x=np.ones((30, 2)), z=turned))
    layout = npz.look(s3, found, Source(features=("x",)))
    dense(npz, s3, pieces_of(found, [0, 30]), Source(features=("x",)), layout.schema)
    damaged = saved(np.savez, x=np.ones((30, 2)), z=np.ones(30))
    at = damaged.index(b"PK\3\4", 4)
    found = s3.put("b.npz", damaged[:at] + b"QK" + damaged[at + 2 :])
    assert npz.look(s3, found, Source(features=("x",))).records == 30
    with pytest.raises(InputError, match="are not there"):
        npz.look(s3, found, Source())


@given(
    compressed=st.booleans(),
    cuts=CUTS,
    rows=st.integers(1, 9),
    values=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_csr_stays_sparse(compressed, cuts, rows, values, seed):
    matrix = scipy.sparse.random_array((30, 50), density=0.05, format="csr", rng=seed)
    matrix.indices[:] = matrix.indices[:]
    s3 = InMemoryS3()
    found = s3.put("a.npz", saved(scipy.sparse.save_npz, matrix, compressed=compressed))
    layout = npz.look(s3, found, Source())
    assert (layout.records, layout.schema.feature_dim, layout.schema.sparse) == (30, 50, True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csr, "ROWS_AT_ONCE", rows)
        patch.setattr(csr, "VALUES_AT_ONCE", values)
        read = sparse(s3, pieces_of(found, [0, *cuts, 30]), layout.schema)
    assert (read != matrix).nnz == 0


def test_csr_with_unsorted_rows_is_sorted_and_duplicates_are_refused():
    s3 = InMemoryS3()
    parts = {"format": np.array(b"csr"), "shape": np.array([2, 5]), "indptr": np.array([0, 2, 4])}
    mixed = s3.put("a.npz", saved(np.savez, data=np.arange(4.0), indices=np.array([3, 1, 4, 0]), **parts))
    (block,) = npz.read(s3, Piece(mixed, 0, 2, 0), Source(), npz.look(s3, mixed, Source()).schema)
    assert (block.features.indices.tolist(), block.features.data.tolist()) == ([1, 3, 0, 4], [1, 0, 3, 2])
    twice = s3.put("b.npz", saved(np.savez, data=np.arange(4.0), indices=np.array([1, 3, 4, 4]), **parts))
    with pytest.raises(InputError, match="row 1: column 4 occurs twice"):
        list(npz.read(s3, Piece(twice, 0, 2, 0), Source(), npz.look(s3, twice, Source()).schema))


def test_csr_with_values_that_are_in_no_row_is_refused():
    s3 = InMemoryS3()
    parts = {"format": np.array(b"csr"), "shape": np.array([2, 5]), "indptr": np.array([0, 1, 2])}
    found = s3.put("a.npz", saved(np.savez, data=np.arange(3.0), indices=np.arange(3), **parts))
    schema = npz.look(s3, found, Source()).schema
    list(npz.read(s3, Piece(found, 0, 1, 0), Source(), schema))
    with pytest.raises(InputError, match=r"indptr ends at 2, there are 3 values\n.*prune"):
        list(npz.read(s3, Piece(found, 1, 2, 1), Source(), schema))


def npy_of(header: bytes) -> bytes:
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    "header",
    [
        b"{[]:1}",
        b"{{}}",
        b"{1,[]}",
        b"(" * 9999,
        b"-" * 9999 + b"1",
        *(
            b"{'descr': '%s', 'fortran_order': False, 'shape': (1, 1)}" % descr
            for descr in (b"f4,(", b"(2,", b",", b"i4,,", b"(" * 9999, b"\\ud800", b"f4,f4", b"2f4", b"f4\\0")
        ),
        b"{'descr': 0x%s, 'fortran_order': False, 'shape': (1, 1)}" % (b"f" * 9999),
        b"{'descr': 'f4', 'fortran_order': False, 'shape': (0x%s, 1)}" % (b"f" * 9999),
        b"{'descr': 'f4', 'fortran_order': False, 'shape': (%s)}" % (b"9" * 3000 + b"," + b"9" * 3000),
        b"{'descr': 'f4', 'fortran_order': False, 'shape': (%s)}" % (b"9999999999," * 999),
    ],
)
def test_hostile_npy_headers_end_in_errors_of_ours(header):
    s3 = InMemoryS3()
    with pytest.raises(InputError, match=r"is not a usable \.npy file") as caught:
        npy.look(s3, s3.put("a.npy", npy_of(header)), Source())
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "it is empty"),
        (b"1,2\n3,4\n", "is text, not a NumPy array"),
        (saved(np.save, np.ones((3, 2)))[:-1], "makes 176 bytes, there are 175"),
        (saved(np.save, np.ones(3)), "two dimensions"),
        (saved(np.save, np.array([["a"]])), "dtype '<U1' is not numeric"),
        (saved(np.save, np.array([[{}]], object)), "is not numeric"),
        (saved(np.save, np.ones((1, 1), complex)), "is not numeric"),
        (saved(np.save, np.ones((3, 2))).replace(b"(3, 2)", b"(3,-2)"), "is invalid"),
        (saved(np.save, np.ones((3, 2))).replace(b"\x93NUMPY\x01", b"\x93NUMPY\x04"), "format version 4"),
        (b"\x93NUMPY\x02\0\xff\xff\xff\xff" + b"x" * 99, "claims 4294967295 bytes"),
    ],
)
def test_npy_headers_are_not_believed(body, message):
    s3 = InMemoryS3()
    with pytest.raises(InputError, match=message):
        npy.look(s3, s3.put("a.npy", body), Source())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"nothing", "is text, not a NumPy archive"),
        (saved(np.savez, x=np.ones((3, 2)), y=np.ones(4)), "differ in rows: x 3, y 4"),
        (saved(np.savez, x=np.array([{}], object)), "is not numeric"),
        (saved(np.savez, x=np.ones((2, 2, 2))), r"its shape is \(2, 2, 2\)"),
        (saved(np.savez), "holds no array"),
    ],
)
def test_npz_that_is_no_table_is_refused(body, message):
    s3 = InMemoryS3()
    with pytest.raises(InputError, match=message):
        npz.look(s3, s3.put("a.npz", body), Source())


def test_columns_that_a_header_claims_take_no_memory():
    s3 = InMemoryS3()
    wide = saved(np.save, np.empty((0, 10**8), np.uint8))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("x.npy", wide)
    tracemalloc.start()
    with pytest.raises(SchemaError, match="has 100000000 columns; allowed: 4194304"):
        npy.look(s3, s3.put("a.npy", wide), Source(exclude=(0,)))
    with pytest.raises(SchemaError, match="of 100000000 columns; allowed: 1048576"):
        npz.look(s3, s3.put("a.npz", archive.getvalue()), Source())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_a_directory_of_very_many_members_is_not_read():
    entry = b"PK\1\2" + bytes(24) + b"\6\0" + bytes(16) + b"%06x"
    entries = b"".join(entry % number for number in range(200_000))
    count = 200_000 & 0xFFFF
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entries), 0, 0)
    s3 = InMemoryS3()
    with pytest.raises(InputError, match="bytes asked for at once; allowed: 8388608"):
        npz.look(s3, s3.put("a.npz", entries + end), Source())


def test_a_zip_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(archive, "TURNED_LIMIT", 2**20)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f8", "fortran_order": True, "shape": (2**22, 8)}
        )
        for _ in range(256):
            member.write(bytes(2**20))
    s3 = InMemoryS3()
    with pytest.raises(InputError, match="Fortran order, 268435584 bytes; allowed: 1048576"):
        npz.look(s3, s3.put("a.npz", out.getvalue()), Source())


def test_damaged_archives_end_in_errors_of_ours():
    made = np.random.default_rng(0)
    matrix = scipy.sparse.random_array((50, 9), density=0.3, format="csr", rng=0)
    bodies = [
        saved(np.savez, x=made.normal(size=(50, 3)), y=np.arange(50)),
        saved(np.savez_compressed, x=made.normal(size=(50, 3)), y=np.arange(50)),
        saved(scipy.sparse.save_npz, matrix),
        saved(scipy.sparse.save_npz, matrix, compressed=False),
    ]
    dice, refused = random.Random(0), 0
    for number in range(600):
        body = bytearray(dice.choice(bodies))
        if number % 4 == 0:
            body = body[: dice.randrange(len(body))]
        else:
            for _ in range(3):
                body[dice.randrange(len(body))] = dice.randrange(256)
        s3 = InMemoryS3()
        found = s3.put("a.npz", bytes(body))
        try:
            layout = npz.look(s3, found, Source())
            for _ in npz.read(s3, Piece(found, 0, layout.stop, 0), Source(), layout.schema):
                pass
        except AmazonEstimatorsError:
            refused += 1
    assert refused > 300


def test_a_file_of_another_width_is_refused():
    s3 = InMemoryS3()
    for form, name, save in ((npy, "npy", np.save), (npz, "npz", np.savez)):
        schema = form.look(s3, s3.put(f"a.{name}", saved(save, np.ones((2, 3)))), Source()).schema
        other = s3.put(f"b.{name}", saved(save, np.ones((2, 4))))
        with pytest.raises(SchemaError, match=rf"b\.{name}"):
            list(form.read(s3, Piece(other, 0, 2, 0), Source(), schema))
