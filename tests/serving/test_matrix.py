"""Every algorithm in every way from a model to an answer: what answers, what is refused, what says why."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from serving_account import CASES, ServingAccount

from amazon_estimators import (
    ALGORITHMS,
    EndpointError,
    Model,
    ModelError,
    RequestError,
    ServerlessInferenceConfig,
    TransformJobError,
    load_model,
)
from amazon_estimators.client import waiting

INSTANCE = "ml.m5.large"
ANSWERS, REFUSED = "answers", "refused"
UNTRAINED = "the rehearsal trains no model of it"
"""The way is there; the stand-in says that it has nothing to predict with."""
WAYS = ("real_time", "serverless", "multi_model", "batch", "offline")
MATRIX = {
    "KMeans": (ANSWERS, ANSWERS, REFUSED, ANSWERS, ANSWERS),
    "PCA": (ANSWERS, ANSWERS, REFUSED, ANSWERS, ANSWERS),
    "LDA": (ANSWERS, ANSWERS, REFUSED, ANSWERS, REFUSED),
    "LinearLearner": (ANSWERS, ANSWERS, ANSWERS, ANSWERS, ANSWERS),
    "FactorizationMachines": (ANSWERS, ANSWERS, REFUSED, ANSWERS, ANSWERS),
    "NTM": (UNTRAINED, UNTRAINED, REFUSED, UNTRAINED, REFUSED),
    "RandomCutForest": (ANSWERS, ANSWERS, ANSWERS, ANSWERS, REFUSED),
    "KNN": (ANSWERS, ANSWERS, ANSWERS, ANSWERS, REFUSED),
    "Object2Vec": (UNTRAINED, UNTRAINED, REFUSED, UNTRAINED, REFUSED),
    "IPInsights": (UNTRAINED, UNTRAINED, REFUSED, UNTRAINED, REFUSED),
}


def real_time(serving: ServingAccount, name: str) -> Any:
    with serving.trained(name).deploy(instance_type=INSTANCE) as predictor:
        return predictor.predict(serving.rows(name))


def serverless(serving: ServingAccount, name: str) -> Any:
    with serving.trained(name).deploy(serverless=ServerlessInferenceConfig()) as predictor:
        return predictor.predict(serving.rows(name))


def multi_model(serving: ServingAccount, name: str) -> Any:
    prefix = serving.place() + "/"
    serving.put(prefix + "a.tar.gz", serving.get(serving.trained(name).model_data))
    with Model(
        ALGORITHMS[name], prefix, role=serving.role, multi_model=True, session=serving.session
    ) as model:
        predictor = model.deploy(instance_type=INSTANCE)
        return predictor.predict(serving.rows(name), target_model="a.tar.gz")


def batch(serving: ServingAccount, name: str) -> Any:
    return serving.trained(name).transform(serving.rows(name), instance_type=INSTANCE)


def offline(serving: ServingAccount, name: str) -> Any:
    estimator = serving.trained(name)
    model = load_model(estimator.model_data, estimator.algorithm, session=serving.session)
    return model.predict(serving.rows(name))


def outcome(way: Any, serving: ServingAccount, name: str) -> str:
    try:
        predictions = way(serving, name)
    except (RequestError, ModelError) as error:
        assert error.remedy or "https://" in error.message
        return REFUSED
    except (EndpointError, TransformJobError) as error:
        assert f"training jobs of {name} and trains no model" in error.message
        return UNTRAINED
    assert predictions.rows == len(serving.rows(name))
    required = {field.name for field in ALGORITHMS[name].inference.fields if not field.optional}
    assert required <= predictions.keys()
    return ANSWERS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_every_way_of_every_algorithm(
    serving: ServingAccount, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert outcome(globals()[way], serving, name) == MATRIX[name][WAYS.index(way)]
