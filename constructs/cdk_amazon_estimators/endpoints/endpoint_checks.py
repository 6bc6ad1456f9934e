"""Checks of an endpoint's props against what AWS documents; each problem names its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aws_cdk import Annotations, Duration, Stack, Token
from constructs import Construct

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.algorithms.instances import is_accelerated
from amazon_estimators.serving.wanted import LONGEST_NAME
from cdk_amazon_estimators.endpoints.serving import SERVERLESS
from cdk_amazon_estimators.endpoints.traffic import SOURCE, Canary, Linear
from cdk_amazon_estimators.followed_model import check_model
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds
from cdk_amazon_estimators.training_pipeline import TrainingPipeline

MULTI_MODEL = "https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html"
ROLLBACK = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AutoRollbackConfig.html"
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
MOST_ALARMS = 10
LEAST_TIMEOUT, MOST_TIMEOUT = 600, 28_800
"""Seconds that SageMaker takes as MaximumExecutionTimeoutInSeconds."""
CAUTION = "cdk-amazon-estimators:serverlessModel"
"""The id by which the warning is acknowledged."""


def check_endpoint(
    endpoint: Construct, init: Callable[..., None], props: Mapping[str, Any]
) -> TrainingPipeline:
    """Return the pipeline that the endpoint follows.

    Raises:
        PipelineError: Props that make no endpoint. One error tells all problems.
    """
    problems = Problems(endpoint)
    check_types(problems, init, props)
    pipeline = props["model"]
    check_model(problems, pipeline)
    _check_capacity(problems, props)
    _check_name(problems, props["endpoint_name"])
    for name in ("serverless", "data_capture"):
        if (value := known(name, props[name])) is not None:
            value.check(problems)
    if (scaling := known("scaling", props["scaling"])) is not None:
        scaling.check(problems, props["instance_type"])
        problems.unless(
            props["serverless"] is None,
            "scaling with serverless, which has no instances: it serves up to max_concurrency by itself. "
            f"Source: {SERVERLESS}",
        )
    _check_alarms(problems, props)
    if (monitoring := known("monitoring", props["monitoring"])) is not None:
        monitoring.check(problems, endpoint)
    traffic = known("traffic", props["traffic"])
    if traffic is None or traffic.check(problems):
        _check_timeout(problems, props["timeout"], traffic.seconds() if traffic else 0)
    network = [name for name in ("subnets", "security_groups") if props[name] and props["vpc"] is None]
    problems.unless(not network, f"{' and '.join(network)} without vpc; allowed: with vpc. Give vpc too.")
    for problem in _unsupported(props, Stack.of(endpoint).region):
        problems.unless(False, problem)
    if isinstance(pipeline, TrainingPipeline):
        for problem in _multi_model(props, type(pipeline.algorithm)):
            problems.unless(False, problem)
    problems.raise_any()
    assert isinstance(pipeline, TrainingPipeline)
    _warn(endpoint, props, type(pipeline.algorithm))
    return pipeline


def _check_capacity(problems: Problems, props: Mapping[str, Any]) -> None:
    given = [name for name in ("instance_type", "serverless") if props[name] is not None]
    problems.unless(
        len(given) == 1,
        f"{' and '.join(given) or 'neither instance_type nor serverless'} given; allowed: one of the two. "
        "Source: "
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html",
    )
    type_, count = props["instance_type"], known("instance_count", props["instance_count"])
    problems.unless(
        type_ is None or isinstance(type_, str),
        f"instance_type is {type_!r}; allowed: one type, such as 'ml.m5.large'",
    )
    problems.unless(count is None or count >= 1, f"instance_count is {count}; allowed: 1 or more")
    problems.unless(
        props["serverless"] is None or count in (None, 1),
        f"instance_count is {count} with serverless, which has no instances. Leave it out.",
    )


def _check_name(problems: Problems, name: str | None) -> None:
    if name is None or known("endpoint_name", name) is None:
        return
    problems.unless(
        len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None,
        f"endpoint_name is {name!r}; allowed: up to {LONGEST_NAME} letters, digits and hyphens: models and "
        "configurations are named after it, in 63 characters. Source: "
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html",
    )


def _check_alarms(problems: Problems, props: Mapping[str, Any]) -> None:
    alarms = known("alarms", props["alarms"])
    problems.unless(
        alarms is None or len(alarms) <= MOST_ALARMS,
        f"alarms has {len(alarms or ())}; allowed: up to {MOST_ALARMS}. Source: {ROLLBACK}",
    )


def _check_timeout(problems: Problems, timeout: Duration | None, waits: int) -> None:
    """Note a timeout that SageMaker does not take, or that ``waits`` seconds of a traffic's fill."""
    seconds = known_seconds("timeout", timeout)
    least = max(LEAST_TIMEOUT, waits + 1)
    problems.unless(
        waits < MOST_TIMEOUT,
        f"traffic waits {waits} seconds in all; allowed: less than {MOST_TIMEOUT}, the longest deployment. "
        f"Source: {SOURCE}",
    )
    problems.unless(
        seconds is None or least <= seconds <= MOST_TIMEOUT,
        f"timeout is {seconds and round(seconds)} seconds; allowed: {least}, more than traffic waits in all, "
        f"to {MOST_TIMEOUT}. Source: {SOURCE}",
    )


def _unsupported(props: Mapping[str, Any], region: str) -> Iterator[str]:
    """Yield what serverless endpoints do not support."""
    if props["serverless"] is None:
        return
    refused = {
        "vpc": props["vpc"] is not None,
        "enable_network_isolation": props["enable_network_isolation"],
        "data_capture": props["data_capture"] is not None,
        "multi_model": props["multi_model"],
    }
    for name, given in refused.items():
        if given:
            yield f"{name} with serverless, which does not support it. Source: {SERVERLESS}"
    if not Token.is_unresolved(region) and region.startswith("cn-"):
        yield f"serverless in {region}; allowed: regions outside China. Source: {SERVERLESS}"


def _multi_model(props: Mapping[str, Any], algorithm: type[Algorithm]) -> Iterator[str]:
    """Yield why several models cannot be served by one endpoint."""
    if not props["multi_model"]:
        return
    if not algorithm.inference.multi_model:
        yield (
            f"multi_model is True, but the container of {algorithm.__name__} does not serve several models; "
            f"allowed: KNN, LinearLearner and RandomCutForest. Source: {MULTI_MODEL}"
        )
    instance_type = known("instance_type", props["instance_type"])
    if isinstance(instance_type, str) and is_accelerated(instance_type):
        yield (
            f"multi_model is True on {instance_type}; allowed: types without accelerators, because the "
            f"container of {algorithm.__name__} serves several models on CPU alone. Source: {MULTI_MODEL}"
        )


def _warn(endpoint: Construct, props: Mapping[str, Any], algorithm: type[Algorithm]) -> None:
    """Warn of what AWS does not document, and may fail."""
    caution = algorithm.inference.serverless_caution
    if props["serverless"] is not None and caution:
        Annotations.of(endpoint).add_warning_v2(
            CAUTION, f"{algorithm.__name__} may not start on a serverless endpoint: {caution}"
        )
    if isinstance(props["traffic"], Canary | Linear) and props["serverless"] is not None:
        Annotations.of(endpoint).add_warning_v2(
            f"{CAUTION}Traffic",
            f"traffic is {type(props['traffic']).__name__} with serverless: AWS does not say what a part of "
            "the capacity is then. AllAtOnce is safe.",
        )
