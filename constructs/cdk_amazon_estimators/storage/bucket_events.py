"""Send a data bucket's events to EventBridge, whatever else listens to the bucket."""

from __future__ import annotations

from aws_cdk import Annotations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_amazon_estimators.storage.given_buckets import shown

UNKNOWN = "cdk-amazon-estimators:bucketEventsUnknown"
"""The ID for acknowledging the warning."""

NOTIFICATIONS = "Notifications"
"""The child that CDK adds to a bucket whose notifications it manages."""


class EventBucket(s3.Bucket):
    """A bucket that sends its events to EventBridge, and continues to if it gets other notifications.

    The template's own property needs no custom resource. ``add_event_notification`` adds CDK's, which
    replaces a bucket's whole configuration at deployment, so it must know about EventBridge.
    """

    def add_event_notification(
        self, event: s3.EventType, dest: s3.IBucketNotificationDestination, *filters: s3.NotificationKeyFilter
    ) -> None:
        """Add a destination to the bucket's notifications, as ``s3.Bucket`` does."""
        self.enable_event_bridge_notification()
        super().add_event_notification(event, dest, *filters)


def send_events(bucket: EventBucket) -> None:
    """Let ``bucket`` send its events to EventBridge, without a custom resource."""
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )


def ensure_events(scope: Construct, bucket: s3.IBucket) -> None:
    """Let a bucket that was passed in send its events to EventBridge.

    For a bucket of this app, turns the events on. For an imported one, warns on ``scope`` unless the app has
    called its ``enable_event_bridge_notification``: nothing shows whether the bucket sends events.
    """
    if isinstance(bucket, EventBucket):
        return
    if isinstance(bucket, s3.Bucket):
        bucket.enable_event_bridge_notification()
        return
    if bucket.node.try_find_child(NOTIFICATIONS) is not None:
        return
    Annotations.of(scope).add_warning_v2(
        UNKNOWN,
        f"data_bucket {shown(bucket)} is imported: an upload starts nothing unless the bucket sends its "
        "events to EventBridge. Switch that on where the bucket is made (event_bridge_enabled=True) or "
        "here, by bucket.enable_event_bridge_notification(), and acknowledge this warning.",
    )
