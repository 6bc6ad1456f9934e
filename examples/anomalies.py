"""Anomalies of a service's metrics: a forest of what is usual, an endpoint to ask, retrained when it moves.

``cdk deploy --app "python3 examples/anomalies.py"``. Upload one row per minute:
``time,requests,latency,errors``. The endpoint answers with an anomaly score for each row. Three standard
deviations above the mean score is the usual bar:
https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_how-it-works.html
"""

from typing import Any

from aws_cdk import App, CfnOutput, Duration, Stack
from constructs import Construct

from amazon_estimators.algorithms import RandomCutForest
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    AlarmTrigger,
    DataCapture,
    DriftMonitor,
    ModelEndpoint,
    TrainingPipeline,
    UploadTrigger,
)


class Anomalies(Stack):
    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self.usual = TrainingPipeline(
            self,
            "Usual",
            algorithm=RandomCutForest(num_trees=100, num_samples_per_tree=256),
            instance_type="ml.m5.large",
            channels={"train": Source(format="csv", exclude=("time",))},
            triggers=[UploadTrigger(quiet_period=Duration.minutes(5)), UploadTrigger(marker="_SUCCESS")],
        )
        self.online = ModelEndpoint(
            self,
            "Online",
            model=self.usual,
            instance_type="ml.m5.large",
            data_capture=DataCapture(percent=100),
        )
        # Two of three features have moved: that is another usual, not an anomaly.
        self.moved = DriftMonitor(self, "Moved", endpoint=self.online, threshold=2)
        assert self.usual.starter is not None
        self.usual.starter.add("Moved", AlarmTrigger(self.moved.alarm, cool_down=Duration.days(1)))
        CfnOutput(self, "DataBucket", value=self.usual.data_bucket.bucket_name)
        CfnOutput(self, "Endpoint", value=self.online.endpoint_name)


if __name__ == "__main__":
    app = App()
    Anomalies(app, "Anomalies")
    app.synth()
