"""List the metrics Linear Learner logs, by channel and kind of model."""

from __future__ import annotations

from amazon_estimators.algorithms.metrics import PROGRESS, Metric, loss, score

REGRESSION, BINARY, SEVERAL = ("regressor",), ("binary_classifier",), ("multiclass_classifier",)
"""The predictor types that a metric is valid for.

https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html
"""


def _of(channel: str) -> tuple[Metric, ...]:
    return (
        loss(f"{channel}:absolute_loss", of=REGRESSION),
        score(f"{channel}:binary_classification_accuracy", of=BINARY),
        score(f"{channel}:binary_f_beta", of=BINARY, logged=r"binary_f_\S+"),
        score(f"{channel}:dcg", of=SEVERAL),
        score(f"{channel}:macro_f_beta", of=SEVERAL, logged=r"macro_f_\S+"),
        score(f"{channel}:macro_precision", of=SEVERAL),
        score(f"{channel}:macro_recall", of=SEVERAL),
        loss(f"{channel}:mse", of=REGRESSION),
        score(f"{channel}:multiclass_accuracy", of=SEVERAL),
        score(f"{channel}:multiclass_top_k_accuracy", of=SEVERAL, logged=r"multiclass_top_k_accuracy_\S+"),
        score(f"{channel}:precision", of=BINARY),
        score(f"{channel}:recall", of=BINARY),
        score(f"{channel}:roc_auc_score", of=BINARY),
    )


_OBJECTIVE = r"\S+_objective"

METRICS = (
    *_of("test"),
    loss("test:objective_loss", logged=_OBJECTIVE),
    *_of("validation"),
    loss("validation:rmse", of=REGRESSION),
    loss("validation:objective_loss", logged=_OBJECTIVE, epoch=True),
    loss("validation:objective_loss:final", logged=_OBJECTIVE, objective=False),
    score("train:binary_classification_accuracy", objective=False),
    score("train:binary_f_beta", logged=r"binary_f_\S+", objective=False),
    score("train:precision", objective=False),
    score("train:recall", objective=False),
    loss("train:objective_loss", logged=_OBJECTIVE, epoch=True, objective=False),
    loss("train:objective_loss:final", logged=_OBJECTIVE, objective=False),
    *PROGRESS,
)
