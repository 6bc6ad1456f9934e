"""Ratings that users gave to items: a model of both, and ratings of what they do not know.

``cdk deploy --app "python3 examples/recommender.py"``. Upload ``user,item,rating`` as CSV under
input/train/ and input/test/; then pairs ``user,item`` under scores/input/. No user or item is listed
anywhere: each id becomes one of many features by its hash, so new ones need no deployment.
"""

from typing import Any

from aws_cdk import App, CfnOutput, Duration, Stack
from constructs import Construct

from amazon_estimators.algorithms import FactorizationMachines
from amazon_estimators.sources import Source
from cdk_amazon_estimators import Gate, PredictionPipeline, TrainingPipeline, UploadTrigger


class Recommender(Stack):
    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        # About ten times as many features as there are ids: then one id in ten shares its feature.
        rows = Source(format="csv", label="rating", hashed={"user": 2**14, "item": 2**12})
        self.ratings = TrainingPipeline(
            self,
            "Ratings",
            algorithm=FactorizationMachines(predictor_type="regressor", num_factors=16, epochs=50),
            instance_type="ml.c5.xlarge",
            channels={"train": rows, "test": rows},
            gate=Gate("test:rmse", at_most=1.5, against_current=True),
            triggers=[UploadTrigger(marker="_SUCCESS")],
        )
        self.recommended = PredictionPipeline(
            self,
            "Recommended",
            model=self.ratings,
            engine="numpy",
            keep=("user", "item"),
            output_format="jsonlines",
            triggers=[UploadTrigger(quiet_period=Duration.minutes(5))],
        )
        CfnOutput(self, "DataBucket", value=self.ratings.data_bucket.bucket_name)


if __name__ == "__main__":
    app = App()
    Recommender(app, "Recommender")
    app.synth()
