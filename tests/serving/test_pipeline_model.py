"""A pipeline's model in use: loaded, asked in batch, deployed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from serving_account import ServingAccount

from amazon_estimators import RequestError
from amazon_estimators.client.pipeline_model import PipelineModel
from amazon_estimators.pipeline.current_model import CurrentModel
from amazon_estimators.storage.s3_uri import Place


def in_use(serving: ServingAccount, name: str, role: str | None) -> PipelineModel:
    uri = serving.trained(name).model_data
    job = uri.removesuffix("/output/model.tar.gz").rpartition("/")[2]
    facts = CurrentModel(job=job, model=uri, data_set="0" * 24)
    location = Place(serving.bucket, "transforms/")
    return PipelineModel(facts, name, role=role, location=location, session=serving.session)


def test_it_loads_as_it_was_trained_without_a_role(serving: ServingAccount) -> None:
    """The hyperparameters of the job say that it classifies, which the file leaves open."""
    model = in_use(serving, "LinearLearner", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predictions = model.load().predict(serving.rows("LinearLearner"))
    assert "predicted_label" in predictions
    with pytest.raises(RequestError, match="execution role"):
        model.deploy(instance_type="ml.m5.large")


def test_it_predicts_in_batch_and_is_deleted(serving: ServingAccount) -> None:
    model, rows = in_use(serving, "KMeans", serving.role), serving.rows("KMeans")
    before = serving.all("list_models", "Models")
    predictions = model.transform(rows, instance_type="ml.m5.large")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model.load().predict(rows)
    np.testing.assert_array_equal(predictions["closest_cluster"], expected["closest_cluster"])
    assert serving.all("list_models", "Models") == before
