"""k-NN: predicts from the k records nearest by."""

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
from amazon_estimators.algorithms.metrics import PROGRESS, loss, score
from amazon_estimators.algorithms.rules import (
    Caution,
    Finding,
    Problem,
    at_most_records,
    choices_by,
    class_labels,
    required_with,
    without_effect,
)
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.hyperparameters.hyperparameter import choice, integer, tuning
from amazon_estimators.hyperparameters.owner import Owner

IVF, PQ = "faiss.IVFFlat", "faiss.IVFPQ"
TARGET = (
    "kNN_hyperparameters.md: dimension_reduction_target is required when dimension_reduction_type is given, "
    "an integer greater than 0 and less than feature_dim"
)


def _target_below_features(algorithm: Owner) -> Iterator[Finding]:
    """Refuse to reduce to as many dimensions as there are, or more."""
    target, dimensions = (
        algorithm.values.get("dimension_reduction_target"),
        algorithm.values.get("feature_dim"),
    )
    if target is not None and dimensions is not None and target >= dimensions:
        yield Problem(
            f"dimension_reduction_target is {target:,}, but the data have {dimensions:,} features. "
            f"Expecting: an integer greater than 0 and less than (not equal to) {dimensions:,}.",
            source=TARGET,
        )


def _target_below_data(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Check the same once feature_dim has been filled in."""
    return _target_below_features(algorithm)


def _sample_holds_k(algorithm: Owner) -> Iterator[Finding]:
    """Warn if fewer records are sampled than neighbours are looked for."""
    k, sample = algorithm.values.get("k"), algorithm.values.get("sample_size")
    if k is not None and sample is not None and k > sample:
        yield Caution(
            f"k is {k:,}, but only sample_size, {sample:,}, records are kept to find neighbours among."
        )


def _subvectors_divide(algorithm: Owner, data: Data) -> Iterator[Finding]:
    """Warn that the service pads vectors that faiss_index_pq_m parts do not fill evenly."""
    parts = algorithm.values.get("faiss_index_pq_m")
    reduced = algorithm.values.get("dimension_reduction_target")
    dimension = reduced or data.train.feature_dim
    if algorithm.effective("index_type") == PQ and parts is not None and dimension % parts:
        grown = dimension + parts - dimension % parts
        how = "dimension_reduction_target is raised" if reduced else "vectors are padded with zeros"
        yield Caution(
            f"faiss_index_pq_m, {parts}, does not divide {dimension:,} dimensions; {how} to {grown:,}."
        )


class KNN(Algorithm):
    """k-nearest neighbours over a sample of the training data, for classification and regression."""

    repo_name = "knn"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_hyperparameters.html"
    dtypes = ("float32",)
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,), label="required"),
        ChannelRule("test", required=False, also=(CSV,), distribution=REPLICATED, label="required"),
    )
    instances = Instances(gpu="single")
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON, JSON_LINES),
        returns=(RECORDIO, JSON, JSON_LINES),
        fields=(
            Field("predicted_label"),
            Field("distances", "vector", optional=True),
            Field("labels", "vector", optional=True),
        ),
        verbose="true",
        multi_model=True,
        undocumented_model="its index is a Faiss file, which NumPy alone does not read",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/kNN-inference-formats.html",
    )
    metrics = (
        score("test:accuracy", of=("classifier",)),
        loss("test:mse", of=("regressor",)),
        *PROGRESS,
    )
    rules = (
        required_with(
            "dimension_reduction_target", "dimension_reduction_type", "sign", "fjlt", source=TARGET
        ),
        _target_below_features,
        _sample_holds_k,
        choices_by(
            "index_metric",
            "index_type",
            {PQ: ("L2",)},
            source="kNN_hyperparameters.md: faiss.IVFPQ does not support INNER_PRODUCT and COSINE",
        ),
        without_effect(
            "dimension_reduction_target", unless="dimension_reduction_type", among=("sign", "fjlt")
        ),
        without_effect("faiss_index_ivf_nlists", unless="index_type", among=(IVF, PQ)),
        without_effect("faiss_index_pq_m", unless="index_type", among=(PQ,)),
    )
    data_rules = (
        at_most_records("k", "sample_size"),
        _target_below_data,
        _subvectors_divide,
        class_labels(when=("predictor_type", "classifier"), classes=None),
    )
    fills = filling(feature_dim=features)
    container_settings = (
        "epochs",
        "_enable_profiler",
        "_faiss_index_nprobe",
        "_kvstore",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
        "_tuning_objective_metric",
    )

    feature_dim = integer(
        at_least=1, required=True, doc="Number of features of a record. Filled in from the data."
    )
    k = integer(at_least=1, required=True, tuning=tuning(1, 1024), doc="Number of nearest neighbours.")
    predictor_type = choice("classifier", "regressor", required=True, doc="What the label is.")
    sample_size = integer(
        at_least=1,
        required=True,
        tuning=tuning(256, 20_000_000),
        doc="Records sampled from the training data, over all instances.",
    )
    dimension_reduction_target = integer(
        at_least=1, doc="Dimensions to reduce to, fewer than feature_dim. Required for a reduction."
    )
    dimension_reduction_type = choice(
        "sign", "fjlt", doc="Random projection, or the fast Johnson-Lindenstrauss transform; none if unset."
    )
    faiss_index_ivf_nlists = integer(
        at_least=1,
        literals=("auto",),
        default="auto",
        doc="Centroids of the inverted-file indexes; auto is the square root of sample_size.",
    )
    faiss_index_pq_m = integer(
        one_of=(1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96),
        doc="Parts a vector is cut into by the index faiss.IVFPQ.",
    )
    index_metric = choice("L2", "INNER_PRODUCT", "COSINE", default="L2", doc="Distance between records.")
    index_type = choice("faiss.Flat", IVF, PQ, default="faiss.Flat", doc="Index over the records.")
    mini_batch_size = integer(at_least=1, default=5000, doc="Records per mini-batch.")
