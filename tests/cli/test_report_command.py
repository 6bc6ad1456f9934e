"""``report``: the page of what ``encode`` wrote, of bare shards, and of a training job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amazon_estimators.cli import main
from amazon_estimators.client import job_report
from amazon_estimators.recordio import write_numpy_to_dense_tensor, write_spmatrix_to_sparse_tensor
from amazon_estimators.reports.facts import ReportFacts

RNG = np.random.default_rng(5)


def encoded(directory: Path, shift: float) -> Path:
    """A RecordSet of two features and a label, as ``encode`` writes it."""
    rows = RNG.normal(size=(300, 2)) + [0.0, shift]  # noqa: RUF005 - arrays are added
    lines = [f"{a:.4f},{b:.4f},{int(a > 0)}" for a, b in rows]
    table = directory / f"t{shift:g}.csv"
    table.write_text("\n".join(["income,<b>,y", *lines]) + "\n", encoding="utf-8")
    out = directory / f"out{shift:g}"
    assert main(["encode", str(table), "--label", "y", "--out", str(out)]) == 0
    return out


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    capsys.readouterr()
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_record_set_is_compared_with_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, now = encoded(tmp_path, 0.0), encoded(tmp_path, 3.0)
    page = tmp_path / "page.html"
    code, told = run(capsys, "report", now, "--against", before, "--out", page)
    assert code == 0
    text = page.read_text(encoding="utf-8")
    assert told["bytes"] == len(text.encode())
    assert "1 of 2 features moved." in text
    assert "300 records" in text
    assert "&lt;b&gt;" in text and "<b>" not in text


def test_a_page_is_not_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = encoded(tmp_path, 0.0), tmp_path / "page.html"
    page.write_text("mine")
    code, error = run(capsys, "report", out, "--out", page)
    assert (code, page.read_text()) == (1, "mine")
    assert "--force" in error["remedy"]
    assert run(capsys, "report", out, "--out", page, "--force")[0] == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("sparse", [False, True])
def test_bare_shards_are_read(tmp_path: Path, sparse: bool, capsys: pytest.CaptureFixture[str]) -> None:
    from scipy.sparse import csr_array

    values = np.where(RNG.random((50, 3)) < 0.5, 0, RNG.normal(size=(50, 3))).astype(np.float32)
    values[0, 2] = 9.5
    shard, page = tmp_path / "a.pbr", tmp_path / "page.html"
    with shard.open("wb") as file:
        if sparse:
            write_spmatrix_to_sparse_tensor(file, csr_array(values))
        else:
            write_numpy_to_dense_tensor(file, values)
    assert run(capsys, "report", shard, "--out", page)[0] == 0
    text = page.read_text(encoding="utf-8")
    assert "Profile of features 1 to 3 of 3" in text
    means = values.astype(np.float64).mean(axis=0)
    assert all(f"<td>{mean:.3g}<td>" in text for mean in means)
    assert f"<td>{(values[:, 0] == 0).mean():.0%}" in text


def test_the_name_of_a_job_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def facts(model: str, *, session: Any) -> ReportFacts:
        asked.append(model)
        return ReportFacts(title="MyStack/Churn", made="now", job=model)

    monkeypatch.setattr(job_report, "job_facts", facts)
    uri = "s3://models/models/churn-1/output/model.tar.gz"
    for model in ("churn-1", uri):
        page = tmp_path / f"{len(asked)}.html"
        assert run(capsys, "report", model, "--out", page)[1]["title"] == "MyStack/Churn"
    assert asked == ["churn-1", uri]
    assert run(capsys, "report", "churn-1", "--against", "x", "--out", tmp_path / "x.html")[0] == 2


def test_files_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, error = run(capsys, "report", tmp_path / "no.pbr", "--out", tmp_path / "x.html")
    assert (code, error["error"]) == (1, "InputError")
    assert not (tmp_path / "x.html").exists()
