"""Rules of Linear Learner."""

from __future__ import annotations

from rule_case import REAL, ZERO_ONE, Case, Labels, classes, idle, other, train

REGRESSOR = {"predictor_type": "regressor"}
BINARY = {"predictor_type": "binary_classifier"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": 4}

LINEAR_LEARNER = (
    Case(
        algorithm="LinearLearner",
        rule=1,
        outcome="error",
        says="For predictor_type 'multiclass_classifier', 'num_classes' should be set",
        hyperparameters={"predictor_type": "multiclass_classifier"},
        mended=MULTICLASS,
    ),
    idle(
        algorithm="LinearLearner",
        rule=1,
        name="num_classes",
        bad={**BINARY, "num_classes": 3},
        good=MULTICLASS,
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=2,
            name="balance_multiclass_weights",
            bad={**kind, "balance_multiclass_weights": True},
            good={**MULTICLASS, "balance_multiclass_weights": True},
        )
        for kind in (BINARY, REGRESSOR)
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=3,
            name=name,
            bad={name: 0.5, "optimizer": unused},
            good={name: 0.5, "optimizer": used},
        )
        for name in ("beta_1", "beta_2")
        for unused, used in (("sgd", "adam"), ("rmsprop", "auto"))
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=3,
            name="momentum",
            bad={"momentum": 0.5, "optimizer": unused},
            good={"momentum": 0.5, "optimizer": "sgd"},
        )
        for unused in ("adam", "rmsprop", "auto")
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=4,
            name=name,
            bad={name: value, "use_lr_scheduler": False},
            good={name: value},
        )
        for name, value in (
            ("lr_scheduler_factor", 0.5),
            ("lr_scheduler_minimum_lr", 0.1),
            ("lr_scheduler_step", 3),
        )
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=5,
            name=name,
            bad={**BINARY, name: 0.7},
            good={**BINARY, name: 0.7, "binary_classifier_model_selection_criteria": criterion},
        )
        for name, criterion in (
            ("target_precision", "recall_at_target_precision"),
            ("target_recall", "precision_at_target_recall"),
        )
    ),
    idle(
        algorithm="LinearLearner",
        rule=6,
        name="init_scale",
        bad={"init_scale": 0.1, "init_method": "normal"},
        good={"init_scale": 0.1},
    ),
    idle(
        algorithm="LinearLearner",
        rule=6,
        name="init_sigma",
        bad={"init_sigma": 0.1},
        good={"init_sigma": 0.1, "init_method": "normal"},
    ),
    idle(
        algorithm="LinearLearner",
        rule=7,
        name="margin",
        bad={**BINARY, "margin": 2},
        good={**BINARY, "margin": 2, "loss": "hinge_loss"},
    ),
    *(
        idle(algorithm="LinearLearner", rule=7, name=name, bad={name: 0.2}, good={name: 0.2, "loss": used})
        for name, used in (
            ("quantile", "quantile_loss"),
            ("loss_insensitivity", "eps_insensitive_squared_loss"),
            ("loss_insensitivity", "eps_insensitive_absolute_loss"),
            ("huber_delta", "huber_loss"),
        )
    ),
    *(
        Case(
            algorithm="LinearLearner",
            rule=8,
            outcome="error",
            says=f"'{bad}' for loss when predictor_type is",
            hyperparameters={**kind, "loss": bad},
            mended={**kind, "loss": good},
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
        idle(
            algorithm="LinearLearner", rule=9, name=name, bad={name: 0.5, "use_bias": False}, good={name: 0.5}
        )
        for name in ("bias_lr_mult", "bias_wd_mult", "init_bias")
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=10,
            name="normalize_label",
            bad={**kind, "normalize_label": True},
            good={"normalize_label": True},
        )
        for kind in (BINARY, MULTICLASS)
    ),
    idle(
        algorithm="LinearLearner",
        rule=11,
        name="unbias_data",
        bad={"unbias_data": True, "use_bias": False},
        good={"unbias_data": True},
    ),
    idle(
        algorithm="LinearLearner",
        rule=11,
        name="unbias_label",
        bad={"unbias_label": True, "use_bias": False},
        good={"unbias_label": True},
    ),
    idle(
        algorithm="LinearLearner",
        rule=11,
        name="unbias_label",
        bad={**BINARY, "unbias_label": True},
        good={"unbias_label": True},
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=12,
            name="accuracy_top_k",
            bad={**kind, "accuracy_top_k": 2},
            good={**MULTICLASS, "accuracy_top_k": 2},
        )
        for kind in (BINARY, REGRESSOR)
    ),
    idle(
        algorithm="LinearLearner",
        rule=13,
        name="early_stopping_tolerance",
        bad={"early_stopping_tolerance": 0.1, "epochs": 2},
        good={"early_stopping_tolerance": 0.1, "epochs": 3},
    ),
    *(
        idle(
            algorithm="LinearLearner",
            rule=15,
            name="positive_example_weight_mult",
            bad={**kind, "positive_example_weight_mult": 2},
            good={**BINARY, "positive_example_weight_mult": 2},
        )
        for kind in (MULTICLASS, REGRESSOR)
    ),
    idle(
        algorithm="LinearLearner",
        rule=0,
        name="binary_classifier_model_selection_criteria",
        bad={"binary_classifier_model_selection_criteria": "f_beta"},
        good={**BINARY, "binary_classifier_model_selection_criteria": "f_beta"},
    ),
    idle(algorithm="LinearLearner", rule=0, name="f_beta", bad={"f_beta": 2}, good={**BINARY, "f_beta": 2}),
    idle(
        algorithm="LinearLearner", rule=0, name="f_beta", bad={"f_beta": 2}, good={**MULTICLASS, "f_beta": 2}
    ),
    *(
        Case(
            algorithm="LinearLearner",
            rule=0,
            outcome="error",
            says="Labels of channel train lie between",
            hyperparameters=kind,
            mended=kind,
            data=(train(labels=bad),),
            mended_data=(train(labels=good),),
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
        algorithm="LinearLearner",
        rule=0,
        outcome="error",
        says="Labels of channel validation lie",
        hyperparameters=BINARY,
        mended=BINARY,
        data=(train(labels=ZERO_ONE), other("validation", labels=classes(3))),
        mended_data=(train(labels=ZERO_ONE), other("validation", labels=ZERO_ONE)),
    ),
    Case(
        algorithm="LinearLearner",
        rule=0,
        outcome="error",
        says="has no labels",
        hyperparameters=REGRESSOR,
        mended=REGRESSOR,
        data=(train(),),
        mended_data=(train(labels=REAL),),
    ),
    Case(
        algorithm="LinearLearner",
        rule=0,
        outcome="error",
        says="float64 values",
        hyperparameters=REGRESSOR,
        mended=REGRESSOR,
        data=(train(labels=REAL, dtype="float64"),),
        mended_data=(train(labels=REAL),),
    ),
    Case(
        algorithm="LinearLearner",
        rule=0,
        outcome="warning",
        says="one class to learn",
        hyperparameters=BINARY,
        mended=BINARY,
        data=(train(labels=classes(1, start=1)),),
        mended_data=(train(labels=ZERO_ONE),),
    ),
    Case(
        algorithm="LinearLearner",
        rule=0,
        outcome="warning",
        says="num_classes is 4, but the largest label",
        hyperparameters=MULTICLASS,
        mended=MULTICLASS,
        data=(train(labels=classes(3)),),
        mended_data=(train(labels=classes(4)),),
    ),
)
