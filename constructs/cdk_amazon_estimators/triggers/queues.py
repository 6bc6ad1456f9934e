"""Create the queue of a starter, the queues of failed messages, and the alarm on those."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_amazon_estimators.access.key_policies import allow_events, allow_through

KEPT = Duration.days(14)
"""The longest time that SQS keeps a message."""
MOST_DELIVERIES = 1_000
"""The most that SQS allows: at one every 16 minutes, 11 days. The starter counts its own attempts, and a
delivery that Lambda throttles is none."""


class StarterQueues(Construct):
    """Triggers send to ``queue``. Messages that fail go, with the reason, to one of two others.

    ``dead_letters``: messages that the starter failed to handle, with the attributes ``error`` and
        ``reason``. ``undelivered``: messages that EventBridge could not deliver for a day, with its
        attributes; EventBridge does not accept a FIFO queue for them. ``alarm`` goes off when either holds a
        message, and when one stays in ``queue`` for longer than ``patience``: then the starter does not run.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        visibility_timeout: Duration,
        patience: Duration,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._encryption_key = encryption_key
        if encryption_key is not None:
            allow_events(encryption_key)
        self.dead_letters = self._queue("DeadLetters", fifo=True)
        self.undelivered = self._queue("Undelivered")
        self.queue = self._queue(
            "Queue",
            fifo=True,
            visibility_timeout=visibility_timeout,
            # EventBridge's targets set no deduplication ID; a rule's events differ by their own IDs.
            content_based_deduplication=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MOST_DELIVERIES),
        )
        depth = {
            "dead": self.dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            "undelivered": self.undelivered.metric_approximate_number_of_messages_visible(
                statistic="Maximum"
            ),
            "age": self.queue.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        }
        self.alarm = cloudwatch.Alarm(
            self,
            "Alarm",
            alarm_description="Triggers of a training pipeline could not be handled, or have waited too long "
            "for the starter. docs/triggers.md says how to move them back, and what may keep the starter.",
            metric=cloudwatch.MathExpression(
                expression="FILL(dead, 0) + FILL(undelivered, 0) + "
                f"IF(FILL(age, 0) > {patience.to_seconds():.0f}, 1, 0)",
                using_metrics=depth,
                period=Duration.minutes(5),
                label="messages",
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def let_send(self, grantee: iam.IGrantable, queue: sqs.IQueue) -> None:
        """Allow ``grantee`` to send to ``queue``, one of these, and to use its key for that."""
        queue.grant(grantee, "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage")
        if self._encryption_key is not None:
            allow_through(self._encryption_key, grantee, "kms:Decrypt", "kms:GenerateDataKey", service="sqs")

    def _queue(
        self,
        construct_id: str,
        *,
        fifo: bool | None = None,
        visibility_timeout: Duration | None = None,
        content_based_deduplication: bool | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            fifo=fifo,
            visibility_timeout=visibility_timeout,
            content_based_deduplication=content_based_deduplication,
            dead_letter_queue=dead_letter_queue,
            encryption=sqs.QueueEncryption.KMS if self._encryption_key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=self._encryption_key,
            enforce_ssl=True,
            retention_period=KEPT,
        )
