"""Customers are grouped anew each night: a model of the groups, and the group of each customer as a table.

``cdk deploy --app "python3 examples/scoring.py"``. Upload customers to train on, and customers to score.
"""

from aws_cdk import App, CfnOutput, Duration, Stack, TimeZone
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.aws_scheduler import ScheduleExpression
from constructs import Construct

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import PredictionPipeline, ScheduleTrigger, TrainingPipeline, UploadTrigger


class CustomerGroups(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key", enable_key_rotation=True)
        topic = sns.Topic(self, "Scores", master_key=key, enforce_ssl=True)
        pipeline = TrainingPipeline(
            self,
            "Groups",
            algorithm=KMeans(k=8),
            instance_type="ml.m5.large",
            channels={"train": Source(format="csv", exclude=("customer",))},
            triggers=[UploadTrigger(marker="_SUCCESS")],
        )
        predictions = PredictionPipeline(
            self,
            "Scored",
            model=pipeline,
            # Groups are found by NumPy in the functions. Other algorithms: instance_type="ml.m5.large".
            engine="numpy",
            triggers=[
                UploadTrigger(quiet_period=Duration.minutes(10)),
                # The model may be a new one though the customers are the same.
                ScheduleTrigger(
                    schedule=ScheduleExpression.cron(hour="4", minute="0"),
                    time_zone=TimeZone.ETC_UTC,
                    retrain_unchanged=True,
                ),
            ],
            notification_topic=topic,
        )
        CfnOutput(self, "DataBucket", value=pipeline.data_bucket.bucket_name)
        CfnOutput(self, "ToScore", value=predictions.layout.inputs[0])
        CfnOutput(self, "Topic", value=topic.topic_arn)


if __name__ == "__main__":
    app = App()
    CustomerGroups(app, "CustomerGroups")
    app.synth()
