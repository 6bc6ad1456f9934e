"""Fit K-Means with scikit-learn's Lloyd iterations, on all records at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from amazon_estimators.algorithms import Algorithm
from amazon_estimators.inference.models import LocalKMeans
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted

_INIT = {"random": "random", "kmeans++": "k-means++"}


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Cluster the train channel; score it, and the test channel if there is one, by squared distance."""
    import sklearn  # noqa: PLC0415 - slow to import, and a job that fails on its data does not need it
    from sklearn.cluster import KMeans  # noqa: PLC0415

    train = channels["train"].matrix()
    trials = algorithm.effective("local_lloyd_num_trials")
    model = KMeans(
        n_clusters=algorithm.effective("k"),
        init=_INIT[algorithm.effective("local_lloyd_init_method")],
        n_init=trials if isinstance(trials, int) else "auto",
        max_iter=algorithm.effective("local_lloyd_max_iter"),
        tol=algorithm.effective("local_lloyd_tol"),
        random_state=0,
    ).fit(train)
    metrics = {"train:msd": float(model.inertia_) / train.shape[0]}
    if "test" in channels:
        test = channels["test"].matrix()
        sum_of_squares = float(np.square(model.transform(test).min(axis=1)).sum())
        scores = {"msd": sum_of_squares / test.shape[0], "ssd": sum_of_squares}
        metrics |= {f"test:{name}": scores[name] for name in algorithm.effective("eval_metrics")}
    return Fitted(
        engine="scikit-learn",
        metrics=metrics,
        model={
            "class": "sklearn.cluster.KMeans",
            "version": sklearn.__version__,
            "cluster_centers": model.cluster_centers_.tolist(),
        },
        layout=LocalKMeans(model.cluster_centers_.astype(np.float32)),
    )
