"""A model that is watched: alarms reach a topic, and one dashboard shows training, scoring and the endpoint.

``cdk deploy --app "python3 examples/monitored.py"``
"""

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    AlarmTrigger,
    DataCapture,
    DriftMonitor,
    Gate,
    ModelEndpoint,
    Monitoring,
    PredictionPipeline,
    TrainingPipeline,
    UploadTrigger,
)


class Churn(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key", enable_key_rotation=True)
        topic = sns.Topic(self, "OnCall", master_key=key, enforce_ssl=True)
        monitoring = Monitoring(alarm_topic=topic, expected_every=Duration.days(2), monthly_budget=20)
        training = TrainingPipeline(
            self,
            "Training",
            algorithm=LinearLearner(predictor_type="binary_classifier"),
            instance_type="ml.m5.large",
            channels={
                name: Source(format="csv", label="churned", exclude=("customer",))
                for name in ("train", "validation", "test")
            },
            gate=Gate("test:binary_f_beta", at_least=0.7),
            triggers=[UploadTrigger(marker="_SUCCESS")],
            monitoring=monitoring,
        )
        PredictionPipeline(self, "Scores", model=training, engine="numpy", monitoring=monitoring)
        online = ModelEndpoint(
            self,
            "Online",
            model=training,
            instance_type="ml.m5.large",
            data_capture=DataCapture(percent=10),
            monitoring=monitoring,
        )
        moved = DriftMonitor(self, "Drift", endpoint=online, threshold=3)
        assert training.starter is not None
        training.starter.add("Drift", AlarmTrigger(moved.alarm, cool_down=Duration.days(1)))
        CfnOutput(self, "Topic", value=topic.topic_arn)


if __name__ == "__main__":
    app = App()
    Churn(app, "Churn")
    app.synth()
