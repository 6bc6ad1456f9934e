"""Notifications: the events of a pipeline, sent to a topic."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from amazon_estimators.pipeline.announce import FAILED, SOURCE, TRAINED


class TrainingNotifications(Construct):
    """Sends Model Trained and Training Failed of a pipeline to a topic, each as one JSON object.

    Args:
        pipeline: The name of the pipeline in events, which is its construct path.
        topic: The topic. An imported or encrypted one must allow ``events.amazonaws.com``.
    """

    def __init__(self, scope: Construct, construct_id: str, *, pipeline: str, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            description="Sends what a training pipeline tells to a topic",
            event_pattern=events.EventPattern(
                source=[SOURCE], detail_type=[TRAINED, FAILED], detail={"pipeline": [pipeline]}
            ),
            targets=[targets.SnsTopic(topic)],
        )
