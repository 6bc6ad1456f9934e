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

from amazon_estimators.client.find_pipelines import pipelines_of_stack
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators_rehearsal import deployment, server
from amazon_estimators_rehearsal.assembly import stacks_of
from amazon_estimators_rehearsal.certificate import CERTIFICATE
from amazon_estimators_rehearsal.command import Command
from amazon_estimators_rehearsal.environment import ACCESS_KEY, REGION, client_environment
from amazon_estimators_rehearsal.scratch import scratch


class Platform:
    """A separate AWS account on 127.0.0.1, with IAM enforced. It lives as long as its ``with`` block.

    Args:
        app: The CDK app's directory, or its Python program. Default: that of :func:`deployment.app_of`.
        directory: Holds logs, certificate and cloud assembly. Default: a temporary one, deleted at the end.
    """

    directory: Path

    def __init__(self, *, app: Path | None = None, directory: Path | None = None) -> None:
        self._app = app
        self._given = directory
        self.endpoint = ""
        self._resources = contextlib.ExitStack()
        self._clients: dict[str, Any] = {}
        self._stacks: list[str] = []
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

    def deploy(self, settings: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Deploy the app, or update it. Return the outputs of its stacks.

        Args:
            settings: CDK context. Default: none but that of the app.

        Raises:
            CommandError: The CLI failed; the text holds its output.
            RequestError: A stack is bound to another account or region, or its functions to another machine.
        """
        app = deployment.app_of(self._app)
        cdk, bootstrap = self._bootstrapped(deployment.context_of(app).get(deployment.QUALIFIER))
        began = time.monotonic()
        synth, assembly = cdk.synthesize(app, settings or {})
        self._resources.callback(synth.stop)
        synth.finish()
        bootstrap.finish()
        self.seconds["cdk bootstrap and synth, side by side"] = time.monotonic() - began
        return self.deploy_assembly(assembly)

    def deploy_assembly(self, assembly: Path) -> dict[str, str]:
        """Deploy what ``cdk synth``, or ``app.synth()``, wrote. Return the outputs of its stacks.

        Raises:
            CommandError: The CLI failed; the text holds its output.
            RequestError: A stack is bound to another account or region, or its functions to another machine.
        """
        stacks = [stack.name for stack in stacks_of(assembly)]
        cdk, bootstrap = self._bootstrapped(None)
        bootstrap.finish()
        began = time.monotonic()
        outputs = cdk.deploy(assembly)
        self.seconds["cdk deploy"] = time.monotonic() - began
        self._stacks = stacks
        return {name: value for stack in outputs.values() for name, value in stack.items()}

    def pipelines(self) -> list[PipelineEstimator]:
        """Return the training pipelines of the stacks that the last deployment made or updated."""
        return [pipeline for stack in self._stacks for pipeline in pipelines_of_stack(stack, self.session)]

    @property
    def session(self) -> boto3.Session:
        """A boto3 session of the account's root user, for ``Estimator(session=…)`` and the like."""
        return self._session(ACCESS_KEY, "test", None)

    def environment(self) -> dict[str, str]:
        """Return the environment variables under which boto3, the AWS CLI and ours use this account."""
        named = client_environment(self.directory, self.endpoint)
        return {
            name: value for name, value in named.items() if name.startswith(("AWS_", "NO_PROXY", "no_proxy"))
        }

    def _bootstrapped(self, qualifier: str | None) -> tuple[deployment.Cdk, Command]:
        """Return the CDK CLI and its ``bootstrap``, which the first call starts."""
        if self._cdk is None or self._bootstrap is None:
            self._cdk = deployment.Cdk(self.directory, self.endpoint)
            self._bootstrap = self._cdk.bootstrap(qualifier)
            self._resources.callback(self._bootstrap.stop)
        return self._cdk, self._bootstrap

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account's root user."""
        if service not in self._clients:
            self._clients[service] = self._client(service, ACCESS_KEY, "test", None)
        return self._clients[service]

    def client_as(self, role_arn: str, service: str) -> Any:
        """Return a boto3 client that acts as a role. The root user may assume any role that a service may."""
        config = Config(retries={"total_max_attempts": 2})
        return self.session_as(role_arn).client(service, config=config)

    def session_as(self, role_arn: str) -> boto3.Session:
        """Return a boto3 session that acts as a role."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="rehearsal")
        keys = answer["Credentials"]
        return self._session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def denials(self) -> list[str]:
        """Return every refusal of a permission so far: principal, action, resource."""
        return server.denials(self.directory)

    def calls(self) -> list[dict[str, Any]]:
        """Return each permission that was asked for so far: :func:`server.calls`."""
        return server.calls(self.directory)

    def problems(self, lines: int = 30) -> list[str]:
        """Return the last warnings and errors of the emulator's log, including refusals."""
        return server.problems(self.directory, lines)

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        return self._session(key, secret, token).client(
            service, config=Config(retries={"total_max_attempts": 2})
        )

    def _session(self, key: str, secret: str, token: str | None) -> boto3.Session:
        # Every setting is explicit: boto3 reads nothing from the user's environment, files or profile.
        nothing = (None, None, None, None)
        core = botocore.session.Session(
            session_vars={"profile": nothing, "config_file": nothing, "credentials_file": nothing}
        )
        return _Session(
            self.endpoint,
            self.directory / CERTIFICATE,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            region_name=REGION,
            botocore_session=core,
        )


class _Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """A session whose clients all talk to one endpoint."""

    def __init__(self, endpoint: str, certificate: Path, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint, self._certificate = endpoint, certificate

    def client(self, service_name: str, *, config: Config | None = None, **options: Any) -> Any:
        ours = Config(proxies={}, s3={"addressing_style": "path"})
        return super().client(
            service_name,
            endpoint_url=self._endpoint,
            verify=str(self._certificate),
            config=config.merge(ours) if config else ours,
            **options,
        )
