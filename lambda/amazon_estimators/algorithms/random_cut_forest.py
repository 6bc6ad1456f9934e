"""Random Cut Forest: how anomalous a record is."""

from __future__ import annotations

from amazon_estimators.algorithms.algorithm import Algorithm
from amazon_estimators.algorithms.channel_rules import (
    CSV,
    JSON,
    JSON_LINES,
    RECORDIO,
    REPLICATED,
    SHARDED,
    ChannelRule,
    channels,
)
from amazon_estimators.algorithms.filled_in import always, features, filling
from amazon_estimators.algorithms.inference import Field, Inference
from amazon_estimators.algorithms.instances import Instances
from amazon_estimators.algorithms.metrics import Metric
from amazon_estimators.algorithms.rules import class_labels, needs_channel
from amazon_estimators.hyperparameters.hyperparameter import integer, listing, tuning
from amazon_estimators.hyperparameters.value_types import Choice


class RandomCutForest(Algorithm):
    """Anomaly scores by a forest of random cuts."""

    repo_name = "randomcutforest"
    documentation = "https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html"
    channels = channels(
        ChannelRule("train", required=True, also=(CSV,), distributions=(SHARDED,), label="none"),
        ChannelRule(
            "test",
            required=False,
            also=(CSV,),
            distribution=REPLICATED,
            distributions=(REPLICATED,),
            label="required",
        ),
    )
    instances = Instances(gpu="none")
    inference = Inference(
        accepts=(RECORDIO, CSV, JSON, JSON_LINES),
        returns=(RECORDIO, JSON, JSON_LINES),
        fields=(Field("score"),),
        list_key="scores",
        multi_model=True,
        undocumented_model="AWS does not document the file that holds the trees",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/rcf-in-formats.html",
    )
    metrics = (Metric("test:f1", "Maximize", True, None),)
    data_rules = (
        class_labels(
            when=None,
            classes=2,
            only=("test",),
            source="randomcutforest.md: in the test channel, 1 labels an anomalous and 0 a normal data point",
        ),
        needs_channel("eval_metrics", "test"),
    )
    fills = filling(feature_dim=features, mini_batch_size=always(1000))
    container_settings = (
        "epochs",
        "force_dense",
        "_ftp_port",
        "_kvstore",
        "_log_level",
        "_num_gpus",
        "_num_kv_servers",
        "_tuning_objective_metric",
    )

    feature_dim = integer(
        at_least=1,
        at_most=10_000,
        required=True,
        doc="Number of features of a record. Filled in from the data.",
    )
    eval_metrics = listing(
        Choice(("accuracy", "precision_recall_fscore")),
        encoding="json",
        distinct=True,
        ordered=False,
        default=("accuracy", "precision_recall_fscore"),
        doc="What to score the test channel by.",
    )
    num_samples_per_tree = integer(
        at_least=1,
        at_most=2048,
        default=256,
        tuning=tuning(1, 2048),
        doc="Random records a tree is given; its inverse should be near the share of anomalies.",
    )
    num_trees = integer(
        at_least=50, at_most=1000, default=100, tuning=tuning(50, 1000), doc="Trees in the forest."
    )
    mini_batch_size = integer(
        one_of=(1000,),
        documented=False,
        doc="The SDK always sends 1000 and refuses another value. Filled in.",
    )
