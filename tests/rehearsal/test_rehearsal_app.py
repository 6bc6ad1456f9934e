"""A user's own app on the local platform: its pipelines are found, get their data, and train."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App
from rich.console import Console

from amazon_estimators.algorithms import KMeans, LinearLearner
from amazon_estimators.errors import RequestError
from amazon_estimators.local_platform import ON_THIS_MACHINE
from amazon_estimators_rehearsal import cli
from amazon_estimators_rehearsal.app_data import check_data, data_of
from amazon_estimators_rehearsal.assembly import stacks_of
from amazon_estimators_rehearsal.deployment import app_of, context_of
from amazon_estimators_rehearsal.environment import ACCOUNT
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.stay import stay
from cdk_amazon_estimators import LambdaBundle

APP = Path(__file__).parent / "own_app" / "app.py"


def pipeline(name: str, algorithm: Any = None, **channels: dict[str, Any]) -> Any:
    """A deployed pipeline, as far as its data is concerned."""
    algorithm = algorithm or KMeans(k=2)
    settings = {
        "pipeline": name,
        "algorithm": type(algorithm).__name__,
        "channels": channels or {"train": {"prefix": "input/train/"}},
    }
    return SimpleNamespace(name=name, algorithm=algorithm, settings=settings)


def test_each_pipeline_without_data_gets_the_sample_of_its_algorithm(tmp_path: Path) -> None:
    chosen = data_of([pipeline("One/A"), pipeline("Two/B")], [], tmp_path)
    assert [(one.name, [*sample.files]) for one, sample in chosen] == [
        ("One/A", ["train"]),
        ("Two/B", ["train"]),
    ]


def test_data_is_named_for_the_pipeline_by_its_id_or_path(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("1,2\n")
    both = [pipeline("One/A"), pipeline("Two/B"), pipeline("Two/C")]
    given = [f"B={tmp_path / 'b.csv'}", f"One/A={tmp_path / 'a.csv'}"]
    chosen = data_of(both, given, tmp_path)
    assert [(one.name, sample.files["train"]) for one, sample in chosen] == [
        ("One/A", [tmp_path / "a.csv"]),
        ("Two/B", [tmp_path / "b.csv"]),
    ]


def test_a_hive_partition_is_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "year=2026"
    folder.mkdir()
    (folder / "a.csv").write_text("1,2\n")
    ((_, sample),) = data_of([pipeline("One/A")], [str(folder)], tmp_path)
    assert sample.files["train"] == [folder / "a.csv"]


TABLE = {"prefix": "input/train/", "label": "price"}


@pytest.mark.parametrize(
    ("pipelines", "data", "message"),
    [
        ([], [], r"stacks hold no TrainingPipeline\nAdd a TrainingPipeline"),
        (["One/A", "Two/B"], ["."], r"the app has 2 pipelines: One/A, Two/B\n.*--data A=\."),
        (["One/A", "Two/A"], ["A=."], r"2 pipelines are named A; the app has One/A, Two/A"),
        (["One/A"], ["C=."], "0 pipelines are named C; the app has One/A"),
    ],
)
def test_what_is_missing_is_told_with_the_way_out(
    pipelines: list[str], data: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=message):
        data_of([*map(pipeline, pipelines)], data, tmp_path)


@pytest.mark.parametrize(
    "reads",
    [
        pipeline("One/A", LinearLearner(predictor_type="regressor"), train=TABLE),
        pipeline("One/A", train={"prefix": "input/train/", "exclude": ["id"]}),
        pipeline("One/A", train={"prefix": "a/"}, test={"prefix": "b/"}),
    ],
)
def test_a_pipeline_that_does_not_read_the_sample_asks_for_data(reads: Any, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"One/A does not read the sample of .*\n.*--data A=PATH.*train"):
        data_of([reads], [], tmp_path)


@pytest.mark.parametrize("text", ["/no/there.csv", "A=/no/there.csv"])
def test_data_that_is_not_there_is_told_before_anything_starts(text: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file or directory at /no/there\.csv"):
        check_data([text])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--algorithm", "PCA", "--instance-count", "2"], "--algorithm, --instance-count"),
        (["--hyperparameter", "k=3"], "--hyperparameter"),
        (["--label", "kind", "--source", "exclude=id"], "--label, --source"),
    ],
)
def test_what_the_app_itself_sets_is_no_option(
    arguments: list[str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(cli, "Platform")
    assert cli.main(["--app", str(APP), *arguments]) == 1
    assert capsys.readouterr().out.startswith(
        f"RequestError {named}: the app at {APP} makes its pipelines itself"
    )


def test_an_app_is_a_directory_or_a_program(tmp_path: Path) -> None:
    assert app_of(APP) == APP and context_of(APP) == {}
    (tmp_path / "cdk.json").write_text('{"app": "x", "context": {"algorithms": {}}}')
    assert app_of(tmp_path) == tmp_path and context_of(tmp_path) == {"algorithms": {}}
    with pytest.raises(FileNotFoundError, match=r"no cdk\.json in .*with --app, or the app's Python program"):
        app_of(tmp_path / "cdk.json")


def assembly(directory: Path, environment: str) -> Path:
    """A cloud assembly of a stack and of a stage with one."""
    stage = directory / "assembly-Stage"
    stage.mkdir()
    stack = {"type": "aws:cloudformation:stack", "environment": environment}
    for folder in (directory, stage):
        (folder / "any.template.json").write_text('{"Resources": {}}')
    template = {"templateFile": "any.template.json"}
    named = {**template, "stackName": "Stage-Other"}
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": stage.name}}
    tree = {"type": "cdk:tree"}
    (stage / "manifest.json").write_text(
        json.dumps({"artifacts": {"StageOther": {**stack, "properties": named}}})
    )
    artifacts = {"One": {**stack, "properties": template}, "Stage": nested, "Tree": tree}
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return directory


@pytest.mark.parametrize(
    "environment", ["aws://unknown-account/unknown-region", "aws://000000000000/us-east-1"]
)
def test_all_stacks_of_an_assembly_are_found(environment: str, tmp_path: Path) -> None:
    assert [stack.name for stack in stacks_of(assembly(tmp_path, environment))] == ["One", "Stage-Other"]


@pytest.mark.parametrize("environment", ["aws://111122223333/us-east-1", "aws://000000000000/eu-west-1"])
def test_a_stack_of_another_account_or_region_is_refused(environment: str, tmp_path: Path) -> None:
    account, region = environment.removeprefix("aws://").split("/")
    with pytest.raises(
        RequestError, match=rf"One is bound to account {account} and region {region}.*\n.*CDK_DEF"
    ):
        stacks_of(assembly(tmp_path, environment))


def test_the_functions_of_any_app_are_built_for_this_machine() -> None:
    asked = LambdaBundle(platform="arm64", python="3.14")
    here = asked.at(App(context=ON_THIS_MACHINE))
    assert here.platform == "host"
    assert here.python_version == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert asked.at(App()) == asked


def test_a_platform_that_stays_says_how_to_use_it(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variables select the account for boto3 in any shell, whatever that had set before."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("threading.Event.wait", interrupt)
    console = Console(file=io.StringIO(), width=200)
    stay(platform, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    (source,) = re.findall(r"^  (source \S+)$", said, re.MULTILINE)
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    answer = subprocess.run(
        ["sh", "-c", f'{source.replace("source", ".")}; exec {sys.executable} -c "{script}"'],
        env={**os.environ, "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "real"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == f"{ACCOUNT}\n"


@pytest.mark.deployed
def test_an_app_of_several_pipelines_trains_each() -> None:
    """One hears a marker, one waits for a quiet period, and one, in a stage, has no trigger."""
    done = subprocess.run(
        [sys.executable, "-m", "amazon_estimators_rehearsal", "--app", APP.name],
        cwd=APP.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        r"Own/Marked: KMeans\. Data: handwritten digits.*",
        r"✓ marker _DONE → S3 event → EventBridge → execution .*",
        r"Own/Quiet: KMeans\. .*",
        r"✓ request to the starter, as no trigger waits for a marker → execution .*",
        r"Stage/Silent/Pipeline: PCA\. .*",
        r"✓ StartExecution, as there is no trigger → execution .*",
    ):
        assert re.search(rf"^{line}$", done.stdout, re.MULTILINE), (line, done.stdout)
    assert len(re.findall(r"^training job .*: Completed$", done.stdout, re.MULTILINE)) == 3
