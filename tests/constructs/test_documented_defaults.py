"""What a docstring says of a prop's default is what the signature, or the template, has."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import pytest
from pipeline_stacks import Synthesised

from cdk_amazon_estimators import (
    LambdaBundle,
    RecordSetEncoder,
    TrainingPipeline,
    new_data_bucket,
    new_model_bucket,
)

LITERALS = (bool, int, str)


def documented(subject: Any) -> dict[str, str | None]:
    """The default by prop, as ``name: What it is. Default: value.`` under Args has it, or None."""
    section = re.search(r"^Args:\n((?: {4}.*\n|\n)+)", (inspect.getdoc(subject) or "") + "\n", re.MULTILINE)
    assert section, f"{subject} documents no Args"
    text = textwrap.dedent(section[1])
    found = {}
    for entry in re.finditer(r"^([a-z]\w*): (.*(?:\n {4,}\S.*)*)", text, re.MULTILINE):
        flat = " ".join(entry[2].split())
        default = re.search(r"Default: (.*)\.$", flat)
        found[entry[1]] = default[1] if default else None
    return found


def props(subject: Any) -> dict[str, inspect.Parameter]:
    function = subject.__init__ if inspect.isclass(subject) else subject
    parameters = inspect.signature(function).parameters
    return {name: one for name, one in parameters.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}


SUBJECTS = pytest.mark.parametrize(
    "subject", [TrainingPipeline, RecordSetEncoder, LambdaBundle], ids=lambda subject: subject.__name__
)


@SUBJECTS
def test_every_prop_is_documented_and_nothing_else(subject: Any) -> None:
    assert set(documented(subject)) == set(props(subject))


@SUBJECTS
def test_required_props_have_no_default_and_all_others_say_theirs(subject: Any) -> None:
    for name, parameter in props(subject).items():
        required = parameter.default is inspect.Parameter.empty
        assert (documented(subject)[name] is None) is required, name


@SUBJECTS
def test_literal_defaults_are_the_documented_ones(subject: Any) -> None:
    compared = 0
    for name, parameter in props(subject).items():
        if isinstance(parameter.default, LITERALS) and not hasattr(parameter.default, "name"):
            said = (documented(subject)[name] or "").replace("``", "").replace('"', "'")
            assert said == repr(parameter.default), name
            compared += 1
    assert compared or subject is RecordSetEncoder


def test_defaults_that_are_made_are_the_documented_ones(plain_pipeline: Synthesised) -> None:
    said = documented(TrainingPipeline)
    train = plain_pipeline.definition["States"]["Train"]["Parameters"]
    settings = plain_pipeline.definition["States"]["Plan"]["Parameters"]["pipeline"]
    retention = {one["RetentionInDays"] for one in plain_pipeline.of_type("AWS::Logs::LogGroup").values()}
    assert said["volume_size"] == f"{train['ResourceConfig']['VolumeSizeInGB']} GiB"
    assert (said["max_runtime"], train["StoppingCondition"]) == ("1 day", {"MaxRuntimeInSeconds": 86400})
    assert said["target_shard_size"] == f"{settings['target_shard_bytes'] // 2**20} MiB"
    assert (said["log_retention"], retention) == ("three months", {90})
    assert "KeepAlivePeriodInSeconds" not in train["ResourceConfig"]
    buckets = [one for one in plain_pipeline.resources.values() if one["Type"] == "AWS::S3::Bucket"]
    assert (said["removal_policy"], {one["DeletionPolicy"] for one in buckets}) == ("RETAIN", {"Retain"})
    assert settings["channels"]["train"]["prefix"] == "input/train/"


def test_defaults_of_the_functions_are_the_documented_ones(plain_pipeline: Synthesised) -> None:
    said = documented(RecordSetEncoder)
    (encode,) = (
        one
        for one in plain_pipeline.of_type("AWS::Lambda::Function").values()
        if one["Handler"] == "amazon_estimators.handlers.encode.handler"
    )
    assert (said["encode_memory"] or "").startswith(f"{encode['MemorySize']:,} MiB")
    assert (said["encode_timeout"] or "").startswith(f"{encode['Timeout'] // 60} minutes")
    assert (said["bundle"], encode["Runtime"]) == ("Python 3.12 on x86_64", "python3.12")


def test_bucket_functions_say_theirs() -> None:
    for function in (new_model_bucket, new_data_bucket):
        assert props(function)["auto_delete_objects"].default is False
    said = documented(new_model_bucket)
    assert said["removal_policy"] == props(new_model_bucket)["removal_policy"].default.name
