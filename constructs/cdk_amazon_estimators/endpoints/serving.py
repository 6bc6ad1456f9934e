"""Serverless capacity for a model, and the capture of its requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Size
from constructs import Construct

from amazon_estimators.costs.prices import PriceTable
from amazon_estimators.costs.reckoning import Cost, endpoint_hour, serverless_hour, unknown
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import check_types, known
from cdk_amazon_estimators.training.cost import known_region

SERVERLESS = "https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html"
CAPTURE = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html"
MOST_CONCURRENT = 200


@dataclass(frozen=True, kw_only=True)
class Serverless:
    """Serves a model with capacity that is billed per request, not per hour.

    Args:
        memory: 1 to 6 GiB, in whole GiB; CPU grows with it.
        max_concurrency: The most requests at a time, 1 to 200. Default: 5.
        provisioned_concurrency: Requests at a time that never wait for a start, up to ``max_concurrency``.
            Default: None.
    """

    memory: Size
    max_concurrency: int = 5
    provisioned_concurrency: int | None = None

    def check(self, problems: Problems) -> None:
        """Note settings that SageMaker would refuse."""
        if not check_types(problems, Serverless.__init__, vars(self), of="Serverless."):
            return
        memory = known("memory", self.memory)
        problems.unless(
            memory is None or 1 <= memory.to_gibibytes() <= 6,
            f"Serverless.memory is {memory and memory.to_human_string()}; allowed: 1 to 6 GiB. "
            f"Source: {SERVERLESS}",
        )
        most = self.max_concurrency
        problems.unless(
            1 <= most <= MOST_CONCURRENT,
            f"Serverless.max_concurrency is {most}; allowed: 1 to {MOST_CONCURRENT}. Source: {SERVERLESS}",
        )
        provisioned = self.provisioned_concurrency
        problems.unless(
            provisioned is None or 1 <= provisioned <= most,
            f"Serverless.provisioned_concurrency is {provisioned}; allowed: 1 to max_concurrency, {most}. "
            "Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/"
            "API_ProductionVariantServerlessConfig.html",
        )

    def variant(self) -> dict[str, Any]:
        """Return its part of a production variant."""
        config = {
            "MemorySizeInMB": self.memory.to_mebibytes(),
            "MaxConcurrency": self.max_concurrency,
        }
        if self.provisioned_concurrency is not None:
            config["ProvisionedConcurrency"] = self.provisioned_concurrency
        return {"ServerlessConfig": config}


def hourly_cost(
    scope: Construct, table: PriceTable, instance_type: str | None, most: int, serverless: Serverless | None
) -> Cost:
    """Return the most that an hour of an endpoint can cost.

    Args:
        scope: The endpoint.
        table: The prices.
        instance_type: The type of its instances; None if it is serverless.
        most: The most instances.
        serverless: Its capacity, if it is serverless.
    """
    region = known_region(scope)
    if serverless is None:
        if instance_type is None or known("instance_type", instance_type) is None:
            return unknown("the instances are not known yet")
        return endpoint_hour(table, region, instance_type, count=most)
    memory = known("memory", serverless.memory)
    if memory is None:
        return unknown("the memory is not known yet")
    return serverless_hour(
        table,
        region,
        memory_mb=int(memory.to_mebibytes()),
        concurrency=serverless.max_concurrency,
        provisioned=serverless.provisioned_concurrency is not None,
    )


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """Keeps requests and answers in the pipeline's model bucket, as JSON Lines.

    Args:
        percent: The part of the requests that is kept, 1 to 100. Default: 100.
    """

    percent: int = 100

    def check(self, problems: Problems) -> None:
        """Note settings that SageMaker would refuse."""
        check_types(problems, DataCapture.__init__, vars(self), of="DataCapture.")
        percent = known("percent", self.percent)
        problems.unless(
            percent is None or 1 <= percent <= 100,
            f"DataCapture.percent is {percent}; allowed: 1 to 100. Source: {CAPTURE}",
        )

    def config(self, destination: str, key_arn: str | None) -> dict[str, Any]:
        """Return the DataCaptureConfig that writes to the S3 prefix ``destination``."""
        return {
            "EnableCapture": True,
            "InitialSamplingPercentage": self.percent,
            "DestinationS3Uri": destination,
            **({"KmsKeyId": key_arn} if key_arn else {}),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            # Text is kept as text; all else, such as RecordIO, in base64.
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json", "application/jsonlines"],
            },
        }
