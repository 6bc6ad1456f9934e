"""Hyperparameter tuning."""

from __future__ import annotations

from amazon_estimators import sdk
from programs.surroundings import Surroundings, program


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
def attach_to_a_search(here: Surroundings) -> None:
    knn = sdk.KNN(role=here.role, k=3, sample_size=60, predictor_type="classifier", **here.instances)
    tuner = sdk.HyperparameterTuner(
        knn,
        "test:accuracy",
        {"k": sdk.IntegerParameter(1, 9), "sample_size": sdk.IntegerParameter(40, 80)},
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tuner.fit(
        [knn.record_set(here.rows, here.labels), knn.record_set(here.rows, here.labels, channel="test")],
        wait=False,
        include_cls_metadata=False,
    )
    name = tuner.latest_tuning_job.job_name
    status = here.session.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )["HyperParameterTuningJobStatus"]
    assert status in ("InProgress", "Completed")
    tuner.wait()
    again = sdk.HyperparameterTuner.attach(name, sagemaker_session=here.session)
    assert again.best_training_job() == tuner.best_training_job()
    assert set(again.hyperparameter_ranges()) and again.objective_metric_name == "test:accuracy"
    best = sdk.KNN.attach(again.best_training_job(), sagemaker_session=here.session)
    assert 1 <= int(best.hyperparameters()["k"]) <= 9
    frame = sdk.HyperparameterTuningJobAnalytics(name, sagemaker_session=here.session).dataframe()
    assert frame["FinalObjectiveValue"].max() == 1.0


@program
def a_search_started_again_elsewhere(here: Surroundings) -> None:
    """transfer learning from another tuner."""
    fm = sdk.FactorizationMachines(
        here.role,
        1,
        "ml.m5.large",
        2,
        "regressor",
        epochs=5,
        data_location=here.location,
        sagemaker_session=here.session,
    )
    ranges = {
        "factors_lr": sdk.ContinuousParameter(0.0001, 0.1),
        "mini_batch_size": sdk.IntegerParameter(10, 40),
    }
    records = [fm.record_set(here.rows, here.labels), fm.record_set(here.rows, here.labels, channel="test")]
    first = sdk.HyperparameterTuner(fm, "test:rmse", ranges, objective_type="Minimize", max_jobs=1)
    first.fit(records)
    warm = sdk.WarmStartConfig(sdk.WarmStartTypes.TRANSFER_LEARNING, {first.latest_tuning_job.name})
    second = sdk.HyperparameterTuner(
        fm, "test:rmse", ranges, objective_type="Minimize", max_jobs=1, warm_start_config=warm
    )
    second.fit(records)
    assert second.analytics().training_job_summaries()[0]["TrainingJobStatus"] == "Completed"
    assert "factors_lr" in second.analytics().tuning_ranges
