"""Pipelines with each kind of trigger, all in one pair of buckets, and a queue that hears what they tell."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from amazon_estimators.algorithms import KMeans
from cdk_amazon_estimators import (
    AlarmTrigger,
    LambdaBundle,
    RecordSetEncoder,
    ScheduleTrigger,
    TrainingPipeline,
    TrainingStarter,
    UploadTrigger,
    new_data_bucket,
    new_model_bucket,
)

app = App()
stack = Stack(app, "Triggers")
data, models = new_data_bucket(stack, "Data"), new_model_bucket(stack, "Models")
encoder = RecordSetEncoder(stack, "Encoder", bundle=LambdaBundle(platform="host"))
told, mail = sqs.Queue(stack, "Told"), sqs.Queue(stack, "Mail")
topic = sns.Topic(stack, "Topic")
topic.add_subscription(subscriptions.SqsSubscription(mail))
alarm = cloudwatch.Alarm(
    stack,
    "Drift",
    metric=cloudwatch.Metric(namespace="Business", metric_name="Drift"),
    threshold=1,
    evaluation_periods=1,
)
TRIGGERS = {
    "Marker": [],
    "Quiet": [UploadTrigger(quiet_period=Duration.seconds(3))],
    "Clock": [
        ScheduleTrigger(schedule=scheduler.ScheduleExpression.rate(Duration.minutes(1)), flexible_window=None)
    ],
}
for name, triggers in TRIGGERS.items():
    pipeline = TrainingPipeline(
        stack,
        name,
        algorithm=KMeans(k=2),
        instance_type="ml.m5.large",
        data_bucket=data,
        model_bucket=models,
        prefix=f"{name.lower()}/",
        encoder=encoder,
        triggers=triggers,
        notification_topic=topic if name == "Marker" else None,
    )
    starter = pipeline.starter
    if starter is None:
        # A starter used alone, with less patience than the default.
        starter = TrainingStarter(
            stack,
            "Alone",
            state_machine=pipeline.state_machine,
            pipeline=pipeline.node.path,
            layout=pipeline.layout,
            encoder=encoder,
            retry_delay=Duration.seconds(1),
        )
        starter.add("Uploads", UploadTrigger(marker="_SUCCESS"))
        starter.add("Drift", AlarmTrigger(alarm, cool_down=Duration.minutes(10)))
    CfnOutput(stack, f"{name}StateMachine", value=pipeline.state_machine.state_machine_arn)
    CfnOutput(stack, f"{name}Queue", value=starter.queue.queue_url)
    CfnOutput(stack, f"{name}DeadLetters", value=starter.dead_letters.queue_url)
    assert starter.function.role is not None
    CfnOutput(stack, f"{name}StarterRole", value=starter.function.role.role_name)
events.Rule(
    stack,
    "Everything",
    event_pattern=events.EventPattern(source=["amazon-estimators"]),
    targets=[targets.SqsQueue(told)],
)
CfnOutput(stack, "Bucket", value=data.bucket_name)
CfnOutput(stack, "ToldQueue", value=told.queue_url)
CfnOutput(stack, "MailQueue", value=mail.queue_url)
CfnOutput(stack, "AlarmArn", value=alarm.alarm_arn)
app.synth()
