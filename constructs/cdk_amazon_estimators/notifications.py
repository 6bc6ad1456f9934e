"""Send the events of a pipeline to a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsii
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline.event_names import SOURCE, TRAINING_ENDS


def events_of(state_machine: sfn.IStateMachine, *told: str) -> events.EventPattern:
    """Return the pattern of one pipeline's events of the detail types ``told``."""
    return events.EventPattern(
        source=[SOURCE],
        detail_type=[*told],
        detail={"state_machine": [state_machine.state_machine_arn]},
    )


class TrainingNotifications(Construct):
    """Sends each Model Trained, Model Rejected and Training Failed of a pipeline to a topic, as JSON.

    A topic of this app gets a policy that lets EventBridge publish. To an imported topic, or another
    account's, EventBridge publishes with a role; another account's topic must allow that role, or its
    account.

    Args:
        state_machine: The pipeline's state machine, whose ARN identifies its events.
        topic: The topic. The key of an encrypted one must allow ``events.amazonaws.com``.
        dead_letter_queue: The queue for events that EventBridge could not deliver for a day. Default: none.
        told: The detail types of the events. Default: those three.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine: sfn.IStateMachine,
        topic: sns.ITopic,
        dead_letter_queue: sqs.IQueue | None = None,
        told: Sequence[str] = TRAINING_ENDS,
    ) -> None:
        super().__init__(scope, construct_id)
        target: events.IRuleTarget = (
            targets.SnsTopic(topic, dead_letter_queue=dead_letter_queue)
            if isinstance(topic, sns.Topic)
            else _PublishAsRole(topic, dead_letter_queue)
        )
        events.Rule(
            self,
            "Rule",
            description="Sends a training pipeline's announcements to a topic",
            event_pattern=events_of(state_machine, *told),
            targets=[target],
        )


def notify(
    pipeline: Construct,
    topic: sns.ITopic | None,
    state_machine: sfn.IStateMachine,
    dead_letter_queue: sqs.IQueue | None,
    told: Sequence[str] = TRAINING_ENDS,
) -> None:
    """Send the events ``told`` of a pipeline to its ``notification_topic``, if it has one."""
    if topic is not None:
        TrainingNotifications(
            pipeline,
            "Notifications",
            state_machine=state_machine,
            topic=topic,
            dead_letter_queue=dead_letter_queue,
            told=told,
        )


@jsii.implements(events.IRuleTarget)
class _PublishAsRole:
    """Publishes with a role, to a topic whose policy this app cannot change.

    CDK drops statements added to the policy of an imported topic, and its own target refuses a topic of
    another account, although EventBridge can publish to one.
    """

    def __init__(self, topic: sns.ITopic, dead_letter_queue: sqs.IQueue | None) -> None:
        self._topic = topic
        self._dead_letter_queue = dead_letter_queue

    def bind(self, rule: Any, id: str | None = None) -> events.RuleTargetConfig:  # noqa: A002
        assert isinstance(rule, events.Rule)
        events_service = iam.ServicePrincipal("events.amazonaws.com")
        role = iam.Role(rule, "EventsRole", assumed_by=events_service)
        self._topic.grant_publish(role)
        queue, undelivered = self._dead_letter_queue, None
        if queue is not None:
            undelivered = events.CfnRule.DeadLetterConfigProperty(arn=queue.queue_arn)
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    principals=[events_service],
                    conditions={"ArnEquals": {"aws:SourceArn": rule.rule_arn}},
                )
            )
        return events.RuleTargetConfig(arn=self._topic.topic_arn, role=role, dead_letter_config=undelivered)
