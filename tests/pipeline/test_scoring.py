"""Scoring: rows read as the training data were, one prediction for each, in their order; or an error."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline_runs import Pipeline
from scoring_runs import JOB, Scoring

from amazon_estimators.errors import (
    InputError,
    ModelError,
    NoInputError,
    PredictionsError,
    RecordSetError,
    RequestError,
    SchemaError,
)
from amazon_estimators.pipeline.current_model import SCHEMA as CURRENT_SCHEMA
from amazon_estimators.pipeline.current_model import CurrentModel, current_model_values
from amazon_estimators.pipeline.keys import current_model_key
from amazon_estimators.storage.documents import put_document

RNG = np.random.default_rng(17)


def table(columns: dict[str, np.ndarray]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return text.getvalue().encode()


def as_parquet(columns: dict[str, list[float | None]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def as_npz(columns: dict[str, list[float]]) -> bytes:
    file = io.BytesIO()
    arrays: dict[str, Any] = {name: np.array(values) for name, values in columns.items()}
    np.savez(file, **arrays)
    return file.getvalue()


def rows_of(parts: list[bytes]) -> list[dict[str, str]]:
    """The rows of all parts, each of which has its own header."""
    return [row for part in parts for row in csv.DictReader(io.StringIO(part.decode()))]


@pytest.fixture
def named(pipeline: Pipeline) -> Scoring:
    """A model of the columns a, b and c; training had a label too."""
    columns = {name: RNG.normal(size=20).round(3) for name in ("a", "price", "b", "c")}
    pipeline.put("train/rows.csv", table(columns))
    return Scoring(pipeline, exclude=["price"])


@pytest.fixture
def unnamed(pipeline: Pipeline) -> Scoring:
    """A model of three columns without names."""
    pipeline.put_array("train/rows.npy", RNG.normal(size=(20, 3)))
    return Scoring(pipeline)


def test_sixteen_shards_with_an_empty_and_an_odd_file_keep_the_order(named: Scoring) -> None:
    """One file is empty, one has a header alone, one begins with a byte order mark."""
    features = RNG.normal(size=(4_000, 3)).round(4)
    columns = {"a": features[:, 0], "b": features[:, 1], "c": features[:, 2]}
    named.put("part-00.csv", table({name: column[:1500] for name, column in columns.items()}))
    named.put("part-01.csv", b"")
    named.put("part-02.csv", b"a,b,c\n")
    named.put("part-03.csv", b"\xef\xbb\xbf" + table({n: c[1500:] for n, c in columns.items()}))
    named.settings["target_shard_bytes"] = 1 + 4_000 * 36 // 16
    manifest, parts = named.run()
    assert len(parts) == 16
    assert manifest["rows"] == 4_000
    found = rows_of(parts)
    expected = named.model.predict(features.astype(np.float32))
    assert [int(row["closest_cluster"]) for row in found] == expected["closest_cluster"].tolist()
    distances = np.array([row["distance_to_cluster"] for row in found], np.float32)
    np.testing.assert_array_equal(distances, expected["distance_to_cluster"])
    assert [part["rows"] for part in manifest["parts"]] == [len(rows_of([part])) for part in parts]


def test_kept_columns_stand_beside_their_rows_over_sixteen_shards(named: Scoring) -> None:
    """Ids beyond float32, words in quotes with newlines and commas, gaps: as they are in the input."""
    features = RNG.normal(size=(3_000, 3)).round(4)
    ids = 2**53 + np.arange(3_000) * 7
    words = np.array([f'row "{at}",\nof many' if at % 3 else "" for at in range(3_000)], object)
    columns = {"name": words, "c": features[:, 2], "b": features[:, 1], "id": ids, "a": features[:, 0]}
    named.put("part-00.csv", table({name: column[:700] for name, column in columns.items()}))
    named.put("part-01.csv", b"")
    named.put("part-02.csv", table({name: column[700:] for name, column in columns.items()}))
    named.settings |= {"target_shard_bytes": 1 + 3_000 * 36 // 16, "keep": ["id", "name"]}
    manifest, parts = named.run()
    assert len(parts) == 16
    assert [column["name"] for column in manifest["columns"][:2]] == ["id", "name"]
    found = rows_of(parts)
    assert [int(row["id"]) for row in found] == ids.tolist()
    assert [row["name"] for row in found] == words.tolist()
    expected = named.model.predict(features.astype(np.float32))["closest_cluster"].tolist()
    assert [int(row["closest_cluster"]) for row in found] == expected


@pytest.mark.parametrize("kind", ["parquet", "npz"])
def test_columns_of_other_formats_are_kept(named: Scoring, kind: str) -> None:
    file = io.BytesIO()
    columns: dict[str, Any] = {name: RNG.normal(size=50) for name in "abc"}
    columns["id"] = 2**40 + np.arange(50)
    if kind == "parquet":
        words = ["yes", None] * 25
        pq.write_table(pa.table({**columns, "word": words}), file, row_group_size=20)
        named.settings["keep"] = ["word", "id"]
    else:
        np.savez(file, **columns)
        named.settings["keep"] = ["id"]
    named.settings["format"] = "jsonlines"
    named.put(f"rows.{kind}", file.getvalue())
    _, parts = named.run()
    found = [json.loads(line) for part in parts for line in part.splitlines()]
    assert [row["id"] for row in found] == columns["id"].tolist()
    if kind == "parquet":
        assert [row["word"] for row in found] == words


def test_a_column_to_keep_that_is_not_there_is_an_error_of_plan(named: Scoring) -> None:
    named.put("a.csv", table(dict.fromkeys("abc", np.ones(2))))
    named.settings["keep"] = ["id"]
    with pytest.raises(SchemaError, match="no column 'id'"):
        named.plan()


def test_sparse_lines_have_no_columns_to_keep(pipeline: Pipeline) -> None:
    pipeline.put("train/rows.libsvm", b"1 1:0.5 3:2\n0 2:1\n")
    scoring = Scoring(pipeline)
    scoring.put("a.libsvm", b"0 1:1 2:2\n0 3:1\n")
    assert len(rows_of(scoring.run("first")[1])) == 2
    scoring.settings["keep"] = [0]
    with pytest.raises(InputError, match="no columns to keep"):
        scoring.plan("second")


def test_words_and_gaps_become_features_as_in_training(pipeline: Pipeline) -> None:
    pipeline.put("train/rows.csv", b"city,age,price\nRome,20,1\nBonn,,2\nRome,30,3\n")
    rules = {"one_hot": {"city": ["Rome", "Bonn"]}, "fill": {"age": 5, "price": 0}, "scale": {"age": (10, 2)}}
    scoring = Scoring(pipeline, label="price", drop_incomplete=True, **rules)
    scoring.put("a.csv", b"id,age,city\n7,12,Bonn\n8,,Rome\n")
    scoring.settings["keep"] = ["id"]
    _, parts = scoring.run()
    expected = scoring.model.predict(np.array([[0, 1, 1], [1, 0, -2.5]], np.float32))
    found = rows_of(parts)
    assert [row["id"] for row in found] == ["7", "8"]
    assert [int(row["closest_cluster"]) for row in found] == expected["closest_cluster"].tolist()
    scoring.put("a.csv", b"id,age,city\n7,12,\n")
    scoring.plan("second")
    with pytest.raises(InputError, match="row 0"):
        scoring.encode()


GAPS = {
    "one_hot": (b"a,b\n1,\n2,5\n", {"fill": {"a": 9}}),
    "csv": (b"a,b\n1,\n2,5\n", {}),
    "parquet": (as_parquet({"a": [1.0, 2.0], "b": [None, 5.0]}), {}),
    "npz": (as_npz({"a": [1.0, 2.0], "b": [np.nan, 5.0]}), {}),
}
"""A file with a gap in b, and the rules of training."""


@pytest.mark.parametrize("kind", GAPS)
def test_the_advice_for_a_gap_in_rows_to_predict_can_be_followed(pipeline: Pipeline, kind: str) -> None:
    """A PredictionPipeline refuses drop_incomplete: it is not what the error names; fill is, and works."""
    pipeline.put("train/rows.csv", b"a,b\n1,2\n3,4\n")
    body, rules = GAPS[kind]
    scoring = Scoring(pipeline, **rules)
    name = f"rows.{kind if kind in ('parquet', 'npz') else 'csv'}"
    scoring.put(name, body)
    with pytest.raises(InputError) as caught:
        scoring.run()
    remedy = caught.value.remedy
    assert "drop_incomplete" not in remedy
    assert "or take rows with gaps out of the input" in remedy
    fill = ast.literal_eval(re.search(r"fill=(\{.*?\})", remedy.replace("{column:", "{'b':")).group(1))
    scoring.settings["channels"]["rows"] |= {"fill": fill}
    manifest, _ = scoring.run("filled")
    assert manifest["rows"] == 2


def test_a_training_may_leave_rows_with_gaps_out(pipeline: Pipeline) -> None:
    pipeline.put("train/rows.csv", b"a,b\n1,\n3,4\n")
    with pytest.raises(InputError, match="or leave rows with gaps out, drop_incomplete=True"):
        pipeline.train()


def test_features_go_by_name_whatever_stands_beside_them(named: Scoring) -> None:
    features = RNG.normal(size=(9, 3)).round(3)
    others = {"id": np.arange(9), "price": np.full(9, np.inf)}
    named.put("a.csv", table({"c": features[:, 2], **others, "b": features[:, 1], "a": features[:, 0]}))
    _, parts = named.run()
    expected = named.model.predict(features.astype(np.float32))["closest_cluster"].tolist()
    assert [int(row["closest_cluster"]) for row in rows_of(parts)] == expected


def test_columns_that_lie_on_s3_are_read_by_plan(unnamed: Scoring) -> None:
    unnamed.put("a.csv", b"0,1,2,3\n0,4,5,6\n")
    unnamed.settings["channels"]["rows"]["header"] = "absent"
    unnamed.settings["has_own_source"] = True
    with pytest.raises(SchemaError, match="4 features; the model was trained on 3"):
        unnamed.plan()
    body = json.dumps({"rows": {"features": [1, 2, 3]}})
    unnamed.s3.put_object(Bucket=unnamed.bucket, Key="columns.json", Body=body)
    unnamed.settings["columns"] = {"bucket": unnamed.bucket, "key": "columns.json"}
    _, parts = unnamed.run("second")
    expected = unnamed.model.predict(np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    assert [int(row["closest_cluster"]) for row in rows_of(parts)] == expected["closest_cluster"].tolist()


def test_rows_without_a_feature_are_refused_by_its_name(named: Scoring) -> None:
    named.put("a.csv", table({"a": np.ones(3), "c": np.ones(3)}))
    with pytest.raises(SchemaError, match="no column 'b'"):
        named.plan()


def test_rows_without_names_have_the_features_alone(unnamed: Scoring) -> None:
    unnamed.put("a.csv", b"1,2,3\n4,5,6\n")
    unnamed.settings["channels"]["rows"]["header"] = "absent"
    _, parts = unnamed.run()
    expected = unnamed.model.predict(np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    assert [int(row["closest_cluster"]) for row in rows_of(parts)] == expected["closest_cluster"].tolist()
    unnamed.put("a.csv", b"0,1,2,3\n0,4,5,6\n")
    with pytest.raises(SchemaError, match="4 features; the model was trained on 3"):
        unnamed.plan("second")


def test_positions_of_training_are_not_guessed_at(pipeline: Pipeline) -> None:
    pipeline.put_array("train/rows.npy", RNG.normal(size=(20, 4)))
    scoring = Scoring(pipeline, exclude=[0])
    scoring.put("a.csv", b"1,2,3\n")
    with pytest.raises(RequestError, match="source"):
        scoring.plan()
    scoring.settings |= {"has_own_source": True}
    scoring.settings["channels"]["rows"] |= {"exclude": [], "header": "absent"}
    assert len(rows_of(scoring.run()[1])) == 1


def test_no_rows_is_an_error_of_its_own(named: Scoring) -> None:
    with pytest.raises(NoInputError):
        named.plan()


def test_what_a_model_was_trained_on_has_to_be_there(named: Scoring) -> None:
    named.put("a.csv", table(dict.fromkeys("abc", np.ones(2))))
    for key in named.pipeline.all_keys(named.trained["prefix"]):
        named.s3.delete_object(Bucket=named.bucket, Key=key)
    with pytest.raises(RecordSetError, match=r"record_set\.json is no longer there"):
        named.plan()


def test_the_manifest_comes_last_and_only_if_every_part_is_there(named: Scoring) -> None:
    named.put("a.csv", table({name: RNG.normal(size=400) for name in "abc"}))
    named.settings["target_shard_bytes"] = 5_000
    named.plan()
    named.encode()
    named.score(leave_out=1)
    with pytest.raises(Exception, match=r"parts/00001\.json"):
        named.publish()
    assert not any(key.endswith("_manifest.json") for key in named.pipeline.all_keys("scores/"))
    named.score()
    key = named.pipeline.all_keys(named.planned["output"])[1]
    named.s3.put_object(Bucket=named.bucket, Key=key, Body=b"changed")
    with pytest.raises(PredictionsError, match="not what was written there"):
        named.publish()
    named.score()
    assert named.publish()["rows"] == 400


def test_each_execution_writes_to_a_place_of_its_own_and_encodes_once(named: Scoring) -> None:
    named.put("a.csv", table(dict.fromkeys("abc", np.arange(5.0))))
    _, first = named.run("first")
    before = named.planned
    _, second = named.run("second")
    assert first == second
    assert named.planned["complete"]
    assert before["output"] != named.planned["output"]
    assert before["model_name"] != named.planned["model_name"]


def test_lines_of_json_hold_the_same_numbers(named: Scoring) -> None:
    named.put("a.csv", table({name: RNG.normal(size=30) for name in "abc"}))
    _, texts = named.run("first")
    named.settings["format"] = "jsonlines"
    manifest, lines = named.run("second")
    assert [column["type"] for column in manifest["columns"]] == ["integer", "number"]
    found = [json.loads(line) for part in lines for line in part.splitlines()]
    assert [{name: str(value) for name, value in row.items()} for row in found] == rows_of(texts)


def test_the_model_in_use_scores(named: Scoring) -> None:
    with pytest.raises(ModelError, match="trained none yet"):
        named.find()
    current = CurrentModel(job=JOB, model=named.uri, data_set="0" * 24)
    values = {**current_model_values(current), "at": "2026-03-01T12:00:00.000+00:00"}
    put_document(named.s3, named.bucket, current_model_key(""), CURRENT_SCHEMA, values)
    assert named.find()["model"] == named.uri
    named.s3.delete_object(Bucket=named.bucket, Key=named.uri.removeprefix(f"s3://{named.bucket}/"))
    with pytest.raises(ModelError, match="no longer there"):
        named.find()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "s3://elsewhere/models/a/output/model.tar.gz"}, "a model of the training pipeline"),
        ({"model": "arn:aws:sagemaker:us-east-1:1:model-package/other/3"}, "registers no models"),
        ({"model": 5}, "allowed: a text"),
        ({"data_set": "new"}, "24 hexadecimal digits"),
        ({"hyperparameters": {}}, "allowed: model, data_set, reason"),
    ],
)
def test_an_input_that_asks_for_something_else_is_refused(
    named: Scoring, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        named.find(**asked)


def test_a_model_of_another_algorithm_is_refused(named: Scoring) -> None:
    named.sagemaker.image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1"
    with pytest.raises(RequestError, match="a model of PCA"):
        named.find(model=named.uri)
