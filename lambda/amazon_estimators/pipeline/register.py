"""Build the request that registers a trained model as a version of its model package group.

The metrics go to S3 as the report that SageMaker's own tools read, as far as its schema has room for them.
The model card and the package's metadata name the data and the job behind the model, and why it was trained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.pipeline.current_model import CurrentModel, metadata_of
from amazon_estimators.pipeline.judge import reported_metrics
from amazon_estimators.pipeline.keys import channel_root, metrics_key
from amazon_estimators.pipeline.settings import Settings
from amazon_estimators.record_sets.keys import record_set_key
from amazon_estimators.record_sets.manifest import StoredRecordSet
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.storage.s3 import put_json, read_object
from amazon_estimators.storage.s3_uri import Place

REPORTS: Mapping[str, Mapping[str, str]] = {
    "regression_metrics": {"mse": "mse", "rmse": "rmse", "absolute_loss": "mae"},
    "binary_classification_metrics": {
        "binary_classification_accuracy": "accuracy",
        "precision": "precision",
        "recall": "recall",
        "roc_auc_score": "auc",
    },
    "multiclass_classification_metrics": {
        "multiclass_accuracy": "accuracy",
        "macro_precision": "macro_precision",
        "macro_recall": "macro_recall",
        "accuracy": "accuracy",
    },
}
"""The sections of SageMaker's model quality report: a training's metric, and its name there.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""
SECTIONS = {
    "regressor": "regression_metrics",
    "binary_classifier": "binary_classification_metrics",
    "multiclass_classifier": "multiclass_classification_metrics",
    "classifier": "multiclass_classification_metrics",
}
"""The section by ``predictor_type``; other algorithms have none."""
OWN_SECTION = "amazon_estimators_metrics"
"""The section of all metrics under the algorithm's own names."""
MOST_CARD_METRICS = 50
LONGEST_TEXT = 1_000
CARD_TEXT = 2_000


def model_package(
    s3: Any,
    settings: Settings,
    *,
    plan: Mapping[str, Any],
    job: Mapping[str, Any],
    verdict: Mapping[str, Any] | None,
    execution: Mapping[str, Any],
    reason: str,
) -> dict[str, Any]:
    """Write the report and return the members of the CreateModelPackage request that depend on the model.

    Called again for the same job, it writes and returns the same, and the ``ClientToken`` makes the service
    register it only once.

    Args:
        s3: A client.
        settings: The pipeline.
        plan: Plan's result.
        job: DescribeTrainingJob's answer.
        verdict: Judge's result; None without a gate.
        execution: ``name`` of the execution.
        reason: Why it was started; empty if the input has no reason.
    """
    algorithm = algorithm_named(settings.algorithm).from_hyperparameters(settings.hyperparameters)
    name, metrics = job["TrainingJobName"], reported_metrics(job)
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    place = Place(Place.of(artifact, what="model").bucket, metrics_key(settings.prefix, name))
    put_json(s3, place.bucket, place.key, report(algorithm, metrics))
    trained = CurrentModel(
        job=name,
        model=artifact,
        data_set=plan["data_set"],
        metrics=metrics,
        test_data=(verdict or {}).get("test_data", {}),
    )
    known = {
        "data_set": plan["data_set"],
        **{f"records of channel {channel}": _records(s3, plan, channel) for channel in settings.channels},
        **({"reason": reason[:CARD_TEXT]} if reason else {}),
        **({"verdict": verdict["because"][:CARD_TEXT]} if verdict else {}),
    }
    about = {
        "execution": execution["name"],
        "record_set": plan["fingerprint"],
        **({"reason": _metadata_text(reason)} if reason.strip() else {}),
    }
    return {
        "ClientToken": hashlib.sha256(name.encode()).hexdigest()[:32],
        "ModelPackageDescription": f"{settings.algorithm} of {name}, data set {plan['data_set']}",
        "InferenceSpecification": _inference(algorithm, job),
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": place.uri}}
        },
        "ModelCard": {
            "ModelCardStatus": "Draft",
            "ModelCardContent": json.dumps(_card(settings, algorithm, job, known)),
        },
        "CustomerMetadataProperties": metadata_of(trained, **about),
    }


def report(algorithm: Algorithm, metrics: Mapping[str, float]) -> dict[str, Any]:
    """Return the metrics as SageMaker's model quality report; those of ``test`` before others.

    All of them are also in a section of the library's own: the report's schema has no place for most.
    """
    own = {name: {"value": value, "standard_deviation": "NaN"} for name, value in sorted(metrics.items())}
    predictor = algorithm.effective("predictor_type") if "predictor_type" in algorithm.declared() else None
    section = SECTIONS.get(str(predictor))
    found: dict[str, Any] = {}
    for channel in ("validation", "test"):
        for ours, theirs in REPORTS.get(section or "", {}).items():
            if f"{channel}:{ours}" in own:
                found[theirs] = own[f"{channel}:{ours}"]
    return {**({section: found} if section and found else {}), OWN_SECTION: own}


def _inference(algorithm: Algorithm, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the InferenceSpecification. The training image also serves predictions."""
    facts = type(algorithm).inference
    container = {
        "Image": job["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    return {
        "Containers": [container],
        "SupportedContentTypes": [*facts.accepts],
        "SupportedResponseMIMETypes": [*facts.returns],
    }


def _card(
    settings: Settings, algorithm: Algorithm, job: Mapping[str, Any], known: Mapping[str, str]
) -> dict[str, Any]:
    """Return a model card's content; ``known`` are the pipeline's own facts.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html
    """
    image = job["AlgorithmSpecification"]["TrainingImage"]
    datasets = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in job["InputDataConfig"]]
    return {
        "model_overview": {
            "model_name": settings.pipeline[-LONGEST_TEXT:],
            "model_description": (type(algorithm).__doc__ or "").splitlines()[0],
            "algorithm_type": settings.algorithm,
            "model_id": job["TrainingJobName"],
            "model_artifact": [job["ModelArtifacts"]["S3ModelArtifacts"]],
            "inference_environment": {"container_image": [image]},
        },
        "training_details": {
            "training_job_details": {
                "training_arn": job["TrainingJobArn"],
                "training_datasets": datasets,
                "training_environment": {"container_image": [image]},
                "training_metrics": _named(reported_metrics(job))[:MOST_CARD_METRICS],
                "hyper_parameters": _named(job["HyperParameters"]),
            }
        },
        "additional_information": {"custom_details": {**known}},
    }


def _named(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in sorted(values.items())]


def _records(s3: Any, plan: Mapping[str, Any], channel: str) -> str:
    key = record_set_key(channel_root(plan["prefix"], channel))
    stored = StoredRecordSet.from_json(
        read_object(s3, plan["bucket"], key), f"s3://{plan['bucket']}/{key}", RecordSet
    )
    return str(stored.record_set.num_records)


def _metadata_text(text: str) -> str:
    """Return ``text`` with ``_`` for characters that metadata may not hold, cut to 256 characters."""
    return "".join(one if one.isalnum() or one in " _.:/=+-@" else "_" for one in text)[:256]
