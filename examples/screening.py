"""The whole loop in one stack: tune, judge, register, approve, serve, score a batch, retrain on drift.

``cdk deploy --app "python3 examples/screening.py"``. ``make rehearse ARGS=--full`` runs it on this machine.
"""

from aws_cdk import App, CfnOutput, Duration, Stack
from constructs import Construct

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.sources import Source
from cdk_amazon_estimators import (
    AlarmTrigger,
    Approval,
    ContinuousParameter,
    DataCapture,
    DriftMonitor,
    Gate,
    ModelEndpoint,
    PredictionPipeline,
    Registration,
    TrainingPipeline,
    Tuning,
    UploadTrigger,
)


class Screening(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        tumours = TrainingPipeline(
            self,
            "Tumours",
            algorithm=LinearLearner(predictor_type="binary_classifier"),
            instance_type="ml.m5.large",
            channels={
                name: Source(format="csv", label="malignant", exclude=("id",))
                for name in ("train", "validation", "test")
            },
            tuning=Tuning(
                objective="validation:objective_loss",
                ranges={name: ContinuousParameter(1e-6, 1e-2, "Logarithmic") for name in ("wd", "l1")},
                max_jobs=4,
                max_parallel_jobs=2,
                random_seed=1,
            ),
            gate=Gate("test:binary_f_beta", at_least=0.8, against_current=True),
            registration=Registration(approval=Approval.MANUAL),
            triggers=[UploadTrigger(marker="_SUCCESS")],
        )
        scores = PredictionPipeline(
            self,
            "Scores",
            model=tumours,
            engine="numpy",
            triggers=[UploadTrigger(marker="_SUCCESS")],
        )
        online = ModelEndpoint(
            self, "Online", model=tumours, instance_type="ml.m5.large", data_capture=DataCapture()
        )
        # What the endpoint is asked is compared with the training data every hour.
        drift = DriftMonitor(self, "Drift", endpoint=online)
        assert tumours.starter is not None
        tumours.starter.add("OnDrift", AlarmTrigger(drift.alarm, cool_down=Duration.minutes(10)))
        CfnOutput(self, "DataBucket", value=tumours.data_bucket.bucket_name)
        CfnOutput(self, "Training", value=tumours.state_machine.state_machine_arn)
        CfnOutput(self, "Scoring", value=scores.state_machine.state_machine_arn)
        CfnOutput(self, "Endpoint", value=online.endpoint_name)


if __name__ == "__main__":
    app = App()
    Screening(app, "Screening")
    app.synth()
