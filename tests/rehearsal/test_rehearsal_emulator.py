"""The emulator's process: reachable over TLS only, with IAM enforced, and gone when its starter is."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from training_account import ACCOUNT, REGION, TrainingAccount, statement

from amazon_estimators_rehearsal import server
from amazon_estimators_rehearsal.platform import Platform


def alive(endpoint: str, directory: Path) -> bool:
    trust = ssl.create_default_context(cafile=str(directory / "certificate.pem"))
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", context=trust, timeout=5) as answer:
            return bool(json.load(answer)["auth"] == "enabled")
    except OSError:
        return False


def serving(endpoint: str) -> int:
    """Process id of the emulator that answers on ``endpoint``."""
    setting = f"GATEWAY_PORT={endpoint.rpartition(':')[2]}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if setting in (process / "environ").read_bytes().split(b"\0"):
                return int(process.name)
    raise AssertionError(f"no process serves {endpoint}")


def await_end(endpoint: str, directory: Path, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while alive(endpoint, directory):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_it_is_gone_after_its_block(tmp_path: Path) -> None:
    with server.emulator(tmp_path) as endpoint:
        assert endpoint.startswith("https://127.0.0.1:")
        assert alive(endpoint, tmp_path)
    assert not alive(endpoint, tmp_path)


def test_it_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), server.emulator(tmp_path) as endpoint:
        raise KeyboardInterrupt
    assert not alive(endpoint, tmp_path)


def test_it_is_gone_after_its_starter_is_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from amazon_estimators_rehearsal import server\n"
        "with server.emulator(pathlib.Path(sys.argv[1])) as endpoint:\n"
        "    print(endpoint, flush=True)\n"
        "    time.sleep(600)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert starter.stdout
        endpoint = starter.stdout.readline().strip()
        assert alive(endpoint, tmp_path)
    finally:
        starter.send_signal(signal.SIGKILL)
        starter.wait()
    assert await_end(endpoint, tmp_path)


def test_one_that_hangs_is_ended_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STOP_SECONDS", 0.5)
    with server.emulator(tmp_path) as endpoint:
        pid = serving(endpoint)
        os.kill(pid, signal.SIGSTOP)
        while "State:\tT" not in Path(f"/proc/{pid}/status").read_text():
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not Path(f"/proc/{pid}").exists()


def test_two_at_a_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with Platform(directory=one) as first, Platform(directory=other) as second:
        first.client("s3").create_bucket(Bucket="only-in-the-first")
        assert [bucket["Name"] for bucket in second.client("s3").list_buckets()["Buckets"]] == []


def test_one_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "write_certificate", lambda directory: (directory / "key.pem").touch())
    (tmp_path / "certificate.pem").write_text("no certificate")
    with pytest.raises((server.EmulatorError, ssl.SSLError)), server.emulator(tmp_path):
        pass


def test_plain_http_is_not_answered(platform: Platform) -> None:
    with pytest.raises(OSError):
        urllib.request.urlopen(platform.endpoint.replace("https", "http") + "/_ministack/health", timeout=5)


def test_what_a_role_may_not_do_is_denied_and_recorded(account: TrainingAccount) -> None:
    allowed = statement("s3:GetObject", f"arn:aws:s3:::{account.bucket}/train/*")
    role = account.role(allowed)
    s3 = account.platform.client_as(role, "s3")
    assert s3.get_object(Bucket=account.bucket, Key="train/.amazon.manifest")["ContentLength"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=account.bucket, Key="train/new", Body=b"")
    (line,) = [line for line in account.platform.denials() if role.partition(":role/")[2] + "/" in line]
    assert "s3:PutObject" in line and f"arn:aws:s3:::{account.bucket}/train/new" in line


@pytest.mark.parametrize(
    ("wanted", "expected"), [("bytes=0-3", b"firs"), ("bytes=2-", b"rst version"), ("bytes=-4", b"sion")]
)
def test_a_range_of_a_version(account: TrainingAccount, wanted: str, expected: bytes) -> None:
    s3, bucket = account.s3, account.bucket
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="versioned", Body=b"first version")["VersionId"]
    s3.put_object(Bucket=bucket, Key="versioned", Body=b"second")
    answer = s3.get_object(Bucket=bucket, Key="versioned", VersionId=first, Range=wanted)
    assert answer["Body"].read() == expected
    assert answer["ContentRange"].endswith("/13")


def test_a_range_beyond_a_version(account: TrainingAccount) -> None:
    version = account.s3.put_object(Bucket=account.bucket, Key="short", Body=b"abc").get("VersionId", "null")
    with pytest.raises(ClientError, match="InvalidRange"):
        account.s3.get_object(Bucket=account.bucket, Key="short", VersionId=version, Range="bytes=10-20")


def test_a_batch_asks_for_the_permission_of_the_single_call(account: TrainingAccount) -> None:
    url = account.platform.client("sqs").create_queue(QueueName="batches")["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:batches"
    entries = [{"Id": "one", "MessageBody": "text"}]
    sender = account.platform.client_as(account.role(statement("sqs:SendMessage", queue)), "sqs")
    assert not sender.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
    reader = account.platform.client_as(account.role(statement("sqs:ReceiveMessage", queue)), "sqs")
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.send_message_batch(QueueUrl=url, Entries=entries)


def test_a_schedule_is_checked_in_its_group(account: TrainingAccount) -> None:
    scheduler = account.platform.client("scheduler")
    scheduler.create_schedule_group(Name="group")
    target = {
        "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:batches",
        "RoleArn": account.role(service="scheduler.amazonaws.com"),
    }
    schedule = {
        "Name": "nightly",
        "GroupName": "group",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }

    def role(group: str) -> str:
        resource = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/*"
        return account.role(statement("scheduler:*", resource), statement("iam:PassRole", "*"))

    with pytest.raises(ClientError, match="AccessDenied"):
        account.platform.client_as(role("default"), "scheduler").create_schedule(**schedule)
    right = account.platform.client_as(role("group"), "scheduler")
    assert right.create_schedule(**schedule)["ScheduleArn"].endswith("schedule/group/nightly")
    assert right.get_schedule(Name="nightly", GroupName="group")["Name"] == "nightly"
