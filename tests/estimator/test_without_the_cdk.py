"""A notebook has no aws-cdk-lib: the run time imports without it, and the constructs name the extra."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
PROGRAM = """
import sys
sys.modules["aws_cdk"] = sys.modules["constructs"] = sys.modules["jsii"] = None  # as if not installed
import importlib, pkgutil
import amazon_estimators
names = [module.name for module in pkgutil.walk_packages(amazon_estimators.__path__, "amazon_estimators.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
import cdk_amazon_estimators
"""


def test_the_run_time_needs_no_cdk_and_the_constructs_say_what_they_need() -> None:
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert int(done.stdout) > 200, done.stderr
    assert "ModuleNotFoundError: The constructs need aws-cdk-lib" in done.stderr
    assert "pip install 'cdk-amazon-estimators[cdk]'" in done.stderr


def test_the_cdk_is_an_extra_of_which_the_others_make_use() -> None:
    extras = PROJECT["optional-dependencies"]
    needed = {re.split("[<>=[]", requirement)[0] for requirement in PROJECT["dependencies"]}
    assert needed == {"boto3", "isal", "msgspec", "numpy", "protobuf"}
    assert {re.split("[<>=]", requirement)[0] for requirement in extras["cdk"]} == {
        "aws-cdk-lib",
        "constructs",
    }
    for name in ("rehearsal", "dev"):
        assert f"{PROJECT['name']}[cdk]" in extras[name]
