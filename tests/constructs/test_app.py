"""``app.py`` as the CDK CLI runs it: a process with a context and an output directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pipeline_stacks import REPOSITORY


def run_app(
    output: Path, *, cache: Path, path: Path | None = None, bundle: bool = False, **context: Any
) -> subprocess.CompletedProcess[str]:
    """Synthesise into ``output``; Lambda code is installed with ``bundle`` only."""
    file = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))
    whole = {**file["context"], **context, **({} if bundle else {"aws:cdk:bundling-stacks": []})}
    roots = [*([str(path)] if path else []), str(REPOSITORY / "constructs"), str(REPOSITORY / "lambda")]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "AWS_"))},
        "CDK_CONTEXT_JSON": json.dumps(whole),
        "CDK_OUTDIR": str(output),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": os.pathsep.join(roots),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    command = [sys.executable, *file["app"].split()[1:]]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def template(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (output / "AmazonEstimators.template.json").read_text(encoding="utf-8")
    )
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_second_synth_runs_no_installer(tmp_path: Path, cache: Path) -> None:
    """Not even into another directory. The third run shows that a pip which fails would be noticed."""
    trap = tmp_path / "trap"
    (trap / "pip").mkdir(parents=True)
    (trap / "pip" / "__init__.py").touch()
    (trap / "pip" / "__main__.py").write_text("raise SystemExit('the installer ran')\n", encoding="utf-8")
    first = run_app(tmp_path / "one", cache=cache, bundle=True, lambda_platform="host")
    assert first.returncode == 0, first.stderr
    second = run_app(tmp_path / "two", cache=cache, path=trap, bundle=True, lambda_platform="host")
    assert second.returncode == 0, second.stderr
    assert template(tmp_path / "one") == template(tmp_path / "two")
    (asset,) = (tmp_path / "two").glob("asset.*")
    assert (asset / "amazon_estimators" / "handlers" / "plan.py").is_file()
    third = run_app(
        tmp_path / "three", cache=tmp_path / "empty", path=trap, bundle=True, lambda_platform="host"
    )
    assert third.returncode != 0
    assert "the installer ran" in third.stderr


def test_outputs_of_the_default_settings(tmp_path: Path, cache: Path) -> None:
    done = run_app(tmp_path, cache=cache)
    assert done.returncode == 0, done.stderr
    outputs = template(tmp_path)["Outputs"]
    assert set(outputs) == {
        f"KMeans{name}" for name in ("DataBucket", "ModelBucket", "InputPrefix", "StateMachine")
    }
    assert outputs["KMeansInputPrefix"]["Value"] == "input/"


def test_settings_as_text_of_the_command_line(tmp_path: Path, cache: Path) -> None:
    settings = {
        "KMeans": {"hyperparameters": {"k": 3}, "instance_count": 4, "channels": {"train": {"label": -1}}}
    }
    done = run_app(
        tmp_path, cache=cache, algorithms=json.dumps(settings), lambda_platform="arm64", lambda_python="3.13"
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "AmazonEstimators.template.json").read_text(encoding="utf-8")
    assert r"\"hyperparameters\":{\"k\":\"3\"}" in text
    assert r"\"InstanceCount\":4" in text
    assert r"\"label\":-1" in text
    functions = [
        one["Properties"]
        for one in template(tmp_path)["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    ]
    assert {(one["Runtime"], *one["Architectures"]) for one in functions} == {("python3.13", "arm64")}


@pytest.mark.parametrize(
    ("context", "texts"),
    [
        (
            {"algorithms": {"KMeans": {"hyperparameters": {"k": 0}}}},
            ["HyperparameterError", "AmazonEstimators/KMeans", "0"],
        ),
        (
            {"algorithms": {"KMeans": {"hyperparameters": {}}}},
            ["HyperparameterError", "AmazonEstimators/KMeans", "k is required"],
        ),
        ({"algorithms": {"KMaens": {}}}, ["RequestError", "AmazonEstimators/KMaens", "'KMeans'"]),
        (
            {"algorithms": {"KMeans": {"hyperparameters": {"k": 3}, "instance_type": "m5"}}},
            ["InstanceError", "AmazonEstimators/KMeans", "m5"],
        ),
        (
            {"algorithms": {"KMeans": {"hyperparameter": {"k": 3}}}},
            ["RequestError", "hyperparameter;", "hyperparameters"],
        ),
        (
            {"algorithms": {"KMeans": {"hyperparameters": {"k": 3}, "channels": {"train": {"lable": 1}}}}},
            ["RequestError", "lable"],
        ),
        ({"algorithms": "{"}, ["RequestError", "algorithms is no JSON"]),
        ({"algorithms": {}}, ["RequestError", "at least one"]),
        ({"algorithms": "[]"}, ["RequestError", "algorithms is []"]),
        ({"lambda_python": "3.8"}, ["'3.8'; allowed: 3.12"]),
    ],
)
def test_settings_that_fail_the_synth(
    context: dict[str, Any], texts: list[str], tmp_path: Path, cache: Path
) -> None:
    done = run_app(tmp_path, cache=cache, **context)
    assert done.returncode == 1
    for text in texts:
        assert text in done.stderr
    assert not (tmp_path / "AmazonEstimators.template.json").exists()
