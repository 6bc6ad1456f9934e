"""Models and endpoints of the stand-in, through the API."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from serving_account import CASES, ServingAccount, make_role, unique

from amazon_estimators import ALGORITHMS, load_model
from amazon_estimators.inference import read_response, write_request
from amazon_estimators_rehearsal.platform import Platform

SERVED = [name for name, case in CASES.items() if case.served]


@pytest.mark.parametrize("name", SERVED)
def test_an_endpoint_answers_every_documented_pair_of_formats(serving: ServingAccount, name: str) -> None:
    algorithm = ALGORITHMS[name]
    endpoint = serving.endpoint(serving.model(name))
    assert endpoint["EndpointStatus"] == "InService", endpoint
    rows = serving.rows(name)
    columns = []
    for content_type in algorithm.inference.accepts:
        request = write_request(algorithm, rows, content_type)
        for accept in algorithm.inference.returns:
            body, answered = serving.invoke(
                endpoint["EndpointName"], request.body, request.content_type, Accept=accept
            )
            assert answered == accept
            predictions = read_response(algorithm, body, answered)
            assert predictions.rows == len(rows)
            columns.append({key: value.round(4).tolist() for key, value in predictions.items()})
    assert all(one.keys() == columns[0].keys() for one in columns)
    for one in columns[1:]:
        for key, value in one.items():
            assert np.allclose(value, columns[0][key], atol=2e-3)


def refused(call: Any, code: str, message: str, **arguments: Any) -> None:
    with pytest.raises(ClientError, match=message) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code


def test_names_are_taken_once_and_told_when_missing(serving: ServingAccount) -> None:
    """In the service's words."""
    client, model = serving.sagemaker, serving.model("KMeans")
    endpoint = serving.endpoint(model)["EndpointName"]
    variant = {
        "VariantName": "a",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    taken = "ValidationException", "Cannot create already existing"
    container = {
        "Image": serving.trained("KMeans").train_image(),
        "ModelDataUrl": serving.trained("KMeans").model_data,
    }
    refused(
        client.create_model,
        *taken,
        ModelName=model,
        PrimaryContainer=container,
        ExecutionRoleArn=serving.role,
    )
    refused(client.create_endpoint_config, *taken, EndpointConfigName=endpoint, ProductionVariants=[variant])
    refused(client.create_endpoint, *taken, EndpointName=endpoint, EndpointConfigName=endpoint)
    missing = "ValidationException", "Could not find"
    refused(client.describe_model, *missing, ModelName="never")
    refused(client.delete_model, *missing, ModelName="never")
    refused(client.describe_endpoint_config, *missing, EndpointConfigName="never")
    refused(client.describe_endpoint, *missing, EndpointName="never")
    refused(client.create_endpoint, *missing, EndpointName="new", EndpointConfigName="never")
    refused(
        client.create_endpoint_config,
        *missing,
        EndpointConfigName="new",
        ProductionVariants=[{**variant, "ModelName": "never"}],
    )
    refused(
        serving.runtime.invoke_endpoint,
        "ValidationError",
        "Endpoint never of account 000000000000 not found",
        EndpointName="never",
        Body=b"1,2,3",
    )


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "message"),
    [
        (b"1,2\n", "text/csv", "", 400, "records have 2 features; the model was trained on 3"),
        (b"a,b,c\n1,2,3\n", "text/csv", "", 400, "unable to evaluate payload"),
        (b"", "text/csv", "", 400, "holds no record"),
        (b"1,2,nan\n", "text/csv", "", 400, "not finite"),
        (b"1,2,3\n4,5\n", "text/csv", "", 400, "unable to evaluate payload"),
        (b"{}", "application/json", "", 400, "unable to evaluate payload"),
        (b'{"instances": [{"features": ["x", 1, 2]}]}', "application/json", "", 400, "unable to evaluate"),
        (b"not records", "application/x-recordio-protobuf", "", 400, "unable to evaluate payload"),
        (b"1,2,3\n", "text/libsvm", "", 415, "text/libsvm is not supported"),
        (b"1,2,3\n", "text/csv", "image/png", 406, "image/png is not supported"),
    ],
)
def test_requests_that_the_container_refuses(
    serving: ServingAccount, body: bytes, content_type: str, accept: str, status: int, message: str
) -> None:
    endpoint = one_endpoint(serving)
    with pytest.raises(ClientError, match=message) as error:
        serving.invoke(endpoint, body, content_type, **({"Accept": accept} if accept else {}))
    assert error.value.response["Error"]["Code"] == "ModelError"
    assert error.value.response["OriginalStatusCode"] == status


def test_requests_that_the_service_refuses(serving: ServingAccount) -> None:
    endpoint = one_endpoint(serving)
    invoke = serving.runtime.invoke_endpoint
    known = {"EndpointName": endpoint, "Body": b"1,2,3", "ContentType": "text/csv"}
    refused(invoke, "ValidationError", "does not host several models", **known, TargetModel="a.tar.gz")
    refused(invoke, "ValidationException", "Variant never not found", **known, TargetVariant="never")
    large = {**known, "Body": b"1,2,3\n" * 5_000_000}
    refused(invoke, "ValidationError", "at most 26214400 bytes", **large)


def test_an_update_puts_the_new_model_in_the_place_of_the_old(serving: ServingAccount) -> None:
    endpoint = serving.endpoint(serving.model("KMeans"))["EndpointName"]
    body, _ = serving.invoke(endpoint, b"1,2,3\n", "text/csv")
    assert b"closest_cluster" in body
    config = serving.endpoint(serving.model("PCA"))["EndpointConfigName"]
    serving.sagemaker.update_endpoint(
        EndpointName=endpoint,
        EndpointConfigName=config,
        DeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
            }
        },
    )
    assert serving.settled(endpoint)["EndpointConfigName"] == config
    body, _ = serving.invoke(endpoint, b"1,2,3\n", "text/csv")
    assert b"projections" in body


def test_an_update_that_fails_is_rolled_back(serving: ServingAccount) -> None:
    """The trap: in service again, with the old configuration."""
    old = serving.endpoint(serving.model("KMeans"))
    model = serving.model("PCA")
    variant = {
        "VariantName": "a",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    serving.sagemaker.create_endpoint_config(EndpointConfigName=model, ProductionVariants=[variant])
    serving.sagemaker.delete_model(ModelName=model)
    serving.sagemaker.update_endpoint(EndpointName=old["EndpointName"], EndpointConfigName=model)
    settled = serving.settled(old["EndpointName"])
    assert settled["EndpointStatus"] == "InService"
    assert settled["EndpointConfigName"] == old["EndpointConfigName"]
    assert "Could not find model" in settled["FailureReason"]


def one_endpoint(serving: ServingAccount) -> str:
    """An endpoint of KMeans, the same for all tests that only ask it."""
    for one in serving.sagemaker.list_endpoints(NameContains="asked")["Endpoints"]:
        return str(one["EndpointName"])
    model = serving.model("KMeans", ModelName="asked")
    variant = {
        "VariantName": "a",
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    serving.sagemaker.create_endpoint_config(EndpointConfigName="asked", ProductionVariants=[variant])
    serving.sagemaker.create_endpoint(EndpointName="asked", EndpointConfigName="asked")
    return str(serving.settled("asked")["EndpointName"])


def test_the_caller_needs_the_permission_to_invoke_and_to_pass_the_role(
    serving: ServingAccount, platform: Platform
) -> None:
    endpoint = one_endpoint(serving)
    arn = serving.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"]
    iam = platform.client("iam")
    asks = make_role(iam, {"sagemaker:InvokeEndpoint": arn})
    allowed = platform.client_as(asks, "sagemaker-runtime")
    known = {"EndpointName": endpoint, "Body": b"1,2,3", "ContentType": "text/csv"}
    assert b"closest" in allowed.invoke_endpoint(**known)["Body"].read()
    other = platform.client_as(make_role(iam, {"sagemaker:DescribeEndpoint": "*"}), "sagemaker-runtime")
    refused(other.invoke_endpoint, "AccessDeniedException", "sagemaker:InvokeEndpoint", **known)

    creates = platform.client_as(make_role(iam, {"sagemaker:CreateModel": "*"}), "sagemaker")
    container = {
        "Image": serving.trained("KMeans").train_image(),
        "ModelDataUrl": serving.trained("KMeans").model_data,
    }
    refused(
        creates.create_model,
        "AccessDeniedException",
        "iam:PassRole",
        ModelName=unique("model"),
        PrimaryContainer=container,
        ExecutionRoleArn=serving.role,
    )
    deploys = make_role(iam, {"sagemaker:CreateEndpoint": f"{arn.rpartition('/')[0]}/*"})
    refused(
        platform.client_as(deploys, "sagemaker").create_endpoint,
        "AccessDeniedException",
        "endpoint-config",
        EndpointName=unique("endpoint"),
        EndpointConfigName=endpoint,
    )


NEEDED = {"s3:GetObject": "*", "ecr:*": "*", "cloudwatch:PutMetricData": "*"}


@pytest.mark.parametrize("missing", [None, "ecr:*", "cloudwatch:PutMetricData"])
def test_the_execution_role_needs_its_permissions(
    serving: ServingAccount, platform: Platform, missing: str | None
) -> None:
    actions = {name: resource for name, resource in NEEDED.items() if name != missing}
    role = make_role(platform.client("iam"), actions)
    endpoint = serving.endpoint(serving.model("KMeans", ExecutionRoleArn=role))
    assert endpoint["EndpointStatus"] == ("Failed" if missing else "InService")
    if missing:
        assert missing.partition(":")[0] in endpoint["FailureReason"]


def test_a_role_that_cannot_read_the_model_is_refused_at_once(
    serving: ServingAccount, platform: Platform
) -> None:
    role = make_role(platform.client("iam"), {"ecr:*": "*"})
    with pytest.raises(ClientError, match=r'Could not access model data .* "s3:GetObject" permissions'):
        serving.model("KMeans", ExecutionRoleArn=role)


def test_a_model_of_another_algorithm_is_told(serving: ServingAccount) -> None:
    container = {
        "Image": serving.trained("PCA").train_image(),
        "ModelDataUrl": serving.trained("KMeans").model_data,
    }
    endpoint = serving.endpoint(serving.model("PCA", PrimaryContainer=container))
    with pytest.raises(ClientError, match=r"trained by KMeans; the image is that of PCA"):
        serving.invoke(endpoint["EndpointName"], b"1,2,3", "text/csv")


def test_a_model_file_that_amazon_wrote_is_served(serving: ServingAccount) -> None:
    """MXNet's own file, without a word of the rehearsal in it."""
    data = Path(__file__).parents[1] / "inference" / "data" / "kmeans.tar.gz"
    uri = serving.place() + "/model.tar.gz"
    serving.put(uri, data.read_bytes())
    container = {"Image": serving.trained("KMeans").train_image(), "ModelDataUrl": uri}
    endpoint = serving.endpoint(serving.model("KMeans", PrimaryContainer=container))["EndpointName"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = load_model(data)
    rows = np.random.default_rng(3).normal(size=(6, model.feature_dim)).astype(np.float32)
    request = write_request(ALGORITHMS["KMeans"], rows)
    body, answered = serving.invoke(endpoint, request.body, request.content_type, Accept="application/json")
    found = read_response(ALGORITHMS["KMeans"], body, answered)
    assert np.allclose(found["distance_to_cluster"], model.predict(rows)["distance_to_cluster"], atol=1e-5)


def test_what_a_serverless_endpoint_does_not_have(serving: ServingAccount) -> None:
    model = serving.model("KMeans")
    create = serving.sagemaker.create_endpoint_config
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variant = {"VariantName": "a", "ModelName": model, "ServerlessConfig": serverless}
    name = unique("config")
    code = "ValidationException"
    refused(
        create,
        code,
        "both a ServerlessConfig and instances",
        EndpointConfigName=name,
        ProductionVariants=[{**variant, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}],
    )
    refused(
        create,
        code,
        "More than one production variant",
        EndpointConfigName=name,
        ProductionVariants=[variant, {**variant, "VariantName": "b"}],
    )
    refused(
        create,
        code,
        "InstanceType and InitialInstanceCount are required",
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "a", "ModelName": model}],
    )
    odd = {**variant, "ServerlessConfig": {**serverless, "MemorySizeInMB": 1500}}
    refused(create, code, "MemorySizeInMB is 1500", EndpointConfigName=name, ProductionVariants=[odd])


@pytest.mark.parametrize("name", [name for name in CASES if not ALGORITHMS[name].inference.multi_model])
def test_only_three_containers_serve_several_models(serving: ServingAccount, name: str) -> None:
    image = ALGORITHMS[name].train_image("us-east-1")
    container = {"Image": image, "ModelDataUrl": serving.place() + "/", "Mode": "MultiModel"}
    refused(
        serving.sagemaker.create_model,
        "ValidationException",
        "multi-models=true Docker label",
        ModelName=unique("model"),
        PrimaryContainer=container,
        ExecutionRoleArn=serving.role,
    )


def test_lists_come_in_pages(serving: ServingAccount) -> None:
    """Ten a page unless more are asked for, newest first; a paginator sees each once."""
    made = [serving.model("KMeans") for _ in range(12)]
    client = serving.sagemaker
    first = client.list_models()
    assert [one["ModelName"] for one in first["Models"]] == made[:1:-1]
    second = client.list_models(NextToken=first["NextToken"], MaxResults=2)
    assert [one["ModelName"] for one in second["Models"]] == made[1::-1]
    names = [one["ModelName"] for one in serving.all("list_models", "Models")]
    assert len(set(names)) == len(names) and set(made) <= set(names)
    oldest = client.list_models(SortOrder="Ascending", NameContains=made[0][:12])["Models"]
    assert oldest[0]["ModelName"] == made[0]
    refused(client.list_models, "ValidationException", "NextToken 'x' is not one", NextToken="x")
