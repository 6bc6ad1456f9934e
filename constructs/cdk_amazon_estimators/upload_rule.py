"""An object under a pipeline's input starts an execution: S3 event, EventBridge rule, state machine."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


class UploadRule(Construct):
    """Starts ``state_machine`` for every object that arrives in ``bucket`` under one of ``prefixes``.

    The bucket must send its events to EventBridge. An event that cannot be delivered for a day lies in
    ``dead_letters`` for 14 more. One upload is one execution, and a duplicate event is a second one.

    Attributes: ``rule``, ``dead_letters``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        prefixes: Sequence[str],
        state_machine: sfn.IStateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.rule = events.Rule(
            self,
            "Rule",
            description="Starts a training pipeline when input arrives",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": prefix} for prefix in prefixes]},
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    state_machine,
                    # An execution input is empty or overrides hyperparameters; the event is neither.
                    input=events.RuleTargetInput.from_object({}),
                    dead_letter_queue=self.dead_letters,
                    max_event_age=Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )
