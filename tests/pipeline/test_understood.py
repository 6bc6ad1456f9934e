"""What was understood of input is told by Plan, the command line and record_set.json."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.cli import main
from amazon_estimators.client.local_encoding import encode_files, plan_files
from amazon_estimators.pipeline.understood import LONGEST_LINE, shortened
from amazon_estimators.record_sets.read_as import ReadAs
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.sources import Source

CUT = "cut: at any row, by number of rows"


def lines(files: Path, algorithm=LinearLearner, **options) -> list[str]:
    read_as, _ = plan_files(
        [files],
        algorithm,
        channel="train",
        source=Source(**options),
        instance_count=1,
        target_shard_bytes=2**20,
    )
    return [line.replace(f"{files}/", "") for line in read_as.lines]


def test_five_lines_of_csv(tmp_path: Path) -> None:
    data = tmp_path / "in"
    for name in ("year=2024/a.csv", "_temporary/0/b.csv", "year=2025/c.csv"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("id,age,city,y\n7,1.5,Rome,0\n3,2.5,Paris,1\n")
    (data / "part-9.csv").write_text("")
    assert lines(data, label="y", exclude=["city", "id"]) == [
        "files: 2 of 82 bytes, first year=2024/a.csv; left out: 1 hidden by a name that begins with _ or ., "
        "first _temporary/0/b.csv; 1 without rows, first part-9.csv",
        "format: csv, a header, fields separated by ',', quotes enclose fields",
        "features: 1 dense, 'age'; label: y",
        "not read: columns 'id', 'city'; directories year=",
        CUT,
    ]


def test_what_was_found_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('1\t"a\n2\tb"\n')
    assert lines(tmp_path / "a.tsv", KMeans, exclude=[1])[1] == (
        "format: csv, no header, fields separated by '\\t', quotes are text"
    )
    (tmp_path / "b.csv").write_text('1,"say \\"hi, you\\"",2\n3,"b",4\n')
    assert "escaped by '\\\\'" in lines(tmp_path / "b.csv", KMeans, exclude=[1])[1]
    (tmp_path / "c.csv").write_text(",a\n0,1.5\n1,2.5\n")
    assert lines(tmp_path / "c.csv", KMeans)[2:4] == [
        "features: 1 dense, 'a'; label: none",
        "not read: index ''",
    ]
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"1,2\n3,4\n"))
    assert lines(tmp_path / "d.csv.gz", KMeans)[-1] == (
        f"note: {tmp_path}/d.csv.gz is compressed text: beyond 4 MiB it is one shard, however many instances "
        "there are; write as many files as instances"
    )
    (tmp_path / "e.libsvm").write_text("1 3:2\n")
    assert lines(tmp_path / "e.libsvm")[2] == "features: 3 sparse; label: of each record"


def test_all_names_are_kept_in_record_set_json(tmp_path: Path) -> None:
    names = [f"feature number {number}" for number in range(300)]
    (tmp_path / "a.csv").write_text(f"y,{','.join(names)}\n" + f"{','.join(['1.5'] * 301)}\n" * 3)
    record_set = encode_files(
        [tmp_path / "a.csv"],
        tmp_path / "out",
        LinearLearner,
        channel="train",
        source=Source(label="y"),
        instance_count=1,
        target_shard_bytes=2**20,
        prefix="s3://b/p/",
        progress=lambda *_: None,
    )
    stored = json.loads((tmp_path / "out" / "record_set.json").read_text())
    assert stored["read_as"]["features"] == names and stored["read_as"]["label"] == "y"
    assert stored["read_as"]["source"]["header"] == "present"
    assert RecordSet.from_dict(record_set.to_dict()) == record_set
    assert all(line in record_set.describe() for line in record_set.read_as.lines)


def test_the_state_of_an_execution_holds_short_lines() -> None:
    short = shortened(ReadAs({}, None, None, tuple("x" * 10_000 for _ in range(50))))
    assert len(short) == 7 and {len(line) for line in short} == {LONGEST_LINE}


def test_the_command_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("age,y\n1.5,0\n2.5,1\n3.5,1\n")
    arguments = [
        "plan",
        str(tmp_path),
        "--label",
        "y",
        "--algorithm",
        "LinearLearner",
        "--instance-count",
        "2",
    ]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "features: 1 dense, 'age'; label: y" in said and "shards: 2 for 2 instances" in said
    assert f"1: {tmp_path}/a.csv from row 2" in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["features"] == ["age"] and [len(shard) for shard in told["shards"]] == [1, 1]
    assert main(["plan", "s3://b/in/", "other.csv"]) == 1
    assert "allowed: one S3 URI, or local files" in capsys.readouterr().err
