"""``app.py`` as the CDK CLI runs it: a process with a context and an output directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
from pipeline_stacks import REPOSITORY, Synthesised, new_app

from amazon_estimators.errors import HyperparameterError, InstanceError, RequestError
from amazon_estimators_rehearsal.samples import SAMPLES
from cdk_amazon_estimators import PipelineError


def run_app(
    output: Path,
    *,
    cache: Path,
    path: Path | None = None,
    run_time: Path = REPOSITORY / "lambda",
    bundle: bool = False,
    validate: bool = False,
    **context: Any,
) -> subprocess.CompletedProcess[str]:
    """Synthesise into ``output``. ``bundle`` installs Lambda code, ``validate`` has CDK check templates."""
    file = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))
    whole = {**file["context"], **context, **({} if bundle else {"aws:cdk:bundling-stacks": []})}
    roots = [*([str(path)] if path else []), str(REPOSITORY / "constructs"), str(run_time)]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "AWS_"))},
        "CDK_CONTEXT_JSON": json.dumps(whole),
        "CDK_VALIDATION": "true" if validate else "false",
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


def test_cdk_finds_nothing_in_the_template(tmp_path: Path) -> None:
    settings = {name: make(tmp_path).settings() for name, make in SAMPLES.items()}
    done = run_app(tmp_path / "out", cache=tmp_path, validate=True, algorithms=settings)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "validation-report.json").read_text(encoding="utf-8"))
    assert report["pluginReports"] == []


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_second_synth_runs_no_installer(tmp_path: Path, cache: Path) -> None:
    """Not even into another directory. The third run shows that a pip which fails would be noticed."""
    trap = tmp_path / "trap"
    (trap / "pip").mkdir(parents=True)
    (trap / "pip" / "__init__.py").touch()
    (trap / "pip" / "__main__.py").write_text("raise SystemExit('the installer ran')\n", encoding="utf-8")
    run_time = tmp_path / "lambda"
    shutil.copytree(REPOSITORY / "lambda", run_time)
    synth = partial(run_app, run_time=run_time, bundle=True, lambda_platform="host")
    first = synth(tmp_path / "one", cache=cache)
    assert first.returncode == 0, first.stderr
    second = synth(tmp_path / "two", cache=cache, path=trap)
    assert second.returncode == 0, second.stderr
    assert template(tmp_path / "one") == template(tmp_path / "two")
    assets = [ZipFile(one).namelist() for one in (tmp_path / "two").glob("asset.*.zip")]
    assert len(assets) == 2
    for file in ("amazon_estimators/handlers/plan.py", "python/pyarrow/csv.py"):
        assert [one for one in assets if file in one], file
    third = synth(tmp_path / "three", cache=tmp_path / "empty", path=trap)
    assert third.returncode != 0
    assert "the installer ran" in third.stderr


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (
            {"algorithms": '{"KMeans": {"hyperparameters": {"k": 0}}}'},
            "HyperparameterError: AmazonEstimators/KMeans: ",
        ),
        ({"lambda_python": "3.9"}, "PipelineError: AmazonEstimators: LambdaBundle: python is '3.9'; allowed"),
    ],
)
def test_a_setting_that_fails_the_synth_is_told_without_a_stack_of_calls(
    context: dict[str, Any], text: str, tmp_path: Path, cache: Path
) -> None:
    done = run_app(tmp_path, cache=cache, **context)
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "AmazonEstimators.template.json").exists()


@pytest.fixture(scope="module")
def app_module() -> ModuleType:
    """app.py as a module, to make its stack in this process."""
    spec = spec_from_file_location("app_under_test", REPOSITORY / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stack_of(module: ModuleType, **context: Any) -> Synthesised:
    return Synthesised(module.AmazonEstimators(new_app(**context), "AmazonEstimators"))


def test_outputs_of_the_default_settings(app_module: ModuleType) -> None:
    outputs = stack_of(app_module).template["Outputs"]
    names = ("DataBucket", "ModelBucket", "InputPrefix", "StateMachine")
    assert set(outputs) == {f"KMeans{name}" for name in names}
    assert outputs["KMeansInputPrefix"]["Value"] == "kmeans/input/"


def test_algorithms_share_buckets_under_prefixes(app_module: ModuleType) -> None:
    algorithms = {"KMeans": {"hyperparameters": {"k": 3}}, "RandomCutForest": {}}
    stack = stack_of(app_module, algorithms=algorithms)
    outputs = {name: json.dumps(one["Value"]) for name, one in stack.template["Outputs"].items()}
    assert len(stack.of_type("AWS::S3::Bucket")) == 2
    assert outputs["KMeansDataBucket"] == outputs["RandomCutForestDataBucket"]
    assert outputs["KMeansInputPrefix"] == '"kmeans/input/"'
    assert outputs["RandomCutForestInputPrefix"] == '"randomcutforest/input/"'


def test_another_algorithm_moves_no_data(app_module: ModuleType) -> None:
    one = {"KMeans": {"hyperparameters": {"k": 3}}}
    before = stack_of(app_module, algorithms=one).template
    after = stack_of(app_module, algorithms={"RandomCutForest": {}, **one}).template
    assert {name: after["Outputs"][name] for name in before["Outputs"]} == before["Outputs"]
    for template in (before, after):
        buckets = {name for name, it in template["Resources"].items() if it["Type"] == "AWS::S3::Bucket"}
        assert buckets == {"DataBucketE3889A50", "ModelBucketB33D855B"}


def test_settings_as_text_of_the_command_line(app_module: ModuleType) -> None:
    settings = {"hyperparameters": {"k": 3}, "instance_count": 4, "channels": {"train": {"label": -1}}}
    stack = stack_of(
        app_module, algorithms=json.dumps({"KMeans": settings}), lambda_platform="arm64", lambda_python="3.13"
    )
    written = stack.definition["States"]["Plan"]["Parameters"]["pipeline"]
    assert written["hyperparameters"] == {"k": "3"}
    assert written["channels"]["train"]["label"] == -1
    assert stack.definition["States"]["Train"]["Parameters"]["ResourceConfig"]["InstanceCount"] == 4
    functions = stack.of_type("AWS::Lambda::Function").values()
    assert {(one["Runtime"], *one["Architectures"]) for one in functions} == {("python3.13", "arm64")}


def kmeans(**settings: Any) -> dict[str, Any]:
    """The context of a KMeans of three clusters with more settings."""
    return {"algorithms": {"KMeans": {"hyperparameters": {"k": 3}, **settings}}}


@pytest.mark.parametrize(
    ("context", "kind", "texts"),
    [
        (
            {"algorithms": {"KMeans": {"hyperparameters": {"k": 0}}}},
            HyperparameterError,
            ["AmazonEstimators/KMeans", "k", "0"],
        ),
        (
            {"algorithms": {"KMeans": {}}},
            HyperparameterError,
            ["AmazonEstimators/KMeans", "k is required"],
        ),
        ({"algorithms": {"KMaens": {}}}, RequestError, ["AmazonEstimators/KMaens", "'KMeans'"]),
        (
            {"algorithms": {"KMeans": {"hyperparameters": {"k": 3}, "instance_type": "m5"}}},
            InstanceError,
            ["AmazonEstimators/KMeans", "m5"],
        ),
        (
            {"algorithms": {"KMeans": {"hyperparameter": {"k": 3}}}},
            RequestError,
            ["hyperparameter;", "hyperparameters"],
        ),
        (
            kmeans(channels={"train": {"lable": 1}}),
            RequestError,
            ["AmazonEstimators/KMeans: channel train: Source has no lable; allowed: ", "label, one_hot"],
        ),
        (
            {"algorithms": "{"},
            RequestError,
            ["algorithms is '{', which is not JSON", "allowed: a JSON object"],
        ),
        ({"algorithms": {}}, RequestError, ["at least one"]),
        ({"algorithms": "[]"}, RequestError, ["algorithms is []"]),
        (
            {"algorithms": {"KMeans": {"hyperparameters": [3]}}},
            RequestError,
            ["algorithms.KMeans.hyperparameters is [3]; allowed: a JSON object"],
        ),
        (
            {"algorithms": {"KMeans": {"hyperparameters": "k=3"}}},
            RequestError,
            ["algorithms.KMeans.hyperparameters is 'k=3'", "allowed: a JSON object"],
        ),
        (
            kmeans(channels=["train"]),
            RequestError,
            ["algorithms.KMeans.channels is ['train']; allowed: a JSON object"],
        ),
        (
            kmeans(channels={"train": "x"}),
            RequestError,
            ["algorithms.KMeans.channels.train is 'x'", "allowed: a JSON object"],
        ),
        (
            kmeans(channels={"train": 3}),
            RequestError,
            ["algorithms.KMeans.channels.train is 3; allowed: a JSON object"],
        ),
        (
            kmeans(channels={"train": {"header": "no"}}),
            RequestError,
            ["AmazonEstimators/KMeans: channel train: Source: header is 'no'; allowed: auto, present"],
        ),
        (
            kmeans(channels={"train": {"features": 3}}),
            RequestError,
            ["AmazonEstimators/KMeans: channel train: Source: features is 3; allowed: a list"],
        ),
        (
            {"lambda_python": "3.9"},
            PipelineError,
            ["AmazonEstimators: LambdaBundle: python is '3.9'; allowed: 3.12, 3.13, 3.14"],
        ),
        (
            {"lambda_platform": "foo"},
            PipelineError,
            ["AmazonEstimators: LambdaBundle: platform is 'foo'; allowed: x86_64, arm64, or host"],
        ),
    ],
)
def test_settings_that_fail_the_synth(
    context: dict[str, Any], kind: type[Exception], texts: list[str], app_module: ModuleType
) -> None:
    with pytest.raises(kind) as raised:
        stack_of(app_module, **context)
    for text in texts:
        assert text in str(raised.value)
