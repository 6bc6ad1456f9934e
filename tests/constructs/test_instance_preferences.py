"""A list of instance types: what is sent, what is refused, and that every type is held to the rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration
from aws_cdk import aws_kms as kms
from botocore.session import get_session
from botocore.validate import ParamValidator
from pipeline_stacks import REQUIRED, Synthesised, new_stack, states_of, warnings

from amazon_estimators.algorithms import ALGORITHMS
from amazon_estimators.errors import AmazonEstimatorsError, InstanceError
from cdk_amazon_estimators import TrainingPipeline, Tuning
from cdk_amazon_estimators.training.instance_types import UNKNOWN

CPU, OTHER_CPU, LOCAL_CPU, GPU = "ml.m5.large", "ml.c5.xlarge", "ml.m5d.large", "ml.g4dn.xlarge"


def synthesised(instance_type: Any, **props: Any) -> Synthesised:
    stack = new_stack()
    given = {name: make(stack) if callable(make) else make for name, make in props.items()}
    return Synthesised(
        stack, TrainingPipeline(stack, "Digits", **{**REQUIRED, "instance_type": instance_type, **given})
    )


def states(pipeline: Synthesised) -> dict[str, Any]:
    return {name: state for name, state, _ in states_of(pipeline.definition)}


def resources(pipeline: Synthesised) -> dict[str, Any]:
    found: dict[str, Any] = states(pipeline)["Train"]["Parameters"]["ResourceConfig"]
    return found


def new_key(stack: Any) -> kms.Key:
    return kms.Key(stack, "Key")


@pytest.mark.parametrize("types", [[CPU], (CPU, OTHER_CPU), [CPU, OTHER_CPU, LOCAL_CPU, "ml.m4.xlarge", GPU]])
def test_the_types_are_sent_in_order_with_one_count(types: Any) -> None:
    pipeline = synthesised(types, instance_count=2)
    sent = resources(pipeline)
    assert sent == {
        "InstancePreferences": [{"InstanceType": one} for one in types],
        "InstanceCount": 2,
        "VolumeSizeInGB": 30,
    }
    shape = get_session().get_service_model("sagemaker").shape_for("ResourceConfig")
    assert ParamValidator().validate(sent, shape).generate_report() == ""
    settings = states(pipeline)["Plan"]["Parameters"]["pipeline"]
    assert settings["instance_type"] == list(types)


def test_one_type_is_sent_as_before() -> None:
    sent = resources(synthesised(CPU))
    assert sent == {"InstanceType": CPU, "InstanceCount": 1, "VolumeSizeInGB": 30}


@pytest.mark.parametrize(
    ("types", "props", "texts"),
    [
        ([], {}, ["lists 0 types", "1 to 5"]),
        ([f"ml.m5.{n}xlarge" for n in (2, 4, 8, 12, 16, 24)], {}, ["lists 6 types", "1 to 5"]),
        ([CPU, OTHER_CPU, CPU], {}, [f"lists {CPU} more than once", "each type once"]),
        (
            [CPU, OTHER_CPU],
            {"spot_max_wait": Duration.hours(1), "max_runtime": Duration.minutes(50)},
            ["spot_max_wait is given", "on-demand"],
        ),
        ([CPU], {"tuning": Tuning(objective="test:msd")}, ["tuning is given", "CreateTrainingJob only"]),
        ([CPU, LOCAL_CPU], {"encryption_key": new_key}, [f"lists {LOCAL_CPU}", "leave out encryption_key"]),
        ([CPU, "m5.large"], {}, ["'m5.large' is not a training instance type"]),
    ],
)
def test_what_is_refused(types: list[str], props: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(AmazonEstimatorsError) as raised:
        synthesised(types, **props)
    for text in ["Stack/Digits", *texts]:
        assert text in str(raised.value)


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
@pytest.mark.parametrize("second", [OTHER_CPU, GPU, "ml.p4d.24xlarge", "ml.inf1.xlarge"])
def test_every_algorithm_holds_every_type_to_its_rules(name: str, second: str) -> None:
    algorithm = ALGORITHMS[name]
    expected = algorithm.instances.problems(second, 1)
    for types in ([CPU, second], [second, CPU]):
        if not expected:
            algorithm.check_instances(types, 1)
            continue
        with pytest.raises(InstanceError) as raised:
            algorithm.check_instances(types, 1)
        assert expected[0] in str(raised.value)


@pytest.mark.parametrize(
    ("types", "volume", "has_key"),
    [
        ([CPU, OTHER_CPU], 30, True),
        ([LOCAL_CPU, GPU], None, False),
        (LOCAL_CPU, None, False),
    ],
)
def test_disks_and_their_key(types: Any, volume: int | None, has_key: bool) -> None:
    pipeline = synthesised(types, encryption_key=new_key)
    assert ("VolumeKmsKeyId" in resources(pipeline)) == has_key
    assert states(pipeline)["Plan"]["Parameters"]["pipeline"].get("volume_gib") == volume


def test_the_disk_counts_where_one_type_needs_it() -> None:
    pipeline = synthesised([LOCAL_CPU, CPU])
    assert states(pipeline)["Plan"]["Parameters"]["pipeline"]["volume_gib"] == 30


def test_a_type_that_the_deployment_names_is_left_to_it() -> None:
    stack = new_stack()
    types = [CfnParameter(stack, "Type").value_as_string, CPU]
    pipeline = TrainingPipeline(stack, "Digits", **{**REQUIRED, "instance_type": types})
    listed = [one["InstanceType"] for one in resources(Synthesised(stack, pipeline))["InstancePreferences"]]
    assert listed == ["<Type>", CPU]


def test_each_unknown_type_is_warned_of() -> None:
    pipeline = synthesised([CPU, "ml.zz9.large", "ml.m5.huge"])
    told = json.dumps(warnings(pipeline.stack, UNKNOWN))
    assert "ml.zz9.large" in told
    assert "ml.m5.huge" in told
