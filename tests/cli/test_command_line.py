"""The command line: what it prints, and the exit codes that scripts go by."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amazon_estimators.cli import main, pipeline
from amazon_estimators.recordio import (
    check,
    read_matrix,
    write_numpy_to_dense_tensor,
    write_spmatrix_to_sparse_tensor,
)

X = np.arange(60, dtype=np.float32).reshape(20, 3)
Y = np.arange(20, dtype=np.float32) % 4


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "matrix_00000.pbr"
    with path.open("wb") as file:
        write_numpy_to_dense_tensor(file, X, Y)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    lines = [",".join(f"{value:g}" for value in [*row, label]) for row, label in zip(X, Y, strict=True)]
    path.write_text("\n".join(["a,b,c,kind", *lines]) + "\n", encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    """Exit code and the JSON printed."""
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_inspect_counts_records_labels_and_ranges(shard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, facts = run(capsys, "inspect", shard, "--records", 2)
    assert code == 0
    assert (facts["records"], facts["feature_dim"], facts["dtype"], facts["sparse"]) == (
        20,
        3,
        "float32",
        False,
    )
    assert facts["first"] == [
        {"features": [0, 1, 2], "features_not_shown": 0, "label": 0},
        {"features": [3, 4, 5], "features_not_shown": 0, "label": 1},
    ]
    assert facts["labels"] == [{"label": kind, "records": 5} for kind in range(4)]
    assert facts["ranges"][1] == {"feature": 1, "least": 1.0, "mean": 29.5, "most": 58.0, "zeros": 0.0}
    assert facts["ranges"][0]["zeros"] == pytest.approx(0.05)
    assert facts["bytes"] == shard.stat().st_size


def test_inspect_prints_a_histogram(shard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(shard)]) == 0
    shown = capsys.readouterr().out
    assert "20 records of 3 features, dense float32, labelled" in shown
    assert "  1  label 1: [3, 4, 5]" in shown
    assert shown.count("█" * 40) == 4 and "least" in shown


def test_inspect_bins_real_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.linspace(0, 1, 5000, dtype=np.float32)
    with (tmp_path / "a.pbr").open("wb") as file:
        write_numpy_to_dense_tensor(file, np.ones((5000, 1), np.float32), labels)
    _, facts = run(capsys, "inspect", tmp_path / "a.pbr", "--bins", 5)
    assert [one["records"] for one in facts["labels"]] == [1000] * 5
    assert [one["from"] for one in facts["labels"]] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert main(["inspect", str(tmp_path / "a.pbr"), "--bins", "5"]) == 0
    assert "0.2 … 0.4" in capsys.readouterr().out


def test_inspect_counts_the_zeros_sparse_records_leave_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "a.pbr").open("wb") as file:
        write_spmatrix_to_sparse_tensor(file, np.array([[0, 2.0, 0], [0, 4.0, -1]], np.float32))
    _, facts = run(capsys, "inspect", tmp_path / "a.pbr")
    assert facts["sparse"] and facts["first"][1]["features"] == {"1": 4, "2": -1}
    assert [(one["least"], one["mean"], one["most"], one["zeros"]) for one in facts["ranges"]] == [
        (0, 0, 0, 1),
        (2, 3, 4, 0),
        (-1, -0.5, 0, 0.5),
    ]


def test_check_accepts_and_refuses(shard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, summary = run(capsys, "check", shard, shard)
    assert code == 0 and summary["records"] == 40 and summary["files"] == 2
    shard.write_bytes(shard.read_bytes()[:-3])
    code, error = run(capsys, "check", shard)
    assert code == 1 and error["error"] == "RecordIOError"
    assert str(shard) in error["message"] and "record 19" in error["message"]
    assert main(["check", str(shard)]) == 1
    assert "RecordIOError" in capsys.readouterr().err


def test_encode_writes_what_a_pipeline_would(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "shards"
    code, facts = run(
        capsys,
        "encode",
        table,
        "--label",
        "kind",
        "--out",
        out,
        "--instance-count",
        3,
        "--prefix",
        "s3://b/p",
    )
    assert code == 0 and (facts["num_records"], facts["num_shards"], facts["feature_dim"]) == (20, 3, 3)
    assert sorted(path.name for path in out.iterdir()) == [
        ".amazon.manifest",
        "feature_profile.json",
        "matrix_00000.pbr",
        "matrix_00001.pbr",
        "matrix_00002.pbr",
        "record_set.json",
    ]
    head, *names = json.loads((out / ".amazon.manifest").read_text())
    assert head == {"prefix": "s3://b/p/"} and facts["s3_data"] == "s3://b/p/.amazon.manifest"
    parts = [read_matrix(out / name) for name in names]
    np.testing.assert_array_equal(np.concatenate([part for part, _ in parts]), X)
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts if part is not None]), Y)
    assert check([out / name for name in names]).records == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shards", "table.csv"]
    assert main(["check", str(out)]) == 0
    assert main(["inspect", str(out / ".amazon.manifest")]) == 0


def test_encode_multipart_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = np.random.default_rng(0).normal(size=(50_000, 100)).astype(np.float32)
    np.save(tmp_path / "x.npy", rows)
    code, facts = run(capsys, "encode", tmp_path / "x.npy", "--out", tmp_path / "out")
    assert code == 0 and facts["num_shards"] == 1 and facts["num_bytes"] > 16 * 2**20
    np.testing.assert_array_equal(read_matrix(tmp_path / "out" / "matrix_00000.pbr")[0], rows)


def test_encode_other_encodings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.csv").write_text("a,192.0.2.1\nb,192.0.2.2\n")
    code, facts = run(
        capsys, "encode", tmp_path / "pairs.csv", "--algorithm", "IPInsights", "--out", tmp_path / "out"
    )
    assert code == 0 and facts["content_type"] == "text/csv"
    assert (tmp_path / "out" / "part_00000.csv").read_text() == "a,192.0.2.1\nb,192.0.2.2\n"


def test_encode_names_the_fault_and_leaves_nothing(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text(table.read_text().replace("4,", "four,", 1))
    code, error = run(capsys, "encode", table, "--out", tmp_path / "out")
    assert code == 1 and error["error"] == "InputError"
    assert str(table) in error["message"] and "'four'" in error["message"] and "s3://" not in error["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    code, error = run(capsys, "encode", table, "--out", tmp_path / "full")
    assert code == 1 and "is not empty" in error["message"]


@pytest.mark.parametrize(
    ("name", "code"), [("table.csv", 1), ("a.parquet", 1), ("a.libsvm", 1), ("x.npy", 0)]
)
def test_encode_without_the_table_reader(name: str, code: int, table: Path, tmp_path: Path) -> None:
    """As in an environment that has the extra ``cli`` alone."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "a.libsvm").write_bytes(b"1 1:2\n")
    np.save(tmp_path / "x.npy", X)
    program = (
        "import sys; sys.modules['pyarrow'] = None\nfrom amazon_estimators.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "encode", name, "--out", "out", "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert done.returncode == code, done.stderr
    if code:
        assert answer["error"] == "InputError" and "pyarrow, which is not installed" in answer["message"]
        assert "pip install '.[cli,tables]'" in answer["remedy"]


def test_encode_reads_what_is_below_a_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("p1/data.csv", "p2/data.csv", "p2/_SUCCESS", ".hidden.csv"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("1,2\n")
    code, facts = run(capsys, "encode", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 0 and (facts["num_records"], facts["feature_dim"]) == (2, 2)
    (tmp_path / "empty").mkdir()
    code, error = run(capsys, "encode", tmp_path / "empty", "--out", tmp_path / "other")
    assert code == 1 and f"{tmp_path}/empty holds no files" in error["message"]


def test_encode_reads_as_the_source_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;a;b;kind\nx;1;2;0\n")
    how = ["--source", "delimiter=;", "--source", "exclude=id", "--label", "kind"]
    code, facts = run(capsys, "encode", path, "--out", tmp_path / "out", *how)
    assert code == 0 and facts["feature_dim"] == 2 and facts["labels"]["maximum"] == 0
    assert main(["encode", str(path), "--out", str(tmp_path / "again"), *how]) == 0
    said = capsys.readouterr().out
    assert "1 record, 2 features" in said and "1 shard," in said
    code, error = run(capsys, "encode", path, "--out", tmp_path / "o", *how, "--source", "label=b")
    assert code == 1 and error["message"].startswith("label: set by --source and by an option of its own")


def test_encode_of_a_channel_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,kind\n1,2,0\n3,4,1\n")
    options = ["--label", "kind", "--out", tmp_path / "out", "--algorithm"]
    code, facts = run(capsys, "encode", path, *options, "RandomCutForest")
    assert code == 0 and (facts["feature_dim"], facts["labels"]) == (2, None)
    code, error = run(capsys, "encode", path, *options, "IPInsights")
    assert code == 1 and "have no columns: there is nothing for label 'kind'" in error["message"]


def test_status_breaks_no_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What scripts and people copy, such as a URL, stays in one piece."""
    facts = {"training_job": "kmeans-[/x]", "error": None, "console": "https://" + "long/" * 40}
    monkeypatch.setattr(pipeline, "find_all", lambda **_: [None])
    monkeypatch.setattr(pipeline, "_execution_of", lambda *_: None)
    monkeypatch.setattr(pipeline, "_facts", lambda _: facts)
    assert main(["status", "--stack", "a"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["training", "job", "kmeans-[/x]"], ["console", facts["console"]]]


def test_hyperparameters_lists_ranges_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = run(capsys, "hyperparameters", "KMeans")
    by_name = {row["name"]: row for row in rows}
    assert code == 0 and by_name["k"]["required"] and by_name["epochs"]["default"] == 1
    assert by_name["local_lloyd_tol"]["sdk_name"] == "tol"
    assert by_name["mini_batch_size"]["tuning"] == [3000, 15000]
    assert main(["hyperparameters", "KMeans"]) == 0
    assert "docs.aws.amazon.com" in capsys.readouterr().out


def test_hyperparameters_validates(capsys: pytest.CaptureFixture[str]) -> None:
    code, facts = run(capsys, "hyperparameters", "KMeans", "--validate", "k=10", "tol=0.5")
    assert code == 0 and facts["hyperparameters"] == {"k": "10", "local_lloyd_tol": "0.5"}
    code, error = run(capsys, "hyperparameters", "KMeans", "--validate", "k=ten", "tol=3")
    assert code == 1 and error["error"] == "HyperparameterError"
    assert "'ten' for k" in error["message"] and "'3' for local_lloyd_tol" in error["message"]
    code, error = run(capsys, "hyperparameters", "KMean", "--validate", "k=10")
    assert code == 1 and "'KMeans'" in error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["check"],
        ["hyperparameters", "KMeans", "k=3"],
        ["hyperparameters", "KMeans", "--validate", "k"],
        ["status", "--execution", "x"],
        ["status", "--stack", "a", "--state-machine", "b"],
        ["start", "--stack", "a", "--state-machine", "b"],
        ["encode", "a.csv"],
        ["encode", "a.csv", "--out", "b", "--instance-count", "0"],
        ["encode", "a.csv", "--out", "b", "--source", "exclude"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Error" in capsys.readouterr().err


def test_missing_files_are_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "no.pbr")]) == 1
    assert main(["check", str(tmp_path)]) == 1
    assert main(["encode", str(tmp_path / "no.csv"), "--out", str(tmp_path / "out")]) == 1
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("listed", ["../secret.pbr", "/etc/passwd"])
def test_manifests_reach_no_files_outside(
    tmp_path: Path, listed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.pbr").touch()
    manifest = tmp_path / "in" / ".amazon.manifest"
    manifest.write_text(json.dumps([{"prefix": "s3://b/"}, listed]))
    assert main(["check", str(manifest)]) == 1
    assert "lies outside" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_AMAZON_ESTIMATORS_COMPLETE" in capsys.readouterr().out


def test_the_shell_completes_algorithms() -> None:
    script = "from amazon_estimators.cli import main; import sys; sys.argv = ['amazon-estimators']; main()"
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "_AMAZON_ESTIMATORS_COMPLETE": "bash_complete",
        "COMP_WORDS": "amazon-estimators hyperparameters k",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["plain,KMeans", "plain,KNN"]


def test_rehearse_hands_its_options_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", "--help"]) == 0
    assert "--instance-count" in capsys.readouterr().out


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "amazon_estimators_rehearsal.cli", None)
    assert main(["rehearse"]) == 1
    assert "pip install '.[cli,rehearsal]'" in capsys.readouterr().err
    assert main(["rehearse", "--help"]) == 0
    assert "pip install '.[cli,rehearsal]'" in capsys.readouterr().out
    for name in [
        name for name in sys.modules if name.startswith(("amazon_estimators.cli.", "click", "rich"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "click", None)
    assert main(["check", "a"]) == 1
    assert "pip install '.[cli,tables]'" in capsys.readouterr().err


def strict(text: str) -> Any:
    """JSON as every reader takes it: Python's NaN and Infinity are none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def test_json_of_values_that_are_no_numbers(
    shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = shard.read_bytes()
    faulty = tmp_path / "nan.pbr"
    faulty.write_bytes(content.replace(np.float32(2).tobytes(), np.float32("nan").tobytes(), 1))
    assert main(["inspect", str(faulty), "--json"]) == 0
    assert None in [one["mean"] for one in strict(capsys.readouterr().out)["ranges"]]


def test_wrong_usage_is_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run(capsys, "inspect", "--bogus")
    assert code == 2
    assert answer["error"] == "NoSuchOption" and "--bogus" in answer["message"]


def test_paths_are_text_and_no_markup(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "[bold]" / ":key:" / "[-x]"
    assert main(["encode", str(table), "--label", "kind", "--out", str(out)]) == 0
    assert "[bold]/:key:/[-x]" in capsys.readouterr().out


def test_a_file_is_encoded_once(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run(capsys, "encode", table, table, "--label", "kind", "--out", tmp_path / "out")
    assert code == 1 and answer["message"] == "a file is listed twice"
