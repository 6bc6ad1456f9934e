"""Find the model that scores: the one in use, or the one that the execution was asked for.

Its training job says the rest: the image that also serves, the hyperparameters, and the RecordSet it was
trained on, whose features the rows have to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import ModelError, RequestError
from amazon_estimators.logs import note
from amazon_estimators.pipeline.current_model import (
    CurrentModel,
    approved_model,
    read_current_model,
    registered_model,
)
from amazon_estimators.scoring.settings import ScoringSettings, Trained
from amazon_estimators.storage.faults import naming
from amazon_estimators.storage.s3 import is_there
from amazon_estimators.storage.s3_uri import Place

TRAINED_ON = "train"
"""The channel whose features the rows have."""
PACKAGE = ":model-package/"


@dataclass(frozen=True, kw_only=True)
class ScoringModel:
    """A trained model.

    Attributes:
        job: The training job.
        model: The S3 URI of ``model.tar.gz``.
        image: The image that trained it, which also serves it.
        hyperparameters: Those of the job, as the service has them.
        record_set: The S3 URI of the manifest it was trained on.
        model_package: The ARN of its model package; None if it is not registered.
    """

    job: str
    model: str
    image: str
    hyperparameters: Mapping[str, str]
    record_set: str
    model_package: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it, for the state machine."""
        return asdict(self)


def find_model(
    s3: Any, sagemaker: Any, settings: ScoringSettings, execution_input: Mapping[str, Any]
) -> ScoringModel:
    """Return the model to score with.

    Raises:
        RequestError: The model asked for is not one of the training pipeline.
        ModelError: There is no model in use, or its file is gone.
    """
    asked = execution_input.get("model")
    trained = settings.trained
    found = _asked(sagemaker, trained, asked) if asked else _current(s3, sagemaker, trained)
    with naming("DescribeTrainingJob", found.job):
        job = sagemaker.describe_training_job(TrainingJobName=found.job)
    _check_algorithm(settings.algorithm, job)
    place = Place.of(found.model, what="model")
    if not is_there(s3, place.bucket, place.key):
        raise ModelError(f"{found.model} is no longer there", remedy="Train again, or ask for another model.")
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"] for one in job["InputDataConfig"]}
    note(job=found.job, model=found.model)
    return ScoringModel(
        job=found.job,
        model=found.model,
        image=job["AlgorithmSpecification"]["TrainingImage"],
        hyperparameters=job["HyperParameters"],
        record_set=channels[TRAINED_ON]["S3Uri"],
        model_package=found.model_package,
    )


def _current(s3: Any, sagemaker: Any, trained: Trained) -> CurrentModel:
    if trained.group is not None:
        found = approved_model(sagemaker, trained.group)
        why = f"no version of model package group {trained.group} is approved"
    else:
        found = read_current_model(s3, trained.data_bucket, trained.prefix)
        why = f"the training pipeline of s3://{trained.data_bucket}/{trained.prefix} has trained none yet"
    if found is None:
        raise ModelError(
            f"there is no model in use: {why}",
            remedy="Train one, or approve one that is registered, then redrive the execution.",
        )
    return found


def _asked(sagemaker: Any, trained: Trained, asked: str) -> CurrentModel:
    """Return the model that an execution input names: it has to be one of the training pipeline."""
    if asked.startswith("arn:"):
        group = asked.partition(PACKAGE)[2].partition("/")[0]
        if trained.group is None or group.lower() != trained.group.lower():
            raise RequestError(
                f"model is {asked!r}; allowed: "
                + (f"a version of model package group {trained.group}" if trained.group else "an S3 URI: ")
                + ("" if trained.group else "the training pipeline registers no models"),
                remedy="Leave model out to score with the model in use.",
            )
        with naming("DescribeModelPackage", asked):
            return registered_model(sagemaker.describe_model_package(ModelPackageName=asked))
    job, _, rest = asked.removeprefix(trained.models).partition("/")
    if not asked.startswith(trained.models) or not job or not rest:
        raise RequestError(
            f"model is {asked!r}; allowed: a model of the training pipeline, "
            f"{trained.models}<training job>/output/model.tar.gz",
            remedy="Leave model out to score with the model in use.",
        )
    return CurrentModel(job=job, model=asked, data_set="")


def _check_algorithm(name: str, job: Mapping[str, Any]) -> None:
    """Raise RequestError if another algorithm trained the model: the pipeline may have had another once."""
    image = job["AlgorithmSpecification"]["TrainingImage"]
    repository = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    others = [kind for kind, algorithm in ALGORITHMS.items() if algorithm.repo_name == repository]
    if others and others != [name]:
        raise RequestError(
            f"training job {job['TrainingJobName']} trained a model of {others[0]}; allowed: {name}",
            remedy="Ask for a model of the pipeline's algorithm, or train one.",
        )
