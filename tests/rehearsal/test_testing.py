"""What users test their own stacks with; the example project that shows it runs here as they run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from amazon_estimators.errors import RequestError
from amazon_estimators_rehearsal import assembly
from amazon_estimators_rehearsal.platform import Platform
from amazon_estimators_rehearsal.testing import Permissions, RehearsedStack, Training

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "tested"
HERE = f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.deployed
def test_the_example_project_passes_its_tests() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def function(
    runtime: str, *architectures: str, handler: str = "amazon_estimators.handlers.plan.handler"
) -> Any:
    properties = {"Handler": handler, "Runtime": runtime, "Architectures": [*architectures]}
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def assembled(directory: Path, resource: Any) -> assembly.AssembledStack:
    path = directory / "Stack.template.json"
    path.write_text(json.dumps({"Resources": {"One": resource}}))
    return assembly.AssembledStack("Mine", path, "aws://unknown-account/unknown-region")


@pytest.mark.parametrize(("runtime", "architecture"), [("python3.8", "ours"), (HERE, "s390x")])
def test_functions_of_another_machine_are_refused(runtime: str, architecture: str, tmp_path: Path) -> None:
    """Otherwise they fail in NumPy, in 25 lines that say nothing of it."""
    built = function(runtime, assembly._architecture() if architecture == "ours" else architecture)
    with pytest.raises(RequestError, match=rf"Mine are built for {runtime} on .*\n.*context=ON_THIS_MACHINE"):
        assembly._check_functions(assembled(tmp_path, built))


def test_functions_of_this_machine_and_of_others_pass(tmp_path: Path) -> None:
    ours = assembly._architecture()
    assembly._check_functions(assembled(tmp_path, function(HERE, ours)))
    assembly._check_functions(assembled(tmp_path, function("nodejs22.x", "s390x", handler="index.handler")))


class Stack(RehearsedStack):
    """A stack whose training has ended in a way that the test says."""

    def __init__(self, platform: Platform, training: Training) -> None:
        self.platform, self._training = platform, training

    def train(self, pipeline: Any = None, data: Any = None, *, timeout: float = 300.0) -> Training:
        return self._training


def test_a_model_that_was_trained_is_returned(platform: Platform) -> None:
    detail = {"metrics": {"train:msd": 1.0}}
    assert Stack(platform, Training("Model Trained", detail, "arn")).assert_trains() == detail


@pytest.mark.parametrize(
    ("told", "detail", "said"),
    [
        (
            "Training Failed",
            {"error": "InputError", "cause": "row 7", "remedy": "Drop it."},
            "Training Failed\nerror: InputError\ncause: row 7\nremedy: Drop it.",
        ),
        ("Model Rejected", {"verdict": {"good": False}}, "Model Rejected\nverdict: {'good': False}"),
    ],
)
def test_what_did_not_train_fails_the_assertion(
    told: str, detail: dict[str, Any], said: str, platform: Platform
) -> None:
    with pytest.raises(AssertionError) as failure:
        Stack(platform, Training(told, detail, "arn")).assert_trains()
    assert str(failure.value) == said


READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/in/*"}
LIST = {
    "Effect": "Allow",
    "Action": "s3:ListBucket",
    "Resource": "arn:aws:s3:::b",
    "Condition": {"StringLike": {"s3:prefix": ["in/*"]}},
}
DENY = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/in/secret/*"}


@pytest.fixture(scope="module")
def role(platform: Platform) -> str:
    """The name of a role with READ, LIST and DENY."""
    iam, name = platform.client("iam"), f"tested-{uuid4().hex}"
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [READ, LIST, DENY]})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    return name


@pytest.mark.parametrize(
    ("action", "resource", "context", "allowed"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/in/a", {}, True),
        ("s3:GetObject", "arn:aws:s3:::b/out/a", {}, False),
        ("s3:GetObject", "arn:aws:s3:::b/in/secret/a", {}, False),
        ("s3:PutObject", "arn:aws:s3:::b/in/a", {}, False),
        ("s3:ListBucket", "arn:aws:s3:::b", {"s3_prefix": "in/x"}, True),
        ("s3:ListBucket", "arn:aws:s3:::b", {"s3_prefix": "out/"}, False),
        ("s3:ListBucket", "arn:aws:s3:::b", {}, False),
    ],
)
def test_permissions_are_those_of_the_role(
    action: str, resource: str, context: dict[str, str], allowed: bool, role: str, platform: Platform
) -> None:
    stack = Stack(platform, Training("", {}, ""))
    for permissions in (stack.permissions_of(role), stack.permissions_of(f"arn:aws:iam::1:role/{role}")):
        assert permissions.allow(action, resource, **context) is allowed


def test_a_permissions_boundary_limits_a_role(role: str, platform: Platform) -> None:
    iam = platform.client("iam")
    only = {**READ, "Action": "s3:PutObject"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [only]})
    policy = iam.create_policy(PolicyName=f"boundary-{role}", PolicyDocument=document)["Policy"]["Arn"]
    permissions = Permissions(iam, iam.get_role(RoleName=role)["Role"]["Arn"])
    assert permissions.allow("s3:GetObject", "arn:aws:s3:::b/in/a")
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=policy)
    try:
        assert not permissions.allow("s3:GetObject", "arn:aws:s3:::b/in/a")
    finally:
        iam.delete_role_permissions_boundary(RoleName=role)
