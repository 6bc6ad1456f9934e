"""Wait for instances: while the account's quota is in use, or SageMaker has none of the type.

A training job that found no instances is retried every few minutes, until the budget is used up. An event
announces the second wait. A quota that can never hold the job is an error at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline.capacity import PAUSE_SECONDS
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known_seconds
from cdk_amazon_estimators.training.adoption import TAKEN, SyncJob, adopt

PAUSE = Duration.seconds(PAUSE_SECONDS)
LONGEST_WAIT = Duration.days(3)
"""The number of waits is part of the job's name and has room for three digits."""

QUOTA_IN_USE = "*ResourceLimitExceeded*"
QUOTA_TOO_SMALL = "*current utilization of 0 *"
"""SageMaker's text for a quota that nothing else uses and that is still too small for the job."""
NO_CAPACITY = '*"CapacityError:*'
"""How the reason of a failed job begins, in the JSON of its description."""


@dataclass(frozen=True)
class Waits:
    """Time limits: for waiting for instances, and for the whole execution."""

    capacity: Duration
    execution: Duration

    @classmethod
    def of(cls, capacity_wait: Duration | None, timeout: Duration | None, max_runtime: Duration) -> Self:
        """Return the limits from the props, with the documented defaults."""
        capacity = capacity_wait or Duration.hours(1)
        return cls(capacity, timeout or Duration.days(1).plus(max_runtime).plus(capacity))


def check_capacity_wait(problems: Problems, capacity_wait: Duration | None) -> None:
    """Note a ``capacity_wait`` that is out of range."""
    seconds = known_seconds("capacity_wait", capacity_wait)
    problems.unless(
        seconds is None or 0 <= seconds <= LONGEST_WAIT.to_seconds(),
        f"capacity_wait is {seconds} seconds; allowed: 0, for no wait, to 3 days",
    )


@dataclass(frozen=True, kw_only=True)
class Training:
    """The states that train.

    Attributes:
        job: The kind of job.
        entry: The state to enter, also after each wait for instances.
        tasks: The tasks after it that run the job, of which one is chosen.
        prepare: A task before them; None if there is none.
        conclude: Tasks after the end of the job. Their errors are not errors of training.
        leaves: Where in the state they leave what Announce tells, besides ``job``.
        statements: The permissions that the state machine's role needs for them.
    """

    job: SyncJob
    entry: sfn.State
    tasks: Sequence[sfn.CustomState]
    prepare: sfn.CustomState | None = None
    conclude: Sequence[sfn.CustomState] = ()
    leaves: Sequence[str] = ()
    statements: Sequence[iam.PolicyStatement]


@dataclass(frozen=True)
class TrainingStates:
    """The state to enter for training, and those that a job which completed leads on from."""

    begin: sfn.IChainable
    ends: Sequence[sfn.CustomState | sfn.Pass]

    def lead(self, then: sfn.IChainable) -> None:
        """Lead to ``then`` after training."""
        for end in self.ends:
            end.next(then)


def train_with_capacity(
    scope: Construct,
    *,
    training: Training,
    explain: sfn.IChainable,
    announce_waiting: sfn.CustomState,
    waits: Waits,
    begin_id: str = "BeginTraining",
) -> TrainingStates:
    """Return the states of training: capacity errors lead to a wait, all others to ``explain``.

    The number of waits so far is at ``$.capacity.waits``. ``begin_id`` is the id of the state to enter.
    """
    begin = sfn.Pass(
        scope,
        begin_id,
        result=sfn.Result.from_object({"waits": 0}),
        result_path="$.capacity",
    )
    condition = sfn.Condition
    lacking = condition.or_(
        condition.string_matches("$.error.Cause", NO_CAPACITY),
        condition.and_(
            condition.or_(
                condition.string_equals("$.error.Error", "SageMaker.ResourceLimitExceededException"),
                condition.string_matches("$.error.Cause", QUOTA_IN_USE),
            ),
            condition.not_(condition.string_matches("$.error.Cause", QUOTA_TOO_SMALL)),
        ),
    )
    most = waits.capacity.to_seconds() // PAUSE.to_seconds()
    wait = sfn.Wait(scope, "WaitForCapacity", time=sfn.WaitTime.duration(PAUSE))
    count = sfn.Pass(
        scope,
        "CountWait",
        parameters={"waits.$": "States.MathAdd($.capacity.waits, 1)"},
        result_path="$.capacity",
    )
    announce_waiting.add_catch(wait, result_path="$.announced")
    announce_waiting.next(wait)
    wait.next(count).next(training.entry)
    is_second = (
        sfn.Choice(scope, "IsSecondWait", comment="The first wait is short: only longer waits are reported.")
        .when(condition.number_equals("$.capacity.waits", 1), announce_waiting)
        .otherwise(wait)
    )
    is_capacity = (
        sfn.Choice(scope, "IsCapacity", comment="Will instances be free later, and is there time left?")
        .when(condition.and_(condition.number_less_than("$.capacity.waits", most), lacking), is_second)
        .otherwise(explain)
    )
    adoption = adopt(scope, training.job, execution=waits.execution, failed=is_capacity)
    for task in training.tasks:
        task.add_catch(adoption.entry, errors=TAKEN, result_path="$.error")
        task.add_catch(is_capacity, result_path="$.error")
    begin.next(training.entry)
    states = TrainingStates(begin, [*training.tasks, adoption.end])
    if training.prepare is None:
        return states
    training.prepare.add_catch(explain, result_path="$.error")
    return replace(states, begin=training.prepare.next(begin))
