"""A deployed pipeline as the checks see it: what its state machine asks of the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any

from amazon_estimators.client.asked_instances import Asked, followers
from amazon_estimators.client.definitions import definitions
from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.client.starter import starter_of
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of

TRAINING, TUNING = ":createTrainingJob.sync", ":createHyperParameterTuningJob.sync"
FUNCTION = ":function:"


class Patient:
    """One deployed pipeline.

    Attributes:
        pipeline: The pipeline.
        described: DescribeStateMachine's answer.
        definition: The state machine's definition.
    """

    def __init__(self, pipeline: PipelineEstimator) -> None:
        self.pipeline = pipeline
        self.described, self.definition = pipeline.describe()
        self.client = cache(lambda service: client_of(pipeline.session, service))

    @property
    def name(self) -> str:
        """The pipeline's path."""
        return self.pipeline.name

    @property
    def account(self) -> str:
        """The account of the state machine."""
        return self.pipeline.state_machine_arn.split(":")[4]

    @property
    def region(self) -> str:
        """The region of the state machine."""
        return self.pipeline.state_machine_arn.split(":")[3]

    @property
    def partition(self) -> str:
        """The partition of the state machine, such as ``"aws"``."""
        return self.pipeline.state_machine_arn.split(":")[1]

    @cached_property
    def states(self) -> dict[str, Mapping[str, Any]]:
        """The states by name, those of Maps included."""
        return dict(_states(self.definition))

    @cached_property
    def job(self) -> Mapping[str, Any]:
        """The training job as the state machine asks for it; of a tuning job that of each training."""
        return next(
            state["Parameters"].get("TrainingJobDefinition", state["Parameters"])
            for state in self.states.values()
            if str(state.get("Resource", "")).endswith((TRAINING, TUNING))
        )

    @property
    def parallel_trainings(self) -> int:
        """Number of concurrent trainings of a tuning job; 1 without tuning."""
        for state in self.states.values():
            if str(state.get("Resource", "")).endswith(TUNING):
                limits = state["Parameters"]["HyperParameterTuningJobConfig"]["ResourceLimits"]
                return int(limits["MaxParallelTrainingJobs"])
        return 1

    @property
    def tunes(self) -> bool:
        """True if a tuning job trains."""
        return any(str(state.get("Resource", "")).endswith(TUNING) for state in self.states.values())

    @property
    def instances(self) -> tuple[list[str], int]:
        """The instance types that will do, and the number of instances of one training."""
        resources = self.job.get("ResourceConfig") or self.job["HyperParameterTuningResourceConfig"]
        preferences = resources.get("InstancePreferences", ())
        types = [preference["InstanceType"] for preference in preferences] or [resources["InstanceType"]]
        count = resources.get("InstanceCount") or max(
            preference["InstanceCount"] for preference in preferences
        )
        return types, int(count)

    @property
    def keep_alive(self) -> bool:
        """True if instances are to be kept as a warm pool."""
        return bool(self.job.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"))

    @property
    def functions(self) -> list[str]:
        """The ARNs of the Lambda functions of the states, each once."""
        return sorted(
            {
                str(state["Resource"])
                for state in self.states.values()
                if FUNCTION in state.get("Resource", "")
            }
        )

    @property
    def encode(self) -> tuple[str, int]:
        """The ARN of the function that encodes shards, and how many run at a time at most."""
        (shards,) = (state for state in self.states.values() if state["Type"] == "Map")
        most = self.states["Plan"]["Parameters"]["concurrency"]["most"]
        return shards["ItemProcessor"]["States"]["Encode"]["Resource"], int(most)

    @property
    def data_bucket(self) -> str:
        """The bucket of input and RecordSets."""
        return str(self.pipeline.settings["data_bucket"])

    @property
    def models(self) -> Place:
        """Location of models."""
        return Place.prefix(self.job["OutputDataConfig"]["S3OutputPath"], what="model")

    @property
    def keys(self) -> list[str]:
        """The KMS keys that the training job names, each once."""
        named = (
            self.job["OutputDataConfig"].get("KmsKeyId"),
            self.job.get("ResourceConfig", {}).get("VolumeKmsKeyId"),
            self.described.get("encryptionConfiguration", {}).get("kmsKeyId"),
        )
        return sorted({key for key in named if key})

    @cached_property
    def followers(self) -> list[Asked]:
        """Instances that prediction pipelines and endpoints of the pipeline ask for."""
        return [*followers(self.pipeline.settings, definitions(self.pipeline.session).values())]

    @cached_property
    def starter(self) -> Mapping[str, Any] | None:
        """The settings of the starter, with its function's ``FunctionArn``; None without triggers."""
        return starter_of(self.pipeline.state_machine_arn, session=self.pipeline.session)


def _states(definition: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])
