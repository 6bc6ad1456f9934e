"""Linear Learner: linear and logistic regression, binary and multiclass classification."""

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
from amazon_estimators.algorithms.filled_in import batch_up_to, features, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.linear_learner_metrics import METRICS
from amazon_estimators.algorithms.rules import (
    Finding,
    Problem,
    choices_by,
    class_labels,
    early_stopping,
    without_effect,
)
from amazon_estimators.hyperparameters.hyperparameter import (
    choice,
    flag,
    integer,
    number,
    tuning,
    tuning_values,
)
from amazon_estimators.hyperparameters.owner import Owner

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
AUTO = ("auto",)
LABELS = (
    "linear-learner.md: for binary classification, the label must be either 0 or 1; for multiclass "
    "classification, the labels must be from 0 to num_classes - 1"
)


def _multiclass(algorithm: Owner) -> Iterator[Finding]:
    """Require num_classes, which is 1 in the container by default, for more than two classes."""
    if algorithm.effective("predictor_type") == MULTICLASS and algorithm.effective("num_classes") in (
        None,
        1,
    ):
        yield Problem(
            f"For predictor_type '{MULTICLASS}', 'num_classes' should be set to a value greater than 2.",
            source="ll_hyperparameters.md: required when predictor_type is multiclass_classifier",
        )


class LinearLearner(Algorithm):
    """Linear models for regression and classification, several trained side by side.

    Where AWS says "between 0 and 1" without saying whether the ends belong, the SDK's validators decide.
    """

    repo_name = "linear-learner"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/ll_hyperparameters.html"
    dtypes = ("float32",)
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,), label="required"),
        ChannelRule("validation", required=False, also=(CSV,), distribution=REPLICATED, label="required"),
        ChannelRule("test", required=False, also=(CSV,), distribution=REPLICATED, label="required"),
    )
    instances = Instances(gpu="any")
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON, JSON_LINES),
        returns=(RECORDIO, JSON, JSON_LINES),
        fields=(Field("score", "either"), Field("predicted_label", integer=True, optional=True)),
        multi_model=True,
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html",
    )
    metrics = METRICS
    rules = (
        _multiclass,
        choices_by(
            "loss",
            "predictor_type",
            {
                REGRESSOR: (
                    "auto",
                    "squared_loss",
                    "absolute_loss",
                    "eps_insensitive_squared_loss",
                    "eps_insensitive_absolute_loss",
                    "quantile_loss",
                    "huber_loss",
                ),
                BINARY: ("auto", "logistic", "hinge_loss"),
                MULTICLASS: ("auto", "softmax_loss"),
            },
            source="ll_hyperparameters.md: the loss functions available depend on predictor_type",
        ),
        without_effect(
            "num_classes",
            "balance_multiclass_weights",
            "accuracy_top_k",
            unless="predictor_type",
            among=(MULTICLASS,),
        ),
        without_effect(
            "binary_classifier_model_selection_criteria",
            "positive_example_weight_mult",
            unless="predictor_type",
            among=(BINARY,),
        ),
        without_effect("f_beta", unless="predictor_type", among=(BINARY, MULTICLASS)),
        without_effect("normalize_label", "unbias_label", unless="predictor_type", among=(REGRESSOR,)),
        without_effect("beta_1", "beta_2", unless="optimizer", among=("adam", "auto")),
        without_effect("momentum", unless="optimizer", among=("sgd",)),
        without_effect(
            "lr_scheduler_factor",
            "lr_scheduler_minimum_lr",
            "lr_scheduler_step",
            unless="use_lr_scheduler",
            among=(True,),
        ),
        without_effect(
            "target_precision",
            unless="binary_classifier_model_selection_criteria",
            among=("recall_at_target_precision",),
        ),
        without_effect(
            "target_recall",
            unless="binary_classifier_model_selection_criteria",
            among=("precision_at_target_recall",),
        ),
        without_effect("init_scale", unless="init_method", among=("uniform",)),
        without_effect("init_sigma", unless="init_method", among=("normal",)),
        without_effect("margin", unless="loss", among=("hinge_loss",)),
        without_effect("quantile", unless="loss", among=("quantile_loss",)),
        without_effect(
            "loss_insensitivity",
            unless="loss",
            among=("eps_insensitive_squared_loss", "eps_insensitive_absolute_loss"),
        ),
        without_effect("huber_delta", unless="loss", among=("huber_loss",)),
        without_effect(
            "bias_lr_mult",
            "bias_wd_mult",
            "init_bias",
            "unbias_data",
            "unbias_label",
            unless="use_bias",
            among=(True,),
        ),
        early_stopping("early_stopping_patience", "early_stopping_tolerance"),
    )
    data_rules = (
        class_labels(when=("predictor_type", BINARY), classes=2, source=LABELS),
        class_labels(when=("predictor_type", MULTICLASS), classes="num_classes", source=LABELS),
    )
    fills = filling(feature_dim=features, mini_batch_size=batch_up_to(1000))
    container_settings = (
        "_enable_profiler",
        "_kvstore",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
        "_tuning_objective_metric",
    )

    num_classes = integer(
        at_least=3, at_most=1_000_000, also=(1,), doc="Number of classes, labelled 0 to num_classes - 1."
    )
    predictor_type = choice(BINARY, MULTICLASS, REGRESSOR, required=True, doc="What the label is.")
    accuracy_top_k = integer(
        at_least=1,
        default=3,
        doc="A record counts as right in the top-k accuracy if its class is among the k best scored.",
    )
    balance_multiclass_weights = flag(
        default=False, doc="Whether every class weighs the same in the loss, however rare."
    )
    beta_1 = number(
        at_least=0, below=1, literals=AUTO, default="auto", doc="Adam's decay of the first-moment estimates."
    )
    beta_2 = number(
        at_least=0, below=1, literals=AUTO, default="auto", doc="Adam's decay of the second-moment estimates."
    )
    bias_lr_mult = number(
        above=0,
        literals=AUTO,
        default="auto",
        doc="The bias learns at learning_rate * bias_lr_mult.",
    )
    bias_wd_mult = number(
        at_least=0,
        literals=AUTO,
        default="auto",
        doc="The bias has the L2 regularisation wd * bias_wd_mult; none by default.",
    )
    binary_classifier_model_selection_criteria = choice(
        "accuracy",
        "f_beta",
        "precision_at_target_recall",
        "recall_at_target_precision",
        "loss_function",
        also=("f1", "cross_entropy_loss"),
        default="accuracy",
        doc="What the best model is chosen by on the validation channel, or on train without one.",
    )
    early_stopping_patience = integer(
        at_least=1,
        default=3,
        doc="Epochs without improvement before training stops. More than epochs: never stop early.",
    )
    early_stopping_tolerance = number(
        above=0, default=0.001, doc="Relative improvement of the loss below which there is none."
    )
    epochs = integer(at_least=1, default=15, doc="Most passes over the training data.")
    f_beta = number(above=0, default=1.0, doc="Beta of the F score.")
    feature_dim = integer(
        at_least=1,
        literals=AUTO,
        default="auto",
        doc="Number of features of a record. Filled in from the data.",
    )
    huber_delta = number(above=0, default=1.0, doc="Error from which Huber loss turns from square to linear.")
    init_bias = number(default=0, doc="Initial weight of the bias.")
    init_method = choice("uniform", "normal", default="uniform", doc="Distribution of the initial weights.")
    init_scale = number(above=0, default=0.07, doc="Half-width of the initial uniform distribution.")
    init_sigma = number(above=0, default=0.01, doc="Standard deviation of the initial normal distribution.")
    l1 = number(
        at_least=0,
        literals=AUTO,
        default="auto",
        tuning=tuning(1e-7, 1),
        doc="L1 regularisation; 0 for none.",
    )
    learning_rate = number(
        above=0,
        literals=AUTO,
        default="auto",
        tuning=tuning(1e-5, 1),
        doc="Step size of the optimizer.",
    )
    loss = choice(
        "auto",
        "logistic",
        "squared_loss",
        "absolute_loss",
        "hinge_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
        "softmax_loss",
        default="auto",
        doc="Loss function; which ones there are depends on predictor_type.",
    )
    loss_insensitivity = number(
        above=0, default=0.01, doc="Error below which the epsilon-insensitive losses are zero."
    )
    lr_scheduler_factor = number(
        above=0,
        below=1,
        literals=AUTO,
        default="auto",
        doc="Factor of the learning rate at every lr_scheduler_step.",
    )
    lr_scheduler_minimum_lr = number(
        above=0, literals=AUTO, default="auto", doc="Learning rate the scheduler never goes below."
    )
    lr_scheduler_step = integer(
        at_least=1, literals=AUTO, default="auto", doc="Steps between decreases of the learning rate."
    )
    margin = number(above=0, default=1.0, doc="Margin of the hinge loss.")
    mini_batch_size = integer(
        at_least=1,
        default=1000,
        tuning=tuning(100, 5000),
        doc="Records per mini-batch. Filled in from the data: the records of one instance, at most 1000.",
    )
    momentum = number(at_least=0, below=1, literals=AUTO, default="auto", doc="Momentum of sgd.")
    normalize_data = choice(
        "auto", "true", "false", default="true", doc="Whether features get mean 0 and standard deviation 1."
    )
    normalize_label = choice(
        "auto",
        "true",
        "false",
        default="auto",
        doc="Whether labels get mean 0 and standard deviation 1; regression only.",
    )
    num_calibration_samples = integer(
        at_least=1,
        literals=AUTO,
        default="auto",
        doc="Validation records used to find the best threshold.",
    )
    num_models = integer(
        at_least=1, literals=AUTO, default="auto", doc="Models trained in parallel, with settings close by."
    )
    num_point_for_scaler = integer(
        at_least=1, default=10_000, doc="Records from which means and deviations for normalising are taken."
    )
    optimizer = choice("auto", "sgd", "adam", "rmsprop", default="auto", doc="Optimizer; auto is adam.")
    positive_example_weight_mult = number(
        above=0,
        literals=("balanced", "auto"),
        default=1.0,
        tuning=tuning(1e-5, 1e5),
        doc="Weight of positive records; negative ones weigh 1.",
    )
    quantile = number(above=0, below=1, default=0.5, doc="Quantile that quantile loss predicts.")
    target_precision = number(
        above=0, below=1, default=0.8, doc="Precision held by the criterion recall_at_target_precision."
    )
    target_recall = number(
        above=0, below=1, default=0.8, doc="Recall held by the criterion precision_at_target_recall."
    )
    unbias_data = choice(
        "auto", "true", "false", default="auto", doc="Whether features are centred; auto: with a bias."
    )
    unbias_label = choice(
        "auto",
        "true",
        "false",
        default="auto",
        doc="Whether labels are centred; regression with a bias only.",
    )
    use_bias = flag(
        default=True, tuning=tuning_values("True", "False"), doc="Whether the model has an intercept."
    )
    use_lr_scheduler = flag(default=True, doc="Whether the learning rate decreases by a schedule.")
    wd = number(
        at_least=0,
        literals=AUTO,
        default="auto",
        tuning=tuning(1e-7, 1),
        doc="Weight decay, the L2 regularisation; 0 for none.",
    )
