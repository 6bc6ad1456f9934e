"""Run a hosting instance: a process with the execution role's credentials that answers one request at a time.

:mod:`endpoints` starts it. It reads its order as a line of JSON from stdin, and writes a line to stdout when
it is ready or has failed. Then each line on stdin is a request, and each line on stdout its response.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from amazon_estimators_rehearsal.sagemaker.payloads import PayloadError
from amazon_estimators_rehearsal.sagemaker.served_model import ServedModel, download_problem


class Instance:
    """A variant's models: a single one, or those under a prefix, each loaded with its first request."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._order, self._s3 = order, boto3.client("s3")
        self._models: dict[str, ServedModel] = {}
        if not order["multi_model"]:
            self._load("")

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to a request, with its ``status``."""
        target = request.get("target", "")
        try:
            model = self._models.get(target) or self._load(target)
            body, content_type = model.answer(
                base64.b64decode(request["body"]), request["content_type"], request["accept"]
            )
        except PayloadError as error:
            return {"status": error.status, "message": str(error)}
        except ClientError as error:
            return {"status": 404, "message": self._problem(error, target)}
        return {"status": 200, "content_type": content_type, "body": base64.b64encode(body).decode()}

    def _load(self, target: str) -> ServedModel:
        uri = self._order["model_data"] + target
        model = self._models[target] = ServedModel(self._s3, self._order["algorithm"], uri)
        return model

    def _problem(self, error: ClientError, target: str) -> str:
        return download_problem(error, self._order["model_data"] + target, self._order["role"])


def main() -> None:
    """Serve a variant until stdin closes. Exit code 1 if its model cannot be loaded."""
    order = json.loads(sys.stdin.readline())
    try:
        instance = Instance(order)
    except ClientError as error:
        _tell(failure=download_problem(error, order["model_data"], order["role"]))
        sys.exit(1)
    _tell(ready=True)
    for line in sys.stdin:
        _tell(**instance.answer(json.loads(line)))


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
