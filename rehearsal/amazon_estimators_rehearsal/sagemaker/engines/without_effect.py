"""The hyperparameters that a stand-in does not use, by algorithm: it learns the same whatever they are.

Their values are checked all the same. What a stand-in uses changes its model or its metrics; a test holds
each hyperparameter to one or the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

BATCHES = frozenset({"mini_batch_size", "epochs"})
WITHOUT_EFFECT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # Adam with the job's rates; the gradient is that of the mean loss, and both terms are always there.
        "FactorizationMachines": frozenset(
            {"batch_metrics_publish_interval", "eps", "rescale_grad", "use_bias", "use_linear"}
        ),
        # No honest stand-in: entities and addresses are checked.
        "IPInsights": frozenset(
            {
                "batch_metrics_publish_interval",
                "epochs",
                "learning_rate",
                "mini_batch_size",
                "num_entity_vectors",
                "num_ip_encoder_layers",
                "random_negative_sampling_rate",
                "shuffled_negative_sampling_rate",
                "vector_dim",
                "weight_decay",
            }
        ),
        # Lloyd's iterations over all records at once: no stream, so none of its steps.
        "KMeans": BATCHES | {"extra_center_factor", "force_dense", "half_life_time_size", "init_method"},
        # Exact search, whatever the index.
        "KNN": BATCHES | {"faiss_index_ivf_nlists", "faiss_index_pq_m", "index_type"},
        # Variational Bayes, which has other steps than the tensor decomposition.
        "LDA": BATCHES | {"allow_svd_init", "max_restarts", "tol"},
        # One model, fitted to its end by solvers of scikit-learn: no steps, no candidates, no threshold.
        "LinearLearner": BATCHES
        | {
            "beta_1",
            "beta_2",
            "bias_lr_mult",
            "bias_wd_mult",
            "binary_classifier_model_selection_criteria",
            "early_stopping_patience",
            "early_stopping_tolerance",
            "init_bias",
            "init_method",
            "init_scale",
            "init_sigma",
            "learning_rate",
            "lr_scheduler_factor",
            "lr_scheduler_minimum_lr",
            "lr_scheduler_step",
            "momentum",
            "num_calibration_samples",
            "num_models",
            "num_point_for_scaler",
            "optimizer",
            "target_precision",
            "target_recall",
            "use_lr_scheduler",
        },
        # No honest stand-in: counts and words are checked.
        "NTM": BATCHES
        | {
            "batch_norm",
            "clip_gradient",
            "encoder_layers",
            "encoder_layers_activation",
            "learning_rate",
            "num_patience_epochs",
            "num_topics",
            "optimizer",
            "rescale_gradient",
            "sub_sample",
            "tolerance",
            "weight_decay",
        },
        # No honest stand-in: token ids, lengths and labels are checked.
        "Object2Vec": BATCHES
        | {
            "bucket_width",
            "comparator_list",
            "dropout",
            "early_stopping_patience",
            "early_stopping_tolerance",
            "enc_dim",
            "learning_rate",
            "mlp_activation",
            "mlp_dim",
            "mlp_layers",
            "negative_sampling_rate",
            "optimizer",
            "tied_token_embedding_weight",
            "token_embedding_storage_type",
            "weight_decay",
            *(
                f"{encoder}_{name}"
                for encoder in ("enc0", "enc1")
                for name in (
                    "network",
                    "cnn_filter_width",
                    "freeze_pretrained_embedding",
                    "layers",
                    "pretrained_embedding_file",
                    "token_embedding_dim",
                    "vocab_file",
                )
            ),
        },
        # All records at once, dense.
        "PCA": BATCHES | {"force_dense"},
        "RandomCutForest": BATCHES | {"force_dense"},
    }
)


def without_effect(algorithm: str, given: Iterable[str]) -> list[str]:
    """Return those of the given hyperparameters that the stand-in for an algorithm does not use.

    Names that begin with ``_`` are the SDK's settings of Amazon's containers: none has a meaning here.
    """
    table = WITHOUT_EFFECT[algorithm]
    return sorted(name for name in given if name in table or name.startswith("_"))
