"""Train, deploy and look at the predictions."""

from __future__ import annotations

import io
import tarfile
import tempfile
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from amazon_estimators import load_model, sdk
from amazon_estimators.sdk import common, serializers
from programs.surroundings import Surroundings, label_of, program


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
def batches_of_a_test_set(here: Surroundings) -> None:
    """LinearLearner notebook: three channels, predictions in np.array_split batches, a confusion matrix."""
    rows = np.concatenate([here.rows, here.rows + 10]).astype("float32")
    labels = np.concatenate([here.labels, here.labels + 2]).astype("float32")
    order = np.random.default_rng(0).permutation(len(rows))
    train, val, test = np.split(order, [100, 130])
    multiclass_estimator = sdk.LinearLearner(
        role=here.role,
        train_instance_count=1,
        train_instance_type="ml.m4.xlarge",
        predictor_type="multiclass_classifier",
        num_classes=4,
        balance_multiclass_weights=True,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    train_records = multiclass_estimator.record_set(rows[train], labels[train], channel="train")
    val_records = multiclass_estimator.record_set(rows[val], labels[val], channel="validation")
    test_records = multiclass_estimator.record_set(rows[test], labels[test], channel="test")
    multiclass_estimator.fit([train_records, val_records, test_records], mini_batch_size=32)
    multiclass_predictor = multiclass_estimator.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
    batches = [multiclass_predictor.predict(batch) for batch in np.array_split(rows[test], 5)]
    predictions = np.concatenate(
        [np.array([x.label["predicted_label"].float32_tensor.values[0] for x in batch]) for batch in batches]
    )
    scores = np.concatenate(
        [np.array([x.label["score"].float32_tensor.values for x in batch]) for batch in batches]
    )
    assert scores.shape == (len(test), 4)
    table = pd.crosstab(
        index=labels[test], columns=predictions, rownames=["actuals"], colnames=["predictions"]
    )
    assert table.to_numpy().trace() == len(test), table
    sdk.Session(here.session).delete_endpoint(multiclass_predictor.endpoint)


@program
def components_from_the_model_file(here: Surroundings) -> None:
    """Population segmentation: PCA, download the model, unpack it, look at v, s and mean."""
    counties = pd.DataFrame(here.rows, columns=["a", "b", "c"])
    pca_SM = sdk.PCA(
        role=here.role,
        train_instance_count=1,
        train_instance_type="ml.c4.xlarge",
        output_path=f"{here.location}/counties/",
        num_components=2,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    train_data_np = counties.values.astype("float32")
    formatted = pca_SM.record_set(train_data_np)
    pca_SM.fit(formatted)
    training_job_name = pca_SM._current_job_name
    model_key = f"{here.prefix}/counties/{training_job_name}/output/model.tar.gz"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.tar.gz"
        here.session.resource("s3").Bucket(here.bucket).download_file(model_key, path)
        with tarfile.open(path) as file:
            assert "model_algo-1" in file.getnames()
        model: Any = load_model(path)
    v = pd.DataFrame(model.components)
    s = pd.DataFrame(model.singular_values)
    assert v.shape == (3, 2) and s.shape == (2, 1)
    predictor = pca_SM.deploy(initial_instance_count=1, instance_type="ml.t2.medium")
    projected = np.array(
        [list(one.label["projection"].float32_tensor.values) for one in predictor.predict(train_data_np)]
    )
    assert np.allclose(projected, model.predict(train_data_np)["projection"], atol=1e-4)
    predictor.delete_endpoint()


@program
def one_column_of_a_frame(here: Surroundings) -> None:
    """taxi: one-dimensional time series, z-scores."""
    taxi = pd.DataFrame(
        {
            "timestamp": pd.date_range("2015-01-01", periods=160, freq="30min"),
            "value": np.concatenate([here.rows[:, 0], here.rows[:, 1]]).astype(float),
        }
    )
    rcf = sdk.RandomCutForest(role=here.role, num_trees=50, num_samples_per_tree=40, **here.instances)
    rcf.fit(rcf.record_set(taxi.value.to_numpy().reshape(-1, 1)))
    rcf_inference = rcf.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
    rcf_inference.serializer = serializers.CSVSerializer()
    rcf_inference.deserializer = serializers.JSONDeserializer()
    results = rcf_inference.predict(
        taxi.value.to_numpy().reshape(-1, 1),
        initial_args={"ContentType": "text/csv", "Accept": "application/json"},
    )
    taxi["score"] = [datum["score"] for datum in results["scores"]]
    cutoff = taxi["score"].mean() + 3 * taxi["score"].std()
    assert len(taxi[taxi["score"] > cutoff]) < 20
    rcf_inference.delete_endpoint()


@program
def sparse_ratings(here: Surroundings) -> None:
    """MovieLens: sparse one-hot matrix, labels, sparse record set."""
    one_hot = sp.lil_matrix((80, 12), dtype="float32")
    for n in range(80):
        one_hot[n, n % 4] = 1
        one_hot[n, 4 + n % 8] = 1
    labels = (np.arange(80) % 2).astype("float32")
    buf = io.BytesIO()
    common.write_spmatrix_to_sparse_tensor(buf, one_hot.tocsr(), labels)
    uri = here.upload("movies/train.protobuf", buf.getvalue())
    fm = sdk.FactorizationMachines(
        here.role,
        1,
        "ml.c4.xlarge",
        num_factors=2,
        predictor_type="binary_classifier",
        epochs=50,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    fm.feature_dim = 12
    fm.mini_batch_size = 20
    fm.fit({"train": uri, "test": uri})
    assert fm.latest_training_job.describe()["HyperParameters"]["feature_dim"] == "12"
    predictor = fm.deploy(1, "ml.c4.xlarge")
    result = predictor.predict(one_hot.toarray()[:5])
    assert len(result) == 5
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def distances_without_the_endpoint(here: Surroundings) -> None:
    """Deploys, then the same answers off line."""
    kmeans = sdk.KMeans(
        role=here.role,
        k=2,
        init_method="kmeans++",
        epochs=3,
        center_factor=2,
        local_init_method="random",
        num_trials=2,
        half_life_time_size=0,
        **here.instances,
    )
    kmeans.fit(kmeans.record_set(here.rows), mini_batch_size=40)
    local = load_model(kmeans.model_data, session=here.session).predict(here.rows)
    predictor = kmeans.deploy(1, "ml.m5.large")
    served = predictor.predict(here.rows)
    assert [label_of(r, "closest_cluster")[0] for r in served] == local["closest_cluster"].tolist()
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def a_subclass_with_defaults(here: Surroundings) -> None:
    class Segments(sdk.KMeans):
        def __init__(self, role, **kwargs):
            super().__init__(role, 1, "ml.m5.large", k=2, **kwargs)

        def train(self, frame):
            self.fit(self.record_set(frame.to_numpy().astype("float32")))
            return self.model_data

    segments = Segments(here.role, data_location=here.location, sagemaker_session=here.session)
    assert segments.train(pd.DataFrame(here.rows)).endswith("model.tar.gz")
    predictor = segments.deploy(1, "ml.m5.large")
    assert isinstance(predictor, sdk.KMeansPredictor)
    predictor.delete_model()
    predictor.delete_endpoint()
