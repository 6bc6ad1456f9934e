"""``predict`` and ``inspect`` of models: the command line's answers are those of the model."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amazon_estimators.cli import main
from amazon_estimators.inference.archive import write_archive
from amazon_estimators.recordio import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor
from inference.files import PREDICTING, TYPES, X, archive, expected


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    lines = [",".join([f"id{number}", *map(repr, row)]) for number, row in enumerate(X.tolist())]
    path.write_text("\n".join(["name,a,b,c,d,e", *lines]) + "\n", encoding="utf-8")
    return path


def options(name: str) -> list[str]:
    return ["--predictor-type", TYPES[name]] if name in TYPES else []


@pytest.mark.parametrize("name", PREDICTING)
def test_predict_prints_csv(name: str, points: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["predict", str(archive(name)), str(points), "--source", "exclude=name", *options(name)]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    rows = list(csv.DictReader(printed.out.splitlines()))
    for field, values in expected(name).items():
        columns = [field] if values.ndim == 1 else [f"{field}_{number}" for number in range(values.shape[1])]
        read = np.array([[float(row[column]) for column in columns] for row in rows])
        np.testing.assert_allclose(read, values.reshape(len(X), -1), rtol=1e-5, atol=1e-5)
    assert "Assumed: " in printed.err


@pytest.mark.parametrize("kind", ["npy", "dense", "sparse"])
def test_predict_reads_what_a_pipeline_reads(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ("x.npy" if kind == "npy" else "x.pbr")
    if kind == "npy":
        np.save(path, X)
    else:
        write = write_numpy_to_dense_tensor if kind == "dense" else write_spmatrix_to_sparse_tensor
        with path.open("wb") as file:
            write(file, X, np.ones(len(X), np.float32))
    assert main(["predict", str(archive("kmeans")), str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["algorithm"] == "KMeans"
    closest = [row["closest_cluster"] for row in answer["predictions"]]
    assert closest == expected("kmeans")["closest_cluster"].tolist()


def test_predict_writes_a_file_and_leaves_a_label_out(tmp_path: Path, points: Path) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_text(points.read_text().replace("id", ""))
    out = tmp_path / "out.csv"
    arguments = [
        "predict",
        str(archive("kmeans")),
        str(labelled),
        "--source",
        "label=name",
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    assert len(out.read_text().splitlines()) == len(X) + 1


WRONG: dict[str, tuple[Any, list[str], str]] = {
    "open predictor type": ("linear_regressor", [], "--predictor-type"),
    "another algorithm": ("kmeans", ["--algorithm", "PCA"], "those of KMeans"),
    "an unreadable one": ("kmeans", ["--algorithm", "KNN"], "Faiss"),
    "no such algorithm": ("kmeans", ["--algorithm", "KMean"], "'KMeans'"),
    "no such file": ("nowhere", [], "there is no file"),
    "a column too many": ("kmeans", ["--source", "exclude="], "6 features"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_goes_wrong_is_told(case: str, points: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, more, text = WRONG[case]
    source = [] if "--source" in more else ["--source", "exclude=name"]
    if case == "a column too many":
        points.write_text(points.read_text().replace("id", ""))
        more = []
        source = []
    assert main(["predict", str(archive(name)), str(points), *source, *more]) == 1
    assert text in capsys.readouterr().err


def test_inspect_shows_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(archive("pca")), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["algorithm"], facts["num_components"], facts["feature_dim"]) == ("PCA", 2, 5)
    assert facts["variance_ratio_of_kept"] == pytest.approx([1.5**2 / 18.25, 16 / 18.25], abs=1e-6)
    assert facts["assumptions"]
    assert main(["inspect", str(archive("ntm")), str(archive("kmeans"))]) == 0
    printed = capsys.readouterr().out
    assert "NTM" in printed and "top words" in printed and "KMeans" in printed


def test_inspect_of_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(write_archive(b"IxF2", {"model_algo-1.labels": b""}))
    assert main(["inspect", str(path)]) == 1
    assert "Faiss" in capsys.readouterr().err
    assert main(["inspect", str(path), "x.pbr"]) == 2
    assert "separate commands" in capsys.readouterr().err
