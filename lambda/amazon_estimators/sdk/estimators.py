"""The ten classes of the SageMaker Python SDK 2, each with its order of positional arguments."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from amazon_estimators import algorithms
from amazon_estimators.algorithms import Algorithm
from amazon_estimators.sdk.base import AmazonAlgorithmEstimatorBase
from amazon_estimators.sdk.renamed import with_new_names

_NORMAL = ("init_method", "init_scale", "init_sigma", "init_value")


class KMeans(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.KMeans
    positional = (
        "k",
        "init_method",
        "max_iterations",
        "tol",
        "num_trials",
        "local_init_method",
        "half_life_time_size",
        "epochs",
        "center_factor",
        "eval_metrics",
    )

    def __init__(self, *positional: Any, **keywords: Any) -> None:
        super().__init__(*positional, **{"force_dense": "True", **keywords})

    def _prepare_for_training(
        self, records: Any, mini_batch_size: int | None = 5000, job_name: str | None = None
    ) -> None:
        """Set the hyperparameters that depend on the data; like the SDK, default to 5000 records per
        mini-batch."""
        super()._prepare_for_training(records, mini_batch_size, job_name)


class PCA(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.PCA
    positional = ("num_components", "algorithm_mode", "subtract_mean", "extra_components")


class LDA(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.LDA
    first = ("role", "instance_type")
    positional = ("num_topics", "alpha0", "max_restarts", "max_iterations", "tol")

    def __init__(self, *positional: Any, **keywords: Any) -> None:
        keywords = with_new_names(keywords)
        if keywords.pop("instance_count", 1) not in (1, None):
            warnings.warn(
                "LDA trains on a single instance: instance_count is set to 1", UserWarning, stacklevel=2
            )
        super().__init__(*positional, **keywords, instance_count=1)


class LinearLearner(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.LinearLearner
    positional = (
        "predictor_type",
        "binary_classifier_model_selection_criteria",
        "target_recall",
        "target_precision",
        "positive_example_weight_mult",
        "epochs",
        "use_bias",
        "num_models",
        "num_calibration_samples",
        "init_method",
        "init_scale",
        "init_sigma",
        "init_bias",
        "optimizer",
        "loss",
        "wd",
        "l1",
        "momentum",
        "learning_rate",
        "beta_1",
        "beta_2",
        "bias_lr_mult",
        "bias_wd_mult",
        "use_lr_scheduler",
        "lr_scheduler_step",
        "lr_scheduler_factor",
        "lr_scheduler_minimum_lr",
        "normalize_data",
        "normalize_label",
        "unbias_data",
        "unbias_label",
        "num_point_for_scaler",
        "margin",
        "quantile",
        "loss_insensitivity",
        "huber_delta",
        "early_stopping_patience",
        "early_stopping_tolerance",
        "num_classes",
        "accuracy_top_k",
        "f_beta",
        "balance_multiclass_weights",
    )


class FactorizationMachines(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.FactorizationMachines
    positional = (
        "num_factors",
        "predictor_type",
        "epochs",
        "clip_gradient",
        "eps",
        "rescale_grad",
        "bias_lr",
        "linear_lr",
        "factors_lr",
        "bias_wd",
        "linear_wd",
        "factors_wd",
        *(f"bias_{name}" for name in _NORMAL),
        *(f"linear_{name}" for name in _NORMAL),
        *(f"factors_{name}" for name in _NORMAL),
    )


class NTM(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.NTM
    positional = (
        "num_topics",
        "encoder_layers",
        "epochs",
        "encoder_layers_activation",
        "optimizer",
        "tolerance",
        "num_patience_epochs",
        "batch_norm",
        "rescale_gradient",
        "clip_gradient",
        "weight_decay",
        "learning_rate",
    )


class RandomCutForest(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.RandomCutForest
    positional = ("num_samples_per_tree", "num_trees", "eval_metrics")


class KNN(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.KNN
    positional = (
        "k",
        "sample_size",
        "predictor_type",
        "dimension_reduction_type",
        "dimension_reduction_target",
        "index_type",
        "index_metric",
        "faiss_index_ivf_nlists",
        "faiss_index_pq_m",
    )


class Object2Vec(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.Object2Vec
    positional = (
        "epochs",
        "enc0_max_seq_len",
        "enc0_vocab_size",
        "enc_dim",
        "mini_batch_size",
        "early_stopping_patience",
        "early_stopping_tolerance",
        "dropout",
        "weight_decay",
        "bucket_width",
        "num_classes",
        "mlp_layers",
        "mlp_dim",
        "mlp_activation",
        "output_layer",
        "optimizer",
        "learning_rate",
        "negative_sampling_rate",
        "comparator_list",
        "tied_token_embedding_weight",
        "token_embedding_storage_type",
        "enc0_network",
        "enc1_network",
        "enc0_cnn_filter_width",
        "enc1_cnn_filter_width",
        "enc1_max_seq_len",
        "enc0_token_embedding_dim",
        "enc1_token_embedding_dim",
        "enc1_vocab_size",
        "enc0_layers",
        "enc1_layers",
        "enc0_freeze_pretrained_embedding",
        "enc1_freeze_pretrained_embedding",
    )


class IPInsights(AmazonAlgorithmEstimatorBase):
    algorithm_class = algorithms.IPInsights
    positional = (
        "num_entity_vectors",
        "vector_dim",
        "batch_metrics_publish_interval",
        "epochs",
        "learning_rate",
        "num_ip_encoder_layers",
        "random_negative_sampling_rate",
        "shuffled_negative_sampling_rate",
        "weight_decay",
    )


ESTIMATORS: Mapping[type[Algorithm], type[AmazonAlgorithmEstimatorBase]] = {
    estimator.algorithm_class: estimator
    for estimator in AmazonAlgorithmEstimatorBase.__subclasses__()
    if estimator.algorithm_class is not None
}
