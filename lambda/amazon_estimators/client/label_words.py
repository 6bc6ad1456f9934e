"""Find the words of the labels that a model was trained on, from its file alone."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from amazon_estimators.errors import AmazonEstimatorsError
from amazon_estimators.scoring.model import TRAINED_ON
from amazon_estimators.scoring.schema import classes_of, trained_on
from amazon_estimators.storage.sessions import client_of

OUTPUT = "/output/model.tar.gz"
"""What SageMaker appends to a training job's name and output path."""


def words_of_labels(model_data: str, session: Any) -> tuple[str, ...]:
    """Return the words of the labels, in the order of their numbers.

    Empty if labels are numbers, and if this account does not tell: the file is not where its training job
    left it, or the RecordSet it was trained on is gone. Predictions then have numbers alone.

    Args:
        model_data: The S3 URI of a ``model.tar.gz``.
        session: A ``boto3.Session``, or None for a new one.
    """
    job_name = model_data.removesuffix(OUTPUT).rpartition("/")[2]
    if not model_data.endswith(OUTPUT) or not job_name:
        return ()
    try:
        job = client_of(session, "sagemaker").describe_training_job(TrainingJobName=job_name)
        if job.get("ModelArtifacts", {}).get("S3ModelArtifacts") != model_data:
            return ()
        for channel in job["InputDataConfig"]:
            data = channel["DataSource"].get("S3DataSource", {})
            if channel["ChannelName"] == TRAINED_ON and data.get("S3DataType") == "ManifestFile":
                return classes_of(trained_on(client_of(session, "s3"), data["S3Uri"]))
    except (ClientError, AmazonEstimatorsError):
        return ()
    return ()
