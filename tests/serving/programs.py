"""Programs as people write them for the SageMaker SDK 2, against ``amazon_estimators.sdk``.

Each takes its surroundings (role, bucket, session, data) and asserts what its author would look at. Class and
argument names are the SDK's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from amazon_estimators import sdk
from amazon_estimators.sdk import common, serializers


@dataclass(frozen=True)
class Surroundings:
    """What a notebook has defined before the first cell that is of interest here."""

    role: str
    bucket: str
    session: Any
    prefix: str
    rows: Any
    labels: Any
    counts: Any

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def instances(self) -> dict[str, Any]:
        return {
            "instance_count": 1,
            "instance_type": "ml.m5.large",
            "data_location": self.location,
            "sagemaker_session": self.session,
        }

    def upload(self, name: str, body: bytes) -> str:
        self.session.client("s3").put_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}", Body=body)
        return f"{self.location}/{name}"

    def download(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


Program = Callable[[Surroundings], None]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    PROGRAMS.append(function)
    return function


def label_of(record: Any, name: str) -> list[float]:
    return list(record.label[name].float32_tensor.values)


@program
def cluster_and_ask_for_the_closest(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    predictor = kmeans.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    result = predictor.predict(here.rows)
    clusters = [label_of(record, "closest_cluster")[0] for record in result]
    assert len(set(clusters[:40])) == len(set(clusters[40:])) == 1 and clusters[0] != clusters[-1]
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def positional_arguments(here: Surroundings) -> None:
    kmeans = sdk.KMeans(
        here.role, 1, "ml.m5.large", 2, data_location=here.location, sagemaker_session=here.session
    )
    kmeans.fit(kmeans.record_set(here.rows))
    assert kmeans.model_data.endswith("/output/model.tar.gz")


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
def csv_in_json_out(here: Surroundings) -> None:
    linear = sdk.LinearLearner(role=here.role, predictor_type="binary_classifier", **here.instances)
    linear.fit(linear.record_set(here.rows, here.labels))
    predictor = linear.deploy(
        1,
        "ml.m5.large",
        serializer=serializers.CSVSerializer(),
        deserializer=serializers.JSONDeserializer(),
    )
    answer = predictor.predict(here.rows)
    assert [one["predicted_label"] for one in answer["predictions"]] == here.labels.tolist()
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def serializers_set_afterwards(here: Surroundings) -> None:
    forest = sdk.RandomCutForest(role=here.role, num_trees=50, num_samples_per_tree=40, **here.instances)
    forest.fit(forest.record_set(here.rows))
    predictor = forest.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    predictor.content_type = "text/csv"
    predictor.serializer = serializers.csv_serializer
    predictor.accept = "application/json"
    predictor.deserializer = serializers.json_deserializer
    odd = np.vstack([here.rows[:5], [[50, -50, 50]]])
    scores = [one["score"] for one in predictor.predict(odd)["scores"]]
    assert max(range(6), key=lambda row: scores[row]) == 5
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def train_and_test_channels(here: Surroundings) -> None:
    knn = sdk.KNN(role=here.role, k=3, sample_size=60, predictor_type="classifier", **here.instances)
    train = knn.record_set(here.rows[::2], labels=here.labels[::2])
    test = knn.record_set(here.rows[1::2], labels=here.labels[1::2], channel="test")
    knn.fit([train, test])
    job = knn.latest_training_job.describe()
    metrics = {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]}
    assert metrics["test:accuracy"] == 1.0


@program
def an_index_of_neighbours_with_reduction(here: Surroundings) -> None:
    knn = sdk.KNN(
        here.role,
        k=3,
        sample_size=60,
        predictor_type="regressor",
        dimension_reduction_type="sign",
        dimension_reduction_target=2,
        **here.instances,
    )
    knn.fit(knn.record_set(here.rows, here.labels), mini_batch_size=20)
    predictor = knn.deploy(1, "ml.m5.large")
    found = [label_of(record, "predicted_label")[0] for record in predictor.predict(here.rows)]
    assert np.allclose(found, here.labels, atol=0.34)
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def topics_of_documents(here: Surroundings) -> None:
    lda = sdk.LDA(
        role=here.role,
        instance_type="ml.c5.xlarge",
        num_topics=2,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    lda.fit(lda.record_set(here.counts), mini_batch_size=len(here.counts))
    predictor = lda.deploy(1, "ml.c5.large")
    mixtures = np.array([label_of(record, "topic_mixture") for record in predictor.predict(here.counts)])
    assert np.allclose(mixtures.sum(axis=1), 1, atol=1e-4)
    assert len(set(mixtures.argmax(axis=1)[:40])) == 1
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def a_topic_model_that_only_trains(here: Surroundings) -> None:
    ntm = sdk.NTM(role=here.role, num_topics=2, **here.instances)
    ntm.fit(ntm.record_set(here.counts), mini_batch_size=20)
    assert ntm.latest_training_job.describe()["TrainingJobStatus"] == "Completed"


@program
def ratings_by_factorization(here: Surroundings) -> None:
    machine = sdk.FactorizationMachines(
        role=here.role, num_factors=2, predictor_type="binary_classifier", epochs=30, **here.instances
    )
    machine.fit(machine.record_set(here.rows, here.labels))

    class Instances(serializers.JSONSerializer):
        def serialize(self, data: Any) -> str:
            return super().serialize({"instances": [{"features": row} for row in data]})

    predictor = machine.deploy(1, "ml.m5.large")
    predictor.serializer = Instances()
    predictor.deserializer = serializers.JSONDeserializer()
    answer = predictor.predict(here.rows)
    right = [one["predicted_label"] for one in answer["predictions"]] == here.labels
    assert right.mean() > 0.95
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def attach_to_a_job_and_deploy(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows), wait=False)
    again = sdk.KMeans.attach(kmeans.latest_training_job.job_name, here.session)
    predictor = again.deploy(1, "ml.m5.large", wait=True)
    assert len(predictor.predict(here.rows[0])) == 1
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def a_transform_job_of_csv(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    text = "\n".join(",".join(map(str, row)) for row in here.rows.tolist())
    source = here.upload("batch/points.csv", text.encode())
    transformer = kmeans.transformer(
        1,
        "ml.m5.large",
        output_path=f"{here.location}/out",
        accept="application/jsonlines",
        assemble_with="Line",
    )
    transformer.transform(source, content_type="text/csv", split_type="Line")
    transformer.wait()
    lines = here.download(f"{transformer.output_path}/points.csv.out").decode().splitlines()
    assert len(lines) == len(here.rows) and "closest_cluster" in json.loads(lines[0])
    transformer.delete_model()


@program
def a_transform_job_of_records(here: Surroundings) -> None:
    linear = sdk.LinearLearner(here.role, predictor_type="regressor", **here.instances)
    linear.fit(linear.record_set(here.rows, here.labels))
    file = io.BytesIO()
    common.write_numpy_to_dense_tensor(file, here.rows)
    source = here.upload("batch/rows.pbr", file.getvalue())
    transformer = linear.transformer(
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="MultiRecord",
        output_path=f"{here.location}/out",
    )
    transformer.transform(
        source, content_type="application/x-recordio-protobuf", split_type="RecordIO", wait=False
    )
    transformer.wait(logs=False)
    scores = json.loads(here.download(f"{here.location}/out/rows.pbr.out"))["predictions"]
    assert np.allclose([one["score"] for one in scores], here.labels, atol=0.3)


@program
def a_transformer_of_a_model(here: Surroundings) -> None:
    pca = sdk.PCA(here.role, 1, "ml.m5.large", 2, data_location=here.location, sagemaker_session=here.session)
    pca.fit(pca.record_set(here.rows))
    model = sdk.PCAModel(pca.model_data, here.role, here.session)
    transformer = model.transformer(1, "ml.m5.large", output_path=f"{here.location}/out")
    source = here.upload("batch/rows.json", json.dumps({"instances": [{"features": [1, 2, 3]}]}).encode())
    transformer.transform(source, content_type="application/json")
    answer = json.loads(here.download(f"{here.location}/out/rows.json.out"))
    assert len(answer["projections"][0]["projection"]) == 2
    again = sdk.Transformer.attach(transformer.latest_transform_job.name, here.session)
    assert again.model_name == model.name


@program
def tune_and_deploy_the_best(here: Surroundings) -> None:
    linear = sdk.LinearLearner(role=here.role, predictor_type="binary_classifier", **here.instances)
    tuner = sdk.HyperparameterTuner(
        linear,
        "validation:binary_classification_accuracy",
        {"wd": sdk.ContinuousParameter(1e-4, 1e-1, "Logarithmic"), "l1": sdk.ContinuousParameter(1e-4, 1e-2)},
        objective_type="Maximize",
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tuner.fit(
        [
            linear.record_set(here.rows, here.labels),
            linear.record_set(here.rows, here.labels, channel="validation"),
        ]
    )
    best = tuner.best_training_job()
    frame = tuner.analytics().dataframe()
    assert {"wd", "l1", "FinalObjectiveValue", "TrainingElapsedTimeSeconds"} <= set(frame.columns)
    assert best in frame["TrainingJobName"].tolist()
    predictor = tuner.deploy(1, "ml.m5.large")
    assert len(predictor.predict(here.rows)) == len(here.rows)
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def tune_over_a_grid(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    tuner = sdk.HyperparameterTuner(
        estimator=kmeans,
        objective_metric_name="test:msd",
        hyperparameter_ranges={"init_method": sdk.CategoricalParameter(["kmeans++", "random"])},
        objective_type="Minimize",
        strategy="Grid",
        base_tuning_job_name="a-very-long-name-for-a-tuning-job",
    )
    tuner.fit([kmeans.record_set(here.rows), kmeans.record_set(here.rows, channel="test")])
    assert len(tuner.latest_tuning_job.name) <= 32
    assert tuner.best_estimator().model_data.endswith("model.tar.gz")
    assert tuner.describe()["TrainingJobStatusCounters"]["Completed"] == 2


@program
def stop_a_search(here: Surroundings) -> None:
    knn = sdk.KNN(role=here.role, k=3, sample_size=60, predictor_type="classifier", **here.instances)
    tuner = sdk.HyperparameterTuner(
        knn, "test:accuracy", {"k": sdk.IntegerParameter(1, 9)}, max_jobs=50, max_parallel_jobs=1
    )
    records = [
        knn.record_set(here.rows, here.labels),
        knn.record_set(here.rows, here.labels, channel="test"),
    ]
    tuner.fit(records, wait=False)
    tuner.stop_tuning_job()
    assert tuner.describe()["HyperParameterTuningJobStatus"] in ("Stopping", "Stopped")


@program
def go_on_from_a_search(here: Surroundings) -> None:
    knn = sdk.KNN(role=here.role, k=3, sample_size=60, predictor_type="classifier", **here.instances)
    ranges = {"k": sdk.IntegerParameter(1, 9)}
    tuner = sdk.HyperparameterTuner(knn, "test:accuracy", ranges)
    records = [
        knn.record_set(here.rows, here.labels),
        knn.record_set(here.rows, here.labels, channel="test"),
    ]
    tuner.fit(records)
    warm = tuner.identical_dataset_and_algorithm_tuner()
    warm.fit(records)
    assert warm.describe()["WarmStartConfig"]["WarmStartType"] == "IdenticalDataAndAlgorithm"


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
def arguments_of_invoke_endpoint(here: Surroundings) -> None:
    knn = sdk.KNN(role=here.role, k=3, sample_size=60, predictor_type="classifier", **here.instances)
    knn.fit(knn.record_set(here.rows, here.labels))
    predictor = knn.deploy(1, "ml.m5.large", deserializer=serializers.JSONDeserializer())
    answer = predictor.predict(here.rows[:2], initial_args={"Accept": "application/json; verbose=true"})
    assert [len(one["distances"]) for one in answer["predictions"]] == [3, 3]
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def boto_instead_of_a_predictor(here: Surroundings) -> None:
    linear = sdk.LinearLearner(
        role=here.role, predictor_type="multiclass_classifier", num_classes=3, **here.instances
    )
    linear.fit(linear.record_set(here.rows, here.labels))
    predictor = linear.deploy(1, "ml.m5.large")
    answer = here.session.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=predictor.endpoint_name, ContentType="text/csv", Body="5,5,5\n0,0,0"
    )
    found = json.loads(answer["Body"].read())["predictions"]
    assert [one["predicted_label"] for one in found] == [1, 0]
    assert [len(one["score"]) for one in found] == [3, 3]
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
def pairs_of_users_and_addresses(here: Surroundings) -> None:
    insights = sdk.IPInsights(role=here.role, num_entity_vectors=100, vector_dim=4, **here.instances)
    logins = [(f"user{n % 4}", f"10.0.0.{n}") for n in range(40)]
    insights.fit(insights.record_set(logins))
    predictor = insights.deploy(1, "ml.m5.large")
    assert isinstance(predictor.serializer, serializers.CSVSerializer)
    assert predictor.serializer.serialize(logins[:2]) == "user0,10.0.0.0\nuser1,10.0.0.1"
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def hyperparameters_set_as_attributes(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=5, **here.instances)
    kmeans.k = 2
    kmeans.epochs = 2
    kmeans.fit(kmeans.record_set(here.rows))
    sent = kmeans.latest_training_job.describe()["HyperParameters"]
    assert (sent["k"], sent["epochs"], sent["feature_dim"]) == ("2", "2", "3")
    with kmeans.deploy(1, "ml.m5.large") as predictor:
        assert len(predictor.predict(here.rows)) == len(here.rows)


@program
def names_of_the_first_sdk(here: Surroundings) -> None:
    kmeans = sdk.KMeans(
        role=here.role,
        train_instance_count=1,
        train_instance_type="ml.m5.large",
        train_max_run=600,
        output_path=f"{here.location}/output",
        k=2,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    kmeans.fit(kmeans.record_set(here.rows))
    deployed = kmeans.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    predictor = sdk.RealTimePredictor(
        deployed.endpoint,
        here.session,
        serializer=serializers.csv_serializer,
        deserializer=serializers.json_deserializer,
    )
    assert len(predictor.predict(here.rows[:4])["predictions"]) == 4
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def channels_that_lie_on_s3(here: Surroundings) -> None:
    file = io.BytesIO()
    common.write_numpy_to_dense_tensor(file, here.rows, here.labels)
    uri = here.upload("train/rows.pbr", file.getvalue())
    machine = sdk.FactorizationMachines(
        here.role, num_factors=2, predictor_type="regressor", feature_dim=3, epochs=5, **here.instances
    )
    content_type = "application/x-recordio-protobuf"
    machine.fit({"train": sdk.TrainingInput(uri, content_type=content_type)}, mini_batch_size=20)
    predictor = machine.deploy(1, "ml.m5.large")
    assert [len(label_of(record, "score")) for record in predictor.predict(here.rows[:2])] == [1, 1]
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def a_session_with_a_bucket(here: Surroundings) -> None:
    session = sdk.Session(here.session, default_bucket=here.bucket, default_bucket_prefix=here.prefix)
    pca = sdk.PCA(
        role=here.role,
        instance_count=1,
        instance_type="ml.m5.large",
        num_components=1,
        sagemaker_session=session,
    )
    pca.fit(pca.record_set(here.rows))
    assert pca.model_data.startswith(here.location)
    transformer = pca.transformer(1, "ml.m5.large", accept="application/jsonlines", assemble_with="Line")
    source = here.upload("batch/points.csv", b"1,2,3\n4,5,6")
    transformer.transform(source, content_type="text/csv", split_type="Line")
    lines = here.download(f"{transformer.output_path}/points.csv.out").splitlines()
    assert [len(json.loads(line)["projection"]) for line in lines] == [1, 1]
    transformer.delete_model()
