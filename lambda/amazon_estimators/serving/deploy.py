"""Deploy: bring the endpoint one step nearer to the pipeline's model in use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from amazon_estimators.errors import EndpointError, InvalidRequestError
from amazon_estimators.pipeline.current_model import CurrentModel, approved_model, read_current_model
from amazon_estimators.serving.calls import call, create_once
from amazon_estimators.serving.decision import FAILED, Move, decide
from amazon_estimators.serving.scale import stop_scaling
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import Wanted

WAITING, SERVED, ROLLED_BACK, NOTHING = "waiting", "served", "rolled_back", "nothing"
"""Where a deployment stands, for the state machine's choice."""
LONGEST_PAUSE = 30
"""Seconds between two looks at an endpoint. The first ones are short."""


def deploy(
    s3: Any,
    sagemaker: Any,
    settings: EndpointSettings,
    attempt: Mapping[str, Any],
    redrive: int,
    *,
    autoscaling: Any = None,
) -> dict[str, Any]:
    """Take the next step; return the attempt as it stands then.

    Args:
        s3: A client.
        sagemaker: A client.
        settings: The endpoint.
        attempt: What this function returned last, empty at first; ``refused`` is set by the smoke request.
        redrive: The number of redrives of the execution.
        autoscaling: A client; it is used if the settings have limits of scaling.

    Returns:
        ``phase``: "waiting" for SageMaker, ``pause`` seconds; "served", to be asked; "rolled_back"; or
        "nothing" to do. ``intended`` is the configuration that is about to be deployed, ``config`` the one
        that was, ``previous`` the one before, ``model`` the pipeline's model in use.

    Raises:
        EndpointError: The endpoint did not come into service, or not in time.
        ServiceError: A call failed; the text names it.
    """
    current = model_in_use(s3, sagemaker, settings)
    if current is None:
        return {**attempt, "phase": NOTHING}
    wanted = Wanted.of(settings, current)
    endpoint = described(sagemaker, settings.name)
    move = decide(endpoint, wanted.config_name, attempt, redrive)
    if move in (Move.SERVED, Move.UNCHANGED, Move.ROLLED_BACK):
        return {**attempt, **_end(move, settings, attempt, endpoint, asdict(current))}
    if move is Move.BROKEN:
        raise EndpointError(f"endpoint {settings.name} did not come into service: {_reason(endpoint)}")
    if move is not Move.WAIT:
        attempt = {**attempt, "began": None}
    if move is Move.PREPARE:
        make(sagemaker, wanted)
        attempt = _intended(attempt, endpoint, wanted)
    elif move is Move.REPLACE:
        delete(sagemaker, settings.name, endpoint)
    elif move is Move.REVERT:
        _revert(sagemaker, settings, attempt, endpoint)
    elif move in (Move.CREATE, Move.UPDATE):
        make(sagemaker, wanted)  # another execution may have cleaned up since
        if settings.scaling is not None and endpoint is not None:
            _free_instance_type(sagemaker, autoscaling, settings, endpoint)
        if _roll_out(sagemaker, settings, wanted, endpoint):
            attempt = {**attempt, "config": wanted.config_name, "redrive": redrive}
    return _waiting(settings, attempt, redrive)


def _end(
    move: Move,
    settings: EndpointSettings,
    attempt: Mapping[str, Any],
    endpoint: Mapping[str, Any] | None,
    model: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what an attempt is at its end, in addition."""
    if move is Move.ROLLED_BACK:
        serving = endpoint["EndpointConfigName"] if endpoint else None
        refused = attempt.get("refused")
        about = {"model": attempt["model"] if refused else model, "because": refused or _reason(endpoint)}
        return {"phase": ROLLED_BACK, "serving": serving, **about}
    if move is Move.SERVED:
        return {"phase": SERVED, "model": model, "config": attempt["intended"]}
    if settings.models is None:
        return {"phase": NOTHING}
    # A multi-model endpoint has the new model without an update, and nothing to go back to.
    return {"phase": SERVED, "model": model, "config": None}


def model_in_use(s3: Any, sagemaker: Any, settings: EndpointSettings) -> CurrentModel | None:
    """Return the pipeline's model in use, None before there is one."""
    if settings.group is not None:
        return approved_model(sagemaker, settings.group)
    return read_current_model(s3, settings.data_bucket, settings.prefix)


def described(sagemaker: Any, name: str) -> dict[str, Any] | None:
    """Return DescribeEndpoint's answer, None if there is no such endpoint."""
    try:
        answer: dict[str, Any] = call(sagemaker.describe_endpoint, name, EndpointName=name)
    except InvalidRequestError:
        return None  # the request has a name and nothing else that could be invalid
    return answer


def make(sagemaker: Any, wanted: Wanted) -> None:
    """Create the model and the endpoint configuration unless they are there."""
    model, config = wanted.model_name, wanted.config_name
    create_once(
        lambda: call(sagemaker.create_model, model, **wanted.model),
        lambda: call(sagemaker.describe_model, model, ModelName=model),
    )
    create_once(
        lambda: call(sagemaker.create_endpoint_config, config, **wanted.config),
        lambda: call(sagemaker.describe_endpoint_config, config, EndpointConfigName=config),
    )


def _roll_out(
    sagemaker: Any, settings: EndpointSettings, wanted: Wanted, endpoint: Mapping[str, Any] | None
) -> bool:
    """Create or update the endpoint; return False if another execution was faster, which is waited for."""
    config = {"EndpointConfigName": wanted.config_name}
    if endpoint is None:
        return _change(
            sagemaker, sagemaker.create_endpoint, settings.name, None, **config, **settings.tag_list()
        )
    more: dict[str, Any] = {"DeploymentConfig": settings.deployment} if settings.deployment else {}
    if settings.scaling is not None:
        more["RetainAllVariantProperties"] = True  # as many instances as there are by now
    return _change(sagemaker, sagemaker.update_endpoint, settings.name, endpoint, **config, **more)


def delete(sagemaker: Any, name: str, endpoint: Mapping[str, Any] | None) -> None:
    """Delete an endpoint. Raises ServiceError."""
    _change(sagemaker, sagemaker.delete_endpoint, name, endpoint)


def _change(
    sagemaker: Any,
    method: Callable[..., Any],
    name: str,
    endpoint: Mapping[str, Any] | None,
    **request: Any,
) -> bool:
    """Create, update or delete an endpoint that stands as described.

    Returns:
        False if it was refused because the endpoint no longer stands so: another execution was faster, or the
        client repeated the call because it got no answer to its first attempt, which took effect.
    """
    try:
        call(method, name, EndpointName=name, **request)
    except InvalidRequestError:
        now = described(sagemaker, name)
        if (now or {}).get("EndpointStatus") == (endpoint or {}).get("EndpointStatus"):
            raise
        return False
    return True


def _free_instance_type(
    sagemaker: Any, autoscaling: Any, settings: EndpointSettings, endpoint: Mapping[str, Any]
) -> None:
    """Stop scaling if the update changes the instance type, which it must not while the variant is scaled."""
    name = endpoint["EndpointConfigName"]
    config = call(sagemaker.describe_endpoint_config, name, EndpointConfigName=name)
    if config["ProductionVariants"][0].get("InstanceType") != settings.variant.get("InstanceType"):
        stop_scaling(autoscaling, settings)


def _revert(
    sagemaker: Any, settings: EndpointSettings, attempt: Mapping[str, Any], endpoint: Mapping[str, Any] | None
) -> None:
    """Go back to the configuration before; without one, to no endpoint. All at once: the model is no good."""
    previous = attempt.get("previous")
    if previous is None:
        delete(sagemaker, settings.name, endpoint)
        return
    _change(sagemaker, sagemaker.update_endpoint, settings.name, endpoint, EndpointConfigName=previous)


def _intended(
    attempt: Mapping[str, Any], endpoint: Mapping[str, Any] | None, wanted: Wanted
) -> dict[str, Any]:
    """Return the attempt with what is about to be deployed, and the configuration to go back to."""
    serves = endpoint is not None and endpoint["EndpointStatus"] != FAILED
    previous = endpoint["EndpointConfigName"] if endpoint and serves else None
    return {**attempt, "intended": wanted.config_name, "previous": previous, "config": None, "refused": None}


def _waiting(settings: EndpointSettings, attempt: Mapping[str, Any], redrive: int) -> dict[str, Any]:
    """Return the attempt with the next pause, which doubles up to half a minute.

    Step Functions has no ``.sync`` for endpoints, so it has to look:
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
    """
    now = int(time.time())
    began = attempt.get("began") or {}
    if began.get("redrive") != redrive:
        began = {"at": now, "redrive": redrive, "pause": 0}
    if now - began["at"] > settings.seconds:
        raise EndpointError(
            f"endpoint {settings.name} is not in service after {settings.seconds:,} seconds",
            remedy="Raise the endpoint's timeout, or look at it in SageMaker, then redrive the execution.",
        )
    began = {**began, "pause": min(LONGEST_PAUSE, max(1, 2 * began["pause"]))}
    return {**attempt, "phase": WAITING, "pause": began["pause"], "began": began}


def _reason(endpoint: Mapping[str, Any] | None) -> str:
    if endpoint is None:
        return "it was deleted meanwhile"
    return str(
        endpoint.get("FailureReason")
        or "an alarm went off, or the new instances failed; SageMaker gave no reason"
    )
