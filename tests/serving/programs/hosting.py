"""Models and endpoints: names, variants, capacity, capture."""

from __future__ import annotations

from typing import Any

from amazon_estimators import sdk
from amazon_estimators.sdk import serializers
from programs.surroundings import Surroundings, label_of, program


@program
def a_model_from_model_data(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows), logs=False)
    model = sdk.KMeansModel(kmeans.model_data, here.role, here.session)
    predictor = model.deploy(1, "ml.m5.large")
    assert isinstance(predictor, sdk.KMeansPredictor)
    assert len(predictor.predict(here.rows[:3])) == 3
    predictor.delete_endpoint()
    model.delete_model()


@program
def a_predictor_of_an_endpoint_that_exists(here: Surroundings) -> None:
    pca = sdk.PCA(role=here.role, num_components=2, **here.instances)
    pca.fit(pca.record_set(here.rows))
    name = pca.deploy(1, "ml.m5.large").endpoint_name
    predictor = sdk.PCAPredictor(name, here.session)
    assert [len(label_of(record, "projection")) for record in predictor.predict(here.rows[:2])] == [2, 2]
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def a_serverless_endpoint(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    predictor = kmeans.deploy(
        serverless_inference_config=sdk.ServerlessInferenceConfig(memory_size_in_mb=2048)
    )
    assert len(predictor.predict(here.rows)) == len(here.rows)
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def names_and_tags_of_ones_own(here: Surroundings) -> None:
    tags = [{"Key": "project", "Value": "points"}]
    kmeans = sdk.KMeans(role=here.role, k=2, tags=tags, base_job_name="points", **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    mark = here.prefix[:8]
    names: dict[str, Any] = {"endpoint_name": f"points-{mark}", "model_name": f"model-{mark}"}
    predictor = kmeans.deploy(1, "ml.m5.large", tags=tags, **names)
    client = here.session.client("sagemaker")
    arn = client.describe_endpoint(EndpointName=names["endpoint_name"])["EndpointArn"]
    assert client.list_tags(ResourceArn=arn)["Tags"] == tags
    assert client.describe_model(ModelName=names["model_name"])["ExecutionRoleArn"] == here.role
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def more_instances_for_an_endpoint(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    predictor = kmeans.deploy(1, "ml.m5.large")
    predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.large")
    described = here.session.client("sagemaker").describe_endpoint(EndpointName=predictor.endpoint)
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def several_models_by_boto(here: Surroundings) -> None:
    forest = sdk.RandomCutForest(role=here.role, num_trees=50, num_samples_per_tree=40, **here.instances)
    forest.fit(forest.record_set(here.rows))
    model = here.download(forest.model_data)
    for name in ("monday", "tuesday"):
        here.upload(f"models/{name}.tar.gz", model)
    client = here.session.client("sagemaker")
    name = f"several-{here.prefix[:8]}"
    container = {
        "Image": forest.training_image_uri(),
        "ModelDataUrl": f"{here.location}/models/",
        "Mode": "MultiModel",
    }
    client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=here.role)
    variant = {
        "VariantName": "all",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    predictor = sdk.RandomCutForestPredictor(name, here.session)
    scores = [predictor.predict(here.rows[:2], target_model=f"{day}.tar.gz") for day in ("monday", "tuesday")]
    assert scores[0] == scores[1]
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def captured_requests(here: Surroundings) -> None:
    class DataCaptureConfig:
        """As sagemaker.model_monitor has it."""

        def __init__(self, enable_capture, sampling_percentage, destination_s3_uri):
            self.given = {
                "EnableCapture": enable_capture,
                "InitialSamplingPercentage": sampling_percentage,
                "DestinationS3Uri": destination_s3_uri,
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            }

        def _to_request_dict(self):
            return self.given

    knn = sdk.KNN(role=here.role, k=3, sample_size=60, predictor_type="classifier", **here.instances)
    knn.fit(knn.record_set(here.rows, here.labels))
    predictor = knn.deploy(
        1, "ml.m5.large", data_capture_config=DataCaptureConfig(True, 100, f"{here.location}/capture")
    )
    assert len(predictor.predict(here.rows[:2], inference_id="one")) == 2
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def several_endpoints_of_one_model(here: Surroundings) -> None:
    """A/B test with boto's configuration of two variants."""
    a = sdk.LinearLearner(role=here.role, predictor_type="binary_classifier", **here.instances)
    a.fit(a.record_set(here.rows, here.labels))
    models = [
        sdk.LinearLearnerModel(a.model_data, here.role, here.session, name=f"{v}-{here.prefix[:8]}")
        for v in ("a", "b")
    ]
    for model in models:
        model.create("ml.m5.large")
    client = here.session.client("sagemaker")
    name = f"ab-{here.prefix[:8]}"
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": m.name,
                "ModelName": m.name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1,
            }
            for m in models
        ],
    )
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    predictor = sdk.Predictor(
        endpoint_name=name,
        sagemaker_session=here.session,
        serializer=serializers.CSVSerializer(),
        deserializer=serializers.JSONDeserializer(),
    )
    for model in models:
        answer = predictor.predict(here.rows[:3], target_variant=model.name)
        assert len(answer["predictions"]) == 3
    predictor.delete_endpoint()
    for model in models:
        model.delete_model()
