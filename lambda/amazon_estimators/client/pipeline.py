"""Use a deployed TrainingPipeline as an estimator: the same ``fit()``, run by its state machine on its
data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.algorithms import Algorithm, algorithm_named
from amazon_estimators.client.definitions import objects_with
from amazon_estimators.client.execution import Execution
from amazon_estimators.client.registry import ModelRegistry
from amazon_estimators.client.training_job import TrainingJob
from amazon_estimators.errors import ModelError, RequestError
from amazon_estimators.pipeline.current_model import CurrentModel, approved_model, read_current_model
from amazon_estimators.pipeline.data_set import check_version
from amazon_estimators.pipeline.keys import input_prefix
from amazon_estimators.pipeline.settings import check_reason, with_columns
from amazon_estimators.sources import Source
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of, region_of

if TYPE_CHECKING:
    from amazon_estimators.client.pipeline_model import PipelineModel
    from amazon_estimators.inference import Predictions

REGISTER = ":aws-sdk:sagemaker:createModelPackage"
"""The end of the resource of the task that registers a model."""
EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class PipelineEstimator:
    """The estimator that ``Estimator.from_pipeline()`` returns.

    ``algorithm`` holds the deployed hyperparameters.
    """

    def __init__(self, state_machine_arn: str, settings: Mapping[str, Any], *, session: Any = None) -> None:
        self.state_machine_arn = state_machine_arn
        self.settings = dict(settings)
        self.session = session
        self.algorithm: Algorithm = algorithm_named(settings["algorithm"]).from_hyperparameters(
            settings["hyperparameters"]
        )
        self.instance_type: str = settings["instance_type"]
        self.instance_count = int(settings["instance_count"])
        self.latest_execution: Execution | None = None
        self._states = client_of(session, "stepfunctions")

    @property
    def name(self) -> str:
        """The path of its construct, as events name it: ``"MyStack/Digits"``."""
        return str(self.settings["pipeline"])

    @property
    def data_locations(self) -> dict[str, str]:
        """S3 prefix of each channel's input."""
        bucket, prefix = self.settings["data_bucket"], self.settings.get("prefix", "")
        return {
            name: f"s3://{bucket}/"
            + (input_prefix(prefix, name) if channel.get("prefix") is None else channel["prefix"])
            for name, channel in self.settings["channels"].items()
        }

    @property
    def latest_training_job(self) -> TrainingJob | None:
        """The newest training job of the latest execution; None if there is none yet."""
        return self.latest_execution.training_job() if self.latest_execution else None

    @property
    def model_data(self) -> str:
        """S3 URI of the model that the latest execution trained. Raises RequestError until there is one."""
        job = self.latest_training_job
        artifacts = job.describe().get("ModelArtifacts", {}).get("S3ModelArtifacts") if job else None
        if not artifacts:
            raise RequestError("there is no model yet", remedy="Call fit() first and let it end.")
        return str(artifacts)

    def train_image(self) -> str:
        """Return the URI of the training image in the session's region. Raises RegionError if there is
        none."""
        return self.algorithm.train_image(region_of(self.session))

    training_image_uri = train_image

    def hyperparameters(self) -> dict[str, str]:
        """Return the deployed hyperparameters, without those that the pipeline sets from the data."""
        return self.algorithm.hyperparameters()

    def fit(
        self,
        records: None = None,
        mini_batch_size: int | None = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        data_set: str | None = None,
        reason: str | None = None,
    ) -> Self:
        """Start an execution, which encodes what is new under the input prefixes, and trains.

        Args:
            records: Must be None: a pipeline trains on its own data, and the training role reads no other.
            mini_batch_size: Override of the deployed value. Default: none.
            wait: Follow the execution to its end. Default: True.
            logs: Show the training job's log meanwhile. Default: True.
            job_name: The execution's name; the pipeline names the training job. Default: a generated one.
            hyperparameters: Overrides of the deployed hyperparameters. Default: none.
            data_set: The version of the data to train on, from ``record_set.json`` or the job's tags.
                Default: the current objects under the prefixes.
            reason: Why, as the events about the result repeat it. Default: none.

        Raises HyperparameterError before anything starts, or the execution's error.
        """
        if records is not None:
            places = ", ".join(self.data_locations.values())
            raise RequestError(
                f"a pipeline trains on its own data, under {places}; it was given {type(records).__name__}",
                remedy=(
                    "Upload the data there and call fit() without records, or use Estimator to "
                    "train on a RecordSet."
                ),
            )
        overrides = {
            **(hyperparameters or {}),
            **({} if mini_batch_size is None else {"mini_batch_size": mini_batch_size}),
        }
        self.latest_execution = self.start(overrides, name=job_name, data_set=data_set, reason=reason)
        if wait:
            self.latest_execution.wait(logs=logs)
        return self

    def start(
        self,
        overrides: Mapping[str, Any],
        *,
        name: str | None = None,
        data_set: str | None = None,
        reason: str | None = None,
    ) -> Execution:
        """Start an execution and do not wait.

        Args:
            overrides: Hyperparameters that replace the deployed ones; they are checked together first.
            name: The execution's name. Default: a generated one.
            data_set: The version of the data to train on. Default: the current objects under the prefixes.
            reason: Why, as the events about the result repeat it. Default: none.

        Raises:
            HyperparameterError, RequestError: Before anything starts.
        """
        sent = _sent(self.algorithm, overrides)
        if data_set is not None:
            check_version(data_set)
        check_reason(reason or "")
        if name is not None and not EXECUTION_NAME.fullmatch(name):
            raise RequestError(
                f"execution name is {name!r}; allowed: up to 80 letters, digits, hyphens, underscores"
            )
        started = self._states.start_execution(
            stateMachineArn=self.state_machine_arn,
            input=json.dumps(
                {
                    **({"hyperparameters": sent} if sent else {}),
                    **({"data_set": data_set} if data_set is not None else {}),
                    **({"reason": reason} if reason else {}),
                }
            ),
            **({"name": name} if name else {}),
        )
        return self._execution(started["executionArn"])

    def executions(self, *, most: int = 20) -> list[Execution]:
        """Return the newest executions, newest first."""
        listed = self._states.list_executions(stateMachineArn=self.state_machine_arn, maxResults=most)
        return [self._execution(one["executionArn"]) for one in listed["executions"]]

    def registry(self) -> ModelRegistry | None:
        """Return the registered models; None for a pipeline without a registry."""
        group = registry_group(self._definition())
        return None if group is None else ModelRegistry(group, session=self.session)

    def current_model(self, *, role: str | None = None) -> PipelineModel | None:
        """Return the model in use, to be loaded, deployed or asked in batch; None if there is none yet.

        Args:
            role: Name or ARN of the IAM role that SageMaker assumes to serve it. Default: none; the model can
                be loaded, and no more.

        Example:
            >>> model = Estimator.from_pipeline("Churn").current_model()  # doctest: +SKIP
            >>> model.load().predict(rows)  # doctest: +SKIP
        """
        from amazon_estimators.client.pipeline_model import PipelineModel  # noqa: PLC0415 - NumPy
        from amazon_estimators.scoring.model import TRAINED_ON  # noqa: PLC0415

        facts = self.model_in_use()
        if facts is None:
            return None
        location = Place(self.settings["data_bucket"], f"{self.settings.get('prefix', '')}transforms/")
        name = self.settings["algorithm"]
        channels = {TRAINED_ON: Source.from_dict(self.settings["channels"][TRAINED_ON])}
        columns = self.settings.get("columns")
        source = with_columns(client_of(self.session, "s3"), channels, columns)[TRAINED_ON]
        return PipelineModel(facts, name, role=role, location=location, source=source, session=self.session)

    def predict(self, rows: Any, *, source: Source | None = None) -> Predictions:
        """Predict rows with the model in use, in this process, without an instance.

        Args:
            rows: As for :meth:`PipelineModel.predict`: a data frame, or features in training's order.
            source: How these rows are read. Default: as training reads its input.

        Raises:
            ModelError: There is no model in use, or it does not predict without its container.
            RequestError, SchemaError, InputError: The rows do not become the features of training.

        Example:
            >>> Estimator.from_pipeline("Churn").predict(frame)["predicted_label"]  # doctest: +SKIP
        """
        return self.model_to_ask().predict(rows, source=source)

    def model_to_ask(self) -> PipelineModel:
        """Return the model in use. Raises ModelError if there is none."""
        model = self.current_model()
        if model is None:
            raise ModelError(
                f"pipeline {self.name} has no model in use yet",
                remedy="Train one, or approve one that is registered: amazon-estimators models, approve.",
            )
        return model

    def model_in_use(self) -> CurrentModel | None:
        """Return what is kept of the model in use; None if there is none yet.

        It is the newest approved version in the registry or, without a registry, the last model that was good
        enough.
        """
        group = registry_group(self._definition())
        if group is not None:
            return approved_model(client_of(self.session, "sagemaker"), group)
        s3 = client_of(self.session, "s3")
        return read_current_model(s3, self.settings["data_bucket"], self.settings.get("prefix", ""))

    def describe(self) -> tuple[dict[str, Any], Any]:
        """Return DescribeStateMachine's answer, and the definition in it."""
        described = self._states.describe_state_machine(stateMachineArn=self.state_machine_arn)
        return described, json.loads(described["definition"])

    def _definition(self) -> Any:
        return self.describe()[1]

    def attach(self, execution: str | None = None, *, wait: bool = True, logs: bool = True) -> Self:
        """Follow an execution by name or ARN, by default the newest. Raises RequestError if there is none."""
        if execution is None:
            newest = self.executions(most=1)
            if not newest:
                raise RequestError("the pipeline has no execution yet", remedy="Call fit().")
            self.latest_execution = newest[0]
        else:
            arn = execution
            if not execution.startswith("arn:"):
                arn = self.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{execution}"
            self.latest_execution = self._execution(arn)
        if wait:
            self.latest_execution.wait(logs=logs)
        return self

    def _execution(self, arn: str) -> Execution:
        return Execution(arn, session=self.session, metrics=self.algorithm.metrics)

    def __repr__(self) -> str:
        return f"PipelineEstimator({self.settings['pipeline']!r}, {self.algorithm!r})"


def registry_group(definition: Any) -> str | None:
    """Return the model package group in which a state machine registers models; None without a registry."""
    for state in objects_with(definition, {"Resource", "Parameters"}):
        if str(state["Resource"]).endswith(REGISTER):
            return str(state["Parameters"]["ModelPackageGroupName"])
    return None


def _sent(algorithm: Algorithm, overrides: Mapping[str, Any]) -> dict[str, str]:
    """Return the overrides under the service's names, as text, checked with the other hyperparameters."""
    if not overrides:
        return {}
    merged = algorithm.override(overrides).hyperparameters()
    before = algorithm.hyperparameters()
    if removed := sorted(set(before) - set(merged)):
        raise RequestError(
            f"{', '.join(removed)}: a deployed pipeline's hyperparameter cannot be unset, only replaced",
            remedy="Deploy the pipeline without it.",
        )
    return {name: value for name, value in merged.items() if before.get(name) != value}
