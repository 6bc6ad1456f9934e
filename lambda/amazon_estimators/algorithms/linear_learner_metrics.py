"""What Linear Learner logs, by channel and kind of model."""

from __future__ import annotations

from amazon_estimators.algorithms.metrics import PROGRESS, Metric, loss, score


def _of(channel: str) -> tuple[Metric, ...]:
    return (
        loss(f"{channel}:absolute_loss"),
        score(f"{channel}:binary_classification_accuracy"),
        score(f"{channel}:binary_f_beta", logged=r"binary_f_\S+"),
        score(f"{channel}:dcg"),
        score(f"{channel}:macro_f_beta", logged=r"macro_f_\S+"),
        score(f"{channel}:macro_precision"),
        score(f"{channel}:macro_recall"),
        loss(f"{channel}:mse"),
        score(f"{channel}:multiclass_accuracy"),
        score(f"{channel}:multiclass_top_k_accuracy", logged=r"multiclass_top_k_accuracy_\S+"),
        score(f"{channel}:precision"),
        score(f"{channel}:recall"),
        score(f"{channel}:roc_auc_score"),
    )


_OBJECTIVE = r"\S+_objective"

METRICS = (
    *_of("test"),
    loss("test:objective_loss", logged=_OBJECTIVE),
    *_of("validation"),
    loss("validation:rmse"),
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
