"""Train: the constructor, RecordSets, channels that lie on S3, and what the job was sent."""

from __future__ import annotations

import io
import json

import numpy as np

from amazon_estimators import sdk
from amazon_estimators.sdk import common, serializers
from programs.surroundings import Surroundings, label_of, program


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
def a_topic_model_that_only_trains(here: Surroundings) -> None:
    ntm = sdk.NTM(role=here.role, num_topics=2, **here.instances)
    ntm.fit(ntm.record_set(here.counts), mini_batch_size=20)
    assert ntm.latest_training_job.describe()["TrainingJobStatus"] == "Completed"


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
def records_of_ones_own_in_s3(here: Surroundings) -> None:
    """write_numpy_to_dense_tensor to a buffer, upload_fileobj, fit({'train': uri, 'validation': uri})."""
    vectors = np.array([t.tolist() for t in here.rows]).astype("float32")
    labels = np.where(here.labels == 0, 1, 0).astype("float32")
    buf = io.BytesIO()
    common.write_numpy_to_dense_tensor(buf, vectors, labels)
    buf.seek(0)
    key = "recordio-pb-data"
    here.session.resource("s3").Bucket(here.bucket).Object(f"{here.prefix}/train/{key}").upload_fileobj(buf)
    s3_train_data = f"s3://{here.bucket}/{here.prefix}/train/{key}"
    linear = sdk.LinearLearner(
        here.role,
        1,
        "ml.c4.xlarge",
        predictor_type="binary_classifier",
        output_path=f"{here.location}/output",
        data_location=here.location,
        sagemaker_session=here.session,
    )
    linear.fit({"train": s3_train_data, "validation": s3_train_data}, mini_batch_size=20)
    metrics = {
        m["MetricName"]: m["Value"] for m in linear.latest_training_job.describe()["FinalMetricDataList"]
    }
    assert metrics["validation:binary_classification_accuracy"] > 0.9


@program
def job_names_and_metrics_over_time(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, eval_metrics=["msd", "ssd"], **here.instances)
    records = [kmeans.record_set(here.rows), kmeans.record_set(here.rows, channel="test")]
    kmeans.fit(records, job_name=f"points-{here.prefix[:8]}", wait=False)
    kmeans.latest_training_job.wait()
    assert (
        kmeans.latest_training_job.name == kmeans.latest_training_job.job_name == f"points-{here.prefix[:8]}"
    )
    frame = sdk.TrainingJobAnalytics(
        kmeans.latest_training_job.job_name, metric_names=["test:msd"], sagemaker_session=here.session
    ).dataframe()
    assert list(frame.columns) == ["timestamp", "metric_name", "value"]
    assert list(kmeans.training_job_analytics.dataframe().columns) == list(frame.columns)


@program
def a_record_set_by_hand(here: Surroundings) -> None:
    """RecordSet of a prefix that already lies there."""
    buf = io.BytesIO()
    common.write_numpy_to_dense_tensor(buf, here.rows)
    here.upload("prefix/a.pbr", buf.getvalue())
    here.upload("prefix/b.pbr", buf.getvalue())
    records = sdk.RecordSet(
        s3_data=f"{here.location}/prefix/",
        num_records=2 * len(here.rows),
        feature_dim=here.rows.shape[1],
        s3_data_type="S3Prefix",
        channel="train",
    )
    rcf = sdk.RandomCutForest(
        here.role,
        1,
        "ml.m4.xlarge",
        num_samples_per_tree=50,
        num_trees=50,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    rcf.fit(records)
    assert rcf.hyperparameters()["feature_dim"] == "3"
    assert "s3://" in str(records) and records.channel == "train"


@program
def labelled_anomalies_for_a_test_channel(here: Surroundings) -> None:
    rcf = sdk.RandomCutForest(
        role=here.role,
        num_trees=50,
        num_samples_per_tree=40,
        eval_metrics=["accuracy", "precision_recall_fscore"],
        **here.instances,
    )
    train_set = rcf.record_set(here.rows, channel="train", encrypt=False)
    labels = np.zeros(len(here.rows))
    labels[0] = 1
    test_set = rcf.record_set(here.rows, labels=labels, channel="test", encrypt=True)
    rcf.fit([train_set, test_set])
    names = {m["MetricName"] for m in rcf.latest_training_job.describe()["FinalMetricDataList"]}
    assert "test:f1" in names


@program
def spot_and_limits(here: Surroundings) -> None:
    linear = sdk.LinearLearner(
        role=here.role,
        predictor_type="regressor",
        use_spot_instances=True,
        max_run=600,
        max_wait=1200,
        volume_size=10,
        base_job_name="spot",
        tags=[{"Key": "a", "Value": "b"}],
        loss="absolute_loss",
        epochs=5,
        **here.instances,
    )
    linear.fit(linear.record_set(here.rows, here.labels), logs=False)
    described = linear.latest_training_job.describe()
    assert described["EnableManagedSpotTraining"] and described["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 600,
        "MaxWaitTimeInSeconds": 1200,
    }
    assert described["TrainingJobName"].startswith("spot-")
    assert "BillableTimeInSeconds" in described


@program
def the_image_and_what_is_sent(here: Surroundings) -> None:
    """Introspection cells."""
    estimator = sdk.PCA(
        here.role,
        1,
        "ml.m5.large",
        2,
        algorithm_mode="randomized",
        subtract_mean=True,
        extra_components=1,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    assert (
        estimator.training_image_uri()
        == estimator.train_image()
        == sdk.get_image_uri("us-east-1", "pca", "1")
    )
    estimator.fit(estimator.record_set(here.rows), mini_batch_size=40)
    sent = estimator.hyperparameters()
    assert sent == {
        "num_components": "2",
        "algorithm_mode": "randomized",
        "subtract_mean": "True",
        "extra_components": "1",
        "feature_dim": "3",
        "mini_batch_size": "40",
    }
    assert (
        estimator.role == here.role
        and estimator.instance_count == 1
        and estimator.instance_type == "ml.m5.large"
    )
    assert estimator.num_components == 2 and estimator.data_location == here.location + "/"
    job = estimator.latest_training_job.describe()
    assert job["AlgorithmSpecification"]["TrainingImage"] == estimator.training_image_uri()


@program
def topics_with_a_vocabulary(here: Surroundings) -> None:
    ntm = sdk.NTM(
        here.role,
        1,
        "ml.c4.xlarge",
        num_topics=2,
        epochs=2,
        optimizer="adam",
        encoder_layers=[8, 4],
        num_patience_epochs=2,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    vocabulary = here.upload("aux/vocab.txt", "\n".join("abcdef").encode())
    buf = io.BytesIO()
    common.write_numpy_to_dense_tensor(buf, here.counts)
    train = here.upload("docs/train.pbr", buf.getvalue())
    ntm.fit(
        {
            "train": sdk.TrainingInput(
                train, distribution="ShardedByS3Key", content_type="application/x-recordio-protobuf"
            ),
            "auxiliary": sdk.TrainingInput(vocabulary.removesuffix("vocab.txt"), content_type="text/plain"),
        },
        mini_batch_size=20,
    )
    assert ntm.latest_training_job.describe()["TrainingJobStatus"] == "Completed"


@program
def pairs_of_tokens_in_json_lines(here: Surroundings) -> None:
    rows = [{"label": n % 2, "in0": [n % 7, 1], "in1": [2, n % 5]} for n in range(60)]
    train = here.upload("pairs/train.jsonl", "\n".join(json.dumps(row) for row in rows).encode())
    o2v = sdk.Object2Vec(
        here.role,
        1,
        "ml.m4.xlarge",
        epochs=2,
        enc0_max_seq_len=5,
        enc0_vocab_size=10,
        enc_dim=8,
        mini_batch_size=16,
        num_classes=2,
        output_layer="softmax",
        enc0_network="bilstm",
        comparator_list="hadamard, concat",
        data_location=here.location,
        sagemaker_session=here.session,
    )
    o2v.fit(
        {
            "train": sdk.s3_input(train, distribution="ShardedByS3Key", content_type="application/jsonlines"),
            "validation": sdk.s3_input(
                train, distribution="ShardedByS3Key", content_type="application/jsonlines"
            ),
        }
    )
    assert o2v.latest_training_job.describe()["HyperParameters"]["mini_batch_size"] == "16"
    predictor = o2v.deploy(1, "ml.m4.xlarge")
    predictor.content_type = "application/json"
    predictor.serializer = serializers.json_serializer
    predictor.deserializer = serializers.json_deserializer
    assert json.loads(predictor.serializer.serialize({"instances": [{"in0": [1], "in1": [2]}]}))
    predictor.delete_model()
    predictor.delete_endpoint()


@program
def addresses_from_a_csv(here: Surroundings) -> None:
    lines = "\n".join(f"user{n % 4},10.0.0.{n}" for n in range(60))
    train = here.upload("ip/train.csv", lines.encode())
    ip = sdk.IPInsights(
        here.role,
        1,
        "ml.m4.xlarge",
        num_entity_vectors=20,
        vector_dim=8,
        epochs=2,
        learning_rate=0.01,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    ip.fit({"train": sdk.TrainingInput(train, content_type="text/csv")})
    assert "feature_dim" not in ip.latest_training_job.describe()["HyperParameters"]
    again = sdk.IPInsights.attach(ip.latest_training_job.name, here.session)
    assert again.num_entity_vectors == 20


@program
def errors_that_programs_catch(here: Surroundings) -> None:
    for wrong in ({"k": 0}, {"k": "ten"}):
        try:
            sdk.KMeans(role=here.role, **here.instances, **wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    try:
        kmeans.deploy(1, "ml.m5.large")
        raise AssertionError
    except ValueError:
        pass
    try:
        kmeans.fit(kmeans.record_set(here.rows, channel="test"))
        raise AssertionError
    except ValueError:
        pass
    try:
        sdk.KMeans.attach("no-such-job", here.session)
        raise AssertionError
    except Exception as error:
        assert "no-such-job" in str(error) or "not found" in str(error), error
