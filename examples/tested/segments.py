"""Customers in segments: a stack with one pipeline."""

from typing import Any

from aws_cdk import Stack
from constructs import Construct

from amazon_estimators.algorithms import KMeans
from amazon_estimators.sources import Source
from cdk_amazon_estimators import TrainingPipeline, UploadTrigger


class CustomerSegments(Stack):
    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:
        super().__init__(scope, construct_id, **options)
        self.segments = TrainingPipeline(
            self,
            "Segments",
            algorithm=KMeans(k=3),
            instance_type="ml.m5.large",
            channels={"train": Source(format="csv", exclude=("customer",))},
            triggers=[UploadTrigger(marker="_SUCCESS")],
        )
