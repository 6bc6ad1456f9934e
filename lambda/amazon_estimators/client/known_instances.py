"""Refuse an instance type that SageMaker does not train on before data is uploaded for it."""

from __future__ import annotations

from typing import Any

from amazon_estimators.errors import InstanceError
from amazon_estimators.storage.sessions import client_of
from amazon_estimators.text import is_template, nearest


def check_training_type(instance_type: object, *, session: Any) -> None:
    """Raise InstanceError if the installed boto3 does not list the type for ResourceConfig.

    CreateTrainingJob takes the types of its model and no others; without this it says so after the upload.
    """
    service = getattr(getattr(client_of(session, "sagemaker"), "meta", None), "service_model", None)
    if service is None or is_template(instance_type):
        return
    types = service.shape_for("TrainingInstanceType").enum
    # The client may be the double of a user's test, which lists nothing.
    if not isinstance(types, list) or instance_type in types:
        return
    near = nearest(instance_type, types)
    raise InstanceError(
        f"instance_type is {instance_type!r}, which the installed boto3 does not list as a training instance"
        + (f"; did you mean {near!r}?" if near else ""),
        remedy="Take one that aws sagemaker create-training-job help lists; if AWS has added it since, "
        "upgrade boto3.",
    )
