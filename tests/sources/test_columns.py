"""Columns as people keep them: what pandas and scikit-learn make of them is what the shards hold."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sklearn.utils import murmurhash3_32

from amazon_estimators.algorithms import FactorizationMachines, KMeans, LinearLearner
from amazon_estimators.client.local_encoding import encode_files, plan_files
from amazon_estimators.errors import InputError, RequestError, SchemaError
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Source
from amazon_estimators.sources.columns.hashing import LONG, murmur3
from amazon_estimators.sources.files import waiting_columns
from amazon_estimators.sources.in_memory import features_of, of_memory
from amazon_estimators.sources.parquet import row_group
from sources.encoded import encoded

CITIES = ["Berlin", "Paris", "Rome"]
WORDS = [*CITIES, "Oslo", 'New "York"', "a,b", "São Paulo", '5" pipe']
TABLE = "city,age,income,churned\nBerlin,40,100,1\nRome,25,,0\nParis,NA,7,1\nOslo,10,3,0\n"
KEPT: dict[str, Any] = {"label": "churned", "one_hot": {"city": CITIES}, "fill": {"income": -1}}


def written(path: Path, frame: pd.DataFrame, kind: str) -> Path:
    """Write a data frame as a file of a kind."""
    path /= f"a.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=7)
    return path


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Customers with gaps in every column."""
    rows = draw(st.integers(1, 30))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(st.none() | values, min_size=rows, max_size=rows))

    return pd.DataFrame(
        {
            "city": pd.Series(column(st.sampled_from(WORDS)), dtype="string"),
            "age": pd.Series(column(st.floats(-1e6, 1e6, width=32)), dtype="float64"),
            "user": pd.Series(column(st.integers(0, 10**9)), dtype="Int64"),
            "income": pd.Series(column(st.integers(0, 100)), dtype="Int64"),
            "y": pd.Series(column(st.integers(0, 1)), dtype="Int64"),
        }
    )


def expected(frame: pd.DataFrame, options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """What pandas makes of it."""
    frame = frame.fillna({"income": -1})
    if options.get("drop_incomplete"):
        frame = frame.dropna()
    city = np.column_stack([frame["city"] == one for one in CITIES]).astype(np.float32)
    if options["unknown"] == "other":
        city = np.column_stack([city, 1 - city.sum(axis=1)])
    age = ((frame["age"] - 40) / 15).to_numpy(np.float32)
    user = np.zeros((len(frame), 64), np.float32)
    hashes = [murmurhash3_32(str(one), positive=True) % 64 for one in frame["user"]]
    user[np.arange(len(frame)), hashes] = 1
    income = frame["income"].to_numpy(np.float32)
    features = np.column_stack([city, age, user, income])
    return features.astype(np.float32), frame["y"].to_numpy(np.float32)


@settings(max_examples=40)
@given(frame=frames(), unknown=st.sampled_from(["zeros", "other"]), kind=st.sampled_from(["csv", "parquet"]))
def test_shards_hold_what_pandas_makes_of_the_table(
    tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame, unknown: str, kind: str
) -> None:
    options: dict[str, Any] = {
        "label": "y",
        "one_hot": {"city": CITIES},
        "unknown": unknown,
        "scale": {"age": (40, 15)},
        "hashed": {"user": 64},
        "fill": {"income": -1},
        "drop_incomplete": True,
    }
    features, labels = expected(frame, options)
    path = written(tmp_path_factory.mktemp("table"), frame, kind)
    if not len(features):
        with pytest.raises(Exception, match=r"0 of \d shards hold records"):
            encoded(path, **options)
        return
    in_file, labels_in_file = encoded(path, **options)
    np.testing.assert_array_equal(in_file, features)
    np.testing.assert_array_equal(labels_in_file, labels)
    block = features_of(frame, Source(**options))
    rows = np.zeros(features.shape, np.float32)
    at = np.repeat(np.arange(len(rows)), np.diff(block.features.indptr))
    rows[at, block.features.indices] = block.features.data
    np.testing.assert_array_equal(rows, features)


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40)), st.binary(max_size=3 * LONG))
def test_hashes_are_those_of_a_second_implementation(texts: list[bytes], long: bytes) -> None:
    texts = [*texts, long * 2, b""]
    lengths = np.array([len(text) for text in texts], np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    hashes = murmur3(np.frombuffer(b"".join(texts), np.uint8), starts, lengths)
    assert hashes.tolist() == [murmurhash3_32(text, positive=True) for text in texts]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_one_id_has_one_feature_as_text_and_as_number(tmp_path: Path, kind: str) -> None:
    """7 of integers, 7.0 of a column with gaps and "7" of text are one user."""
    feature = murmurhash3_32("7", positive=True) % 1000
    for values in ([7, 8], [7.0, None], ["7", "x"], [" 7 ", "x"]):
        frame = pd.DataFrame({"user": values, "n": [1, 2]})
        x, _ = encoded(written(tmp_path, frame, kind), KMeans, hashed={"user": 1000}, drop_incomplete=True)
        assert x[0].nonzero()[0].tolist() == [feature, 1000]
        block = features_of(frame, Source(hashed={"user": 1000}, drop_incomplete=True))
        assert block.features.indices[0] == feature


def test_user_item_and_rating_are_the_input_of_factorization_machines(tmp_path: Path) -> None:
    generator = random.Random(5)
    ratings = [
        (f"u{generator.randrange(50)}", generator.randrange(20), generator.randrange(6)) for _ in range(300)
    ]
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating\n" + "".join(f"{u},{i},{r}\n" for u, i, r in ratings))
    x, y = encoded(path, FactorizationMachines, label="rating", hashed={"user_id": 4096, "item_id": 256})
    assert x.shape == (300, 4096 + 256)
    assert y.tolist() == [rating for _, _, rating in ratings]
    for row, (user, item, _) in zip(x, ratings, strict=True):
        places = [
            murmurhash3_32(user, positive=True) % 4096,
            4096 + murmurhash3_32(str(item), positive=True) % 256,
        ]
        assert row.nonzero()[0].tolist() == places


@pytest.mark.parametrize("kind", ["Float32", "Float64", "Int16", "Int64", "boolean"])
@pytest.mark.parametrize("held", [0, 2**20], ids=["on disk", "in memory"])
def test_a_table_wider_than_memory_allows_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, held: int
) -> None:
    """Where columns wait, words are codes by then, and gaps are gaps."""
    generator = np.random.default_rng(3)
    ages: Any = generator.normal(size=500).astype(np.float32)
    if kind != "Float32":
        ages = {"Float64": ages + 1e-9, "boolean": ages > 0}.get(kind, np.round(ages * 1000))
    frame = pd.DataFrame(
        {
            "city": generator.choice(np.array([*CITIES, None, "Oslo"], object), 500),
            "age": pd.array(ages, dtype=kind),
            "y": pd.array(generator.integers(0, 2, 500), dtype="Int64"),
        }
    )
    frame.loc[::9, "y"] = pd.NA
    frame.loc[::7, "age"] = pd.NA
    path = written(tmp_path, frame, "parquet")
    options: dict[str, Any] = {
        "label": "y",
        "one_hot": {"city": CITIES},
        "unknown": "other",
        "drop_incomplete": True,
        "scale": {"age": (1, 3)},
    }
    narrow = encoded(path, **options)
    monkeypatch.setattr(row_group, "AT_ONCE_BYTES", 1)
    monkeypatch.setattr(row_group, "BATCH_BYTES", 25)
    monkeypatch.setattr(waiting_columns, "HELD_BYTES", held)
    wide = encoded(path, **options)
    np.testing.assert_array_equal(wide[0], narrow[0])
    np.testing.assert_array_equal(wide[1], narrow[1])
    row = frame.index[(frame["city"] == "Oslo") & frame.notna().all(axis=1)][0]
    with pytest.raises(InputError, match=rf"row {row}, column 0 \('city'\): 'Oslo' is not listed in one_hot"):
        encoded(path, **{**options, "unknown": "refuse"})


@pytest.mark.parametrize("dialect", ["plain", "backslash", "tabs", "blanks", "decimal commas"])
def test_words_keep_quotes_delimiters_and_newlines(tmp_path: Path, dialect: str) -> None:
    words = ['say "yes"', "a, b", "two\nlines", "plain", "Ünï"]
    options: dict[str, Any] = {"one_hot": {"word": words}, "label": "n"}
    frame = pd.DataFrame({"word": words * 3, "x": np.arange(15) / 4, "n": range(15)})
    path = tmp_path / "a.csv"
    if dialect == "backslash":
        text = "word,x,n\n"
        for word, x, n in frame.itertuples(index=False):
            escaped = word.replace('"', '\\"')
            text += f'"{escaped}",{x},{n}\n'
        path.write_text(text)
    elif dialect == "tabs":
        path = tmp_path / "a.tsv"
        frame.to_csv(path, index=False, sep="\t")
    elif dialect == "blanks":
        words[2] = "two lines"  # every newline ends a record there
        frame["word"] = words * 3
        frame.to_csv(path, index=False, sep=" ")
        options["delimiter"] = " "
    elif dialect == "decimal commas":
        frame.to_csv(path, index=False, sep=";", decimal=",")
        options |= {"delimiter": ";", "decimal": ","}
    else:
        frame.to_csv(path, index=False)
    x, y = encoded(path, **options)
    np.testing.assert_array_equal(x[:, :5].argmax(axis=1), np.arange(15) % 5)
    np.testing.assert_array_equal(x[:, 5], np.arange(15) / 4)
    np.testing.assert_array_equal(y, range(15))


@pytest.mark.parametrize("mark", ["", "NA", " n/a ", "?", "nan", "-nan(ind)", '"NA"', "NULL"])
def test_every_mark_of_a_gap_is_a_gap(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"a,b\n1,2\n{mark},3\n4,5\n")
    np.testing.assert_array_equal(encoded(path, KMeans, fill={"a": 9})[0], [[1, 2], [9, 3], [4, 5]])
    np.testing.assert_array_equal(encoded(path, KMeans, drop_incomplete=True)[0], [[1, 2], [4, 5]])
    with pytest.raises(InputError, match="row 1, column 0"):
        encoded(path, KMeans, fill={"b": 0})


def test_a_word_that_is_listed_is_no_mark_of_a_gap(tmp_path: Path) -> None:
    """NA is Namibia where it is listed; elsewhere it is a gap, as pandas reads it."""
    path = tmp_path / "a.csv"
    path.write_text("country,x\nNA,1\nDE,2\n")
    np.testing.assert_array_equal(
        encoded(path, KMeans, one_hot={"country": ["DE", "NA"]})[0], [[0, 1, 1], [1, 0, 2]]
    )
    with pytest.raises(InputError, match=r"column 0 \('country'\): no value"):
        encoded(path, KMeans, one_hot={"country": ["DE"]}, unknown="zeros")


def test_numbers_are_scaled_before_they_are_rounded(tmp_path: Path) -> None:
    """Seconds since 1970 are beyond what float32 tells apart, their distance from a day is not."""
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{1_700_000_000 + second},1\n" for second in range(50)))
    x, _ = encoded(path, KMeans, scale={0: (1_700_000_000, 1)}, header="absent")
    np.testing.assert_array_equal(x[:, 0], range(50))


@pytest.mark.parametrize("kind", ["int64", "uint64"])
@pytest.mark.parametrize("fill", [0, 0.0])
def test_labels_are_whole_numbers_where_gaps_are_filled(tmp_path: Path, kind: str, fill: float) -> None:
    """A label that float32 would round is refused, whatever type the value has that fills others."""
    labels = pa.array([2**24 + 1, None, 5], kind)
    parquet.write_table(pa.table({"x": [1.0, 2.0, 3.0], "y": labels}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"row 0, label, .*16777217 has no exact float32"):
        encoded(tmp_path / "a.parquet", label="y", fill={"y": fill})


def test_arrays_have_gaps_and_categories_too(tmp_path: Path) -> None:
    table = np.array([[1, np.nan, 3], [2, 5, 1], [3, 6, 2]])
    np.save(tmp_path / "a.npy", table)
    options: dict[str, Any] = {"fill": {1: 4}, "one_hot": {2: [1, 2, 3]}, "scale": {0: (1, 2)}}
    want = [[0, 4, 0, 0, 1], [0.5, 5, 1, 0, 0], [1, 6, 0, 1, 0]]
    np.testing.assert_array_equal(encoded(tmp_path / "a.npy", KMeans, **options)[0], want)
    np.testing.assert_array_equal(features_of(table, Source(**options)).features, want)
    np.savez(tmp_path / "a.npz", x=table, y=np.array([0, 1, 2]))
    x, y = encoded(tmp_path / "a.npz", label="y", drop_incomplete=True, scale={"x": (1, 1)})
    np.testing.assert_array_equal(x, table[1:] - 1)
    np.testing.assert_array_equal(y, [1, 2])
    with pytest.raises(SchemaError, match="it holds numbers, and one_hot lists 'Rome'"):
        encoded(tmp_path / "a.npy", KMeans, one_hot={2: ["Rome"]})


def test_directories_are_words_and_gaps(tmp_path: Path) -> None:
    for number, city in enumerate(("Berlin", "Rome", "__HIVE_DEFAULT_PARTITION__")):
        (tmp_path / f"city={city}").mkdir()
        (tmp_path / f"city={city}" / "a.csv").write_text(f"a,b\n{number},NA\n{number},2\n")
    options: dict[str, Any] = {"one_hot": {"city": ["Berlin", "Rome"]}, "fill": {"b": 7}}
    x, _ = encoded(tmp_path, KMeans, drop_incomplete=True, **options)
    np.testing.assert_array_equal(x, [[0, 7, 1, 0], [0, 2, 1, 0], [1, 7, 0, 1], [1, 2, 0, 1]])
    with pytest.raises(InputError, match=r"column 2 \('city'\): no value"):
        encoded(tmp_path, KMeans, **options)


def sealed(path: Path, out: Path, instances: int, **options: Any) -> RecordSet:
    return encode_files(
        [path],
        out,
        LinearLearner,
        channel="train",
        source=Source(**options),
        instance_count=instances,
        target_shard_bytes=2**20,
        prefix="s3://b/p/",
        progress=lambda *_: None,
    )


def test_a_record_set_tells_rows_left_out_and_features_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    record_set = sealed(
        tmp_path / "a.csv", tmp_path / "out", 1, unknown="zeros", drop_incomplete=True, **KEPT
    )
    assert (record_set.num_records, record_set.dropped, record_set.feature_dim) == (3, 1, 5)
    assert "1 of 4 rows were left out" in record_set.describe()
    assert record_set.read_as is not None
    assert record_set.read_as.features == ("city=Berlin", "city=Paris", "city=Rome", "age", "income")
    assert any("one_hot city as 3 words; fill income with -1" in line for line in record_set.read_as.lines)
    kept = of_memory(Source.from_dict(record_set.read_as.source))
    block = features_of(pd.read_csv(tmp_path / "a.csv"), kept)
    assert isinstance(block.features, np.ndarray)
    assert block.features.tolist()[0] == [1, 0, 0, 40, 100]
    assert block.labels is not None and block.labels.tolist() == [1, 0, 0]
    assert (
        Source.from_dict(record_set.read_as.source).rules
        == Source(unknown="zeros", drop_incomplete=True, **KEPT).rules
    )


def test_a_shard_that_loses_all_its_rows_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "NA,0\n" * 10 + "1,1\n" * 20)
    record_set = sealed(path, tmp_path / "one", 1, label="y", drop_incomplete=True)
    assert (record_set.num_records, record_set.dropped) == (20, 10)
    with pytest.raises(
        Exception, match="2 of 3 shards hold records, for 3 instances; rows left out"
    ) as caught:
        sealed(path, tmp_path / "three", 3, label="y", drop_incomplete=True)
    assert "Fill gaps" in str(caught.value)
    record_set = sealed(path, tmp_path / "filled", 3, label="y", fill={"x": 0})
    assert (record_set.num_records, record_set.num_shards, record_set.dropped) == (30, 3, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fill": {"a": "x"}}, "fill of 'a' is 'x', and the column is one of numbers"),
        ({"fill": {"a": float("nan")}}, "allowed: a number or a word"),
        ({"fill": 3}, "allowed: values by column"),
        ({"fill": {"a": 1}, "exclude": ["a"]}, "fill names 'a', and exclude holds it"),
        ({"fill": {"a": 1}, "features": ["b"]}, "fill names 'a', and features does not hold it"),
        ({"one_hot": {"a": "Rome"}}, "allowed: a list of 1 to 65,536 different words"),
        ({"one_hot": {"a": ["x", "x"]}}, "allowed: a list of 1 to 65,536 different words"),
        ({"one_hot": {"a": []}}, "allowed: a list of 1 to 65,536 different words"),
        ({"one_hot": {"a": ["x"]}, "fill": {"a": "y"}}, "which its one_hot does not list; allowed: 'x'"),
        ({"one_hot": {"a": ["x"]}, "unknown": "drop"}, "unknown is 'drop'; allowed: refuse, zeros, other"),
        ({"unknown": "zeros"}, "nothing is one_hot; leave it out"),
        ({"hashed": {"a": 0}}, "allowed: a whole number of features, 1 to 2,147,483,647"),
        ({"hashed": {"y": 3}, "label": "y"}, "hashed names 'y', which is the label"),
        ({"hashed": {"a": 3}, "one_hot": {"a": ["x"]}}, "'a' is one_hot and hashed"),
        ({"hashed": {"a": 3}, "scale": {"a": (0, 1)}}, "there is no number to scale"),
        ({"scale": {"a": (0, 0)}}, "a pair (mean, deviation) of numbers, the deviation not 0"),
        ({"scale": {"a": 3}}, "a pair (mean, deviation) of numbers, the deviation not 0"),
        ({"drop_incomplete": "yes"}, "drop_incomplete is 'yes'; allowed: True, False"),
        ({"fill": {1: 0}, "format": "libsvm"}, "format 'libsvm' has no such option"),
        ({"fill": {"a": 0}, "format": "npy"}, "has no column names, so there is no 'a'"),
        ({"one_hot": {"a": ["x"]}, "header": "absent", "format": "csv"}, "so there is no column 'a'"),
    ],
)
def test_rules_that_contradict_are_refused_when_they_are_written(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        Source(**options)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fill": {"town": 0}}, "has no column 'town'; its columns: 'city', 'age', 'income', 'churned'"),
        ({"fill": {"age": 0, 1: 3}}, "fill names 1 twice"),
        (
            {"fill": {"age": 0}, "features": [2]},
            "fill names column 1 ('age'), which is neither feature nor label",
        ),
        ({"hashed": {0: 2**31 - 1, 1: 5}}, "become 2,147,483,653 sparse features; allowed: 2,147,483,647"),
    ],
)
def test_rules_that_do_not_fit_the_columns_are_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    with pytest.raises(SchemaError) as caught:
        plan_files(
            [tmp_path / "a.csv"],
            LinearLearner,
            channel="train",
            source=Source(label="churned", **options),
            instance_count=1,
            target_shard_bytes=2**20,
        )
    assert message in caught.value.message


def test_a_matrix_without_columns_takes_no_rules(tmp_path: Path) -> None:
    (tmp_path / "a.libsvm").write_text("1 1:2\n")
    with pytest.raises(InputError, match="format 'libsvm' has no columns for drop_incomplete"):
        encoded(tmp_path / "a.libsvm", drop_incomplete=True)


def test_a_value_of_a_row_after_one_left_out_is_named_by_its_own_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\nNA,1\n2,inf\n")
    with pytest.raises(InputError, match=r"row 1, column 1 \('b'\): inf is not a finite number"):
        encoded(path, KMeans, drop_incomplete=True)
    np.save(file := io.BytesIO(), np.array([[np.nan, 1], [2, np.inf]]))
    (tmp_path / "a.npy").write_bytes(file.getvalue())
    with pytest.raises(InputError, match="row 1, column 1: inf is not a finite number"):
        encoded(tmp_path / "a.npy", KMeans, drop_incomplete=True)
