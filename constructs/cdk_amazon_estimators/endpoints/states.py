"""The states of a deployment: Deploy until SageMaker is done, Smoke, Clean, Tell; every error is explained.

Deploy decides from what is there, takes one step and is entered again. There is no ``.sync`` for endpoints,
so it looks again after a pause: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.serving.deploy import NOTHING, SERVED, WAITING
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.endpoints.functions import Functions
from cdk_amazon_estimators.failure import explained_failure
from cdk_amazon_estimators.function_task import EXECUTION, invoke
from cdk_amazon_estimators.retries import of_announcements


def deployment(
    scope: Construct, *, encoder: RecordSetEncoder, functions: Functions, settings: Mapping[str, Any]
) -> sfn.IChainable:
    """Make the definition.

    State between steps: ``{"attempt": <what Deploy and Smoke have returned last>}``.

    Args:
        scope: The endpoint.
        encoder: Whose Explain and Fail are used.
        functions: The endpoint's own functions.
        settings: The endpoint's settings, which the functions read.
    """
    name = scope.node.path
    event: dict[str, Any] = {
        "pipeline": name,
        "endpoint": settings,
        "attempt.$": "$.attempt",
        "execution": EXECUTION,
    }
    start = sfn.Pass(scope, "Start", parameters={"attempt": {}})
    done = sfn.Succeed(scope, "Done")
    deploy = invoke(scope, "Deploy", functions.deploy, event=event, result_path="$.attempt")
    smoke = invoke(scope, "Smoke", functions.smoke, event=event, result_path="$.attempt")

    tell = invoke(
        scope,
        "Tell",
        functions.tell,
        event={**event, "cleaned.$": "$.cleaned"},
        result_path="$.told",
        retries=of_announcements(),
    )
    tell.next(done)
    # What is not deleted costs nothing, and is found again after the next deployment: it is told.
    clean = invoke(scope, "Clean", functions.clean, event=event, result_path="$.cleaned")
    clean.add_catch(tell, result_path="$.cleaned")
    clean.next(tell)

    pause = sfn.Wait(
        scope, "Pause", time=sfn.WaitTime.seconds_path("$.attempt.pause"), comment="SageMaker is at work."
    )
    pause.next(deploy)
    phase = sfn.Condition.string_equals
    deploy.next(
        sfn.Choice(scope, "Phase", comment="Where does the deployment stand?")
        .when(phase("$.attempt.phase", WAITING), pause)
        .when(phase("$.attempt.phase", SERVED), smoke)
        .when(phase("$.attempt.phase", NOTHING), done)
        .otherwise(clean)
    )
    answers: sfn.State = clean
    if functions.scale is not None:
        answers = scale = invoke(
            scope, "Scale", functions.scale, event=event, result_path=sfn.JsonPath.DISCARD
        )
        scale.next(clean)
    smoke.next(
        sfn.Choice(scope, "DoesItAnswer", comment="If not, Deploy goes back to the model before.")
        .when(sfn.Condition.is_null("$.attempt.refused"), answers)
        .otherwise(deploy)
    )

    tell_failure = invoke(
        scope,
        "TellFailure",
        functions.tell,
        event={**event, "explained.$": "$.explained"},
        result_path="$.announced",
        retries=of_announcements(),
    )
    explain = explained_failure(
        scope,
        encoder,
        name=name,
        plan={"plan": {}},
        announce=tell_failure,
        going_on={"attempt.$": "$.attempt"},
        again=deploy,
    )
    tasks = [deploy, smoke, tell] if functions.scale is None else [deploy, smoke, scale, tell]
    for task in tasks:
        task.add_catch(explain, result_path="$.error")
    return start.next(deploy)
