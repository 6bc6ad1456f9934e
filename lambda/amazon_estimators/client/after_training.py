"""Use an estimator's model: deploy it, predict in batch, search for better hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.storage.s3_uri import Place

if TYPE_CHECKING:
    from amazon_estimators.algorithms.tuning_ranges import Range
    from amazon_estimators.client.model import Model
    from amazon_estimators.client.predictor import Predictor
    from amazon_estimators.client.training_records import Records
    from amazon_estimators.client.tuner import Tunable, Tuner
    from amazon_estimators.inference import Predictions


class Trained(Protocol):
    """The estimator's members that this module uses, besides those for tuning."""

    algorithm: Algorithm
    role: str
    session: Any
    settings: JobSettings
    _data_location: Place | None

    @property
    def model_data(self) -> str: ...
    def _output_path(self) -> str: ...


class AfterTraining:
    """The part of an estimator that comes after ``fit()``."""

    def create_model(self, **settings: Any) -> Model:
        """Return the model that the latest training job wrote.

        Args:
            settings: Settings of :class:`Model`. Default: role, VPC, isolation and tags of the estimator.

        Raises:
            RequestError: There is no model yet.
        """
        from amazon_estimators.client.model import Model  # noqa: PLC0415

        estimator = cast("Trained", self)
        training = estimator.settings
        defaults: dict[str, Any] = {
            "role": estimator.role,
            "session": estimator.session,
            "subnets": training.subnets,
            "security_group_ids": training.security_group_ids,
            "enable_network_isolation": training.enable_network_isolation,
            "tags": training.tags,
        }
        return Model(estimator.algorithm, estimator.model_data, **{**defaults, **settings})

    def deploy(
        self,
        *,
        instance_type: str | None = None,
        instance_count: int | None = None,
        serverless: Any = None,
        endpoint_name: str | None = None,
        wait: bool = True,
        **settings: Any,
    ) -> Predictor:
        """Create a model and an endpoint, and return a :class:`Predictor`. Its ``with`` block deletes both at
        the end.

        Args:
            instance_type: Such as ``"ml.m5.large"``.
            instance_count: Instances behind the endpoint. Default: 1.
            serverless: A :class:`ServerlessInferenceConfig` instead of instances.
            endpoint_name: Default: the image's name and the time.
            wait: Wait until the endpoint is in service. Default: True.
            settings: Further settings of :meth:`Model.deploy`.

        Raises:
            RequestError: There is no model yet, or AWS does not serve the algorithm this way.
            EndpointError: The endpoint failed.
            Detached: Ctrl-C was pressed; the endpoint is still being created.

        Example:
            >>> with estimator.deploy(instance_type="ml.m5.large") as predictor:  # doctest: +SKIP
            ...     predictor.predict(rows)["closest_cluster"]
        """
        return AfterTraining.create_model(self).deploy(
            instance_type=instance_type,
            instance_count=instance_count,
            serverless=serverless,
            endpoint_name=endpoint_name,
            wait=wait,
            **settings,
        )

    def transform(
        self,
        data: Any,
        *,
        instance_type: str,
        instance_count: int = 1,
        content_type: str | None = None,
        **settings: Any,
    ) -> Predictions:
        """Predict in batch, without an endpoint, and return the predictions in the order of the rows.

        Args:
            data: Rows as for :meth:`Predictor.predict`, a RecordSet, or an S3 URI of objects.
            instance_type: Such as ``"ml.m5.large"``.
            instance_count: Instances; rows are divided among them. Default: 1.
            content_type: Content type of the objects. Default: the algorithm's preferred one.
            settings: Further settings of :class:`Transformer`.

        Returns:
            An array per field. The outputs stay on S3, under ``transformed/`` beside the models; the rows
            uploaded under ``data_location`` are deleted, and so is the model.

        Raises:
            TransformJobError: The job did not complete.
            Detached: Ctrl-C was pressed; the job continues.
        """
        estimator = cast("Trained", self)
        outputs = Place.prefix(estimator._output_path(), what="output_path")
        settings.setdefault("output_path", f"{outputs.uri}transformed/")
        with AfterTraining.create_model(self) as model:
            transformer = model.transformer(
                instance_type=instance_type, instance_count=instance_count, **settings
            )
            return transformer.transform(
                data, location=(estimator._data_location or outputs).uri, content_type=content_type
            )

    def tune(
        self,
        records: Records | Sequence[Records],
        objective: str,
        ranges: Mapping[str, Range],
        *,
        wait: bool = True,
        job_name: str | None = None,
        **settings: Any,
    ) -> Tuner:
        """Search hyperparameters with training jobs; return the tuner, with ``best_estimator()``.

        Args:
            records: As for ``fit()``; they must include the objective's channel.
            objective: A metric of the algorithm, such as ``"test:msd"``.
            ranges: The ranges to search, by hyperparameter.
            wait: Wait for the end of the search. Default: True.
            job_name: At most 32 characters. Default: the image's name and the time.
            settings: Settings of :class:`Tuner`, such as ``max_jobs``.

        Raises:
            HyperparameterError: The algorithm's tables do not allow the ranges or the objective.
            TuningJobError: The search did not complete.
            Detached: Ctrl-C was pressed; the search continues.
        """
        from amazon_estimators.client.tuner import Tuner  # noqa: PLC0415

        tuner = Tuner(cast("Tunable", self), objective, ranges, **settings)
        tuner.fit(records, wait=wait, job_name=job_name)
        return tuner
