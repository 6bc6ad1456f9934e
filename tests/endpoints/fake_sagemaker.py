"""SageMaker in memory: what endpoints need of it, step by step, with answers that get lost."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from amazon_estimators.serving.settings import EndpointSettings

SETTINGS = EndpointSettings(
    name="online",
    algorithm="KMeans",
    data_bucket="data",
    prefix="",
    image="382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
    role="arn:aws:iam::000000000000:role/serving",
    seconds=3600,
    group="group",
    variant={"InstanceType": "ml.m5.large", "InitialInstanceCount": 1},
    deployment={"BlueGreenUpdatePolicy": {}},
)
NAMES = {"model": "ModelName", "endpoint_config": "EndpointConfigName", "endpoint": "EndpointName"}


class FakeSageMaker:
    """Models, configurations and one kind of deployments, which end when :meth:`advance` says so.

    Attributes:
        bad: The models whose instances do not start.
        lost: What happens to the next calls that change something: "before" they take effect or "after".
    """

    def __init__(self) -> None:
        self.models: list[str] = []
        self.made: dict[str, dict[str, Any]] = {"model": {}, "endpoint_config": {}}
        self.endpoint: dict[str, Any] | None = None
        self.pending: str | None = None
        self.bad: set[str] = set()
        self.lost: list[str] = []

    # what a test does

    def train(self) -> str:
        """Approve another model."""
        self.models.append(f"s3://models/models/job-{len(self.models)}/output/model.tar.gz")
        return self.models[-1]

    def advance(self) -> None:
        """End what SageMaker is at."""
        if self.endpoint is None:
            return
        status = self.endpoint["EndpointStatus"]
        if status == "Deleting":
            self.endpoint = None
        elif status in ("Creating", "Updating"):
            pending, self.pending = self.pending, None
            assert pending is not None
            starts = self.model_of(pending) not in self.bad
            if starts:
                self.endpoint |= {"EndpointStatus": "InService", "EndpointConfigName": pending}
            else:
                self.endpoint["EndpointStatus"] = "Failed" if status == "Creating" else "InService"

    def model_of(self, config: str) -> str:
        """The artifact that a configuration serves."""
        (variant,) = self.made["endpoint_config"][config]["ProductionVariants"]
        container = self.made["model"][variant["ModelName"]]["PrimaryContainer"]
        return str(container["ModelDataUrl"])

    @property
    def serving(self) -> str | None:
        """The artifact in service."""
        if self.endpoint is None or self.endpoint["EndpointStatus"] != "InService":
            return None
        return self.model_of(self.endpoint["EndpointConfigName"])

    # the registry

    def list_model_packages(self, **_: Any) -> dict[str, Any]:
        return {"ModelPackageSummaryList": [{"ModelPackageArn": one} for one in self.models[-1:]]}

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        return {
            "ModelPackageArn": ModelPackageName,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": ModelPackageName}]},
        }

    # models and configurations

    def create_model(self, **request: Any) -> None:
        self._change("create_model", lambda: self._make("model", request))

    def describe_model(self, **request: Any) -> Any:
        return self._found("model", request)

    def delete_model(self, **request: Any) -> None:
        self._change("delete_model", lambda: self._remove("model", request))

    def list_models(self, **request: Any) -> dict[str, Any]:
        return {"Models": [{"ModelName": name} for name in reversed(self.made["model"])]}

    def create_endpoint_config(self, **request: Any) -> None:
        (variant,) = request["ProductionVariants"]
        self._found("model", variant)
        self._change("create_endpoint_config", lambda: self._make("endpoint_config", request))

    def describe_endpoint_config(self, **request: Any) -> Any:
        return self._found("endpoint_config", request)

    def delete_endpoint_config(self, **request: Any) -> None:
        self._change("delete_endpoint_config", lambda: self._remove("endpoint_config", request))

    def list_endpoint_configs(self, **request: Any) -> dict[str, Any]:
        names = [*reversed(self.made["endpoint_config"])]
        start = int(request.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(names) else {}
        return {"EndpointConfigs": [{"EndpointConfigName": one} for one in names[start : start + 2]], **more}

    # the endpoint

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        if self.endpoint is None:
            raise invalid("DescribeEndpoint", "Could not find endpoint")
        pending = {"PendingDeploymentSummary": {"EndpointConfigName": self.pending}} if self.pending else {}
        return {**self.endpoint, **pending}

    def create_endpoint(self, **request: Any) -> None:
        def create() -> None:
            if self.endpoint is not None:
                raise invalid("CreateEndpoint", "Cannot create already existing endpoint")
            self._found("endpoint_config", request)
            name = request["EndpointConfigName"]
            self.endpoint, self.pending = {"EndpointStatus": "Creating", "EndpointConfigName": name}, name

        self._change("create_endpoint", create)

    def update_endpoint(self, **request: Any) -> None:
        def update() -> None:
            if self.endpoint is None or self.endpoint["EndpointStatus"] != "InService":
                raise invalid("UpdateEndpoint", "Cannot update in-progress endpoint")
            self._found("endpoint_config", request)
            self.endpoint["EndpointStatus"], self.pending = "Updating", request["EndpointConfigName"]

        self._change("update_endpoint", update)

    def delete_endpoint(self, **_: Any) -> None:
        def delete() -> None:
            if self.endpoint is None or self.endpoint["EndpointStatus"] not in ("InService", "Failed"):
                raise invalid("DeleteEndpoint", "Cannot update in-progress endpoint")
            self.endpoint["EndpointStatus"] = "Deleting"

        self._change("delete_endpoint", delete)

    def _change(self, operation: str, change: Any) -> None:
        fate = self.lost.pop(0) if self.lost else ""
        if fate != "before":
            change()
        if fate:
            raise ReadTimeoutError(endpoint_url=operation)

    def _make(self, kind: str, request: dict[str, Any]) -> None:
        if request[NAMES[kind]] in self.made[kind]:
            raise invalid(kind, "Cannot create already existing")
        self.made[kind][request[NAMES[kind]]] = request

    def _found(self, kind: str, request: dict[str, Any]) -> Any:
        if request[NAMES[kind]] not in self.made[kind]:
            raise invalid(kind, "Could not find")
        return self.made[kind][request[NAMES[kind]]]

    def _remove(self, kind: str, request: dict[str, Any]) -> None:
        self._found(kind, request)
        if kind == "endpoint_config":
            in_use = {self.pending, self.endpoint and self.endpoint["EndpointConfigName"]}
            assert request[NAMES[kind]] not in in_use, "a configuration in use was deleted"
        del self.made[kind][request[NAMES[kind]]]


def invalid(operation: str, message: str) -> ClientError:
    """SageMaker's ValidationException."""
    return ClientError({"Error": {"Code": "ValidationException", "Message": message}}, operation)
