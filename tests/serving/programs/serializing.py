"""Requests and responses in other formats than records."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from amazon_estimators import sdk
from amazon_estimators.sdk import serializers
from programs.surroundings import Surroundings, program


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
def serializers_that_are_functions(here: Surroundings) -> None:
    """SDK 1: a serializer is a function."""
    fm = sdk.FactorizationMachines(
        here.role,
        1,
        "ml.m5.large",
        num_factors=2,
        predictor_type="binary_classifier",
        epochs=30,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    fm.fit(fm.record_set(here.rows, here.labels))

    def fm_serializer(data):
        js: dict[str, Any] = {"instances": []}
        for row in data:
            js["instances"].append({"features": row.tolist()})
        return json.dumps(js)

    fm_predictor = fm.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
    fm_predictor.content_type = "application/json"
    fm_predictor.serializer = fm_serializer
    fm_predictor.deserializer = serializers.json_deserializer
    result = fm_predictor.predict(here.rows[:10])
    assert len(result["predictions"]) == 10 and "score" in result["predictions"][0]
    fm_predictor.delete_endpoint()


@program
def a_deserializer_that_is_a_function(here: Surroundings) -> None:
    kmeans = sdk.KMeans(role=here.role, k=2, **here.instances)
    kmeans.fit(kmeans.record_set(here.rows))
    predictor = kmeans.deploy(1, "ml.m5.large")
    predictor.content_type, predictor.serializer = (
        "text/csv",
        lambda data: "\n".join(",".join(map(str, row)) for row in data),
    )
    predictor.accept = "application/json"
    predictor.deserializer = lambda stream, content_type: json.loads(stream.read().decode())
    assert len(predictor.predict(here.rows[:4].tolist())["predictions"]) == 4
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
