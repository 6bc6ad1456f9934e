"""Factorization Machines: linear models with pairwise interactions, for sparse data."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.channel_rules import (
    CSV,
    JSON,
    JSON_LINES,
    RECORDIO,
    REPLICATED,
    ChannelRule,
    channels,
)
from amazon_estimators.algorithms.filled_in import features, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import PROGRESS, Metric, loss, score
from amazon_estimators.algorithms.rules import FieldRule, class_labels, no_sparse_on_gpu, without_effect
from amazon_estimators.hyperparameters.hyperparameter import Hyperparameter, choice, integer, number, tuning

WIDE = tuning(1e-8, 512)


def _train_metrics() -> Iterator[Metric]:
    """Logged for the whole training, by epoch and by batch."""
    for suffix, epoch, batch in (("", False, False), (":epoch", True, False), (":batch", True, True)):
        for kind, name, logged in (
            (score, "binary_classification_accuracy", ""),
            (loss, "binary_classification_cross_entropy", ""),
            (score, "binary_f_beta", "binary_f_1.000"),
            (loss, "rmse", ""),
        ):
            yield kind(
                f"train:{name}{suffix}", logged=logged or name, epoch=epoch, batch=batch, objective=False
            )


def _init_rules(term: str) -> tuple[FieldRule, ...]:
    method = f"{term}_init_method"
    return (
        without_effect(f"{term}_init_scale", unless=method, among=("uniform",)),
        without_effect(f"{term}_init_sigma", unless=method, among=("normal",)),
        without_effect(f"{term}_init_value", unless=method, among=("constant",)),
    )


def _method(what: str) -> Hyperparameter[str]:
    return choice("uniform", "normal", "constant", default="normal", doc=f"How to start {what}.")


def _scale(what: str) -> Hyperparameter[float | str]:
    return number(at_least=0, tuning=WIDE, doc=f"Range to start {what} in, with the method 'uniform'.")


def _sigma(what: str, default: float) -> Hyperparameter[float | str]:
    return number(
        at_least=0,
        default=default,
        tuning=WIDE,
        doc=f"Standard deviation to start {what} with, with the method 'normal'.",
    )


def _value(what: str) -> Hyperparameter[float | str]:
    return number(tuning=WIDE, doc=f"Value to start {what} at, with the method 'constant'.")


def _rate(what: str, default: float) -> Hyperparameter[float | str]:
    return number(at_least=0, default=default, tuning=WIDE, doc=f"Learning rate of {what}.")


def _decay(what: str, default: float) -> Hyperparameter[float | str]:
    return number(at_least=0, default=default, tuning=WIDE, doc=f"Weight decay of {what}.")


_BINARY = ("binary_classifier",)


class FactorizationMachines(Algorithm):
    """Factorization machines of second order, for regression and binary classification."""

    repo_name = "factorization-machines"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines-hyperparameters.html"
    dtypes = ("float32",)
    channels = channels(
        ChannelRule("train", required=True, label="required"),
        ChannelRule("test", required=False, distribution=REPLICATED, label="required"),
    )
    instances = Instances(gpu="any")
    inference = Inference(
        accepts=(RECORDIO, JSON),
        returns=(RECORDIO, JSON, JSON_LINES),
        fields=(Field("score"), Field("predicted_label", integer=True, optional=True)),
        excluded={CSV: "CSV support is not available for factorization machines"},
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/fm-in-formats.html",
    )
    metrics = (
        loss("test:rmse", of=("regressor",)),
        score("test:binary_classification_accuracy", of=_BINARY),
        loss("test:binary_classification_cross_entropy", of=_BINARY),
        score("test:binary_f_beta", logged="binary_f_1.000", of=_BINARY),
        *_train_metrics(),
        *PROGRESS,
    )
    rules = (*_init_rules("bias"), *_init_rules("linear"), *_init_rules("factors"))
    data_rules = (
        class_labels(when=("predictor_type", "binary_classifier"), classes=2),
        no_sparse_on_gpu,
    )
    fills = filling(feature_dim=features)
    container_settings = (
        "use_bias",
        "use_linear",
        "batch_metrics_publish_interval",
        "_data_format",
        "_kvstore",
        "_learning_rate",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
        "_optimizer",
        "_tuning_objective_metric",
        "_use_full_symbolic",
        "_wd",
    )

    feature_dim = integer(
        at_least=1, required=True, doc="Number of features of a record. Filled in from the data."
    )
    num_factors = integer(at_least=1, required=True, doc="Dimension of the factors; 2 to 1000 is usual.")
    predictor_type = choice("binary_classifier", "regressor", required=True, doc="What the label is.")
    bias_init_method = _method("the bias")
    bias_init_scale = _scale("the bias")
    bias_init_sigma = _sigma("the bias", 0.01)
    bias_init_value = _value("the bias")
    bias_lr = _rate("the bias", 0.1)
    bias_wd = _decay("the bias", 0.01)
    clip_gradient = number(doc="Gradients are clipped to plus and minus this value; not clipped if unset.")
    epochs = integer(at_least=1, default=1, tuning=tuning(1, 1000), doc="Passes over the training data.")
    eps = number(doc="Small number that keeps the optimizer from dividing by 0.")
    factors_init_method = _method("the factors")
    factors_init_scale = _scale("the factors")
    factors_init_sigma = _sigma("the factors", 0.001)
    factors_init_value = _value("the factors")
    factors_lr = _rate("the factors", 0.0001)
    factors_wd = _decay("the factors", 1e-5)
    linear_lr = _rate("the linear terms", 0.001)
    linear_init_method = _method("the linear terms")
    linear_init_scale = _scale("the linear terms")
    linear_init_sigma = _sigma("the linear terms", 0.01)
    linear_init_value = _value("the linear terms")
    linear_wd = _decay("the linear terms", 0.001)
    mini_batch_size = integer(
        at_least=1, default=1000, tuning=tuning(100, 10_000), doc="Records per mini-batch."
    )
    rescale_grad = number(doc="Factor of the gradients before every update; often 1 / mini_batch_size.")
