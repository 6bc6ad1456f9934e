"""The driver: it follows what happens, ends as it should, leaves nothing behind, needs no network."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from training_account import ACCOUNT, REGION, TrainingAccount, statement

from amazon_estimators.algorithms import PCA
from amazon_estimators.client.execution import shard_counts
from amazon_estimators_rehearsal import cli, report
from amazon_estimators_rehearsal.command import Command, CommandError
from amazon_estimators_rehearsal.follow import (
    Ended,
    Entered,
    Event,
    Exited,
    NoExecutionError,
    Shards,
    Started,
    executions,
    follow,
)
from amazon_estimators_rehearsal.report import print_report
from amazon_estimators_rehearsal.view import View, say

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "amazon_estimators_rehearsal"]


def pass_states(*names: str) -> dict[str, Any]:
    following: list[dict[str, Any]] = [*({"Next": name} for name in names[1:]), {"End": True}]
    return {name: {"Type": "Pass", **link} for name, link in zip(names, following, strict=True)}


def test_following_a_new_execution(account: TrainingAccount) -> None:
    role = account.role(service="states.amazonaws.com")
    machine = account.machine(pass_states("One", "Two"), role)
    account.execute(machine)
    known = executions(account.states, machine)
    arn = account.states.start_execution(stateMachineArn=machine)["executionArn"]
    events = list(follow(account.states, machine, known=known, timeout=20))
    assert events[0] == Started(arn.rpartition(":")[2])
    steps = [event for event in events if isinstance(event, Entered | Exited)]
    assert [type(step).__name__ + step.state for step in steps] == [
        "EnteredOne",
        "ExitedOne",
        "EnteredTwo",
        "ExitedTwo",
    ]
    assert events[-1] == Ended("SUCCEEDED", "{}", "", "")


def test_following_a_failure(account: TrainingAccount) -> None:
    states = {"Stop": {"Type": "Fail", "Error": "InputError", "Cause": "row 7, column b"}}
    machine = account.machine(states, account.role(service="states.amazonaws.com"))
    account.states.start_execution(stateMachineArn=machine)
    ended = View(Console(quiet=True)).follow(follow(account.states, machine, timeout=20))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "InputError", "row 7, column b")


def shown(events: Iterable[Event]) -> list[str]:
    """The lines that a user sees, seconds left out."""
    console = Console(file=io.StringIO(), width=200)
    View(console).follow(events)
    return [re.sub(r" \d+\.\d s", "", line) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


CAUGHT = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}]
FAILED = {"Type": "Fail", "Error": "InputError", "Cause": "row 7, column b"}


def test_a_state_that_failed_is_crossed_out_though_its_error_was_caught(account: TrainingAccount) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "there-is-none"},
        "Catch": CAUGHT,
        "End": True,
    }
    states = {"Plan": task, "Failed": {"Type": "Pass", "Next": "Stop"}, "Stop": FAILED}
    machine = account.machine(states, account.role(service="states.amazonaws.com"))
    account.states.start_execution(stateMachineArn=machine)
    _, plan, failed, stop = shown(follow(account.states, machine, timeout=20))
    assert re.fullmatch(r"✗ Plan  \S+", plan)
    assert (failed, stop) == ("✓ Failed", "✗ Stop  InputError")


def distributed(account: TrainingAccount, child: dict[str, Any]) -> str:
    """A machine whose Shards is a Distributed Map over the items of its input."""
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Encode"}
    shards = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {**processor, "States": {"Encode": child}},
        "ResultPath": None,
        "Catch": CAUGHT,
        "Next": "Seal",
    }
    states = {"Shards": shards, "Seal": {"Type": "Succeed"}, "Failed": FAILED}
    machines = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:machine-*"
    role = account.role(statement("states:StartExecution", machines), service="states.amazonaws.com")
    machine = account.machine(states, role)
    account.states.start_execution(stateMachineArn=machine, input=json.dumps({"items": [1, 2, 3]}))
    return machine


@pytest.mark.parametrize(
    ("child", "lines"),
    [
        ({"Type": "Pass", "End": True}, ["✓ Shards  3 shards encoded", "✓ Seal"]),
        (
            FAILED,
            [
                "✗ Shards  3 of 3 shards failed  States.ExceedToleratedFailureThreshold",
                "✗ Failed  InputError",
            ],
        ),
    ],
)
def test_the_count_of_shards_is_told_with_their_state(
    account: TrainingAccount, child: dict[str, Any], lines: list[str]
) -> None:
    machine = distributed(account, child)
    time.sleep(2)  # it is over before it is looked at, so nothing is seen on the way
    assert shown(follow(account.states, machine, timeout=20))[1:] == lines


def recorded(history: list[dict[str, Any]], runs: list[dict[str, Any]] | None = None) -> Any:
    """A client that knows one ended execution, as Step Functions tells it."""
    pages = {
        "list_executions": {"executions": [{"executionArn": "arn:run"}]},
        "get_execution_history": {"events": history},
    }
    counts = dict.fromkeys(("failed", "timedOut", "aborted"), 0)
    return SimpleNamespace(
        get_paginator=lambda name: SimpleNamespace(paginate=lambda **_: [pages[name]]),
        describe_execution=lambda **_: {"status": "SUCCEEDED", "output": "{}"},
        list_map_runs=lambda **_: {"mapRuns": runs or []},
        describe_map_run=lambda mapRunArn: {
            "executionCounts": {**counts, "succeeded": int(mapRunArn), "total": int(mapRunArn)}
        },
    )


def event(kind: str, **details: Any) -> dict[str, Any]:
    stem = re.sub("^.*StateE", "stateE", kind)  # all kinds of states are entered and exited alike
    name = f"{stem[0].lower()}{stem[1:]}EventDetails"
    return {"type": kind, "timestamp": datetime(2025, 1, 1, tzinfo=UTC), name: details}


@pytest.mark.parametrize(
    ("attempts", "error"),
    [
        ([event("TaskFailed", error="SageMaker.Thing")], "SageMaker.Thing"),
        ([event("LambdaFunctionFailed", error="InputError")], "InputError"),
        ([event("LambdaFunctionTimedOut", error="States.Timeout")], "States.Timeout"),
        ([event("MapRunFailed", error="States.ItemReaderFailed")], "States.ItemReaderFailed"),
        ([event("MapStateAborted")], "MapStateAborted"),
        ([event("LambdaFunctionFailed", error="X"), event("LambdaFunctionScheduled")], ""),
        ([event("TaskFailed", error="X"), event("TaskScheduled"), event("TaskSucceeded")], ""),
        ([event("MapRunFailed", error="X"), event("MapRunRedriven"), event("MapRunSucceeded")], ""),
        ([], ""),
    ],
)
def test_how_a_state_ended_is_in_the_history(attempts: list[dict[str, Any]], error: str) -> None:
    history = [event("TaskStateEntered", name="Plan"), *attempts, event("TaskStateExited", name="Plan")]
    assert Exited("Plan", 0.0, error) in follow(recorded(history), "arn:machine")


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_map_runs_the_newest_is_shown(order: int) -> None:
    history = [event("MapStateEntered", name="Shards"), event("MapStateExited", name="Shards")]
    days = [datetime(2025, 1, day, tzinfo=UTC) for day in (1, 2)]
    runs = [{"mapRunArn": str(day.day), "startDate": day} for day in days][::order]
    states = recorded(history, runs)
    assert (shard_counts(states, "arn:run") or {})["succeeded"] == 2
    events = list(follow(states, "arn:machine"))
    assert events[1:4] == [Entered("Shards"), Shards(2, 0, 2), Exited("Shards", 0.0)]


def test_a_record_set_that_was_complete_is_said() -> None:
    ended = Ended("SUCCEEDED", "{}", "", "")
    (line,) = shown([Entered("Reuse"), Exited("Reuse", 0.0), ended])
    assert line == "✓ Reuse  the RecordSet was complete already: nothing is encoded again"


def test_the_way_to_the_execution_is_timed_from_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amazon_estimators_rehearsal.view.time", SimpleNamespace(monotonic=lambda: 107.0))
    console = Console(file=io.StringIO(), width=200)
    View(console).follow([Started("run"), Ended("SUCCEEDED", "{}", "", "")], since=100.0)
    assert "execution run 7.0 s" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_step_that_failed_is_crossed_out() -> None:
    console = Console(file=io.StringIO())
    with pytest.raises(CommandError), View(console).step("cdk deploy"):
        raise CommandError
    assert re.fullmatch(r"✗ cdk deploy \d+\.\d s  CommandError\n", console.file.getvalue())  # type: ignore[attr-defined]


def test_an_algorithm_without_metrics_has_none_in_the_summary() -> None:
    job = {
        "InputDataConfig": [],
        "HyperParameters": {},
        "AlgorithmSpecification": {"TrainingImage": "pca:1"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        "TrainingJobName": "pca",
        "TrainingJobStatus": "Completed",
    }
    console = Console(file=io.StringIO(), width=200)
    print_report(console, None, PCA, job, seconds={}, labels={})
    assert re.search(r"^metric +none: ", console.file.getvalue(), re.MULTILINE)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("facts", "label", "shape"),
    [
        ({"num_records": 500}, "kind", "500 records x 4 features, label kind, float32"),
        ({"num_records": 1}, -1, "1 record x 4 features, label column -1, float32"),
        ({"num_records": 500}, None, "500 records x 4 features, labelled, float32"),
        ({"labels": None}, None, "2 records x 4 features, float32"),
        ({"feature_dim": 0}, None, "2 records"),
    ],
)
def test_the_summary_says_that_a_label_was_used(
    facts: dict[str, Any], label: int | str | None, shape: str
) -> None:
    labels = {"minimum": 0, "maximum": 1, "integral": True}
    known = {
        "s3_data": "s3://bucket/train/.amazon.manifest",
        "num_records": 2,
        "feature_dim": 4,
        "dtype": "float32",
        "labels": labels,
        "shards": [],
    }
    body = json.dumps({**known, **facts}).encode()
    s3 = SimpleNamespace(get_object=lambda Bucket, Key: {"Body": io.BytesIO(body)})
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/train/.amazon.manifest"}},
    }
    (_, text), *_ = report._record_set_rows(s3, channel, label)
    assert text == shape


def test_what_the_user_brings_is_printed_as_it_is() -> None:
    """Neither markup nor emoji is read in it, and it is broken nowhere."""
    text = "/data/[/x]/[bold]/:key:/" + "long/" * 50
    console = Console(file=io.StringIO(), width=80)
    with View(console).step(text):
        pass
    View(console).follow([Exited(text, 0.0, text), Ended("FAILED", "{}", text, text)])
    say(console, (text, "bold"), text)
    first, second, third = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert first == f"✓ {text} 0.0 s"
    assert second == f"✗ {text} 0.0 s  {text}"
    assert third == text + text
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True)
    View(terminal).follow([Entered("[/x]"), Ended("FAILED", "{}", "", "")])
    assert "[/x]" in terminal.file.getvalue()  # type: ignore[attr-defined]


def test_an_execution_that_does_not_end(account: TrainingAccount) -> None:
    states = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}
    machine = account.machine(states, account.role(service="states.amazonaws.com"))
    account.states.start_execution(stateMachineArn=machine)
    with pytest.raises(NoExecutionError, match="still RUNNING after 2 s"):
        list(follow(account.states, machine, timeout=2))


def test_an_upload_that_starts_nothing(account: TrainingAccount) -> None:
    machine = account.machine(pass_states("One"), account.role(service="states.amazonaws.com"))
    with pytest.raises(NoExecutionError, match="started no execution"):
        list(follow(account.states, machine, timeout=1))


def test_a_command_that_fails_shows_its_output(tmp_path: Path) -> None:
    script = "print('what went wrong'); raise SystemExit(3)"
    command = Command([sys.executable, "-c", script], cwd=tmp_path, env={}, log=tmp_path / "cdk deploy.log")
    with pytest.raises(CommandError, match=r"(?s)cdk deploy failed with exit code 3.*what went wrong"):
        command.finish()


def test_a_stopped_command_takes_its_children_along(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    log = tmp_path / "parent.log"
    command = Command([sys.executable, "-c", script], cwd=tmp_path, env={}, log=log)
    while not log.read_text().endswith("\n"):
        time.sleep(0.05)
    child = int(log.read_text())
    command.stop()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        if "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]:
            return  # dead, not yet reaped by its new parent
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--algorithm", "KMean"], "RequestError There is no algorithm 'KMean'. Did you mean 'KMeans'?"),
        (["--data", "/no/[/x]:key:.csv"], "FileNotFoundError There is no file at /no/[/x]:key:.csv. Give"),
        (["--app", "/nowhere"], "FileNotFoundError There is no cdk.json in /nowhere. Run in"),
        (["--hyperparameter", "k=[foo]"], "HyperparameterError KMeans: Invalid hyperparameter value '[foo]'"),
        (["--instance-type", "ml.m5"], "InstanceError KMeans: 'ml.m5' is not a training instance type"),
        (["--instance-count", "0"], "InstanceError KMeans: instance_count is 0;"),
        (
            ["--label", "kind"],
            "RequestError --label and --source say how to read --data, but --data is missing",
        ),
        (["--data", "DATA", "--source", "exclud=id"], "RequestError Source has no exclud; allowed: "),
        (["--data", "DATA", "--source", "format=excel"], "RequestError Source: format is 'excel'; allowed: "),
        (["--data", "DATA", "--source", "prefix=a/"], "RequestError --source prefix=a/: files have no key"),
        (
            ["--data", "DATA", "--label", "a", "--source", "label=b"],
            "RequestError label: set by --source and by an option of its own",
        ),
        (
            ["--data", "DATA", "--algorithm", "Object2Vec", "--label", "a"],
            "RequestError Object2Vec reads lines, which have no columns: there is nothing for label 'a'",
        ),
        (["--data", "CHANNELS"], "RequestError KMeans: there is no channel 'old'; allowed: train, test"),
    ],
)
def test_what_is_wrong_is_said_once_and_before_anything_starts(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delattr(cli, "Platform")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    for folder in ("scratch", "data/train", "data/old"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.csv").write_text("1,2\n")
    places = {"DATA": tmp_path / "data" / "train" / "a.csv", "CHANNELS": tmp_path / "data"}
    assert cli.main([str(places.get(one, one)) for one in arguments]) == 1
    said = capsys.readouterr().out
    assert said.startswith(message) and said.count(message.split(maxsplit=1)[0]) == 1
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["a.csv"]


@pytest.mark.parametrize("option", ["--hyperparameter", "--source"])
def test_an_option_without_a_value(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([option, "k"])
    assert "'k' is not of the form NAME=VALUE" in capsys.readouterr().err


class Recorded(Exception):
    """Raised in place of a deployment: what would have been deployed."""


def recorded_settings(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, Any]:
    def deploy(settings: dict[str, Any]) -> None:
        raise Recorded(settings)

    started = SimpleNamespace(endpoint="https://127.0.0.1:1", deploy=deploy)
    monkeypatch.setattr(cli, "Platform", lambda **_: contextlib.nullcontext(started))
    with pytest.raises(Recorded) as settings:
        cli.main(arguments)
    ((_, found),) = settings.value.args[0]["algorithms"].items()
    return dict(found)


def test_how_the_data_are_read_is_the_user_s_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("id;NaN;b;kind\nx;1;2;3\n")
    words = ["delimiter=;", "exclude=id", "exclude=NaN", 'exclude=["b", 0]', "first_index=0"]
    given = [word for one in words for word in ("--source", one)]
    settings = recorded_settings(monkeypatch, "--data", str(tmp_path), "--label", "kind", *given)
    assert settings["channels"]["train"] == {
        "delimiter": ";",
        "exclude": ["id", "NaN", "b", 0],
        "first_index": 0,
        "label": "kind",
    }


def test_several_hyperparameters_in_one_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'k=5  eval_metrics=["msd", "ssd"] epochs=2'
    settings = recorded_settings(monkeypatch, "--hyperparameter", text, "--hyperparameter", "k=6")
    assert settings["hyperparameters"] == {"k": "6", "eval_metrics": '["msd", "ssd"]', "epochs": "2"}


def test_what_is_kept_is_named_however_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as patch:
        recorded_settings(patch, "--keep")
    assert cli.main(["--keep", "--instance-count", "0"]) == 1
    kept = [line.removeprefix("Kept: ") for line in capsys.readouterr().out.splitlines() if "Kept" in line]
    assert sorted(kept) == sorted(map(str, tmp_path.iterdir())) and len(kept) == 2


def test_a_caution_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    recorded_settings(monkeypatch, "--algorithm", "PCA", "--hyperparameter", "extra_components=3")
    assert "Warning PCA: extra_components" in capsys.readouterr().out


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [*arguments, *RUN],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        ([signal.SIGINT], 130),
        ([signal.SIGINT] * 5, 130),  # an impatient user's
        ([signal.SIGTERM], 143),
        ([signal.SIGHUP], 129),
    ],
)
def test_interrupted_it_leaves_nothing(tmp_path: Path, numbers: list[signal.Signals], status: int) -> None:
    run = start(tmp_path)
    assert run.stdout
    found = re.search(r"https://127\.0\.0\.1:\d+", run.stdout.readline())
    assert found
    time.sleep(2)  # in the middle of cdk
    for number in numbers:
        run.send_signal(number)
        time.sleep(0.05)
    said, _ = run.communicate(timeout=30)
    assert run.returncode == status, said
    assert "Traceback" not in said
    assert list((tmp_path / "tmp").iterdir()) == []
    assert _processes_that_mention(str(tmp_path)) == []


def _processes_that_mention(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in words and process.name != str(os.getpid()):
            found.append(words.decode(errors="replace"))
    return found


def _without_network() -> list[str]:
    """Words before a command that leave it the loopback device and no other; skips where not allowed."""
    prefix = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        'ip link set lo up && exec "$@"',
        "sh",
    ]
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("unshare and ip are not installed")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    return prefix


SUMMARY = [
    r"✓ marker _SUCCESS → S3 event → EventBridge → execution [0-9a-f]{24}-[0-9a-f]{8}-1 .*",
    *(rf"✓ {state} .*" for state in ("Plan", "Seal", "Train", "Done")),
    r"✓ Shards .* 2 shards encoded",
    r"channel train +1,797 records x 64 features, float32",
    r"manifest +s3://\S+/recordsets/[0-9a-f]{24}/train/\.amazon\.manifest",
    r"2 shards +matrix_00000\.pbr: 899 records, [\d,]+ bytes",
    r" +matrix_00001\.pbr: 898 records, [\d,]+ bytes",
    r"hyperparameters +feature_dim=64  k=10",
    r"training image +\d{12}\.dkr\.ecr\.us-east-1\.amazonaws\.com/kmeans:1",
    r"training job +kmeans-\S+: Completed",
    r"metric +train:msd = [\d.]+",
    r"engine +scikit-learn .*",
    r"predictions +899 records, off line with NumPy",
    r" +closest_cluster: \d, \d, \d, \d, \d, …",
    r" +train:msd = ([\d.]+) by these answers; the training job reported \1",
    *(
        rf"(?:seconds)? +\d+\.\d  .*{step}"
        for step in ("emulator", "deploy", "Plan", "Shards", "Seal", "Train")
    ),
    r"further trainings +1, on data set .*",
]
"""What the rehearsal of the sample of KMeans ends with, whole lines."""


@pytest.mark.deployed
def test_a_whole_rehearsal_without_network(tmp_path: Path, outputs: dict[str, str]) -> None:
    """Installed, it talks to 127.0.0.1 only: here is nothing else. ``outputs`` has the bundle made before."""
    run = start(tmp_path, *_without_network())
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 0, text
    for line in SUMMARY:
        assert re.search(rf"^{line}$", text, re.MULTILINE), (line, text)
    (page,) = (tmp_path / "tmp").iterdir()  # which it names
    assert re.fullmatch(r"report-of-kmeans-[\w-]+\.html", page.name)
    assert str(page) in text
