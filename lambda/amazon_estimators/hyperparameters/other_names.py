"""Names of hyperparameters in other libraries and in papers, for suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

OTHER_NAMES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "batchsize": ("mini_batch_size",),
        "bs": ("mini_batch_size",),
        "l2": ("wd", "weight_decay"),
        "lambda": ("wd", "weight_decay"),
        "lr": ("learning_rate",),
        "maxepochs": ("epochs",),
        "maxiter": ("max_iterations", "local_lloyd_max_iter"),
        "nclasses": ("num_classes",),
        "nclusters": ("k",),
        "ncomponents": ("num_components", "num_topics"),
        "nepochs": ("epochs",),
        "nestimators": ("num_trees",),
        "nfactors": ("num_factors",),
        "nneighbors": ("k",),
        "ntopics": ("num_topics",),
        "ntrees": ("num_trees",),
        "numepochs": ("epochs",),
        "numclusters": ("k",),
        "numneighbors": ("k",),
        "tol": ("tolerance", "early_stopping_tolerance"),
        "wd": ("weight_decay",),
        "weightdecay": ("wd",),
    }
)
"""Hyperparameters by other names, in lower case without underscores, the likeliest first."""
