"""Make the functions name each bucket's encryption in every PUT, for bucket policies that require it."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from constructs import Construct

from amazon_estimators.storage.encryption_headers import VARIABLE
from cdk_amazon_estimators.storage.pipeline_layout import PipelineLayout


def encryption_variables(scope: Construct, layouts: Iterable[PipelineLayout]) -> dict[str, str]:
    """Return the environment of functions that write to the data buckets of ``layouts``.

    It has a pair for each bucket whose pipeline wants headers: the name, and the ARN of the key or ``""`` for
    S3's own keys. It is empty if there are none.
    """
    keys = {}
    for layout in layouts:
        if layout.encryption_headers:
            key = layout.encryption_key or layout.data_bucket.encryption_key
            keys[layout.data_bucket.bucket_name] = key.key_arn if key else ""
    return {VARIABLE: Stack.of(scope).to_json_string(list(map(list, keys.items())))} if keys else {}
