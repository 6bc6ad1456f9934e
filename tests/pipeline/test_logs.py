"""The log of a step: one JSON line at its start, one at its end, one for each retry of a request."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from amazon_estimators import logs
from amazon_estimators.logs import logged, note
from amazon_estimators.storage.retries import log_retries
from amazon_estimators.storage.s3 import InputObject, read_range

OWN = frozenset(vars(logging.makeLogRecord({})))
ENCODE = {"pipeline": "Stack/Digits", "execution": "e", "shard": 3, "bucket": "b", "offset": 0}


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in OWN | {"message"}}


def test_a_step_s_lines(caplog: pytest.LogCaptureFixture) -> None:
    @logged("Encode")
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        note(channel="train", records=7, bytes=99)
        return {"answer": event["shard"]}

    caplog.set_level(logging.INFO)
    for _ in range(2):
        assert handler(ENCODE, None) == {"answer": 3}
    start, end, *_ = caplog.records
    about = {"step": "Encode", "pipeline": "Stack/Digits", "execution": "e", "shard": 3}
    assert (start.getMessage(), fields(start)) == ("step started", about)
    last = fields(end)
    seconds, memory = last.pop("seconds"), last.pop("peak_memory_mb")
    assert (end.getMessage(), last) == (
        "step ended",
        {**about, "channel": "train", "records": 7, "bytes": 99},
    )
    assert seconds >= 0
    assert 5 < memory < 100_000
    # What one call notes is not told of the next one.
    assert "records" not in fields(caplog.records[2])


@pytest.mark.parametrize(
    ("event", "about"),
    [
        (
            {"pipeline": {"pipeline": "P", "algorithm": "KMeans"}, "execution": {"name": "e", "redrive": 2}},
            {"pipeline": "P", "execution": "e", "redrive": 2},
        ),
        ({"pipeline": "P", "execution": {"name": "e"}}, {"pipeline": "P", "execution": "e"}),
        ({"Records": []}, {}),
        ({"shard": 0}, {"shard": 0}),
    ],
)
def test_whose_work_it_is(
    event: dict[str, Any], about: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logged("Plan")(lambda event, context: {})(event, None)
    assert fields(caplog.records[0]) == {"step": "Plan", **about}


def test_a_failure_is_logged_by_name_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    @logged("Encode")
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        note(channel="train")
        raise KeyError("x")

    with pytest.raises(KeyError):
        handler(ENCODE, None)
    last = caplog.records[-1]
    assert (last.getMessage(), last.levelname) == ("step failed", "ERROR")
    assert fields(last).items() >= {"error": "KeyError", "channel": "train", "shard": 3}.items()


PROGRAM = """
import json, logging, sys
from amazon_estimators.handlers.fail import handler
from amazon_estimators.logs import LOGGER, retrying
LOGGER.debug("detail")
LOGGER.log(5, "more detail")
retrying("GetObject", 2, "SlowDown", key="a")
explained = {"redrive": 0, "error": "InputError", "cause": "c"}
event = {"explained": explained, "execution": {"name": "e", "redrive": 1}}
assert handler(event, None) == {}
"""


@pytest.mark.parametrize(
    ("level", "messages"),
    [
        (None, ["retrying", "step started", "step ended"]),
        ("INFO", ["retrying", "step started", "step ended"]),
        ("WARN", ["retrying"]),
        ("ERROR", []),
        ("FATAL", []),
        ("DEBUG", ["detail", "retrying", "step started", "step ended"]),
        ("TRACE", ["detail", "more detail", "retrying", "step started", "step ended"]),
    ],
)
def test_in_plain_python_the_lines_are_json_at_the_level_of_the_environment(
    level: str | None, messages: list[str]
) -> None:
    """As the rehearsal runs functions: nothing has set up a handler."""
    root = Path(logs.__file__).parents[1]
    environment = {"PYTHONPATH": str(root), **({logs.LEVEL: level} if level else {})}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in lines] == messages
    for line in lines:
        assert list(line)[:4] == ["timestamp", "level", "message", "logger"]
    if "step ended" in messages:
        assert lines[-1]["execution"] == "e"
        assert lines[-1]["step"] == "Failed"


def test_where_lambda_has_its_handler_there_is_no_second_line() -> None:
    """The runtime's handler is on the root before the function's module is imported."""
    program = """
import io, logging
out = io.StringIO()
logging.getLogger().addHandler(logging.StreamHandler(out))
from amazon_estimators.handlers.fail import handler
from amazon_estimators.logs import LOGGER
assert not LOGGER.handlers
LOGGER.error("once")
assert out.getvalue() == "once\\n"
"""
    root = Path(logs.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


class Service(ThreadingHTTPServer):
    """An S3 that answers with the next of ``answers``: an error's status and code, or a body."""

    answers: list[tuple[int, bytes]]


class _Answers(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        status, body = self.server.answers.pop(0)
        if status != 206:
            body = b"<Error><Code>%b</Code></Error>" % body
        self.send_response(status)
        # Too little is a connection that breaks while the body arrives.
        self.send_header("Content-Length", str(max(len(body), 4)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_every_retry_of_a_read_is_a_line(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore's own, for what the service answers, and ours, for a body that breaks off."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{service.server_port}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"mode": "standard", "max_attempts": 8}),
    )
    log_retries(client)
    service.answers = [(503, b"SlowDown"), (500, b"InternalError"), (206, b"ab"), (206, b"abcd")]
    caplog.set_level(logging.INFO)
    found = InputObject("bucket", "input/a.csv", 4, "etag", "version")
    assert read_range(client, found, 0, 4) == b"abcd"
    lines = [fields(record) for record in caplog.records if record.getMessage() == "retrying"]
    told = [(line["operation"], line["attempt"], line["cause"]) for line in lines]
    assert told == [
        ("GetObject", 2, "SlowDown"),
        ("GetObject", 3, "InternalError"),
        ("GetObject", 2, "ResponseStreamingError"),
    ]
    assert all(line["url"].endswith("bucket/input/a.csv") for line in lines)
