"""Known vulnerabilities: found, or said not to be looked for. A service on this machine answers pip-audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from supply_chain import audit
from supply_chain.locks import CODE, READER, Lock, pins


class Service(BaseHTTPRequestHandler):
    """Answers like OSV: it knows a vulnerability of each package that ``vulnerable`` names."""

    vulnerable: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.asked.append(name)
        range_ = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}
        package = {"name": name, "ecosystem": "PyPI"}
        told = {"id": f"PYSEC-{name}", "affected": [{"package": package, "ranges": [range_]}]}
        body = json.dumps({"vulns": [told]} if name in self.vulnerable else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The options of pip-audit that lead to a service of this test's own."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Service, "vulnerable", set())
    monkeypatch.setattr(Service, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield ["--vulnerability-service=osv", f"--osv-url=http://127.0.0.1:{server.server_port}/v1/query"]
        server.shutdown()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of few packages: what is shipped, what development adds, and what runs beside."""
    monkeypatch.setattr(audit, "SHIPPED", (Lock(file=CODE), Lock(file=READER)))
    monkeypatch.setattr(audit, "DEVELOPMENT", ())
    monkeypatch.setattr(audit, "BESIDE", ())


def test_a_vulnerable_package_fails_the_check_once_a_day(
    few: None, service: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Service.vulnerable.add("pyarrow")
    assert audit.main(service, tmp_path / "audit.json") == 1
    version = pins(READER)[0].version
    assert capsys.readouterr().out == f"pyarrow {version}: PYSEC-pyarrow, mended in 99\n"
    assert sorted(Service.asked) == sorted(pin.name for lock in (CODE, READER) for pin in pins(lock))
    Service.asked.clear()
    assert audit.main(service, tmp_path / "audit.json") == 1
    assert (Service.asked, "PYSEC-pyarrow" in capsys.readouterr().out) == ([], True)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What is known of each lock, by the name of its file."""
    known: dict[str, list[str]] = {}
    monkeypatch.setattr(
        audit,
        "vulnerabilities",
        lambda locks, service: [line for k in locks for line in known.get(k.file.stem, [])],
    )
    return known


@pytest.mark.parametrize(("lock", "status"), [("rehearse", 1), ("test", 1), ("checkov", 0)])
def test_what_only_tests_run_is_told_and_does_not_fail(
    lock: str, status: int, answers: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers[lock] = ["a-package 1.0: PYSEC-1, mended in 2.0"]
    assert audit.main((), tmp_path / "audit.json") == status
    assert "PYSEC-1" in capsys.readouterr().out


def test_another_lock_is_asked_about_again(
    answers: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit.main((), tmp_path / "audit.json") == 0
    answers["requirements"] = ["a-package 1.0: PYSEC-1, mended in 2.0"]
    assert audit.main((), tmp_path / "audit.json") == 0
    other = tmp_path / "requirements.txt"
    other.write_bytes(CODE.read_bytes() + b"\n")
    monkeypatch.setattr(audit, "SHIPPED", (Lock(file=other), *audit.SHIPPED[1:]))
    assert audit.main((), tmp_path / "audit.json") == 1


@pytest.mark.parametrize(
    "printed",
    ["", "Traceback", '{"dependencies": [{"name": "numpy", "skip_reason": "Dependency not found on PyPI"}]}'],
)
def test_no_data_is_said_in_a_line_and_is_not_kept(
    printed: str,
    few: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Done:
        stdout, stderr = printed, "Traceback\nConnectionError: nobody is there"

    monkeypatch.setattr(audit.subprocess, "run", lambda *command, **options: Done)
    assert audit.main((), tmp_path / "audit.json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Vulnerabilities: not checked") and ("numpy" in line or "nobody" in line)
    assert not (tmp_path / "audit.json").exists()
