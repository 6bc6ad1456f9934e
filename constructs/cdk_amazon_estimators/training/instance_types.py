"""Warns of an instance type that the installed botocore does not know. AWS adds types, so it is no error."""

from __future__ import annotations

import gzip
import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import botocore
from aws_cdk import Annotations, Token
from constructs import Construct

UNKNOWN = "cdk-amazon-estimators:unknownInstanceType"
"""The id by which the warning is acknowledged."""


@cache
def training_instance_types() -> tuple[str, ...]:
    """Return the types in the installed botocore's model of SageMaker; none if it keeps its models elsewhere.

    The file is read directly, because botocore's loader takes ten times as long to import.
    """
    models = Path(botocore.__file__).parent.glob("data/sagemaker/*/service-2.json.gz")
    for model in sorted(models, reverse=True):
        shapes = json.loads(gzip.decompress(model.read_bytes()))["shapes"]
        return tuple(shapes["TrainingInstanceType"]["enum"])
    return ()


def warn_of_unknown(scope: Construct, instance_type: str) -> None:
    """Warn on ``scope`` if the installed botocore does not know the type."""
    if Token.is_unresolved(instance_type):
        return
    types = training_instance_types()
    if not types or instance_type in types:
        return
    near = ", ".join(get_close_matches(instance_type, types, n=3))
    Annotations.of(scope).add_warning_v2(
        UNKNOWN,
        f"instance_type is {instance_type!r}, which the installed botocore {botocore.__version__} does not "
        f"know as a training instance type{f'; the nearest it knows: {near}' if near else ''}. If AWS has "
        "added it since, upgrade boto3 or acknowledge this warning; if not, every training job fails.",
    )
