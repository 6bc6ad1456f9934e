"""Every algorithm in one stack: within CloudFormation's limits, in any region, with the right image."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from cdk_nag import AwsSolutionsChecks
from pipeline_stacks import PSEUDO, Synthesised, new_stack

from amazon_estimators.algorithms import ALGORITHMS, Algorithm
from cdk_amazon_estimators import TrainingPipeline, new_data_bucket, new_model_bucket

SETTINGS: dict[str, dict[str, Any]] = {
    "FactorizationMachines": {"num_factors": 4, "predictor_type": "regressor"},
    "IPInsights": {"num_entity_vectors": 100, "vector_dim": 8},
    "KMeans": {"k": 10},
    "KNN": {"k": 5, "predictor_type": "classifier", "sample_size": 100},
    "LDA": {"num_topics": 5},
    "LinearLearner": {"predictor_type": "regressor"},
    "NTM": {"num_topics": 5},
    "Object2Vec": {"enc0_max_seq_len": 10, "enc0_vocab_size": 100},
    "PCA": {"num_components": 2},
    "RandomCutForest": {},
}
RESOURCES, TEMPLATE_BYTES, INLINE_POLICIES = 500, 1_000_000, 10_240
"""CloudFormation's limits of a stack, and IAM's of the characters of one role's inline policies."""


def all_in_one_stack(region: str | None) -> tuple[Synthesised, dict[str, TrainingPipeline]]:
    stack = new_stack("Stack", region=region)
    shared = {
        "data_bucket": new_data_bucket(stack, "Data"),
        "model_bucket": new_model_bucket(stack, "Models"),
    }
    pipelines = {
        name: TrainingPipeline(
            stack,
            name,
            algorithm=algorithm(**SETTINGS[name]),
            instance_type="ml.m5.large" if name != "IPInsights" else "ml.m5.xlarge",
            prefix=f"{name.lower()}/",
            **shared,
        )
        for name, algorithm in ALGORITHMS.items()
    }
    return Synthesised(stack), pipelines


@pytest.fixture(scope="module")
def any_region() -> Synthesised:
    return all_in_one_stack(None)[0]


def test_the_settings_are_of_all_algorithms() -> None:
    assert set(SETTINGS) == set(ALGORITHMS)


def test_limits_of_the_services(any_region: Synthesised, capsys: pytest.CaptureFixture[str]) -> None:
    resources, size = len(any_region.resources), len(json.dumps(any_region.template))
    documents = [inline(any_region, f"<{role}>") for role in any_region.of_type("AWS::IAM::Role")]
    largest = max(len(json.dumps(one, separators=(",", ":"))) for one in documents)
    with capsys.disabled():
        sys.stdout.write(
            f"\nAll {len(ALGORITHMS)} algorithms in one stack: {resources} resources of {RESOURCES}, "
            f"template {size:,} bytes of {TEMPLATE_BYTES:,}, "
            f"policies of a role {largest:,} characters of {INLINE_POLICIES:,}\n"
        )
    assert resources < 0.65 * RESOURCES
    assert size < 0.6 * TEMPLATE_BYTES
    assert largest < INLINE_POLICIES


def inline(pipeline: Synthesised, role: str) -> list[Any]:
    """Documents of the role's inline policies, names made as long as generated ones."""
    policies = pipeline.of_type("AWS::IAM::Policy").values()
    text = json.dumps([one["PolicyDocument"] for one in policies if role in one["Roles"]])
    documents: list[Any] = json.loads(text.replace("<", "amazonestimators-").replace(">", "-0123456789abc"))
    return documents


def test_functions_and_mapping_are_shared(any_region: Synthesised) -> None:
    functions = [one for one in any_region.of_type("AWS::Lambda::Function") if "Starter" not in one]
    assert len(functions) == 7
    assert list(any_region.template["Mappings"]) == ["TrainingImages"]
    repositories = {
        name for one in any_region.template["Mappings"]["TrainingImages"].values() for name in one
    }
    assert repositories == {one.repo_name.replace("-", "") for one in ALGORITHMS.values()}


def test_images_in_any_region(any_region: Synthesised) -> None:
    """Looked up in the mapping they are those of the algorithm for the region."""
    found = images(any_region)
    assert sorted(found) == sorted(one.train_image(PSEUDO["AWS::Region"]) for one in ALGORITHMS.values())


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_images_in_regions_of_three_partitions(region: str) -> None:
    supported = {name: one for name, one in ALGORITHMS.items() if has_image(one, region)}
    stack = new_stack("Stack", region=region)
    for name, algorithm in supported.items():
        TrainingPipeline(stack, name, algorithm=algorithm(**SETTINGS[name]), instance_type="ml.m5.xlarge")
    whole = Synthesised(stack)
    assert len(supported) >= 8
    assert sorted(images(whole)) == sorted(one.train_image(region) for one in supported.values())
    assert "Mappings" not in whole.template


def has_image(algorithm: type[Algorithm], region: str) -> bool:
    from amazon_estimators.algorithms.training_images import image_accounts

    return region in image_accounts(algorithm.repo_name)


def images(pipeline: Synthesised) -> list[str]:
    return [
        json.loads(one["DefinitionString"])["States"]["Train"]["Parameters"]["AlgorithmSpecification"][
            "TrainingImage"
        ]
        for one in pipeline.of_type("AWS::StepFunctions::StateMachine").values()
    ]


def test_nag_finds_nothing(any_region: Synthesised) -> None:
    assert any_region.template  # findings are acknowledged at synth
    found = AwsSolutionsChecks().validate_scope(any_region.stack).violations
    assert [one.rule_name for one in found] == []
