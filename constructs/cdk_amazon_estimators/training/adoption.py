"""Run a job once, also if SageMaker makes it and its answer is lost.

Step Functions then repeats the call, and SageMaker refuses it, because the name is taken. A name is that of
one attempt alone, so the job is this attempt's own: the states here adopt it, and wait for it as ``.sync``
does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_amazon_estimators.retries import of_adoptions, of_training

TAKEN = ["SageMaker.ResourceInUseException"]
MOST_LOOKS = 1_000
"""Looks at an adopted job. Each takes 9 of the 25,000 events that an execution may have."""
SHORTEST_PAUSE = 60
"""Seconds between two looks."""


@dataclass(frozen=True, kw_only=True)
class SyncJob:
    """A kind of job that an execution runs and waits for.

    Attributes:
        noun: Its name in the API's operations and members, such as ``TrainingJob``.
        name: The path in the state of its name, without the numbers of the attempt.
        leaves: The member of the state that its description becomes.
        selects: The ResultSelector of the description. Default: all of it.
    """

    noun: str
    name: str
    leaves: str
    selects: Mapping[str, str] | None = None

    @property
    def attempt(self) -> str:
        """Return the name of the job: no other redrive and no other wait for capacity has it."""
        return f"States.Format('{{}}-{{}}-{{}}', {self.name}, $$.Execution.RedriveCount, $.capacity.waits)"

    @property
    def result_path(self) -> str:
        """Return where the description goes."""
        return f"$.{self.leaves}"

    def task(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state that creates a job with the members of ``request``, and waits for its end."""
        return {
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::sagemaker:create{self.noun}.sync",
            "Parameters": {**request, f"{self.noun}Name.$": self.attempt},
            **({"ResultSelector": dict(self.selects)} if self.selects else {}),
            "ResultPath": self.result_path,
            "Retry": of_training(),
        }


@dataclass(frozen=True)
class Adoption:
    """The states that adopt a job: the one to enter, and the one that leaves what ``.sync`` would."""

    entry: sfn.Pass
    end: sfn.Pass


def adopt(scope: Construct, job: SyncJob, *, execution: Duration, failed: sfn.IChainable) -> Adoption:
    """Create the states. The name and then the description of the job are at ``$.adopted``.

    Args:
        scope: The pipeline.
        job: The kind of job.
        execution: The longest time that an execution takes.
        failed: Where a job that does not complete leads, with ``.sync``'s error.
    """
    name, status = f"{job.noun}Name", f"$.adopted.{job.noun}Status"
    # The name is computed once: redriven, the execution goes on with the same job.
    entry = sfn.Pass(scope, "Adopt", parameters={f"{name}.$": job.attempt}, result_path="$.adopted")
    describe = sfn.CustomState(
        scope,
        "DescribeAdopted",
        state_json={
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:describe{job.noun}",
            "Parameters": {f"{name}.$": f"$.adopted.{name}"},
            "ResultPath": "$.adopted",
            "Retry": of_adoptions(),
        },
    )
    describe.add_catch(failed, result_path="$.error")
    seconds = max(SHORTEST_PAUSE, math.ceil(execution.to_seconds() / MOST_LOOKS))
    wait = sfn.Wait(scope, "WaitForAdopted", time=sfn.WaitTime.duration(Duration.seconds(seconds)))
    end = sfn.Pass(
        scope,
        "Adopted",
        input_path="$.adopted",
        parameters=dict(job.selects) if job.selects else None,
        result_path=job.result_path,
    )
    error = sfn.Pass(
        scope,
        "AdoptedFailed",
        parameters={"Error": "States.TaskFailed", "Cause.$": "States.JsonToString($.adopted)"},
        result_path="$.error",
    )
    is_at = sfn.Condition.string_equals
    has_ended = (
        sfn.Choice(scope, "HasAdoptedEnded", comment="As .sync sees it: is the job still at work?")
        .when(is_at(status, "Completed"), end)
        .when(sfn.Condition.or_(is_at(status, "InProgress"), is_at(status, "Stopping")), wait)
        .otherwise(error)
    )
    entry.next(describe)
    describe.next(has_ended)
    wait.next(describe)
    error.next(failed)
    return Adoption(entry, end)
