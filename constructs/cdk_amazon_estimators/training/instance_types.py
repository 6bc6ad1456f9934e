"""Warn of an instance type that the installed botocore does not know. It is not an error: AWS adds types."""

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
"""The ID for acknowledging the warning."""


KINDS = {
    "training": "TrainingInstanceType",
    "serving": "ProductionVariantInstanceType",
    "transform": "TransformInstanceType",
}
"""Purposes of instances, and the enumeration of their types in botocore's model."""


@cache
def types_for(kind: str = "training") -> tuple[str, ...]:
    """Return the types for one of KINDS in the installed botocore's model; none if its models are elsewhere.

    Reads the file directly, because importing botocore's loader takes ten times as long.
    """
    models = Path(botocore.__file__).parent.glob("data/sagemaker/*/service-2.json.gz")
    for model in sorted(models, reverse=True):
        shapes = json.loads(gzip.decompress(model.read_bytes()))["shapes"]
        return tuple(shapes[KINDS[kind]]["enum"])
    return ()


def warn_of_unknown(scope: Construct, instance_type: str, kind: str = "training") -> None:
    """Warn on ``scope`` if the installed botocore does not know the type for one of KINDS."""
    if Token.is_unresolved(instance_type):
        return
    types = types_for(kind)
    if not types or instance_type in types:
        return
    near = ", ".join(get_close_matches(instance_type, types, n=3))
    Annotations.of(scope).add_warning_v2(
        UNKNOWN,
        f"instance_type is {instance_type!r}, which the installed botocore {botocore.__version__} does not "
        f"know as a {kind} instance type{f'; the nearest it knows: {near}' if near else ''}. If AWS has "
        "added it since, upgrade boto3 or acknowledge this warning; if not, SageMaker refuses it.",
    )
