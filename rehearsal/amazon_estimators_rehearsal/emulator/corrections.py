"""Correct differences between the emulator and AWS that break a pipeline: one function per difference."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import re
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import provisioners

logger = logging.getLogger("rehearsal")


def record_denials() -> None:
    """Log every refusal with its reason. Clients often show less."""
    enforce = iam_evaluator.enforce

    @functools.wraps(enforce)
    def recorded(access_key: str, action: str, *rest: Any, **named: Any) -> Any:
        result = enforce(access_key, action, *rest, **named)
        if result is not None:
            resource = named.get("resource_arn") or (rest[2] if len(rest) > 2 else "*")
            reason = getattr(result, "reason", "") or getattr(result, "message", "")
            principal = getattr(result, "principal_arn", "") or access_key
            logger.warning("DENIED %s: %s on %s: %s", principal, action, resource, reason)
        return result

    iam_evaluator.enforce = recorded


def correct_permission_checks() -> None:
    """Check the same actions and resources as AWS where the emulator checks others.

    SQS batch calls need the permission of the single call, CreateLogStream and PutLogEvents are checked on
    the log stream, and a schedule's ARN names its own group.
    """
    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    @functools.wraps(action_of)
    def actions(*arguments: Any) -> Any:
        action = action_of(*arguments)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    @functools.wraps(resource_of)
    def resources(name: str, *request: Any) -> Any:
        arn = str(resource_of(name, *request))
        _, _, headers, body, query = request[:5]
        if headers.get("x-amz-target", "").endswith((".PutLogEvents", ".CreateLogStream")):
            return f"{arn}:log-stream:{json.loads(body)['logStreamName']}"
        if name == "scheduler" and ":schedule/default/" in arn:
            group = (
                json.loads(body).get("GroupName") if body else iam_actions._query_param(query, "groupName")
            )
            return arn.replace(":schedule/default/", f":schedule/{group or 'default'}/")
        return arn

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = actions, resources


def correct_versioned_ranges() -> None:
    """Honour ``Range`` in GETs that name a version. The emulator returns the whole object."""
    get_object = s3._get_object

    @functools.wraps(get_object)
    def ranged(bucket: str, key: str, headers: dict[str, str], query: Any = None) -> Any:
        if "range" not in headers or not s3._qp(query or {}, "versionId", ""):
            return get_object(bucket, key, headers, query)
        # The whole object's checksums do not match a part of it.
        whole = {
            name: value for name, value in headers.items() if name not in ("range", "x-amz-checksum-mode")
        }
        status, answered, body = get_object(bucket, key, whole, query)
        if status != 200:
            return status, answered, body
        place = s3._parse_range(headers["range"], len(body))
        if place is None:
            size = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
            return 416, size, s3._xml_body(s3._range_error_xml(bucket, key))
        first, last = place
        part = body[first : last + 1]
        span = {"Content-Length": str(len(part)), "Content-Range": f"bytes {first}-{last}/{len(body)}"}
        return 206, {**answered, **span}, part

    s3._get_object = ranged


def correct_error_types() -> None:
    """Name the exception in a function's error, as Lambda does. The emulator has one name for all."""
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def typed(*arguments: Any) -> Any:
        result = execute(*arguments)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            first_line = re.escape(str(body["errorMessage"]).partition("\n")[0])
            raised = re.findall(
                rf"^(?:[a-z_]\w*\.)*([\w.]+): {first_line}$", result.get("log", ""), re.MULTILINE
            )
            body["errorType"] = raised[-1] if raised else body["errorType"]
        return result

    lambda_svc._execute_function_warm = typed


def unpack_once() -> None:
    """Share a package's files, and the bytecode beside them, among all workers.

    The emulator unpacks the package for each worker, which takes most of a cold start. Sharing is safe: no
    function writes there, as on Lambda, where the directory is read-only.
    """
    unpacked: dict[str, Path] = {}
    lock = threading.Lock()

    class Package(zipfile.ZipFile):
        def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
            with lock:
                digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
                if digest not in unpacked:
                    directory = Path(tempfile.mkdtemp(prefix="unpacked-"))
                    super().extractall(directory)
                    unpacked[digest] = directory
            Path(path).rmdir()
            Path(path).symlink_to(unpacked[digest])

    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": Package})


def accept_metric_math() -> None:
    """Accept alarms on metric math. The emulator cannot evaluate them, so they stay without data."""
    record = provisioners._cw_metric_alarm_record

    @functools.wraps(record)
    def accepted(name: str, properties: dict[str, Any]) -> Any:
        if properties.get("Metrics"):
            unknown = {
                "MetricName": name,
                "Namespace": "Rehearsal/NotEvaluated",
                "TreatMissingData": "missing",
            }
            properties = {**properties, **unknown, "Metrics": None}
        return record(name, properties)

    provisioners._cw_metric_alarm_record = accepted
