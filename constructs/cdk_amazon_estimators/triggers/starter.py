"""The starter: a queue, and behind it the function that decides which executions start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Names, Size, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline import keys
from amazon_estimators.pipeline.event_names import SOURCE, TRAINED, TRAINING_ENDS
from amazon_estimators.triggers.messages import GROUP
from amazon_estimators.triggers.settings import RETRY_FACTOR
from cdk_amazon_estimators.access.function_statements import tell_statement
from cdk_amazon_estimators.access.key_policies import allow_through
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.access.service_role import service_role
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known, known_seconds
from cdk_amazon_estimators.storage.encryption_headers import encryption_variables
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout
from cdk_amazon_estimators.triggers.queues import StarterQueues
from cdk_amazon_estimators.triggers.trigger import Trigger

TIMEOUT = Duration.minutes(15)
"""A listing of a million objects takes minutes: S3 lists 1,000 at a time."""
LONGEST_DELIVERY = Duration.hours(24)
"""The longest time that EventBridge tries to deliver an event."""
MOST_ATTEMPTS = 10
LONGEST_DELAY = Duration.hours(11)
ENDED = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class TrainingStarter(Construct):
    """Starts executions of ``state_machine``: one for each data set version, one at a time, none lost.

    TrainingPipeline makes one if it has triggers. It can be used alone with any state machine that takes the
    execution input of a TrainingPipeline and puts Model Trained and Training Failed on the bus.

    Args:
        pipeline: The name of the pipeline in events.
        layout: Where the pipeline's data lies.
        encoder: Whose code the function runs.
        max_concurrent: Executions that may run at a time; what comes meanwhile waits. Default: 1.
        max_attempts: Attempts at a message before it becomes a dead letter, 1 to 10. A delivery for which
            Lambda has no room is none. Default: 3.
        encryption_key: KMS key of the queues and of the state machine. Default: keys of the services.
        retry_delay: Before the second delivery, at least 1 second; each further one comes four times as late.
            Default: 15 seconds.
        ends: The detail types of the events by which an execution announces its end. Default: those of a
            TrainingPipeline.
        tells: Other detail types for the starter's own events, by those of a TrainingPipeline. Default: none.

    Attributes: ``queue``, ``dead_letters``, ``undelivered``, ``alarm`` (goes off if either of those holds a
    message, or if one waits in the queue an hour longer than its attempts take), ``function``, ``layout``.

    Raises PipelineError for numbers that would lose or hold up messages.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine: sfn.IStateMachine,
        pipeline: str,
        layout: PipelineLayout,
        encoder: RecordSetEncoder,
        max_concurrent: int = 1,
        max_attempts: int = 3,
        retry_delay: Duration | None = None,
        encryption_key: kms.IKey | None = None,
        ends: Sequence[str] = TRAINING_ENDS,
        tells: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        retry_delay = retry_delay or Duration.seconds(15)
        _check(self, max_concurrent, max_attempts, retry_delay)
        self.layout = layout
        queues = StarterQueues(
            self,
            "Queues",
            visibility_timeout=TIMEOUT.plus(Duration.minutes(1)),
            patience=_patience(max_attempts, retry_delay),
            encryption_key=encryption_key,
        )
        self.queue, self.alarm = queues.queue, queues.alarm
        self.dead_letters, self.undelivered = queues.dead_letters, queues.undelivered
        self.schedule_group = scheduler.CfnScheduleGroup(
            self, "Schedules", name=Names.unique_resource_name(self, max_length=64, separator="-")
        )
        self._schedule_role = service_role(
            self, "ScheduleRole", "scheduler.amazonaws.com", "Sends to the queue of a pipeline's starter"
        )
        queues.let_send(self._schedule_role, self.queue)
        queues.let_send(self._schedule_role, self.undelivered)
        settings = {
            "pipeline": pipeline,
            "state_machine": state_machine.state_machine_arn,
            "data_bucket": layout.data_bucket.bucket_name,
            "prefix": layout.prefix,
            "channels": {
                name: {"prefix": source.prefix, "include": [*source.include], "skip": [*source.skip]}
                for name, source in layout.channels.items()
            },
            "max_concurrent": max_concurrent,
            "attempts": max_attempts,
            "retry_seconds": retry_delay.to_seconds(),
            "queue": self.queue.queue_arn,
            "queue_url": self.queue.queue_url,
            "dead_letters": self.dead_letters.queue_url,
            "undelivered": self.undelivered.queue_arn,
            "schedule_group": self.schedule_group.name,
            "schedule_role": self._schedule_role.role_arn,
            **({"tells": dict(tells)} if tells else {}),
        }
        self.function = encoder.function(
            self,
            "Starter",
            "Start the executions of a training pipeline",
            timeout=TIMEOUT,
            memory=Size.mebibytes(512),
            environment={
                "STARTER": Stack.of(self).to_json_string(settings),
                **encryption_variables(self, [layout]),
            },
        )
        self._grant(self.function, state_machine, ends)
        queues.let_send(self.function, self.dead_letters)
        if encryption_key is not None:
            # Step Functions encrypts the input of an execution on behalf of who starts it.
            through = ("kms:Decrypt", "kms:GenerateDataKey")
            allow_through(encryption_key, self.function, *through, service="states")
        # One at a time: behind one that fails, the others of a batch would be received without being tried.
        self.function.add_event_source(
            sources.SqsEventSource(self.queue, batch_size=1, report_batch_item_failures=True)
        )
        self._hear_of_ends(state_machine, ends)

    def grant_request(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` ask for a training: send ``{"trigger": "request"}`` to the queue.

        Send it with message group ``starter`` and a deduplication id of its own, as
        ``amazon-estimators request`` does: the queue drops an equal body for five minutes otherwise.
        """
        return self.queue.grant_send_messages(grantee)

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` move the dead letters back, as ``amazon-estimators dead-letters redrive`` does."""
        self.queue.grant_send_messages(grantee)
        self.dead_letters.grant_consume_messages(grantee)
        return self.dead_letters.grant(
            grantee, "sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:CancelMessageMoveTask"
        )

    def add(self, construct_id: str, trigger: Trigger) -> None:
        """Let ``trigger`` start executions too."""
        trigger.bind(self, construct_id)

    def on_event(
        self, construct_id: str, pattern: events.EventPattern, message: Mapping[str, Any], *, description: str
    ) -> None:
        """Send ``message``, in which fields of the event may stand, for every event of the default bus.

        The queue drops a message that is equal to one of the last five minutes. Put ``EventField.event_id``
        in wherever two events are two requests.
        """
        events.Rule(
            self,
            construct_id,
            description=description,
            event_pattern=pattern,
            targets=[
                targets.SqsQueue(
                    self.queue,
                    message=events.RuleTargetInput.from_object(dict(message)),
                    message_group_id=GROUP,
                    dead_letter_queue=self.undelivered,
                    max_event_age=LONGEST_DELIVERY,
                    retry_attempts=185,
                )
            ],
        )

    def on_schedule(
        self,
        construct_id: str,
        *,
        expression: str,
        time_zone: str,
        window_minutes: int | None,
        message: Mapping[str, Any],
    ) -> None:
        """Send ``message`` at the times of a schedule expression."""
        window = scheduler.CfnSchedule.FlexibleTimeWindowProperty(
            mode="FLEXIBLE" if window_minutes else "OFF", maximum_window_in_minutes=window_minutes or None
        )
        schedule = scheduler.CfnSchedule(
            self,
            construct_id,
            schedule_expression=expression,
            schedule_expression_timezone=time_zone,
            flexible_time_window=window,
            group_name=self.schedule_group.name,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.queue.queue_arn,
                role_arn=self._schedule_role.role_arn,
                input=Stack.of(self).to_json_string(dict(message)),
                sqs_parameters=scheduler.CfnSchedule.SqsParametersProperty(message_group_id=GROUP),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.undelivered.queue_arn
                ),
            ),
        )
        schedule.add_resource_dependency(self.schedule_group)

    def _hear_of_ends(self, state_machine: sfn.IStateMachine, ends: Sequence[str]) -> None:
        """From the pipeline itself; and of other ends from Step Functions, whose events may be lost."""
        self.on_event(
            "Announced",
            events.EventPattern(
                source=[SOURCE],
                detail_type=[*ends],
                # Its ARN: pipelines of two deployments of one app have the same path.
                detail={"state_machine": [state_machine.state_machine_arn]},
            ),
            {
                "trigger": "ended",
                "execution": events.EventField.from_path("$.detail.execution"),
                "status": events.EventField.detail_type,
                "event": events.EventField.event_id,
            },
            description="Tells the starter that an execution is about to end",
        )
        self.on_event(
            "Ended",
            events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ENDED, "stateMachineArn": [state_machine.state_machine_arn]},
            ),
            {
                "trigger": "ended",
                "execution": events.EventField.from_path("$.detail.name"),
                "status": events.EventField.from_path("$.detail.status"),
                "event": events.EventField.event_id,
            },
            description="Tells the starter that an execution has ended",
        )

    def _grant(
        self, function: lambda_.Function, state_machine: sfn.IStateMachine, ends: Sequence[str]
    ) -> None:
        layout = self.layout
        data = S3Access(function, layout.data_bucket, layout.encryption_key)
        # Versions of its own state, too: they tell one that was deleted from none.
        data.list([*layout.inputs, layout.triggers], versions=True)
        data.list([layout.datasets])
        state, attempts = keys.state_key(layout.prefix), keys.attempts_key(layout.prefix)
        data_sets = keys.data_set_key(layout.prefix, keys.ANY)
        # A data set that lies there if the answer to its upload was lost. And the records of a model that
        # Announce could not tell of, unless there are later ones.
        latest = (
            keys.last_trained_key(layout.prefix),
            keys.current_model_key(layout.prefix),
            keys.trainings_key(layout.prefix),
        )
        records = latest if TRAINED in ends else ()
        lineage = [keys.lineage_key(layout.prefix, keys.ANY)] if TRAINED in ends else ()
        data.read([state, attempts, data_sets, *records])
        data.write([state, attempts, *records, *lineage])
        data.write([data_sets], multipart=True)
        state_machine.grant_start_execution(function)
        state_machine.grant(function, "states:DescribeStateMachine", "states:ListExecutions")
        state_machine.grant_execution(
            function, "states:DescribeExecution", "states:DescribeStateMachineForExecution"
        )
        stack = Stack.of(self)
        schedules = stack.format_arn(
            service="scheduler", resource="schedule", resource_name=f"{self.schedule_group.name}/*"
        )
        statements = [
            iam.PolicyStatement(
                actions=["scheduler:CreateSchedule", "scheduler:UpdateSchedule"], resources=[schedules]
            ),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self._schedule_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            ),
            tell_statement(self),
        ]
        for statement in statements:
            function.add_to_role_policy(statement)


def _patience(max_attempts: int, retry_delay: Duration) -> Duration:
    """Return how long a message may be in the queue: an hour longer than all of its attempts take."""
    delays = sum(RETRY_FACTOR**number for number in range(max_attempts - 1)) * retry_delay.to_seconds()
    return Duration.seconds(delays + max_attempts * TIMEOUT.to_seconds()).plus(Duration.hours(1))


def _check(starter: TrainingStarter, max_concurrent: int, max_attempts: int, retry_delay: Duration) -> None:
    problems = Problems(starter)
    given = {"max_concurrent": max_concurrent, "max_attempts": max_attempts, "retry_delay": retry_delay}
    check_types(problems, TrainingStarter.__init__, given)
    most, attempts = known("max_concurrent", max_concurrent), known("max_attempts", max_attempts)
    seconds = known_seconds("retry_delay", retry_delay)
    problems.unless(most is None or most >= 1, f"max_concurrent is {most}; allowed: 1 or more")
    problems.unless(
        attempts is None or 1 <= attempts <= MOST_ATTEMPTS,
        f"max_attempts is {attempts}; allowed: 1 to {MOST_ATTEMPTS}",
    )
    if seconds is not None and attempts is not None:
        # The queue hides a message for 12 hours at most, and counts from when it was received.
        longest = seconds * RETRY_FACTOR ** max(0, attempts - 2)
        problems.unless(
            seconds >= 1 and longest <= LONGEST_DELAY.to_seconds(),
            f"retry_delay is {seconds} seconds, which grows to {longest:,} seconds in {attempts} attempts; "
            "allowed: 1 second or more, growing to 11 hours at most. Lower it, or max_attempts.",
        )
    problems.raise_any()
