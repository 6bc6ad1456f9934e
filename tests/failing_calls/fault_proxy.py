"""An HTTP proxy in front of an AWS account, which answers the first of some calls with a fault.

Clients speak real HTTP with it, so their own retries, parsers and streams meet the fault.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Fault(StrEnum):
    """What happens to a call. The first four have no effect; of the last two only the answer is lost."""

    THROTTLED = "throttled"
    BROKEN = "500"
    DENIED = "access denied"
    MISSING = "not found"
    CUT = "cut in the body"
    SILENT = "no answer"


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """The service that its signature is for; CloudFormation's answers go to a signed URL."""
        scope = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", self.headers.get("authorization", ""))
        return scope[1] if scope else "cloudformation"


@dataclass(frozen=True)
class Answer:
    """What comes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, order=True)
class Call:
    """A call, and what it is about: an object, a prefix or a name, without the parts that differ by run."""

    operation: str
    about: str


REST = {
    ("lambda", "GET"): "GetAccountSettings",
    ("scheduler", "PUT"): "UpdateSchedule",
    ("scheduler", "POST"): "CreateSchedule",
    ("sagemaker", "POST"): "InvokeEndpoint",
    ("cloudformation", "PUT"): "Answer to CloudFormation",
}
"""Operations of the services that name them by method and path, so far as the library calls them."""
ABOUT = ("SourceUri", "ArtifactName", "AssociationType", "TrainingJobName")
"""Members of JSON requests that tell two calls of one operation apart."""
CODES: Mapping[Fault, tuple[int, str, int, str]] = {
    Fault.THROTTLED: (503, "SlowDown", 400, "ThrottlingException"),
    Fault.BROKEN: (500, "InternalError", 500, "InternalServerError"),
    Fault.DENIED: (403, "AccessDenied", 403, "AccessDeniedException"),
    Fault.MISSING: (404, "NoSuchKey", 404, "ResourceNotFoundException"),
}
"""Status and code, of S3 and of the other services."""
MISSING = {
    "sagemaker": (400, "ValidationException"),
    "states": (400, "ExecutionDoesNotExist"),
    "application-autoscaling": (400, "ObjectNotFoundException"),
    "sqs": (400, "AWS.SimpleQueueService.NonExistentQueue"),
}
"""How the services answer that have another name for what does not exist."""


def call_of(request: Request) -> Call:
    """Return what a request calls."""
    if request.service == "s3":
        bucket, _, key = unquote(request.path).strip("/").partition("/")
        about = key or "".join(request.query.get("prefix", ()))
        kind = "data" if "data" in bucket else "models" if "model" in bucket else bucket
        return Call(_s3_operation(request), f"{kind}/{_without_hashes(about)}")
    target = request.headers.get("x-amz-target")
    if target is None:
        return Call(REST[request.service, request.method], "")
    asked = json.loads(request.body)
    entries = asked.get("Entries") or [{}]
    about = str(entries[0].get("DetailType") or next((asked[name] for name in ABOUT if name in asked), ""))
    return Call(target.rpartition(".")[2], _without_hashes(about))


def _s3_operation(request: Request) -> str:
    query = request.query
    if request.method == "GET" and "list-type" in query:
        return "ListObjectsV2"
    if request.method == "GET" and "versions" in query:
        return "ListObjectVersions"
    if request.method == "PUT" and "uploadId" in query:
        return "UploadPart"
    if request.method == "POST":
        return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
    return f"{request.method.capitalize()}Object"


def _without_hashes(text: str) -> str:
    text = re.sub(r"^(s3|arn):[^/]*/*[^/]*/", "", text)
    text = re.sub(r"\d{4}(/\d\d){3}|[\w+=]{40,}|[0-9a-f]{8,}[-.0-9a-f]*|\d{3,}", "*", text)
    text = re.sub(r"\b(run[a-z]+|digits)-[-\d*]+", "*", text)
    text = re.sub(r"(?<=/)(train|test|rows)\b(?=/)", "<channel>", text)
    return re.sub(r"^(scores|batch)/", "", re.sub(r"[*-]+(?=[*])", "", text)).replace("*json", "*.json")


class FaultProxy:
    """The proxy. ``forward`` answers what has no fault; ``calls`` are all calls since :meth:`clear`."""

    def __init__(self, forward: Callable[[Request], Answer]) -> None:
        self._forward = forward
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self._fault: tuple[Call, Fault] | None = None
        self._left: float = 0
        self.calls: list[Call] = []
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def clear(self) -> None:
        """Forget the calls and the fault."""
        with self._lock:
            self.calls, self._fault, self._left = [], None, 0

    def refuse(self, call: Call, fault: Fault, times: float = 1) -> None:
        """Answer the next calls like this one with a fault; for good if ``times`` is infinite."""
        with self._lock:
            self.calls, self._fault, self._left = [], (call, fault), times

    @contextmanager
    def running(self) -> Iterator[FaultProxy]:
        """Serve until the block ends."""
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while (request := _read(stream, connection)) is not None and self._reply(connection, request):
                    pass
            except OSError:
                return  # the client has gone

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        """Answer; return False if the connection ends here."""
        call = call_of(request)
        fault = self._fault_of(call)
        if fault is not None and fault in CODES:
            connection.sendall(_bytes_of(request, refusal(request, fault)))
            return True
        with self._lock:
            answer = self._forward(request)
        sent = _bytes_of(request, answer)
        if fault is None:
            connection.sendall(sent)
            return True
        if fault is Fault.CUT:
            head = sent.index(b"\r\n\r\n")
            connection.sendall(sent[: head + 4 + len(answer.body) // 2] if answer.body else sent[: head // 2])
        else:
            connection.recv(1)  # until the client gives up and closes the connection
        return False

    def _fault_of(self, call: Call) -> Fault | None:
        with self._lock:
            self.calls.append(call)
            if self._fault is None or self._fault[0] != call or not self._left:
                return None
            self._left -= 1
            return self._fault[1]


FOR_GOOD = inf


def refusal(request: Request, fault: Fault) -> Answer:
    """Return the service's answer of this kind."""
    status, code, other_status, other = CODES[fault]
    if request.service in ("s3", "cloudformation"):
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>refused</Message></Error>"
        return Answer(status, {"Content-Type": "application/xml"}, body.encode())
    if fault is Fault.MISSING and request.service in MISSING:
        other_status, other = MISSING[request.service]
        if request.headers.get("x-amz-target", "").endswith((".StartExecution", ".ListExecutions")):
            other = "StateMachineDoesNotExist"
    body = json.dumps({"__type": other, "message": "refused"})
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": other}
    return Answer(other_status, headers, body.encode())


def _read(stream: Any, connection: socket.socket) -> Request | None:
    line = stream.readline().decode("latin-1").split()
    if not line:
        return None
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    if "100-continue" in headers.get("expect", ""):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = stream.read(int(headers.get("content-length", 0)))
    url = urlsplit(line[1])
    return Request(line[0], url.path, parse_qs(url.query, keep_blank_values=True), headers, body)


def _bytes_of(request: Request, answer: Answer) -> bytes:
    own = {name.lower(): value for name, value in answer.headers.items()}
    length = own.pop("content-length", "0") if request.method == "HEAD" else str(len(answer.body))
    for name in ("transfer-encoding", "connection", "content-length"):
        own.pop(name, None)
    lines = [f"HTTP/1.1 {answer.status} Status", *(f"{name}: {value}" for name, value in own.items())]
    head = "\r\n".join([*lines, f"content-length: {length}", "", ""])
    return head.encode("latin-1") + (b"" if request.method == "HEAD" else answer.body)
