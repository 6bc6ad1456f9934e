"""Provide a local AWS account to deploy into: emulator, CDK CLI, clients. The driver and the tests use it.

::

    with Platform() as platform:
        outputs = platform.deploy({"algorithms": {"KMeans": {"hyperparameters": {"k": 10}}}})
        platform.client("s3").upload_file(...)
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from amazon_estimators_rehearsal import deployment, server
from amazon_estimators_rehearsal.certificate import CERTIFICATE
from amazon_estimators_rehearsal.command import Command
from amazon_estimators_rehearsal.environment import ACCESS_KEY, REGION
from amazon_estimators_rehearsal.scratch import scratch


class Platform:
    """A separate AWS account on 127.0.0.1, with IAM enforced. It lives as long as its ``with`` block.

    Args:
        app: The CDK app's directory. Default: that of :func:`deployment.app_directory`.
        directory: Holds logs, certificate and cloud assembly. Default: a temporary one, deleted at the end.
    """

    directory: Path

    def __init__(self, *, app: Path | None = None, directory: Path | None = None) -> None:
        self._app = app
        self._given = directory
        self.endpoint = ""
        self._resources = contextlib.ExitStack()
        self._clients: dict[str, Any] = {}
        self._cdk: deployment.Cdk | None = None
        self._bootstrap: Command | None = None
        self.seconds: dict[str, float] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as resources:
            self.directory = self._given or resources.enter_context(scratch())
            self.directory.mkdir(parents=True, exist_ok=True)
            began = time.monotonic()
            self.endpoint = resources.enter_context(server.emulator(self.directory))
            self.seconds["emulator"] = time.monotonic() - began
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def deploy(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Deploy the app with ``settings`` as CDK context, or update it. Return the stack's outputs.

        Raises:
            CommandError: The CLI failed; the text holds its output.
        """
        if self._cdk is None or self._bootstrap is None:
            self._cdk = deployment.Cdk(self.directory, self.endpoint)
            self._bootstrap = self._cdk.bootstrap()
            self._resources.callback(self._bootstrap.stop)
        began = time.monotonic()
        synth, assembly = self._cdk.synthesize(deployment.app_directory(self._app), settings)
        self._resources.callback(synth.stop)
        synth.finish()
        self._bootstrap.finish()
        self.seconds["cdk bootstrap and synth, side by side"] = time.monotonic() - began
        began = time.monotonic()
        outputs = self._cdk.deploy(assembly)
        self.seconds["cdk deploy"] = time.monotonic() - began
        return {name: value for stack in outputs.values() for name, value in stack.items()}

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account's root user."""
        if service not in self._clients:
            self._clients[service] = self._client(service, ACCESS_KEY, "test", None)
        return self._clients[service]

    def client_as(self, role_arn: str, service: str) -> Any:
        """Return a boto3 client that acts as a role. The root user may assume any role that a service may."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="rehearsal")
        keys = answer["Credentials"]
        return self._client(service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def denials(self) -> list[str]:
        """Return every refusal of a permission so far: principal, action, resource."""
        return server.denials(self.directory)

    def problems(self, lines: int = 30) -> list[str]:
        """Return the last warnings and errors of the emulator's log, including refusals."""
        return server.problems(self.directory, lines)

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        # Every setting is explicit: boto3 reads nothing from the user's environment, files or profile.
        nothing = (None, None, None, None)
        core = botocore.session.Session(
            session_vars={"profile": nothing, "config_file": nothing, "credentials_file": nothing}
        )
        session = boto3.Session(
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            region_name=REGION,
            botocore_session=core,
        )
        return session.client(
            service,
            endpoint_url=self.endpoint,
            verify=str(self.directory / CERTIFICATE),
            config=Config(proxies={}, retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}),
        )
