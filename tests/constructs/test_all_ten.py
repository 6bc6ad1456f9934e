"""app.py with all ten algorithms as the rehearsal deploys them, in any region and in three partitions."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from aws_cdk import Environment
from cdk_nag import AwsSolutionsChecks
from pipeline_stacks import REPOSITORY, Synthesised, new_app
from service_authorization import mistakes_of

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.algorithms.training_images import image_accounts
from amazon_estimators_rehearsal.samples import SAMPLES

MAX_RESOURCES, MAX_BYTES = 500, 1_000_000
FUNCTIONS = ("Plan", "Encode", "Seal", "Explain", "Announce", "Fail", "Report")
REGIONS = (None, "us-east-1", "cn-north-1", "us-gov-west-1")


def all_ten(region: str | None, directory: Path) -> Synthesised:
    """The app's stack with every algorithm that has an image in the region."""
    spec = spec_from_file_location("app_of_all_ten", REPOSITORY / "app.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = {
        name: make(directory).settings()
        for name, make in SAMPLES.items()
        if region is None or region in image_accounts(ALGORITHMS[name].repo_name)
    }
    environment = None if region is None else Environment(account="123456789012", region=region)
    app = new_app(algorithms=settings)
    return Synthesised(module.AmazonEstimators(app, "AmazonEstimators", env=environment))


@pytest.fixture(scope="module", params=REGIONS, ids=str)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    return all_ten(request.param, tmp_path_factory.mktemp("samples"))


def test_it_is_well_under_the_limits(
    stack: Synthesised, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    resources, size = len(stack.resources), len(json.dumps(stack.template))
    machines = stack.of_type("AWS::StepFunctions::StateMachine")
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(machines)} algorithms, {request.node.name}: {resources} resources of {MAX_RESOURCES}, "
            f"template {size:,} bytes of {MAX_BYTES:,}\n"
        )
    assert resources < 0.7 * MAX_RESOURCES
    assert size < 0.7 * MAX_BYTES
    assert 8 <= len(machines) <= len(ALGORITHMS)


def test_buckets_and_functions_are_shared(stack: Synthesised) -> None:
    assert len(stack.of_type("AWS::S3::Bucket")) == 2
    functions = stack.of_type("AWS::Lambda::Function")
    steps = [name for name in functions if name.startswith("RecordSetEncoder")]
    machines = stack.of_type("AWS::StepFunctions::StateMachine")
    assert len(steps) == len(FUNCTIONS)
    assert len(functions) - len(steps) == len(machines), "a starter each, and nothing else"
    for machine in machines.values():
        assert all(step in machine["DefinitionString"] for step in steps)


def test_the_service_authorization_reference_knows_all_that_it_allows(stack: Synthesised) -> None:
    assert mistakes_of(stack) == []


def test_nag_finds_nothing(stack: Synthesised) -> None:
    assert stack.template  # findings are acknowledged at synth
    found = AwsSolutionsChecks().validate_scope(stack.stack).violations
    assert [one.rule_name for one in found] == []
