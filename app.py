"""Define the CDK app: one stack with a TrainingPipeline for each algorithm in cdk.json.

Context, in cdk.json or with ``-c key=value``:

algorithms: An object (or its JSON) that maps an algorithm's name to ``{"hyperparameters", "instance_type",
    "instance_count", "channels"}``. All but ``hyperparameters`` are optional; the defaults are one
    ``ml.m5.large`` and the required channels. A channel is an object with options of ``Source``
    (docs/sources.md), all optional.
lambda_python: Python version of the Lambda functions. Default: ``"3.12"``.
lambda_platform: ``"x86_64"``, ``"arm64"`` or ``"host"``. Default: ``"x86_64"``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_cdk import App, CfnOutput, Duration, Environment, Stack
from constructs import Construct

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.errors import AmazonEstimatorsError, RequestError
from amazon_estimators.pipeline.keys import input_prefix
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    LambdaBundle,
    RecordSetEncoder,
    TrainingPipeline,
    UploadTrigger,
    new_data_bucket,
    new_model_bucket,
)

MARKER = "_SUCCESS"
QUIET_PERIOD = Duration.minutes(5)
"""A batch is trained as soon as its marker is written; without a marker, this long after its last object."""

SETTINGS = ("hyperparameters", "instance_type", "instance_count", "channels")


class AmazonEstimators(Stack):
    """One pipeline per algorithm. They share two buckets, each pipeline under its own prefix."""

    def __init__(self, scope: Construct, construct_id: str, *, env: Environment | None = None) -> None:
        super().__init__(scope, construct_id, env=env)
        algorithms = _object(self.node.get_context("algorithms"), "algorithms")
        if not algorithms:
            raise RequestError("algorithms is empty; allowed: at least one algorithm")
        with _named(self.node.path):
            bundle = LambdaBundle(
                python=self.node.try_get_context("lambda_python") or "3.12",
                platform=self.node.try_get_context("lambda_platform") or "x86_64",
            )
        shared = {
            "encoder": RecordSetEncoder(self, "RecordSetEncoder", bundle=bundle),
            "data_bucket": new_data_bucket(self, "DataBucket"),
            "model_bucket": new_model_bucket(self, "ModelBucket"),
        }
        for name, settings in algorithms.items():
            # One algorithm gets a prefix too, so that adding a second one moves no data.
            self._pipeline(name, _object(settings, f"algorithms.{name}"), prefix=f"{name.lower()}/", **shared)

    def _pipeline(self, name: str, settings: Mapping[str, Any], **shared: Any) -> None:
        unknown = sorted(set(settings) - set(SETTINGS))
        if unknown:
            raise RequestError(f"algorithms.{name} has {', '.join(unknown)}; allowed: {', '.join(SETTINGS)}")
        path = f"algorithms.{name}"
        hyperparameters = _object(settings.get("hyperparameters", {}), f"{path}.hyperparameters")
        with _named(f"{self.node.path}/{name}"):
            algorithm = algorithm_named(name)(**hyperparameters)
        channels = settings.get("channels")
        if channels is not None:
            channels = {
                channel: self._source(name, channel, _object(options, f"{path}.channels.{channel}"))
                for channel, options in _object(channels, f"{path}.channels").items()
            }
        pipeline = TrainingPipeline(
            self,
            name,
            algorithm=algorithm,
            instance_type=settings.get("instance_type", "ml.m5.large"),
            instance_count=settings.get("instance_count", 1),
            channels=channels,
            triggers=[UploadTrigger(marker=MARKER), UploadTrigger(quiet_period=QUIET_PERIOD)],
            **shared,
        )
        CfnOutput(self, f"{name}DataBucket", value=pipeline.data_bucket.bucket_name)
        CfnOutput(self, f"{name}ModelBucket", value=pipeline.model_bucket.bucket_name)
        CfnOutput(self, f"{name}InputPrefix", value=input_prefix(shared["prefix"]))
        CfnOutput(self, f"{name}StateMachine", value=pipeline.state_machine.state_machine_arn)

    def _source(self, name: str, channel: str, options: Mapping[str, Any]) -> Source:
        with _named(f"{self.node.path}/{name}: channel {channel}"):
            return Source.from_dict(options)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Prefix errors raised inside the block with ``path``."""
    try:
        yield
    except AmazonEstimatorsError as error:
        raise type(error)(f"{path}: {error}", remedy="") from None


def _object(value: object, name: str) -> Mapping[str, Any]:
    """Return a JSON object, which comes parsed from cdk.json and as text from the command line."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise RequestError(
                f"{name} is {value!r}, which is not JSON: {error}; allowed: a JSON object"
            ) from None
    if not isinstance(value, Mapping):
        raise RequestError(f"{name} is {value!r}; allowed: a JSON object")
    return value


def _environment() -> Environment | None:
    """Return the account and region to bind to, from the environment; None leaves both open."""
    account, region = os.environ.get("CDK_ACCOUNT"), os.environ.get("CDK_REGION")
    return Environment(account=account, region=region) if account or region else None


def main() -> None:
    app = App()
    try:
        AmazonEstimators(app, "AmazonEstimators", env=_environment())
    except AmazonEstimatorsError as error:
        # The message is complete; a traceback would only push it off the screen.
        raise SystemExit(f"{type(error).__name__}: {error}") from None
    app.synth()


if __name__ == "__main__":
    main()
