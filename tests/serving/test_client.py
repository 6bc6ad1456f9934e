"""The client's deploy(), transform() and tune(), against the stand-in."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from scipy import sparse
from serving_account import CASES, LABELS, ROWS, ServingAccount, unique

from amazon_estimators import (
    KNN,
    PCA,
    CategoricalParameter,
    ContinuousParameter,
    Detached,
    EndpointError,
    Estimator,
    HyperparameterError,
    InputError,
    IntegerParameter,
    KMeans,
    LinearLearner,
    Model,
    Predictor,
    RequestError,
    ServerlessInferenceConfig,
    TransformJob,
    TransformJobError,
    TuningJob,
    load_model,
)
from amazon_estimators.client import predictor as predictor_module
from amazon_estimators.client import waiting
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning
from amazon_estimators.inference import InferenceWarning
from amazon_estimators.sources import Source

INSTANCE = "ml.m5.large"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)


def left(serving: ServingAccount) -> tuple[int, int, int]:
    """How many models, endpoints and configurations there are."""
    return (
        len(serving.all("list_models", "Models")),
        serving.endpoints(),
        len(serving.all("list_endpoint_configs", "EndpointConfigs")),
    )


def test_real_time_predictions_are_those_of_the_model_file(serving: ServingAccount) -> None:
    before, estimator = left(serving), serving.trained("KMeans")
    with estimator.deploy(instance_type=INSTANCE) as predictor:
        answered = predictor.predict(ROWS)
        assert isinstance(predictor, Predictor)
    expected = load_model(estimator.model_data, session=serving.session).predict(ROWS)
    assert np.array_equal(answered["closest_cluster"], expected["closest_cluster"])
    assert np.allclose(answered["distance_to_cluster"], expected["distance_to_cluster"], atol=1e-5)
    assert len(answered.records()) == len(ROWS)
    assert left(serving) == before


def test_every_kind_of_rows(serving: ServingAccount) -> None:
    import pandas as pd

    with serving.trained("KMeans").deploy(instance_type=INSTANCE) as predictor:
        whole = predictor.predict(ROWS)["distance_to_cluster"]
        for rows in (ROWS.tolist(), pd.DataFrame(ROWS), sparse.csr_matrix(ROWS), ROWS.astype(np.float64)):
            assert np.allclose(predictor.predict(rows)["distance_to_cluster"], whole, atol=1e-5)
        assert np.allclose(predictor.predict(ROWS[0])["distance_to_cluster"], whole[:1], atol=1e-5)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_rows_beyond_one_request_are_asked_in_several(
    serving: ServingAccount, monkeypatch: pytest.MonkeyPatch, as_sparse: bool
) -> None:
    monkeypatch.setattr(predictor_module, "MAX_REQUEST_BYTES", 400)
    rows = sparse.csr_matrix(ROWS) if as_sparse else ROWS
    with serving.trained("KMeans").deploy(instance_type=INSTANCE) as predictor:
        parts = predictor.predict(rows)
        monkeypatch.setattr(predictor_module, "MAX_REQUEST_BYTES", 2**20)
        whole = predictor.predict(rows)
        assert all(np.array_equal(parts[name], whole[name]) for name in whole)
        monkeypatch.setattr(predictor_module, "MAX_REQUEST_BYTES", 10)
        with pytest.raises(InputError, match="one row is"):
            predictor.predict(ROWS)


def test_the_algorithm_is_told_by_the_endpoint(serving: ServingAccount) -> None:
    with serving.trained("PCA").deploy(instance_type=INSTANCE) as deployed:
        predictor = Predictor(deployed.endpoint_name, session=serving.session)
        assert predictor.algorithm is PCA
        assert predictor.predict(ROWS[:3])["projection"].shape == (3, 2)


def test_labels_of_words_are_words_again(serving: ServingAccount) -> None:
    import pandas as pd

    frame = pd.DataFrame(ROWS, columns=["a", "b", "c"])
    frame["species"] = np.where(LABELS == 1, "virginica", "setosa")
    kind = LinearLearner(**CASES["LinearLearner"].hyperparameters)
    estimator = serving.estimator(kind)
    source = Source(label="species", classes=["setosa", "virginica"])
    estimator.fit(estimator.record_set(frame, source=source), logs=False)
    with estimator.deploy(instance_type=INSTANCE) as predictor:
        answered = predictor.predict(ROWS)
        assert (answered["predicted_class"] == frame["species"]).mean() > 0.9
        later = Predictor(predictor.endpoint_name, session=serving.session)
        assert later.predict(ROWS)["predicted_class"].tolist() == answered["predicted_class"].tolist()
        other = Predictor(predictor.endpoint_name, classes=["no", "yes"], session=serving.session)
        assert set(other.predict(ROWS)["predicted_class"]) == {"no", "yes"}
    batch = estimator.transform(ROWS, instance_type=INSTANCE)
    assert batch["predicted_class"].tolist() == answered["predicted_class"].tolist()
    assert "predicted_class" not in serving.trained("KNN").transform(ROWS, instance_type=INSTANCE)


def test_verbose_neighbours(serving: ServingAccount) -> None:
    with serving.trained("KNN").deploy(instance_type=INSTANCE) as predictor:
        answered = predictor.predict(ROWS, verbose=True, accept="application/jsonlines")
        assert answered["labels"].shape == answered["distances"].shape == (len(ROWS), 3)
        assert np.array_equal(answered["predicted_label"], LABELS)
        assert [*predictor.predict(ROWS)] == ["predicted_label"]
    with (
        serving.trained("KMeans").deploy(instance_type=INSTANCE) as predictor,
        pytest.raises(RequestError, match="no verbose response"),
    ):
        predictor.predict(ROWS, verbose=True)


def test_serverless(serving: ServingAccount) -> None:
    config = ServerlessInferenceConfig(memory_size_in_mb=1024, max_concurrency=2)
    with serving.trained("LinearLearner").deploy(serverless=config) as predictor:
        assert np.array_equal(predictor.predict(ROWS)["predicted_label"], LABELS)
        described = serving.sagemaker.describe_endpoint(EndpointName=predictor.endpoint_name)
        (variant,) = described["ProductionVariants"]
        assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 2}


def test_several_models_behind_one_endpoint(serving: ServingAccount) -> None:
    prefix = serving.place() + "/"
    for name, labels in (("usual.tar.gz", LABELS), ("inverted.tar.gz", 1 - LABELS)):
        estimator = serving.estimator(LinearLearner(predictor_type="binary_classifier"))
        estimator.fit(estimator.record_set(ROWS, labels), logs=False)
        serving.put(prefix + name, serving.get(estimator.model_data))
    with Model(LinearLearner, prefix, role=serving.role, multi_model=True, session=serving.session) as model:
        predictor = model.deploy(instance_type=INSTANCE)
        for name, labels in (("usual.tar.gz", LABELS), ("inverted.tar.gz", 1 - LABELS)):
            answered = predictor.predict(ROWS, target_model=name)
            assert np.array_equal(answered["predicted_label"], labels)
        with pytest.raises(EndpointError, match="Could not find model data"):
            predictor.predict(ROWS, target_model="missing.tar.gz")
        with pytest.raises(ClientError, match="TargetModel is required"):
            predictor.predict(ROWS)


def test_an_endpoint_carries_the_estimators_tags(serving: ServingAccount) -> None:
    estimator = Estimator(
        KMeans(k=2),
        role=serving.role,
        instance_count=1,
        instance_type=INSTANCE,
        data_location=serving.place(),
        session=serving.session,
        tags={"team": "red"},
    )
    estimator.fit(estimator.record_set(ROWS), logs=False)
    expected = [{"Key": "team", "Value": "red"}]
    client = serving.sagemaker
    with estimator.deploy(instance_type=INSTANCE) as predictor:
        endpoint = client.describe_endpoint(EndpointName=predictor.endpoint_name)
        config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        model = client.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        for arn in (endpoint["EndpointArn"], config["EndpointConfigArn"], model["ModelArn"]):
            assert client.list_tags(ResourceArn=arn)["Tags"] == expected


def test_a_container_that_refuses(serving: ServingAccount) -> None:
    with serving.trained("KMeans").deploy(instance_type=INSTANCE) as predictor:
        with pytest.raises(EndpointError, match=r"answered 400: .*records have 5 features") as refused:
            predictor.predict(np.zeros((2, 5)))
        assert "log-groups" in refused.value.remedy


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.served])
def test_what_the_rehearsal_does_not_predict_is_said(serving: ServingAccount, name: str) -> None:
    with (
        serving.trained(name).deploy(instance_type=INSTANCE) as predictor,
        pytest.raises(EndpointError, match=f"training jobs of {name} and trains no model"),
    ):
        predictor.predict(serving.rows(name))


def test_a_failed_endpoint_says_why(serving: ServingAccount) -> None:
    estimator = serving.trained("KMeans")
    gone = serving.place() + "/model.tar.gz"
    serving.put(gone, serving.get(estimator.model_data))
    with Model(KMeans, gone, role=serving.role, session=serving.session).create() as model:
        bucket, _, key = gone.removeprefix("s3://").partition("/")
        serving.s3.delete_object(Bucket=bucket, Key=key)
        with pytest.raises(EndpointError, match="is Failed: Could not find model data"):
            model.deploy(instance_type=INSTANCE)


def test_a_model_that_is_not_there_is_refused_when_it_is_created(serving: ServingAccount) -> None:
    model = Model(KMeans, serving.place() + "/m.tar.gz", role=serving.role, session=serving.session)
    with pytest.raises(ClientError, match="Could not find model data"):
        model.deploy(instance_type=INSTANCE)


def interrupted_after(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the waiting be interrupted at the given look."""
    counted = itertools.count(1)

    def sleep(_: float) -> None:
        if next(counted) >= looks:
            raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", sleep)


def test_ctrl_c_leaves_the_endpoint_and_says_how_to_come_back(
    serving: ServingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = unique("endpoint")
    with monkeypatch.context() as patch:
        interrupted_after(1, patch)
        with pytest.raises(Detached, match=rf"Predictor\('{name}'\).wait\(\)"):
            serving.trained("KMeans").deploy(instance_type=INSTANCE, endpoint_name=name)
    with Predictor(name, KMeans, session=serving.session).wait() as predictor:
        assert predictor.predict(ROWS).rows == len(ROWS)


@pytest.mark.parametrize(
    ("algorithm", "settings", "deploying", "message"),
    [
        (KMeans, {"multi_model": True}, {}, "KMeans does not serve several models.*multi-model-endpoints"),
        (KNN, {"multi_model": True}, {"instance_type": "ml.g4dn.xlarge"}, "on CPU only"),
        (KNN, {"multi_model": True}, {"serverless": ServerlessInferenceConfig()}, "serves one model"),
        (KMeans, {}, {}, "instance_type is missing"),
        (
            KMeans,
            {},
            {"instance_type": INSTANCE, "serverless": ServerlessInferenceConfig()},
            "both instances and a serverless",
        ),
        (KMeans, {}, {"instance_type": INSTANCE, "instance_count": 0}, "number of instances is 0"),
        (
            KMeans,
            {"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]},
            {"serverless": ServerlessInferenceConfig()},
            "do not support a model in a VPC.*serverless-endpoints",
        ),
        (
            KMeans,
            {"enable_network_isolation": True},
            {"serverless": ServerlessInferenceConfig()},
            "do not support a model with network isolation",
        ),
        (KMeans, {"subnets": ["subnet-1"]}, {}, "a VPC needs both"),
    ],
)
def test_what_aws_does_not_host_is_refused_before_anything_is_made(
    serving: ServingAccount, algorithm: Any, settings: Any, deploying: Any, message: str
) -> None:
    before = left(serving)
    with pytest.raises(RequestError, match=message):
        Model(algorithm, "s3://b/m/", role=serving.role, session=serving.session, **settings).deploy(
            **deploying
        )
    assert left(serving) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"memory_size_in_mb": 1000}, "memory_size_in_mb is 1000; allowed: 1024"),
        ({"max_concurrency": 201}, "max_concurrency is 201; allowed: 1 to 200"),
        ({"max_concurrency": True}, "max_concurrency is True"),
        ({"provisioned_concurrency": 0}, "provisioned_concurrency is 0"),
    ],
)
def test_serverless_settings_that_are_none(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        ServerlessInferenceConfig(**settings)


def test_ip_insights_on_a_serverless_endpoint_is_a_warning(serving: ServingAccount) -> None:
    with (
        pytest.warns(InferenceWarning, match="takes up to 8 GB"),
        serving.trained("IPInsights").deploy(serverless=ServerlessInferenceConfig()),
    ):
        pass


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.served])
def test_batch_predictions_are_those_of_the_endpoint(serving: ServingAccount, name: str) -> None:
    before, estimator = left(serving), serving.trained(name)
    rows = serving.rows(name)
    answered = estimator.transform(rows, instance_type=INSTANCE, instance_count=2)
    with estimator.deploy(instance_type=INSTANCE) as predictor:
        expected = predictor.predict(rows)
    assert answered.keys() == expected.keys()
    for field in expected:
        assert np.allclose(answered[field], expected[field], atol=1e-4)
    assert left(serving) == before


def test_a_record_set_is_transformed_where_it_lies(serving: ServingAccount) -> None:
    estimator = serving.trained("KMeans")
    answered = estimator.transform(estimator.record_set(ROWS), instance_type=INSTANCE)
    expected = load_model(estimator.model_data, session=serving.session).predict(ROWS)
    assert np.array_equal(answered["closest_cluster"], expected["closest_cluster"])
    labelled = serving.trained("KNN").record_set(ROWS, LABELS)
    with pytest.warns(InferenceWarning, match="has labels"):
        serving.trained("KNN").transform(labelled, instance_type=INSTANCE)


def test_a_transform_job_that_fails_names_the_object(serving: ServingAccount) -> None:
    source = serving.place()
    serving.put(f"{source}/good.csv", b"1,2,3\n")
    serving.put(f"{source}/bad.csv", b"x1,x2,x3\n1,2,3\n")
    with serving.trained("KMeans").create_model() as model:
        transformer = model.transformer(instance_type=INSTANCE, output_path=serving.place())
        with pytest.raises(TransformJobError, match=r"bad\.csv"):
            transformer.start(source + "/", content_type="text/csv")
        job = transformer.latest_job
    assert isinstance(job, TransformJob)
    assert job.predictions().rows == 1  # what could be read has its output


def tuned_data(serving: ServingAccount) -> tuple[Estimator, list[Any]]:
    estimator = serving.estimator(KNN(k=3, predictor_type="classifier", sample_size=60))
    order = np.random.default_rng(1).permutation(len(ROWS))
    train, test = order[:60], order[60:]
    return estimator, [
        estimator.record_set(ROWS[train], LABELS[train]),
        estimator.record_set(ROWS[test], LABELS[test], channel="test"),
    ]


def test_tuning_finds_the_best_estimator(serving: ServingAccount) -> None:
    estimator, records = tuned_data(serving)
    tuner = estimator.tune(
        records, "test:accuracy", {"k": IntegerParameter(1, 59)}, max_jobs=4, max_parallel_jobs=2
    )
    assert tuner.objective_type == "Maximize"
    job = tuner.latest_job
    assert isinstance(job, TuningJob)
    rows = job.trainings()
    assert len(rows) == 4 and all(1 <= row["k"] <= 59 for row in rows)
    best = tuner.best_estimator()
    assert isinstance(best, Estimator)
    assert best.latest_training_job is not None
    top = max(row["FinalObjectiveValue"] for row in rows)
    (chosen,) = [row for row in rows if row["TrainingJobName"] == best.latest_training_job.name]
    assert chosen["FinalObjectiveValue"] == top
    assert best.algorithm.values["k"] == chosen["k"]
    assert best.transform(ROWS, instance_type=INSTANCE).rows == len(ROWS)


@pytest.mark.parametrize(
    ("objective", "ranges", "settings", "message"),
    [
        ("test:mse", {"k": IntegerParameter(1, 5)}, {}, "predictor_type regressor, not for classifier"),
        ("test:acuracy", {"k": IntegerParameter(1, 5)}, {}, "Did you mean 'test:accuracy'"),
        ("test:accuracy", {"q": IntegerParameter(1, 5)}, {}, "no hyperparameter 'q'"),
        ("test:accuracy", {"k": IntegerParameter(0, 5)}, {}, "Invalid hyperparameter value 0 for k"),
        ("test:accuracy", {"k": IntegerParameter(5, 1)}, {}, "min_value exceeds max_value"),
        ("test:accuracy", {"k": ContinuousParameter(1, 5)}, {}, "search it with IntegerParameter"),
        (
            "test:accuracy",
            {"index_metric": IntegerParameter(1, 5)},
            {},
            "index_metric takes .*search it with CategoricalParameter",
        ),
        (
            "test:accuracy",
            {"index_metric": CategoricalParameter(["L2", "L3"])},
            {},
            "Invalid hyperparameter value 'L3'",
        ),
        ("test:accuracy", {}, {}, "0 hyperparameters are searched"),
        ("test:accuracy", {"k": IntegerParameter(1, 5, "Log")}, {}, "scaling_type 'Log'"),
        ("test:accuracy", {"k": IntegerParameter(1, 5)}, {"max_jobs": None}, "needs the number of trainings"),
        ("test:accuracy", {"k": IntegerParameter(1, 5)}, {"strategy": "Grid"}, "categorical ranges only"),
        (
            "test:accuracy",
            {"k": IntegerParameter(1, 5)},
            {"strategy": "Hyperband", "early_stopping": "Auto"},
            "must be Off",
        ),
    ],
)
def test_searches_that_the_tables_refuse(
    serving: ServingAccount, objective: str, ranges: Any, settings: dict[str, Any], message: str
) -> None:
    estimator = serving.estimator(KNN(k=3, predictor_type="classifier", sample_size=60))
    with pytest.raises(HyperparameterError, match=message):
        estimator.tune([], objective, ranges, **{"max_jobs": 3, **settings})


def test_an_objective_whose_channel_is_missing(serving: ServingAccount) -> None:
    estimator, (train, _) = tuned_data(serving)
    with pytest.raises(HyperparameterError, match="needs a channel 'test'; there are train"):
        estimator.tune(train, "test:accuracy", {"k": IntegerParameter(1, 5)}, max_jobs=1)


def test_pca_cannot_be_tuned(serving: ServingAccount) -> None:
    estimator = serving.estimator(PCA(num_components=2))
    with pytest.raises(HyperparameterError, match="PCA logs no metric"):
        estimator.tune([], "test:mse", {"num_components": IntegerParameter(1, 2)}, max_jobs=1)


def test_what_aws_does_not_list_as_tunable_is_a_warning(serving: ServingAccount) -> None:
    estimator = serving.estimator(KMeans(k=2))
    records = [estimator.record_set(ROWS), estimator.record_set(ROWS, channel="test")]
    with pytest.warns(HyperparameterWarning, match="does not list k among what can be tuned"):
        tuner = estimator.tune(records, "test:msd", {"k": IntegerParameter(2, 4)}, max_jobs=2, wait=False)
    assert tuner.latest_job is not None
    tuner.latest_job.wait()
    assert tuner.objective_type == "Minimize"


def test_waiting_shows_states_once(serving: ServingAccount) -> None:
    out = io.StringIO()
    states = iter(["Creating", "Creating", "InService"])
    found = waiting.wait_for(
        lambda: {"Status": next(states)}, status="Status", going=["Creating"], way_back="", poll=0, stream=out
    )
    assert found == {"Status": "InService"}
    assert [line.split()[1] for line in out.getvalue().splitlines()] == ["Creating", "InService"]


def test_ctrl_c_leaves_a_transform_job_with_all_it_reads(
    serving: ServingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = serving.trained("KMeans")
    with monkeypatch.context() as patch:
        interrupted_after(1, patch)
        with pytest.raises(Detached, match=r"TransformJob\('(.*)'\).wait\(\)") as detached:
            estimator.transform(ROWS, instance_type=INSTANCE)
    name = str(detached.value).split("'")[1]
    job = TransformJob(name, KMeans, session=serving.session)
    job.wait()
    assert job.predictions().rows == len(ROWS)
    serving.sagemaker.delete_model(ModelName=job.describe()["ModelName"])
