"""The model that a deployed pipeline has in use, ready to be loaded, deployed and asked in batch."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.client.model import Model
from amazon_estimators.errors import RequestError
from amazon_estimators.inference import LocalModel, Predictions, load_model
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.record_sets.record_set import RecordSet
from amazon_estimators.scoring.model import TRAINED_ON
from amazon_estimators.scoring.schema import classes_of, rows_source
from amazon_estimators.scoring.schema import trained_on as record_set_of
from amazon_estimators.sources import Source
from amazon_estimators.sources.gaps import every_row_stays
from amazon_estimators.sources.in_memory import features_of, is_frame, of_memory
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of


class PipelineModel(Model):
    """A pipeline's model in use, as ``Estimator.from_pipeline(…).current_model()`` returns it.

    Attributes:
        facts: Its training job, data set, metrics and model package.
    """

    def __init__(
        self,
        facts: CurrentModel,
        algorithm: str,
        *,
        role: str | None,
        location: Place,
        source: Source | None = None,
        session: Any = None,
    ) -> None:
        """Describe the model by its training job: its image, its hyperparameters.

        Args:
            facts: What the pipeline keeps of it.
            algorithm: The name of the algorithm.
            role: Name or ARN of the IAM role that SageMaker assumes to serve it. Default: none; the model can
                be loaded, and no more.
            location: S3 prefix for rows and outputs of :meth:`transform`.
            source: How the pipeline reads its training channel. Default: ``Source()``.
            session: A ``boto3.Session``. Default: a new one.
        """
        job = client_of(session, "sagemaker").describe_training_job(TrainingJobName=facts.job)
        trained = algorithm_named(algorithm).from_hyperparameters(job["HyperParameters"])
        image = job["AlgorithmSpecification"]["TrainingImage"]
        super().__init__(trained, facts.model, role=role or "", image=image, session=session)
        self.facts, self._trained, self._location = facts, trained, location
        self._source, self._channels = source or Source(), job["InputDataConfig"]

    def load(self) -> LocalModel:
        """Return the model to predict with NumPy alone. Raises ModelError if its algorithm's are not read."""
        return load_model(self.model_data, self._trained, session=self.session)

    def rows_source(self, source: Source | None = None) -> Source:
        """Return how rows are read so that they become the features that this model was trained on.

        Args:
            source: How these rows are read. Default: as the training channel is, without its label.

        Raises:
            RecordSetError: The RecordSet it was trained on is no longer there.
            RequestError: Training took columns by position, and where those rows have them is not known.
        """
        return rows_source(source or self._source, self._trained_on, has_own=source is not None)

    @property
    def classes(self) -> tuple[str, ...]:
        """The words of the labels it was trained on; none if they are numbers."""
        return classes_of(self._trained_on)

    @cached_property
    def _trained_on(self) -> RecordSet:
        (manifest,) = (
            channel["DataSource"]["S3DataSource"]["S3Uri"]
            for channel in self._channels
            if channel["ChannelName"] == TRAINED_ON
        )
        return record_set_of(client_of(self.session, "s3"), manifest)

    def predict(self, rows: Any, *, source: Source | None = None) -> Predictions:
        """Predict in this process, without an instance: KMeans, PCA, LinearLearner, FactorizationMachines.

        Args:
            rows: A data frame of pandas or polars, whose columns are taken by name and become features by the
                rules of training; or the features in training's order, as :meth:`LocalModel.predict` takes
                them.
            source: How these rows are read. Default: as training reads its input.

        Raises:
            RequestError: The rows have no names, and training has rules for columns.
            SchemaError: The data frame lacks a feature.
            InputError: A value is not a number, or there are too many or too few features.
            ModelError: The algorithm's models do not predict without their container.
        """
        model, read = self.load(), self.rows_source(source)
        if is_frame(rows) or source is not None:
            with every_row_stays():
                rows = features_of(rows, of_memory(read)).features
            return model.predict(rows).with_classes(self.classes)
        if read.rules:
            raise RequestError(
                "training makes features of columns by rules, and the rows have no names of columns",
                remedy="Give a data frame with the columns of training.",
            )
        return model.predict(rows).with_classes(self.classes)

    def request(self) -> dict[str, Any]:
        """Return the CreateModel request. Raises RequestError without a role."""
        if not self.role:
            raise RequestError(
                "SageMaker needs an execution role to serve the model",
                remedy="Name one: pipeline.current_model(role='…'). load() needs none.",
            )
        return super().request()

    def transform(self, data: Any, *, instance_type: str, **settings: Any) -> Predictions:
        """Predict in batch, and return the predictions in the order of the rows; the model is deleted.

        Args:
            data: Rows as for :meth:`Predictor.predict`, a RecordSet, or an S3 URI of objects.
            instance_type: Such as ``"ml.m5.large"``.
            settings: Further settings of :class:`Transformer`.

        Raises:
            TransformJobError: The job did not complete.
        """
        settings.setdefault("output_path", f"{self._location.uri}transformed/")
        with self:
            transformer = self.transformer(instance_type=instance_type, **settings)
            return transformer.transform(data, location=self._location.uri)
