"""The model that a deployed pipeline has in use, ready to be loaded, deployed and asked in batch."""

from __future__ import annotations

from typing import Any

from amazon_estimators.algorithms import algorithm_named
from amazon_estimators.client.model import Model
from amazon_estimators.errors import RequestError
from amazon_estimators.inference import LocalModel, Predictions, load_model
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of


class PipelineModel(Model):
    """A pipeline's model in use, as ``Estimator.from_pipeline(…).current_model()`` returns it.

    Attributes:
        facts: Its training job, data set, metrics and model package.
    """

    def __init__(
        self, facts: CurrentModel, algorithm: str, *, role: str | None, location: Place, session: Any = None
    ) -> None:
        """Describe the model by its training job: its image, its hyperparameters.

        Args:
            facts: What the pipeline keeps of it.
            algorithm: The name of the algorithm.
            role: Name or ARN of the IAM role that SageMaker assumes to serve it. Default: none; the model can
                be loaded, and no more.
            location: S3 prefix for rows and outputs of :meth:`transform`.
            session: A ``boto3.Session``. Default: a new one.
        """
        job = client_of(session, "sagemaker").describe_training_job(TrainingJobName=facts.job)
        trained = algorithm_named(algorithm).from_hyperparameters(job["HyperParameters"])
        image = job["AlgorithmSpecification"]["TrainingImage"]
        super().__init__(trained, facts.model, role=role or "", image=image, session=session)
        self.facts, self._trained, self._location = facts, trained, location

    def load(self) -> LocalModel:
        """Return the model to predict with NumPy alone. Raises ModelError if its algorithm's are not read."""
        return load_model(self.model_data, self._trained, session=self.session)

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
