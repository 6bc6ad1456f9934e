"""A regression on Parquet files with three channels, on spot capacity.

``cdk deploy --app "python3 examples/supervised.py"``, then upload under ``input/train/``,
``input/validation/`` and ``input/test/`` of its data bucket, and last of all ``input/train/_SUCCESS``.
"""

from aws_cdk import App, Duration, Size, Stack
from constructs import Construct

from amazon_estimators.algorithms import LinearLearner
from amazon_estimators.sources import Source
from cdk_amazon_estimators import TrainingPipeline, UploadTrigger


class HousePrices(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        # All columns but these two are features, in every channel; each has to be a number.
        table = Source(format="parquet", label="price", exclude=("listing_id",))
        TrainingPipeline(
            self,
            "Prices",
            algorithm=LinearLearner(predictor_type="regressor", loss="absolute_loss", epochs=20),
            instance_type="ml.c5.xlarge",
            instance_count=4,
            channels={"train": table, "validation": table, "test": table},
            triggers=[UploadTrigger(marker="_SUCCESS", prefix="input/train/")],
            target_shard_size=Size.mebibytes(512),
            spot_max_wait=Duration.hours(1),
            max_runtime=Duration.minutes(50),
        )


if __name__ == "__main__":
    app = App()
    HousePrices(app, "HousePrices")
    app.synth()
