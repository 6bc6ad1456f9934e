"""``inspect`` and ``check`` of what ``encode`` and pipelines write: directories, prefixes, all files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from amazon_estimators.cli import main
from amazon_estimators.recordio import write_numpy_to_dense_tensor
from amazon_estimators_rehearsal.platform import Platform

NOTHING = "holds neither a .amazon.manifest nor .pbr files"


@pytest.fixture
def out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A RecordSet of two shards, as ``encode`` writes it."""
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,0\n3,4,1\n5,0.1,0\n")
    directory = tmp_path / "out"
    words = ["--label", "y", "--instance-count", "2"]
    assert main(["encode", str(tmp_path / "t.csv"), *words, "--out", str(directory)]) == 0
    capsys.readouterr()
    return directory


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def all_of(directory: Path) -> list[Path]:
    """What a shell makes of ``out/*``: hidden files are not in it."""
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def test_what_encode_wrote_is_inspected_as_a_whole(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.name for path in all_of(out)} > {"record_set.json", "feature_profile.json"}
    code, facts = run(capsys, "inspect", *all_of(out))
    assert code == 0 and facts == run(capsys, "inspect", out)[1]
    assert (facts["files"], facts["records"]) == (2, 3)
    assert [feature["feature"] for feature in facts["profile"]["features"]] == ["a", "b"]
    assert run(capsys, "check", *all_of(out)) == run(capsys, "check", out)


def test_numbers_are_numbers(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0.1 of float32 is 0.1, not the float64 next to it."""
    _, facts = run(capsys, "inspect", out)
    assert facts["first"][2] == {"features": [5, 0.1], "features_not_shown": 0, "label": 0}
    assert facts["labels"] == [{"label": 0, "records": 2}, {"label": 1, "records": 1}]


@pytest.mark.parametrize("name", ["record_set.json", "feature_profile.json"])
def test_a_file_beside_the_shards_stands_for_them(
    name: str, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "inspect", out / name)[1] == run(capsys, "inspect", out)[1]
    monkeypatch.chdir(out)
    assert run(capsys, "check", name)[1]["records"] == 3


def test_a_directory_of_channels_names_them(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, error = run(capsys, "check", out.parent)
    assert code == 1 and error["error"] == "InputError"
    assert error["remedy"] == "Name one of its folders: out."


@pytest.fixture
def uploaded(out: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The RecordSet on S3, its URI without a slash; the user's environment selects the account."""
    for name, value in platform.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    s3, bucket = platform.client("s3"), f"record-sets-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    for path in out.iterdir():
        body = path.read_bytes().replace(b"s3://bucket/prefix/", f"s3://{bucket}/sets/train/".encode())
        s3.put_object(Bucket=bucket, Key=f"sets/train/{path.name}", Body=body)
    yield f"s3://{bucket}/sets/train"


@pytest.mark.parametrize("end", ["", "/", "/.amazon.manifest", "/record_set.json"])
def test_a_prefix_on_s3_stands_for_its_record_set(
    end: str, uploaded: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, facts = run(capsys, "inspect", f"{uploaded}{end}")
    assert code == 0 and facts == run(capsys, "inspect", out)[1]
    assert run(capsys, "check", f"{uploaded}{end}") == run(capsys, "check", out)


def test_a_prefix_without_a_manifest_is_its_shards(
    uploaded: str, platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = uploaded.split("/")[2]
    platform.client("s3").delete_object(Bucket=bucket, Key="sets/train/.amazon.manifest")
    assert run(capsys, "check", uploaded)[1]["files"] == 2
    assert run(capsys, "check", f"{uploaded}/matrix_00001.pbr")[1]["records"] == 1


def test_an_object_without_an_extension_is_a_file(
    uploaded: str, platform: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "shard").open("wb") as file:
        write_numpy_to_dense_tensor(file, np.ones((7, 2), np.float32))
    platform.client("s3").upload_file(str(tmp_path / "shard"), uploaded.split("/")[2], "shard")
    assert run(capsys, "check", f"{uploaded.removesuffix('/sets/train')}/shard")[1]["records"] == 7


@pytest.mark.parametrize(
    ("place", "message", "remedy"),
    [
        (
            "/sets",
            f"/sets/ {NOTHING}",
            "Name one of its folders: train.",
        ),
        ("/none/", f"/none/ {NOTHING}", "Check the path."),
        ("/none.pbr", "there is no object s3://BUCKET/none.pbr", "Check the URI and the region."),
        ("-none/x/", "there is no bucket BUCKET-none", "Check the URI and the region."),
    ],
)
def test_what_is_not_on_s3_is_told(
    place: str, message: str, remedy: str, uploaded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = uploaded.split("/")[2]
    code, error = run(capsys, "inspect", f"s3://{bucket}{place}")
    assert (code, error["error"]) == (1, "InputError")
    assert error["message"].endswith(message.replace("BUCKET", bucket))
    assert error["remedy"] == remedy
