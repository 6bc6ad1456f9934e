"""The states that end a failure: it is explained, told, raised; and redriven, the execution goes on.

Step Functions redrives an execution with the state that failed, and a Fail state would only fail again. So
the last state of a failure is a task: it raises what was explained, and once redriven it succeeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.function_task import EXECUTION, REDRIVE, invoke
from cdk_amazon_estimators.retries import NOT_RUN


def explained_failure(
    scope: Construct,
    encoder: RecordSetEncoder,
    *,
    name: str,
    plan: Mapping[str, Any],
    announce: sfn.CustomState,
    going_on: Mapping[str, Any],
    again: sfn.IChainable,
    suffix: str = "",
) -> sfn.CustomState:
    """Return Explain, which leads to ``announce``, then Failed, and once redriven to ``again``.

    Should Lambda not run Explain or Failed, the error that there was to explain is not lost.

    Args:
        scope: Where the states are.
        encoder: The Lambda functions.
        name: The pipeline's name, for the logs.
        plan: The member ``plan`` of Explain's event, or its path.
        announce: Tells of ``$.explained``. It is made and has no next state.
        going_on: The state that a redriven execution goes on with.
        again: The state it goes on from.
        suffix: The end of the states' ids. Default: none.
    """
    event: dict[str, Any] = {"pipeline": name, "explained.$": "$.explained", "execution": EXECUTION}
    failed = invoke(scope, f"Failed{suffix}", encoder.fail, event=event, result_path=sfn.JsonPath.DISCARD)
    failed.add_catch(
        sfn.Fail(
            scope, f"FailedAnyway{suffix}", error_path="$.explained.error", cause_path="$.explained.cause"
        ),
        errors=NOT_RUN,
        result_path="$.failed",
    )
    redriven = sfn.Pass(scope, f"Redriven{suffix}", parameters=dict(going_on))
    failed.next(redriven.next(again))
    announce.add_catch(failed, result_path="$.announced")
    announce.next(failed)
    unexplained = sfn.Pass(
        scope,
        f"Unexplained{suffix}",
        parameters={"error.$": "$.error.Error", "cause.$": "$.error.Cause", **REDRIVE},
        result_path="$.explained",
    )
    event = {"pipeline": name, "error.$": "$.error", **plan, "execution": EXECUTION}
    explain = invoke(scope, f"Explain{suffix}", encoder.explain, event=event, result_path="$.explained")
    explain.add_catch(unexplained.next(announce), result_path="$.explained")
    explain.next(announce)
    return explain
