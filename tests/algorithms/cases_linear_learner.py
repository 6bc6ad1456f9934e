"""Rules of Linear Learner."""

from __future__ import annotations

from rule_case import REAL, ZERO_ONE, Case, Labels, classes, idle, other, train

REGRESSOR = {"predictor_type": "regressor"}
BINARY = {"predictor_type": "binary_classifier"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": 4}

LINEAR_LEARNER = (
    Case(
        "LinearLearner",
        1,
        "error",
        "num_classes is required when predictor_type",
        {"predictor_type": "multiclass_classifier"},
        MULTICLASS,
    ),
    idle("LinearLearner", 1, "num_classes", {**BINARY, "num_classes": 3}, MULTICLASS),
    *(
        idle(
            "LinearLearner",
            2,
            "balance_multiclass_weights",
            {**kind, "balance_multiclass_weights": True},
            {**MULTICLASS, "balance_multiclass_weights": True},
        )
        for kind in (BINARY, REGRESSOR)
    ),
    *(
        idle("LinearLearner", 3, name, {name: 0.5, "optimizer": unused}, {name: 0.5, "optimizer": used})
        for name in ("beta_1", "beta_2")
        for unused, used in (("sgd", "adam"), ("rmsprop", "auto"))
    ),
    *(
        idle(
            "LinearLearner",
            3,
            "momentum",
            {"momentum": 0.5, "optimizer": unused},
            {"momentum": 0.5, "optimizer": "sgd"},
        )
        for unused in ("adam", "rmsprop", "auto")
    ),
    *(
        idle("LinearLearner", 4, name, {name: value, "use_lr_scheduler": False}, {name: value})
        for name, value in (
            ("lr_scheduler_factor", 0.5),
            ("lr_scheduler_minimum_lr", 0.1),
            ("lr_scheduler_step", 3),
        )
    ),
    *(
        idle(
            "LinearLearner",
            5,
            name,
            {**BINARY, name: 0.7},
            {**BINARY, name: 0.7, "binary_classifier_model_selection_criteria": criterion},
        )
        for name, criterion in (
            ("target_precision", "recall_at_target_precision"),
            ("target_recall", "precision_at_target_recall"),
        )
    ),
    idle("LinearLearner", 6, "init_scale", {"init_scale": 0.1, "init_method": "normal"}, {"init_scale": 0.1}),
    idle("LinearLearner", 6, "init_sigma", {"init_sigma": 0.1}, {"init_sigma": 0.1, "init_method": "normal"}),
    idle(
        "LinearLearner", 7, "margin", {**BINARY, "margin": 2}, {**BINARY, "margin": 2, "loss": "hinge_loss"}
    ),
    *(
        idle("LinearLearner", 7, name, {name: 0.2}, {name: 0.2, "loss": used})
        for name, used in (
            ("quantile", "quantile_loss"),
            ("loss_insensitivity", "eps_insensitive_squared_loss"),
            ("loss_insensitivity", "eps_insensitive_absolute_loss"),
            ("huber_delta", "huber_loss"),
        )
    ),
    *(
        Case(
            "LinearLearner",
            8,
            "error",
            f"'{bad}' for loss when predictor_type is",
            {**kind, "loss": bad},
            {**kind, "loss": good},
        )
        for kind, bad, good in (
            (REGRESSOR, "logistic", "squared_loss"),
            (REGRESSOR, "softmax_loss", "huber_loss"),
            (BINARY, "squared_loss", "hinge_loss"),
            (BINARY, "softmax_loss", "logistic"),
            (MULTICLASS, "logistic", "softmax_loss"),
            (MULTICLASS, "quantile_loss", "auto"),
        )
    ),
    *(
        idle("LinearLearner", 9, name, {name: 0.5, "use_bias": False}, {name: 0.5})
        for name in ("bias_lr_mult", "bias_wd_mult", "init_bias")
    ),
    *(
        idle(
            "LinearLearner",
            10,
            "normalize_label",
            {**kind, "normalize_label": True},
            {"normalize_label": True},
        )
        for kind in (BINARY, MULTICLASS)
    ),
    idle("LinearLearner", 11, "unbias_data", {"unbias_data": True, "use_bias": False}, {"unbias_data": True}),
    idle(
        "LinearLearner", 11, "unbias_label", {"unbias_label": True, "use_bias": False}, {"unbias_label": True}
    ),
    idle("LinearLearner", 11, "unbias_label", {**BINARY, "unbias_label": True}, {"unbias_label": True}),
    *(
        idle(
            "LinearLearner",
            12,
            "accuracy_top_k",
            {**kind, "accuracy_top_k": 2},
            {**MULTICLASS, "accuracy_top_k": 2},
        )
        for kind in (BINARY, REGRESSOR)
    ),
    idle(
        "LinearLearner",
        13,
        "early_stopping_tolerance",
        {"early_stopping_tolerance": 0.1, "epochs": 2},
        {"early_stopping_tolerance": 0.1, "epochs": 3},
    ),
    *(
        idle(
            "LinearLearner",
            15,
            "positive_example_weight_mult",
            {**kind, "positive_example_weight_mult": 2},
            {**BINARY, "positive_example_weight_mult": 2},
        )
        for kind in (MULTICLASS, REGRESSOR)
    ),
    idle(
        "LinearLearner",
        0,
        "binary_classifier_model_selection_criteria",
        {"binary_classifier_model_selection_criteria": "f_beta"},
        {**BINARY, "binary_classifier_model_selection_criteria": "f_beta"},
    ),
    idle("LinearLearner", 0, "f_beta", {"f_beta": 2}, {**BINARY, "f_beta": 2}),
    idle("LinearLearner", 0, "f_beta", {"f_beta": 2}, {**MULTICLASS, "f_beta": 2}),
    *(
        Case(
            "LinearLearner",
            0,
            "error",
            "Labels of channel train lie between",
            kind,
            kind,
            (train(labels=bad),),
            (train(labels=good),),
        )
        for kind, bad, good in (
            (BINARY, classes(3), ZERO_ONE),
            (BINARY, Labels(-1, 1, True), ZERO_ONE),
            (BINARY, Labels(0, 1, False), ZERO_ONE),
            (MULTICLASS, classes(5), classes(4)),
            (MULTICLASS, classes(4, start=1), classes(4)),
            (MULTICLASS, Labels(0, 3, False), classes(4)),
        )
    ),
    Case(
        "LinearLearner",
        0,
        "error",
        "Labels of channel validation lie",
        BINARY,
        BINARY,
        (train(labels=ZERO_ONE), other("validation", labels=classes(3))),
        (train(labels=ZERO_ONE), other("validation", labels=ZERO_ONE)),
    ),
    Case(
        "LinearLearner", 0, "error", "has no labels", REGRESSOR, REGRESSOR, (train(),), (train(labels=REAL),)
    ),
    Case(
        "LinearLearner",
        0,
        "error",
        "float64 values",
        REGRESSOR,
        REGRESSOR,
        (train(labels=REAL, dtype="float64"),),
        (train(labels=REAL),),
    ),
    Case(
        "LinearLearner",
        0,
        "warning",
        "one class to learn",
        BINARY,
        BINARY,
        (train(labels=classes(1, start=1)),),
        (train(labels=ZERO_ONE),),
    ),
    Case(
        "LinearLearner",
        0,
        "warning",
        "num_classes is 4, but the largest label",
        MULTICLASS,
        MULTICLASS,
        (train(labels=classes(3)),),
        (train(labels=classes(4)),),
    ),
)
