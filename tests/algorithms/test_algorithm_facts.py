"""Channels, metrics, instances and what is filled in, against the documented facts."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from documented import FACTS, LEAST, quietly
from rule_case import REAL, ZERO_ONE, other, train

from amazon_estimators.algorithms import ALGORITHMS, Algorithm, algorithm_named
from amazon_estimators.algorithms.reference import reference
from amazon_estimators.algorithms.rules import Caution
from amazon_estimators.algorithms.training_data import Data
from amazon_estimators.errors import InstanceError, RequestError
from amazon_estimators.hyperparameters.hyperparameter import HyperparameterWarning

EACH = pytest.mark.parametrize("algorithm", FACTS)
ENCODED = {
    "recordio": "application/x-recordio-protobuf",
    "jsonlines": "application/jsonlines",
    "csv": "text/csv",
}
FAMILY_EXAMPLES = {
    "P2": "ml.p2.xlarge",
    "P3": "ml.p3.2xlarge",
    "G4dn": "ml.g4dn.xlarge",
    "G5": "ml.g5.xlarge",
}
SEVERAL_GPUS = ("ml.p2.8xlarge", "ml.p3.8xlarge", "ml.p3dn.24xlarge", "ml.g4dn.12xlarge", "ml.g5.48xlarge")


@EACH
def test_channels_are_the_documented_ones(algorithm: str) -> None:
    cls, documented = ALGORITHMS[algorithm], FACTS[algorithm]["channels"]
    assert list(cls.channels) == list(documented)
    for name, facts in documented.items():
        rule = cls.channels[name]
        assert rule.name == name
        assert rule.required is facts["required"]
        if name != "auxiliary":
            assert rule.content_type == cls.content_type == ENCODED[cls.encoding]
            read = {content.split(";")[0] for content in facts["content_types"]}
            assert {rule.content_type, *rule.also} == read
        assert rule.distribution in rule.distributions
        assert rule.vectors is (cls.encoding == "recordio" and name != "auxiliary")
        if facts["s3_distribution"] is not None:
            assert rule.distribution == facts["s3_distribution"]
        strength = facts["s3_distribution_strength"] or ""
        forced = strength.startswith("required") and "should be" not in strength
        assert (len(rule.distributions) == 1) is forced
        assert rule.label == (facts["label"] or ("none" if name == "auxiliary" else "optional"))


@EACH
def test_metrics_are_the_documented_ones(algorithm: str) -> None:
    declared = {metric.name: metric for metric in ALGORITHMS[algorithm].metrics}
    assert len(declared) == len(ALGORITHMS[algorithm].metrics)
    assert set(declared) == {metric["name"] for metric in FACTS[algorithm]["metrics"]}
    for facts in FACTS[algorithm]["metrics"]:
        metric = declared[facts["name"]]
        assert (metric.direction, metric.objective, metric.regex) == (
            facts["direction"],
            facts["objective"],
            facts["regex"],
        )
        if metric.regex is not None:
            assert re.compile(metric.regex).groups == 1


def trains_on(cls: type[Algorithm], instance_type: str, count: int = 1) -> bool:
    """Return False if it refuses the instances, or warns that it leaves GPUs of them idle."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            cls.check_instances(instance_type, count)
        except InstanceError as error:
            assert instance_type in str(error) or str(count) in str(error)
            return False
    assert all(instance_type in str(warning.message) for warning in caught)
    return not caught


@pytest.mark.parametrize(
    ("algorithm", "instance_type", "refused"),
    [
        ("KMeans", "ml.p3.8xlarge", False),  # "should limit GPU training to single-GPU instances"
        ("KNN", "ml.p3.8xlarge", False),
        ("RandomCutForest", "ml.g5.xlarge", False),  # "could technically run on GPU instance types"
        ("LDA", "ml.g5.xlarge", True),  # "only supports single-instance CPU training"
        ("PCA", "ml.p4d.24xlarge", True),
    ],
)
def test_idle_gpus_are_a_warning(algorithm: str, instance_type: str, refused: bool) -> None:
    expected = pytest.raises(InstanceError) if refused else pytest.warns(HyperparameterWarning)
    with expected:
        ALGORITHMS[algorithm].check_instances(instance_type, 1)


@EACH
def test_instances_are_the_documented_ones(algorithm: str) -> None:
    cls, facts = ALGORITHMS[algorithm], FACTS[algorithm]["instance"]
    for cpu in (
        "ml.m5.large",
        "ml.c5.18xlarge",
        "ml.r5d.24xlarge",
        "ml.m7i.large",
        "ml.t3.medium",
        "ml.c6gn.xlarge",
    ):
        assert trains_on(cls, cpu) is facts["cpu"]
    for family, example in FAMILY_EXAMPLES.items():
        assert trains_on(cls, example) is (facts["gpu"] and family in facts["gpu_families"])
    for several in SEVERAL_GPUS:
        assert trains_on(cls, several) is (facts["gpu"] and facts["multi_gpu_per_instance"] is not False)
    for undocumented in (
        "ml.p4d.24xlarge",
        "ml.p5.48xlarge",
        "ml.g6.xlarge",
        "ml.trn1.2xlarge",
        "ml.inf2.xlarge",
    ):
        assert not trains_on(cls, undocumented)
    assert trains_on(cls, "ml.m5.large", 2) is (facts["single_instance_only"] is not True)


@pytest.mark.parametrize(
    ("instance_type", "count"),
    [
        ("m5.large", 1),
        ("ml.m5", 1),
        ("ml.m5.large ", 1),
        ("ML.M5.LARGE", 1),
        ("", 1),
        ("ml..large", 1),
        (None, 1),
        ("ml.m5.large", 0),
        ("ml.m5.large", -1),
        ("ml.m5.large", True),
        ("ml.m5.large", 1.0),
        ("ml.m5.large", "2"),
    ],
)
def test_malformed_instances_are_refused(instance_type: Any, count: Any) -> None:
    with pytest.raises(InstanceError, match=r"PCA: .*(not a training instance type|instance_count is)"):
        ALGORITHMS["PCA"].check_instances(instance_type, count)


def test_all_that_is_wrong_with_instances_is_said_at_once() -> None:
    with pytest.raises(InstanceError) as caught:
        ALGORITHMS["LDA"].check_instances("ml.p3.2xlarge", 3)
    assert "single instance" in str(caught.value)
    assert "ml.p3.2xlarge" in str(caught.value)


@pytest.mark.parametrize(
    ("algorithm", "records", "instances", "filled"),
    [
        ("KMeans", 100_000, 2, {"feature_dim": "20"}),
        ("PCA", 100_000, 2, {"feature_dim": "20", "mini_batch_size": "500"}),
        ("PCA", 301, 2, {"feature_dim": "20", "mini_batch_size": "150"}),
        ("PCA", 3, 3, {"feature_dim": "20", "mini_batch_size": "1"}),
        ("LDA", 321, 1, {"feature_dim": "20", "mini_batch_size": "321"}),
        ("LinearLearner", 100_000, 2, {"feature_dim": "20", "mini_batch_size": "1000"}),
        ("LinearLearner", 301, 2, {"feature_dim": "20", "mini_batch_size": "150"}),
        ("FactorizationMachines", 10, 2, {"feature_dim": "20"}),
        ("NTM", 10, 2, {"feature_dim": "20"}),
        ("RandomCutForest", 10, 2, {"feature_dim": "20", "mini_batch_size": "1000"}),
        ("KNN", 100, 2, {"feature_dim": "20"}),
        ("Object2Vec", 10, 1, {"mini_batch_size": "32"}),
        ("IPInsights", 10, 2, {}),
    ],
)
def test_what_fit_to_fills_in(algorithm: str, records: int, instances: int, filled: dict[str, str]) -> None:
    cls = ALGORITHMS[algorithm]
    label = cls.channels["train"].label
    labels = {"classifier": ZERO_ONE}.get(LEAST[algorithm].get("predictor_type", ""), REAL)
    labels = ZERO_ONE if algorithm == "Object2Vec" else labels
    data = train(
        records,
        20 if cls.encoding == "recordio" else 0,
        content_type=cls.content_type,
        labels=labels if label == "required" else None,
    )
    made = quietly(algorithm, **LEAST[algorithm])
    before = made.hyperparameters()
    fitted = made.fit_to({"train": data}, instance_count=instances)
    assert fitted.hyperparameters() == {**before, **filled}
    assert made.hyperparameters() == before
    assert type(fitted) is cls
    assert fitted.fit_to({"train": data}, instance_count=instances) == fitted


def test_what_the_user_gave_is_kept() -> None:
    data = {"train": train(1000, labels=REAL)}
    made = quietly("LinearLearner", predictor_type="regressor", mini_batch_size=7, feature_dim="auto")
    assert made.fit_to(data, instance_count=2) == made
    pairs = train(9, 0, labels=ZERO_ONE, content_type="application/jsonlines")
    given = quietly("Object2Vec", **LEAST["Object2Vec"], mini_batch_size=9)
    assert given.fit_to({"train": pairs}, instance_count=1).effective("mini_batch_size") == 9


def test_every_problem_with_the_data_is_said_at_once() -> None:
    made = quietly("KMeans", k=200, feature_dim=3, mini_batch_size=300)
    record_sets = {"train": train(100), "test": other("test", features=4), "x": other("x")}
    with pytest.raises(ValueError, match="3 problems") as caught:
        made.fit_to(record_sets, instance_count=1)
    for part in ("feature_dim is 3", "Channel test has 4", "no channel 'x'"):
        assert part in str(caught.value)
    _, findings = made.findings(Data(record_sets, 1))
    for part in ("k is 200", "mini_batch_size is 300"):
        assert any(part in finding and isinstance(finding, Caution) for finding in findings)


def test_object2vec_tells_its_encoders_the_sequences_they_take() -> None:
    pair: Any = quietly(
        "Object2Vec", enc0_max_seq_len=7, enc0_vocab_size=70, enc1_max_seq_len=8, enc1_vocab_size=80
    )
    assert pair.vocabulary_size("enc0") == pair.vocabulary_size("enc1") == 70
    assert pair.override({"enc1_network": "bilstm"}).vocabulary_size("enc1") == 80


def test_algorithms_by_name() -> None:
    for name, cls in ALGORITHMS.items():
        assert algorithm_named(name) is cls
        assert cls.__name__ == name
        assert cls.repo_name == FACTS[name]["repository"]
        assert cls.repo_version in FACTS[name]["version_tags"]
    for given, meant in (("kmeans", "KMeans"), ("linear-learner", "LinearLearner"), ("NTN", "NTM")):
        with pytest.raises(RequestError, match=f"Did you mean '{meant}'") as caught:
            algorithm_named(given)
        assert all(name in str(caught.value) for name in ALGORITHMS)


def test_the_reference_is_that_of_the_code() -> None:
    written = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text("utf-8")
    assert written == reference()
    for name, facts in FACTS.items():
        section = written.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for parameter in facts["hyperparameters"]:
            assert f"\n| `{parameter}`" in section
