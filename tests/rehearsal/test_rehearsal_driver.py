"""The driver: it follows what happens, ends as it should, leaves nothing behind, needs no network."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from training_account import TrainingAccount

from amazon_estimators_rehearsal import cli
from amazon_estimators_rehearsal.command import Command, CommandError
from amazon_estimators_rehearsal.follow import (
    Ended,
    Entered,
    Exited,
    NoExecutionError,
    Started,
    executions,
    follow,
)
from amazon_estimators_rehearsal.view import View

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "amazon_estimators_rehearsal"]


def pass_states(*names: str) -> dict[str, Any]:
    following = [*({"Next": name} for name in names[1:]), {"End": True}]
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
        (["--algorithm", "KMean"], "Did you mean 'KMeans'"),
        (["--data", "/no/such/file.csv"], "no file at /no/such/file.csv"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 1
    assert message in " ".join(capsys.readouterr().out.split())


def test_a_hyperparameter_without_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--hyperparameter", "k"])
    assert "'k' is not of the form NAME=VALUE" in capsys.readouterr().err


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


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_nothing(tmp_path: Path, number: signal.Signals, status: int) -> None:
    run = start(tmp_path)
    assert run.stdout
    found = re.search(r"https://127\.0\.0\.1:\d+", run.stdout.readline())
    assert found
    time.sleep(2)  # in the middle of cdk
    run.send_signal(number)
    run.communicate(timeout=30)
    assert run.returncode == status
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


@pytest.mark.deployed
def test_a_whole_rehearsal_without_network(tmp_path: Path, outputs: dict[str, str]) -> None:
    """Installed, it talks to 127.0.0.1 only: here is nothing else. ``outputs`` has the bundle made before."""
    run = start(tmp_path, *_without_network())
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 0, text
    assert "1,797 records x 64 features" in text
    assert "Completed" in text and "scikit-learn" in text
    assert list((tmp_path / "tmp").iterdir()) == []
