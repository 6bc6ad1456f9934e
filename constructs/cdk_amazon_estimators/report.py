"""Create the state that writes the page about a training. Whatever happens to it, the model is announced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, Size
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from amazon_estimators.pipeline import keys
from amazon_estimators.record_sets.keys import profile_key, record_set_key
from cdk_amazon_estimators.access.s3_access import S3Access
from cdk_amazon_estimators.encoder import RecordSetEncoder
from cdk_amazon_estimators.function_task import EXECUTION, invoke
from cdk_amazon_estimators.retries import of_reports
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout

SETTINGS = ("pipeline", "algorithm", "prefix", "prices")
"""The settings that a page needs, as far as a pipeline has them."""
ENTERED = {"entered.$": "$$.State.EnteredTime"}


def report_function(encoder: RecordSetEncoder) -> lambda_.Function:
    """Return the function, which all pipelines of a stack share."""
    return encoder.step(
        "Report",
        "Write the page about a training",
        timeout=Duration.minutes(1),
        memory=Size.mebibytes(1769),
    )


def report(
    scope: Construct,
    construct_id: str,
    encoder: RecordSetEncoder,
    *,
    layout: PipelineLayout,
    settings: Mapping[str, Any],
    told: Mapping[str, str],
    then: sfn.CustomState,
) -> sfn.CustomState:
    """Return the state, which leads to ``then`` with ``{"uri"}`` at ``$.report``, or with its error.

    Args:
        scope: The pipeline.
        construct_id: The id of the state.
        encoder: The Lambda functions.
        layout: The pipeline's buckets and prefixes.
        settings: The pipeline's settings.
        told: Members of the event, by path.
        then: The announcement.
    """
    function = report_function(encoder)
    channel = keys.channel_root(layout.record_set(keys.ANY), keys.ANY)
    data = S3Access(function, layout.data_bucket, layout.encryption_key)
    data.list([layout.recordsets, layout.datasets])
    data.read(
        [
            record_set_key(channel),
            profile_key(channel),
            keys.data_set_key(layout.prefix, keys.ANY),
            keys.plain_data_set_key(layout.prefix, keys.ANY),
            keys.trainings_key(layout.prefix),
        ]
    )
    page = keys.report_key(layout.prefix, keys.ANY)
    S3Access(function, layout.model_bucket, layout.encryption_key).write([page])
    event = {
        "pipeline": {name: settings[name] for name in SETTINGS if name in settings},
        "execution": {**EXECUTION, **ENTERED},
        "input.$": "$.input",
        **told,
    }
    state = invoke(scope, construct_id, function, event=event, result_path="$.report", retries=of_reports())
    state.add_catch(then, result_path="$.report")
    state.next(then)
    return state
