"""Find what instances a deployed pipeline, its prediction pipelines and its endpoints ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from amazon_estimators.client.definitions import objects_with
from amazon_estimators.costs.prices import HOSTING, SERVERLESS, TRAINING, TRANSFORM, PriceTable
from amazon_estimators.costs.reckoning import (
    Cost,
    endpoint_hour,
    most_of_training,
    most_of_transform,
    serverless_hour,
)

TASK = {"Type", "Resource", "Parameters"}
TRAIN, TUNE, SCORE = (
    f":sagemaker:create{kind}.sync" for kind in ("TrainingJob", "HyperParameterTuningJob", "TransformJob")
)
ENDPOINT = {"name", "data_bucket", "prefix", "variant", "scaling"}
"""Keys that identify an endpoint's settings in the definition of the state machine that deploys to it."""
SCORING = {"pipeline", "trained", "channels"}
"""Keys that identify a prediction pipeline's settings."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Instances, or serverless capacity, that a state machine asks for.

    Attributes:
        name: The path of its construct; of an endpoint its name.
        use: ``"training"``, ``"transform"``, ``"hosting"`` or ``"serverless"``.
        types: The instance types, of which one is used; none for serverless capacity.
        count: The most instances; of serverless capacity, the most requests at a time.
        seconds: The longest time of one job; None for endpoints.
        jobs: The most trainings of a tuning job; None if they are not known; 1 without tuning.
        keep_alive: Seconds for which instances are kept.
        memory_mb: The memory of serverless capacity.
        is_provisioned: True for serverless capacity that is kept warm.
    """

    name: str
    use: str
    types: tuple[str, ...] = ()
    count: int
    seconds: float | None = None
    jobs: int | None = 1
    keep_alive: float = 0
    memory_mb: int = 0
    is_provisioned: bool = False

    @property
    def what(self) -> str:
        """Name of what its cost is of, such as ``"one training"``."""
        once = {TRAINING: "one training", TRANSFORM: "one scoring"}
        return "one search" if self.jobs != 1 else once.get(self.use, "an hour")

    def most(self, table: PriceTable, region: str) -> Cost:
        """Return the most that one job, or an hour of an endpoint, can cost."""
        if self.use == TRAINING:
            return most_of_training(
                table,
                region,
                self.types,
                count=self.count,
                max_runtime=self.seconds,
                jobs=self.jobs,
                keep_alive=self.keep_alive,
            )
        if self.use == TRANSFORM:
            return most_of_transform(table, region, self.types[0], count=self.count, longest=self.seconds)
        if self.use == HOSTING:
            return endpoint_hour(table, region, self.types[0], count=self.count)
        return serverless_hour(
            table,
            region,
            memory_mb=self.memory_mb,
            concurrency=self.count,
            provisioned=self.is_provisioned,
        )


def training_of(name: str, definition: Any) -> Asked:
    """Return what the trainings of a pipeline's state machine ask for."""
    (task, *_) = _tasks(definition, TRAIN, TUNE)
    request = task["Parameters"]
    job = request.get("TrainingJobDefinition", request)
    resources = job.get("ResourceConfig") or job["HyperParameterTuningResourceConfig"]
    preferences = resources.get("InstancePreferences", ())
    return Asked(
        name=name,
        use=TRAINING,
        types=tuple(one["InstanceType"] for one in preferences) or (resources["InstanceType"],),
        count=int(resources.get("InstanceCount") or max(one["InstanceCount"] for one in preferences)),
        seconds=float(job["StoppingCondition"]["MaxRuntimeInSeconds"]),
        jobs=_jobs(request.get("HyperParameterTuningJobConfig")),
        keep_alive=float(resources.get("KeepAlivePeriodInSeconds") or 0),
    )


def followers(settings: Mapping[str, Any], definitions: Iterable[Any]) -> Iterator[Asked]:
    """Yield what the prediction pipelines and the endpoints of a training pipeline ask for.

    Args:
        settings: The training pipeline's settings.
        definitions: Those of the state machines among which they are.
    """
    for definition in definitions:
        for endpoint in objects_with(definition, ENDPOINT):
            if _same(endpoint, settings):
                yield _endpoint(endpoint)
                break
        for scoring in objects_with(definition, SCORING):
            if _same(scoring["trained"], settings):
                yield from _transforms(str(scoring["pipeline"]), definition)
                break


def _same(one: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Return True if both are of one pipeline, which its place on S3 tells."""
    keys = ("data_bucket", "prefix")
    return all(one.get(key) == settings.get(key) for key in keys)


def _endpoint(settings: Mapping[str, Any]) -> Asked:
    variant, name = settings["variant"], str(settings["name"])
    serverless = variant.get("ServerlessConfig")
    if serverless is not None:
        return Asked(
            name=name,
            use=SERVERLESS,
            count=int(serverless["MaxConcurrency"]),
            memory_mb=int(serverless["MemorySizeInMB"]),
            is_provisioned="ProvisionedConcurrency" in serverless,
        )
    scaling = settings["scaling"] or {}
    count = int(scaling.get("most") or variant["InitialInstanceCount"])
    return Asked(name=name, use=HOSTING, types=(variant["InstanceType"],), count=count)


def _transforms(name: str, definition: Mapping[str, Any]) -> Iterator[Asked]:
    for task in _tasks(definition, SCORE):
        resources = task["Parameters"]["TransformResources"]
        timeout = definition.get("TimeoutSeconds")
        yield Asked(
            name=name,
            use=TRANSFORM,
            types=(resources["InstanceType"],),
            count=int(resources["InstanceCount"]),
            seconds=None if timeout is None else float(timeout),
        )


def _tasks(definition: Any, *resources: str) -> Iterator[dict[str, Any]]:
    found = objects_with(definition, TASK)
    return (task for task in found if str(task["Resource"]).endswith(resources))


def _jobs(config: Mapping[str, Any] | None) -> int | None:
    """Return the most trainings of a tuning job, of Grid the combinations; 1 without a tuning job."""
    if config is None:
        return 1
    most = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if most is not None:
        return int(most)
    ranges = config["ParameterRanges"]
    categories = ranges.get("CategoricalParameterRanges", ())
    others = sum(len(one) for name, one in ranges.items() if name != "CategoricalParameterRanges")
    return None if others or not categories else prod(len(one["Values"]) for one in categories)
