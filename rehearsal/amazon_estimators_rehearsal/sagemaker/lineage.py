"""Implement SageMaker's lineage: artifacts, associations, and a trial component for each training job.

The texts for what exists already are the stand-in's own: the service documents none.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amazon_estimators_rehearsal.sagemaker.account import Account
from amazon_estimators_rehearsal.sagemaker.errors import (
    AccessDeniedError,
    ResourceNotFoundError,
    ValidationError,
)
from amazon_estimators_rehearsal.sagemaker.resources import Operation, Resources, listed, tags_of
from amazon_estimators_rehearsal.sagemaker.training_jobs import TrainingJobs

COMPONENT_SUFFIX = "-aws-training-job"
"""The end of the name of the trial component that SageMaker makes for a training job."""


@dataclass
class Artifact:
    """Data at a URI."""

    arn: str
    request: Mapping[str, Any]
    tags: dict[str, str]
    created: float = field(default_factory=time.time)

    def summary(self) -> dict[str, Any]:
        """Return its entry in ListArtifacts."""
        names = ("ArtifactName", "Source", "ArtifactType")
        return {
            "ArtifactArn": self.arn,
            **{name: self.request[name] for name in names if name in self.request},
            "CreationTime": self.created,
            "LastModifiedTime": self.created,
        }


class Lineage:
    """The artifacts, associations and trial components of one account and region. Thread-safe."""

    def __init__(self, account: Account, training_jobs: TrainingJobs) -> None:
        self._account, self._jobs = account, training_jobs
        self.items: Resources[Artifact] = Resources(
            account,
            "artifact",
            "ArtifactArn",
            taken=lambda arn: ValidationError(f"Artifact {arn} already exists."),
            missing=lambda arn: ResourceNotFoundError(f"Artifact {arn} does not exist."),
        )
        self._components = (
            f"arn:aws:sagemaker:{account.region}:{account.account_id}:experiment-trial-component/"
        )
        self._associations: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self.operations: Mapping[str, Operation] = {
            "CreateArtifact": self._create,
            "ListArtifacts": self._list,
            "AddAssociation": self._associate,
            "ListAssociations": self._list_associations,
            "ListTrialComponents": self._list_components,
        }

    def stop(self) -> None:
        """Do nothing: lineage runs nothing."""

    def arn_of(self, operation: str, request: Mapping[str, Any]) -> str:
        """Return the ARN that a request is about, for the permission check; ``*`` if it names none."""
        if operation == "CreateArtifact":
            return self.items.arn(_hash(request)) if "Source" in request else "*"
        return str(request.get("SourceArn", "*")) if operation == "AddAssociation" else "*"

    def _create(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        name = _hash(request)
        arn = self.items.arn(name)
        self.items.add(name, Artifact(arn, request, tags_of(request)))
        return {"ArtifactArn": arn}

    def _list(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        uri, kind = request.get("SourceUri"), request.get("ArtifactType")
        summaries = [
            summary
            for summary in (artifact.summary() for artifact in self.items.all())
            if uri in (None, summary["Source"]["SourceUri"]) and kind in (None, summary["ArtifactType"])
        ]
        return listed("ArtifactSummaries", summaries, request, name="ArtifactArn")

    def _associate(self, request: dict[str, Any], caller: str) -> dict[str, Any]:
        source, destination = request["SourceArn"], request["DestinationArn"]
        denial = self._account.denial(caller, "sagemaker:AddAssociation", destination)
        if denial:
            raise AccessDeniedError(denial)
        for arn in (source, destination):
            if self.items.with_arn(arn) is None and arn not in self._trial_components():
                raise ResourceNotFoundError(f"{arn} does not exist.")
        ends = {"SourceArn": source, "DestinationArn": destination}
        with self._lock:
            if (source, destination) in self._associations:
                raise ValidationError(f"An association of {source} with {destination} already exists.")
            kind = {name: request[name] for name in ("AssociationType",) if name in request}
            self._associations[source, destination] = {**ends, **kind, "CreationTime": time.time()}
        return ends

    def _list_associations(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        names = ("SourceArn", "DestinationArn", "AssociationType")
        summaries = [
            association
            for association in [*self._associations.values()]
            if all(request.get(name) in (None, association.get(name)) for name in names)
        ]
        return listed("AssociationSummaries", summaries, request, name="SourceArn")

    def _trial_components(self) -> dict[str, dict[str, Any]]:
        """Return the trial components by ARN."""
        components = {}
        for job in self._jobs.items.all():
            described = job.describe()
            name = f"{described['TrainingJobName']}{COMPONENT_SUFFIX}"
            components[f"{self._components}{name.lower()}"] = {
                "TrialComponentName": name,
                "TrialComponentArn": f"{self._components}{name.lower()}",
                "DisplayName": name,
                "TrialComponentSource": {"SourceArn": job.arn, "SourceType": "SageMakerTrainingJob"},
                "Status": {"PrimaryStatus": described["TrainingJobStatus"]},
                "CreationTime": described["CreationTime"],
                "LastModifiedTime": described["LastModifiedTime"],
            }
        return components

    def _list_components(self, request: dict[str, Any], _: str) -> dict[str, Any]:
        for member in ("ExperimentName", "TrialName"):
            if member in request:
                raise ResourceNotFoundError(f"The stand-in has no experiments and trials: {request[member]}.")
        wanted = request.get("SourceArn")
        summaries = [
            component
            for component in self._trial_components().values()
            if wanted in (None, component["TrialComponentSource"]["SourceArn"])
        ]
        return listed("TrialComponentSummaries", summaries, request, name="TrialComponentName")


def _hash(request: Mapping[str, Any]) -> str:
    """Return the last part of an artifact's ARN, a hash of its source."""
    return hashlib.sha256(json.dumps(request["Source"], sort_keys=True).encode()).hexdigest()[:32]
