"""A trained model that SageMaker serves: create it, deploy it, transform with it, delete it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.client.hosting import check_hosting, variant
from amazon_estimators.client.job_settings import tag_list
from amazon_estimators.client.predictor import Predictor, already_gone
from amazon_estimators.client.training_job import Detached, checked_job_name
from amazon_estimators.errors import RequestError
from amazon_estimators.storage.s3_uri import Place
from amazon_estimators.storage.sessions import client_of, region_of, role_arn
from amazon_estimators.text import is_template

if TYPE_CHECKING:
    from amazon_estimators.client.transformer import Transformer

Tags = Mapping[str, str] | Sequence[Mapping[str, str]]


class Model:
    """A trained model, and the image that serves it.

    It creates nothing in the account before :meth:`create`, :meth:`deploy` or a transform job needs it. As a
    context manager it deletes what it created, unless waiting was interrupted (:class:`Detached`).

    Attributes:
        name: The model's name in the account.
    """

    def __init__(
        self,
        algorithm: Algorithm | type[Algorithm],
        model_data: str,
        *,
        role: str,
        name: str | None = None,
        image: str | None = None,
        multi_model: bool = False,
        environment: Mapping[str, str] | None = None,
        subnets: Sequence[str] | None = None,
        security_group_ids: Sequence[str] | None = None,
        enable_network_isolation: bool = False,
        tags: Tags | None = None,
        session: Any = None,
    ) -> None:
        """Describe the model.

        Args:
            algorithm: The algorithm, or its class.
            model_data: S3 URI of the ``model.tar.gz``; with ``multi_model``, the prefix of several.
            role: Name or ARN of the IAM role that SageMaker assumes; it reads the model.
            name: Default: the image's name and the time.
            image: The image that serves it. Default: the algorithm's in the session's region.
            multi_model: Serve each archive under ``model_data``: ``predict(rows, target_model="a.tar.gz")``.
            environment: Environment variables of the container. Default: none.
            subnets: The VPC's subnets. Needs ``security_group_ids``. Default: no VPC.
            security_group_ids: Security groups in the VPC. Needs ``subnets``. Default: no VPC.
            enable_network_isolation: No network for the container. Default: False.
            tags: Tags of the model, and of endpoints and jobs made from it. Default: none.
            session: A ``boto3.Session``. Default: a new one.

        Raises:
            RequestError: AWS does not serve the algorithm this way, or a setting is invalid.
        """
        self.algorithm = algorithm if isinstance(algorithm, type) else type(algorithm)
        if not is_template(model_data):
            Place.of(model_data, what="model_data")
        if (subnets is None) != (security_group_ids is None):
            raise RequestError("only one of subnets and security_group_ids is set; a VPC needs both")
        self.model_data, self.role, self.session = model_data, role, session
        self.multi_model = multi_model
        self.image = image or self.algorithm.train_image(region_of(session))
        self.name = checked_job_name(name, base=self.algorithm.repo_name)
        self.tags = None if tags is None else tag_list(tags)
        self._environment = None if environment is None else dict(environment)
        self._network = (
            {"Subnets": [*subnets], "SecurityGroupIds": [*security_group_ids]}
            if subnets is not None and security_group_ids is not None
            else None
        )
        self._isolated = enable_network_isolation
        self._created = False
        self._predictors: list[Predictor] = []
        if multi_model:
            self._check(instance_type=None, serverless=False)

    def request(self) -> dict[str, Any]:
        """Return the CreateModel request."""
        container: dict[str, Any] = {"Image": self.image, "ModelDataUrl": self.model_data}
        if self.multi_model:
            container["Mode"] = "MultiModel"
        if self._environment:
            container["Environment"] = self._environment
        request: dict[str, Any] = {
            "ModelName": self.name,
            "PrimaryContainer": container,
            "ExecutionRoleArn": role_arn(self.session, self.role),
        }
        if self._network:
            request["VpcConfig"] = self._network
        if self._isolated:
            request["EnableNetworkIsolation"] = True
        return request | self._tagged()

    def create(self) -> Self:
        """Create the model in the account, unless this object already has."""
        if not self._created:
            client_of(self.session, "sagemaker").create_model(**self.request())
            self._created = True
        return self

    def deploy(
        self,
        *,
        instance_type: str | None = None,
        instance_count: int | None = None,
        serverless: Any = None,
        endpoint_name: str | None = None,
        kms_key: str | None = None,
        volume_size: int | None = None,
        data_capture: Mapping[str, Any] | None = None,
        tags: Tags | None = None,
        wait: bool = True,
    ) -> Predictor:
        """Create an endpoint and return a :class:`Predictor` for it.

        Args:
            instance_type: Such as ``"ml.m5.large"``.
            instance_count: Instances behind the endpoint. Default: 1.
            serverless: A :class:`ServerlessInferenceConfig` instead of instances.
            endpoint_name: Default: the image's name and the time.
            kms_key: KMS key that encrypts the instances' volumes. Default: SageMaker's own.
            volume_size: GB of each instance's volume. Default: the service's.
            data_capture: ``DataCaptureConfig`` of the API. Default: none.
            tags: Tags of the endpoint and its configuration. Default: those of the model.
            wait: Wait until the endpoint is in service. Default: True.

        Raises:
            RequestError: AWS does not serve the algorithm this way; nothing has been created.
            EndpointError: The endpoint failed.
            Detached: Ctrl-C was pressed; the endpoint is still being created.
        """
        self._check(instance_type=instance_type, serverless=serverless is not None)
        chosen = variant(
            model_name=self.name,
            instance_type=instance_type,
            instance_count=instance_count,
            serverless=serverless,
            volume_size=volume_size,
        )
        name = checked_job_name(endpoint_name, base=self.algorithm.repo_name)
        self.create()
        sagemaker = client_of(self.session, "sagemaker")
        tagged = self._tagged() if tags is None else {"Tags": tag_list(tags)}
        config: dict[str, Any] = {"EndpointConfigName": name, "ProductionVariants": [chosen], **tagged}
        if kms_key:
            config["KmsKeyId"] = kms_key
        if data_capture:
            config["DataCaptureConfig"] = dict(data_capture)
        sagemaker.create_endpoint_config(**config)
        predictor = Predictor(name, self.algorithm, session=self.session)
        self._predictors.append(predictor)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, **tagged)
        if wait:
            predictor.wait()
        return predictor

    def transformer(self, *, instance_type: str, instance_count: int = 1, **settings: Any) -> Transformer:
        """Return a :class:`Transformer`, which runs transform jobs with this model."""
        from amazon_estimators.client.transformer import Transformer  # noqa: PLC0415

        return Transformer(self, instance_type=instance_type, instance_count=instance_count, **settings)

    def delete(self) -> None:
        """Delete the model from the account. Endpoints that serve it continue."""
        client_of(self.session, "sagemaker").delete_model(ModelName=self.name)
        self._created = False

    def _check(self, *, instance_type: str | None, serverless: bool) -> None:
        check_hosting(
            self.algorithm,
            instance_type=instance_type,
            serverless=serverless,
            multi_model=self.multi_model,
            in_vpc=self._network is not None,
            isolated=self._isolated,
            region=region_of(self.session),
        )

    def _tagged(self) -> dict[str, Any]:
        return {} if self.tags is None else {"Tags": self.tags}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Detached):
            return  # the endpoint or job continues, and needs the model
        for predictor in self._predictors:
            with already_gone():
                predictor.delete_endpoint()
        if self._created:
            with already_gone():
                self.delete()

    def __repr__(self) -> str:
        return f"Model({self.algorithm.__name__}, {self.model_data!r}, name={self.name!r})"
