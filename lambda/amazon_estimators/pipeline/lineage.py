"""Describe one attempt of an execution as an OpenLineage run event: data set version, RecordSet, job, model.

https://openlineage.io/docs/spec/object-model. One event holds the whole chain. The input of each channel is
an input, at the version of the data set. A RecordSet is an input, because the job trained on it, and an
output, if this execution encoded it. The model is an output.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from amazon_estimators.pipeline import keys
from amazon_estimators.storage.s3_uri import Place

PRODUCER = "pkg:pypi/cdk-amazon-estimators"
SPEC = "https://openlineage.io/spec"
CORE = f"{SPEC}/2-0-2/OpenLineage.json#/$defs"
FACETS = {
    "nominalTime": "1-0-1/NominalTimeRunFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "documentation": "1-1-0/DocumentationJobFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "datasetType": "1-0-1/DatasetTypeDatasetFacet",
}
"""The facets of the standard that are used, with their version and the name of their schema."""
OWN_FACET = "amazonEstimators_training"
"""The facet of a run that holds what the standard has no place for."""
OWN_MEMBERS = (
    "pipeline",
    "state_machine",
    "algorithm",
    "execution",
    "data_set",
    "reason",
    "record_set",
    "job",
    "model",
    "model_package",
    "image",
    "hyperparameters",
    "metrics",
    "verdict",
    "error",
    "remedy",
)
"""Members of the announcement that the facet repeats."""
COMPLETE, FAIL, ABORT = "COMPLETE", "FAIL", "ABORT"


def run_event(
    state: Mapping[str, Any], detail: Mapping[str, Any], *, event_type: str, event_time: str
) -> dict[str, Any]:
    """Return the event. The same attempt of the same execution has the same ``runId``.

    Args:
        state: The Announce step's event.
        detail: The detail of the announcement.
        event_type: ``"COMPLETE"``, ``"FAIL"`` or ``"ABORT"``.
        event_time: The time of the end, as ISO 8601 has it.
    """
    execution, plan = state["execution"], state.get("plan") or {}
    machine, attempt = str(execution["state_machine"]), attempt_of(execution)
    own = {name: detail[name] for name in OWN_MEMBERS if detail.get(name) is not None}
    run_facets: dict[str, Any] = {
        OWN_FACET: {
            "_producer": PRODUCER,
            "_schemaURL": f"{CORE}/RunFacet",
            **own,
            "redrive": execution.get("redrive", 0),
        },
    }
    if execution.get("start_time"):  # the starter does not know that of an execution that was aborted
        run_facets["nominalTime"] = _facet("nominalTime", nominalStartTime=execution["start_time"])
    if detail.get("error"):
        message = f"{detail['error']}: {detail['cause']}"
        run_facets["errorMessage"] = _facet("errorMessage", message=message, programmingLanguage="Python")
    record_sets = [*_record_sets(state)]
    return {
        "eventType": event_type,
        "eventTime": event_time,
        "producer": PRODUCER,
        "schemaURL": f"{CORE}/RunEvent",
        "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{machine}:{attempt}")), "facets": run_facets},
        "job": {
            **job_of(machine),
            "facets": {
                "jobType": _facet(
                    "jobType", processingType="BATCH", integration="SAGEMAKER", jobType="TRAINING"
                ),
                "documentation": _facet("documentation", description=f"Pipeline {detail['pipeline']}"),
            },
        },
        "inputs": [*_inputs(state, detail.get("data_set")), *record_sets],
        "outputs": [*([] if plan.get("complete") else record_sets), *_models(detail)],
    }


def attempt_of(execution: Mapping[str, Any]) -> str:
    """Return the name of an attempt: an execution that is redriven begins another one."""
    return f"{execution['name']}-{execution.get('redrive', 0)}"


def job_of(state_machine: str) -> dict[str, str]:
    """Return the namespace and name by which OpenLineage knows a state machine.

    Example:
        >>> job_of("arn:aws:states:eu-west-1:111122223333:stateMachine:Churn")
        {'namespace': 'arn:aws:states:eu-west-1:111122223333', 'name': 'Churn'}
    """
    namespace, _, name = state_machine.partition(":stateMachine:")
    return {"namespace": namespace, "name": name}


def _inputs(state: Mapping[str, Any], data_set: str | None) -> Iterator[dict[str, Any]]:
    """Yield the input of each channel; none before a data set version is known."""
    settings = state["pipeline"]
    if data_set is None:
        return
    for name, source in sorted((settings.get("channels") or {}).items()):
        prefix = (source or {}).get("prefix") or keys.input_prefix(settings["prefix"], name)
        yield _dataset(settings["data_bucket"], prefix, version=data_set)


def _record_sets(state: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the RecordSet of each channel that a job trained on; none without a plan."""
    fingerprint = (state.get("plan") or {}).get("fingerprint")
    if fingerprint is None:
        return
    for channel in (state.get("job") or {}).get("InputDataConfig") or ():
        source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
        place = Place.of(str(source.get("S3Uri")), what="channel").beside("")
        yield _dataset(place.bucket, place.key, version=fingerprint, kind="FILE")


def _models(detail: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if detail.get("model"):
        place = Place.of(detail["model"], what="model")
        yield _dataset(place.bucket, place.key, version=detail["job"], kind="MODEL")


def _dataset(bucket: str, key: str, *, version: str, kind: str | None = None) -> dict[str, Any]:
    """Return objects on S3 as a dataset: https://openlineage.io/docs/spec/naming."""
    facets = {"version": _facet("version", datasetVersion=version)}
    if kind is not None:
        facets["datasetType"] = _facet("datasetType", datasetType=kind)
    return {"namespace": f"s3://{bucket}", "name": key.rstrip("/") or "/", "facets": facets}


def _facet(name: str, **members: Any) -> dict[str, Any]:
    schema = FACETS[name]
    version, _, kind = schema.partition("/")
    return {
        "_producer": PRODUCER,
        "_schemaURL": f"{SPEC}/facets/{version}/{kind}.json#/$defs/{kind}",
        **members,
    }
