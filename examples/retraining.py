"""Anomaly detection that trains itself again: after uploads, every night, and when an alarm says it is time.

``cdk deploy --app "python3 examples/retraining.py"``. Whoever subscribes to the topic hears of every model.
"""

from aws_cdk import App, CfnOutput, Duration, Stack, TimeZone
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.aws_scheduler import ScheduleExpression
from constructs import Construct

from amazon_estimators.algorithms import RandomCutForest
from amazon_estimators.sources import Source
from cdk_amazon_estimators import AlarmTrigger, ScheduleTrigger, TrainingPipeline, UploadTrigger


class PumpAnomalies(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key", enable_key_rotation=True)
        topic = sns.Topic(self, "Trainings", master_key=key, enforce_ssl=True)
        # What serves the model puts this metric; any alarm will do.
        drift = cloudwatch.Alarm(
            self,
            "ScoresDrift",
            metric=cloudwatch.Metric(
                namespace="Pumps", metric_name="MeanAnomalyScore", period=Duration.hours(1)
            ),
            threshold=3,
            evaluation_periods=6,
        )
        pipeline = TrainingPipeline(
            self,
            "Pumps",
            algorithm=RandomCutForest(num_trees=200),
            instance_type="ml.m5.xlarge",
            channels={"train": Source(format="csv", exclude=("time",))},
            triggers=[
                UploadTrigger(quiet_period=Duration.minutes(10)),
                ScheduleTrigger(
                    schedule=ScheduleExpression.cron(hour="3", minute="0"), time_zone=TimeZone.ETC_UTC
                ),
                AlarmTrigger(drift, cool_down=Duration.hours(6)),
            ],
            notification_topic=topic,
        )
        CfnOutput(self, "DataBucket", value=pipeline.data_bucket.bucket_name)
        CfnOutput(self, "Topic", value=topic.topic_arn)


if __name__ == "__main__":
    app = App()
    PumpAnomalies(app, "PumpAnomalies")
    app.synth()
