"""What cannot become a RecordSet ends in a typed error that names it, before or while it is encoded."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
from pipeline_runs import Pipeline
from pyarrow import parquet

from amazon_estimators.errors import (
    HyperparameterError,
    InputError,
    InstanceError,
    NoInputError,
    RecordSetError,
    RequestError,
    SchemaError,
)
from amazon_estimators.recordio import encode_dense, encode_sparse

REGRESSION = {"algorithm": "LinearLearner", "hyperparameters": {"predictor_type": "regressor"}}


def test_no_input(pipeline: Pipeline) -> None:
    pipeline.put("train/.hidden.csv", b"1,2\n")
    pipeline.put("train/_SUCCESS", b"")
    with pytest.raises(NoInputError, match=r"channel train: no object under s3://data-.*/input/train/"):
        pipeline.plan()
    assert pipeline.all_keys("recordsets/") == []


def test_the_last_of_the_files_disagrees(pipeline: Pipeline) -> None:
    for number in range(30):
        pipeline.put(f"train/{number:02d}.csv", b"a,b,c\n1,2,3\n")
    pipeline.put("train/99.csv", b"a,b,d\n1,2,3\n")
    with pytest.raises(
        SchemaError, match=r"train/00\.csv and .*train/99\.csv disagree: column 2 is 'c' against 'd'"
    ):
        pipeline.plan()


@pytest.mark.parametrize("odd", ["0300", "0599"])
def test_one_of_very_many_files_disagrees(
    pipeline: Pipeline, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plan looks at a sample, the last one included; Encode finds what it passed over."""
    monkeypatch.setattr("amazon_estimators.pipeline.input_scan.MOST_LOOKED_AT", 20)
    monkeypatch.setattr("amazon_estimators.pipeline.input_scan.SAMPLED", 4)
    for number in range(25):
        pipeline.put(f"train/{number:04d}.csv", b"1,2,3\n4,5,6\n")
    pipeline.put("train/0599.csv", b"1,2,3,4\n" if odd == "0599" else b"1,2,3\n")
    pipeline.put("train/0007.csv", b"1,2,3,4\n" if odd == "0300" else b"1,2,3\n")
    looked_over = {"0300": "0007", "0599": "0599"}[odd]
    with pytest.raises(
        SchemaError, match=rf"train/0000\.csv and .*{looked_over}\.csv disagree: 3 columns against 4"
    ):
        pipeline.train()
    assert bool(pipeline.all_keys("recordsets/")) == (odd == "0300")
    assert not [key for key in pipeline.all_keys() if key.endswith((".amazon.manifest", ".pbr"))]


def test_one_of_very_many_files_is_no_such_file(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amazon_estimators.pipeline.input_scan.MOST_LOOKED_AT", 2)
    monkeypatch.setattr("amazon_estimators.pipeline.input_scan.SAMPLED", 2)
    for number in range(4):
        pipeline.put_array(f"train/{number}.npy", np.ones((2, 3), np.float32))
    pipeline.put("train/2.npy", b"not numpy at all")
    with pytest.raises(
        InputError, match=r"train/2\.npy is text, not a NumPy array.*train/0\.npy is as expected"
    ):
        pipeline.train()


BAD_VALUES: dict[str, tuple[float, str]] = {
    "nan": (float("nan"), "nan is not a finite number"),
    "infinity": (float("-inf"), "-inf is not a finite number"),
    "beyond float32": (1e300, r"1e\+300 is beyond float32"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
@pytest.mark.parametrize("column", [0, 2, 4])
@pytest.mark.parametrize("row", [0, 57, 99])
def test_a_value_that_is_no_float32_is_named(pipeline: Pipeline, case: str, column: int, row: int) -> None:
    value, reason = BAD_VALUES[case]
    table = np.ones((100, 5), np.float64)
    table[row, column] = value
    pipeline.put_array("train/a.npy", table)
    pipeline.settings |= REGRESSION | {"instance_count": 3}
    pipeline.settings["channels"] = {"train": {"label": 2}}
    what = "label, column 2" if column == 2 else f"column {column}"
    with pytest.raises(InputError, match=rf"train/a\.npy, row {row}, {what}: {reason}"):
        pipeline.train()


def test_a_named_column_is_named(pipeline: Pipeline) -> None:
    pipeline.put("train/a.csv", b"price,rooms,area\n" + b"1,2,3\n" * 20 + b"1,nan,3\n")
    pipeline.settings |= REGRESSION
    pipeline.settings["channels"] = {"train": {"label": "price", "features": ["area", "rooms"]}}
    with pytest.raises(InputError, match=r"a\.csv, row 20, column 1 \('rooms'\): .*nan"):
        pipeline.train()


def test_integer_labels_are_never_rounded(pipeline: Pipeline) -> None:
    table = np.zeros((10, 3), np.int64)
    table[6, 0] = 2**24 + 1
    pipeline.put_array("train/a.npy", table)
    pipeline.settings |= REGRESSION
    pipeline.settings["channels"] = {"train": {"label": 0}}
    with pytest.raises(InputError, match=r"row 6, label, column 0: 16777217 has no exact float32"):
        pipeline.train()


BEYOND_2_53: dict[str, tuple[Any, list[int]]] = {
    "int64": (np.int64, [2**53, 2**53 + 1]),
    "negative": (np.int64, [-(2**63), -(2**53) - 1]),
    "int64, largest": (np.int64, [2**62, 2**63 - 1]),
    "uint64": (np.uint64, [2**63, 2**63 + 1]),
    "uint64, largest": (np.uint64, [2**63, 2**64 - 1]),
    "int32, largest": (np.int32, [2**30, 2**31 - 1]),
}


@pytest.mark.parametrize("case", BEYOND_2_53)
@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
def test_large_integer_labels_never_become_one(pipeline: Pipeline, kind: str, case: str) -> None:
    dtype, labels = BEYOND_2_53[case]
    for count in 1, 2:
        y, x = np.array(labels[:count], dtype), np.ones(count, dtype)
        out = io.BytesIO()
        if kind == "npy":
            np.save(out, np.column_stack([x, y]))
        elif kind == "npz":
            np.savez(out, x=x, y=y)
        else:
            parquet.write_table(pa.table({"x": x, "y": y}), out)
        pipeline.put(f"train/a.{kind}", out.getvalue())
        pipeline.settings |= REGRESSION
        pipeline.settings["channels"] = {"train": {"label": 1}}
        if count == 1:
            pipeline.train()
    with pytest.raises(InputError, match=rf"row 1, label, column 1.*: {labels[1]} has no exact float32"):
        pipeline.train()


def npz_of(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


BEYOND: dict[str, tuple[bytes, dict[str, Any]]] = {
    "npz": (npz_of(y=np.ones(3), z=np.ones(3), x=np.array([[1, 1], [1, 1], [1, 1e39]])), {"label": "y"}),
    "npz label": (npz_of(x=np.ones((3, 2)), y=np.array([1, 1, 1e39])), {"label": "y"}),
    "npz chosen": (
        npz_of(x=np.array([[1, 1], [1, 1], [1e39, 1]]), y=np.ones(3), z=np.ones(3)),
        {"label": "y", "features": ["z", "x[0]"]},
    ),
    "libsvm": (b"1 1:2\n1 1:2\n1 1:2 2:1e39\n", {}),
    "csv": (b'y,a,x\n1,"2\n",1\n1,2,1\n1,"x",1e39\n', {"label": "y", "exclude": ["a"]}),
    "csv label": (b"x,y\n1,2\n1,2\n1,1e39\n", {"label": "y"}),
}


@pytest.mark.parametrize("case", BEYOND)
def test_a_value_beyond_float32_is_shown_whatever_the_format(pipeline: Pipeline, case: str) -> None:
    body, source = BEYOND[case]
    pipeline.put(f"train/a.{case.partition(' ')[0]}", body)
    pipeline.settings |= REGRESSION
    pipeline.settings["channels"] = {"train": source}
    column = {
        "npz": r"column 3 \('x\[1\]'\)",
        "npz label": r"label, column 2 \('y'\)",
        "npz chosen": r"column 0 \('x\[0\]'\)",
        "libsvm": "column 1",
        "csv": r"column 2 \('x'\)",
        "csv label": r"label, column 1 \('y'\)",
    }[case]
    counted = ", without the header" if "csv" in case else ""
    message = (
        rf"row 2, {column}: 1e\+39 is beyond float32\nRows are counted from 0{counted}\. float32 reaches"
    )
    with pytest.raises(InputError, match=message):
        pipeline.train()


@pytest.mark.parametrize("header", [b"", b"y,x\n"])
def test_rows_of_text_are_counted_without_the_header(pipeline: Pipeline, header: bytes) -> None:
    pipeline.put("train/a.csv", header + b"1,2\n1,nan\n")
    pipeline.settings |= REGRESSION
    pipeline.settings["channels"] = {"train": {"label": 0}}
    with pytest.raises(
        InputError, match=r"row 1, column 1.*\nRows are counted from 0, without the header\. F"
    ):
        pipeline.train()


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint16, np.int64, np.uint64, np.bool_, np.float16, ">f8", ">i4"]
)
def test_every_numeric_dtype_is_encoded(pipeline: Pipeline, dtype: Any) -> None:
    table = (np.arange(30) % 2).reshape(10, 3).astype(dtype)
    pipeline.put_array("train/a.npy", table)
    planned = pipeline.train()
    assert b"".join(pipeline.shards(planned)) == bytes(encode_dense(table.astype(np.float32)))


def test_a_label_that_is_needed(pipeline: Pipeline) -> None:
    pipeline.put("train/a.csv", b"price,rooms\n1,2\n")
    pipeline.settings |= REGRESSION
    with pytest.raises(RequestError, match=r"names none of the 2 columns of .*a\.csv \('price', 'rooms'\)"):
        pipeline.plan()


CHANNELS = {
    "no train": ({"test": {}}, "channel train is required"),
    "unknown": ({"train": {}, "extra": {}}, "there is no channel 'extra'; allowed: train, test"),
    "no such option": ({"train": {"lable": 1}}, "lable"),
}


@pytest.mark.parametrize("case", CHANNELS)
def test_channels_the_algorithm_does_not_take(pipeline: Pipeline, case: str) -> None:
    channels, reason = CHANNELS[case]
    pipeline.put("train/a.csv", b"1,2\n")
    pipeline.settings["channels"] = channels
    with pytest.raises(RequestError, match=reason):
        pipeline.plan()


def test_a_label_where_none_is_taken(pipeline: Pipeline) -> None:
    pipeline.put("train/a.csv", b"1,2\n")
    pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "10", "vector_dim": "8"},
        "channels": {"train": {"label": 0}},
    }
    with pytest.raises(RequestError, match="channel train takes no label, but its Source names 0"):
        pipeline.plan()


@pytest.mark.parametrize("kept", [True, False])
def test_the_label_of_every_libsvm_line_where_none_is_taken(pipeline: Pipeline, kept: bool) -> None:
    pipeline.put("train/a.libsvm", b"1 1:0.5 3:2\n0 2:1.5\n" * 10)
    pipeline.settings |= {
        "algorithm": "RandomCutForest",
        "hyperparameters": {},
        "channels": {"train": {"feature_count": 3, "keep_labels": kept}},
    }
    if kept:
        with pytest.raises(RequestError, match=r"every line of .*a\.libsvm has one\nDrop the labels"):
            pipeline.plan()
        return
    planned = pipeline.plan()
    pipeline.encode(planned, pipeline.items(planned)[0])


@pytest.mark.parametrize("kind", ["table", "matrix"])
def test_npz_without_a_label_where_one_is_needed(pipeline: Pipeline, kind: str) -> None:
    """Refused before a shard is encoded: the label would be a feature, and Seal would find none."""
    if kind == "table":
        body, said = npz_of(x=np.ones((4, 2)), y=np.ones(4)), r"none of the 3 .*\('x\[0\]', 'x\[1\]', 'y'\)"
    else:
        file = io.BytesIO()
        scipy.sparse.save_npz(file, scipy.sparse.csr_array(np.eye(4)))
        body, said = (
            file.getvalue(),
            r"the sparse matrix .*a\.npz has none\nAdd the labels to the file of the matrix",
        )
    pipeline.put("train/a.npz", body)
    pipeline.settings |= {"algorithm": "LinearLearner", "hyperparameters": {"predictor_type": "regressor"}}
    with pytest.raises(RequestError, match=said):
        pipeline.plan()
    assert pipeline.all_keys("recordsets/") == []


def test_every_format_of_a_channel_is_asked_for_its_labels(pipeline: Pipeline) -> None:
    pipeline.put("train/a.libsvm", b"1 1:0.5 3:2\n0 2:1.5\n" * 10)
    file = io.BytesIO()
    scipy.sparse.save_npz(file, scipy.sparse.csr_array(np.eye(3)))
    pipeline.put("train/b.npz", file.getvalue())
    pipeline.settings |= {"algorithm": "LinearLearner", "hyperparameters": {"predictor_type": "regressor"}}
    with pytest.raises(RequestError, match=r"the sparse matrix .*b\.npz has none"):
        pipeline.plan()


def test_sparse_rows_stay_sparse(pipeline: Pipeline) -> None:
    pipeline.put("train/a.libsvm", b"1 1:0.5 3:2\n0 2:1.5\n" * 10)
    pipeline.settings |= {"algorithm": "FactorizationMachines", "instance_count": 2}
    pipeline.settings["hyperparameters"] = {"num_factors": "2", "predictor_type": "binary_classifier"}
    pipeline.settings["channels"] = {"train": {"feature_count": 1_000_000}}
    planned = pipeline.train()
    facts = pipeline.facts(planned)
    assert (facts["sparse"], facts["feature_dim"], facts["num_records"]) == (True, 1_000_000, 20)
    assert facts["labels"] == {"minimum": 0, "maximum": 1, "integral": True}
    data = np.array([0.5, 2, 1.5] * 10, np.float32)
    indices, indptr = np.array([0, 2, 1] * 10), np.cumsum([0, *[2, 1] * 10])
    labels = np.array([1, 0] * 10, np.float32)
    whole = encode_sparse((data, indices, indptr, (20, 1_000_000)), labels)
    assert b"".join(pipeline.shards(planned)) == bytes(whole)


def test_a_sparse_value_that_is_no_number_is_named(pipeline: Pipeline) -> None:
    pipeline.put("train/a.libsvm", b"1 1:0.5\n" * 7 + b"0 2:1.5 3:nan\n")
    pipeline.settings["channels"] = {"train": {"feature_count": 3, "keep_labels": False}}
    with pytest.raises(InputError, match=r"a\.libsvm, row 7, column 2: nan"):
        pipeline.train()


def test_several_problems_are_in_one_error(pipeline: Pipeline) -> None:
    pipeline.settings["channels"] = {"extra": {}}
    pipeline.settings["distributions"] = {"test": "FullyReplicated"}
    with pytest.raises(RequestError) as error:
        pipeline.plan()
    for part in ("train is required", "no channel 'extra'", "distributions names 'test'"):
        assert part in str(error.value)


SETTINGS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "zero instances": ({"instance_count": 0}, RequestError, "instance_count is 0"),
    "half an instance": ({"instance_count": 1.5}, RequestError, "instance_count is 1.5"),
    "no target": ({"target_shard_bytes": "large"}, RequestError, "target_shard_bytes is 'large'"),
    "long prefix": ({"prefix": "x" * 201}, RequestError, "prefix has 201 bytes"),
    "unknown setting": ({"colour": "red"}, RequestError, "missing none, unknown colour"),
    "unknown algorithm": ({"algorithm": "KMean"}, RequestError, "Did you mean 'KMeans'"),
    "bad hyperparameter": ({"hyperparameters": {"k": "0"}}, HyperparameterError, "k"),
    "bad instance": ({"instance_type": "large"}, InstanceError, "large"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings(pipeline: Pipeline, case: str) -> None:
    change, error, reason = SETTINGS[case]
    pipeline.put("train/a.csv", b"1,2\n")
    pipeline.settings |= change
    with pytest.raises(error, match=reason):
        pipeline.plan()


INPUTS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "unknown key": ({"hyperparameter": {}}, RequestError, "'hyperparameter'; allowed: .*hyperparameters"),
    "no object": ({"hyperparameters": "k=3"}, RequestError, "hyperparameters is 'k=3'"),
    "unknown name": ({"hyperparameters": {"kk": "3"}}, HyperparameterError, "'kk'"),
    "bad value": ({"hyperparameters": {"k": "many"}}, HyperparameterError, "many"),
}


@pytest.mark.parametrize("case", INPUTS)
def test_execution_input(pipeline: Pipeline, case: str) -> None:
    given, error, reason = INPUTS[case]
    with pytest.raises(error, match=reason):
        pipeline.plan(**given)


def test_fewer_records_than_instances(pipeline: Pipeline) -> None:
    pipeline.put_array("train/a.npy", np.ones((2, 3), np.float32))
    pipeline.settings["instance_count"] = 3
    with pytest.raises(InputError, match="2 records for 3 instances"):
        pipeline.plan()


def test_replicated_channels_need_no_shard_an_instance(pipeline: Pipeline) -> None:
    pipeline.put_array("train/a.npy", np.ones((4, 3), np.float32))
    pipeline.put_array("test/a.npy", np.ones((1, 3), np.float32))
    pipeline.settings |= {"instance_count": 3, "channels": {"train": {}, "test": {}}}
    planned = pipeline.train()
    assert [len(pipeline.shards(planned, name)) for name in ("train", "test")] == [3, 1]
    pipeline.settings["distributions"] = {"test": "ShardedByS3Key"}
    with pytest.raises(InputError, match="channel test: 1 records for 3 instances"):
        pipeline.plan("two")


def test_an_instance_would_get_no_records(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are not counted, that shows when they are encoded."""
    monkeypatch.setattr("amazon_estimators.encodings.text_lines.COUNTED_BYTES", 10)
    pipeline.settings |= {
        "algorithm": "IPInsights",
        "hyperparameters": {"num_entity_vectors": "10", "vector_dim": "8"},
        "instance_count": 3,
    }
    pipeline.put("train/a.csv", b"two" * 100 + b",1.2.3.4\none,1.2.3.4\n")
    with pytest.raises(RecordSetError, match="2 of 3 shards hold records, for 3 instances"):
        pipeline.train()
    pipeline.settings["instance_count"] = 2
    planned = pipeline.train("two")
    assert len(pipeline.shards(planned)) == 2
