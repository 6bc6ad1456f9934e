"""Every setting of a training job has one place in the request; the service's own model says which."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import botocore.session
import pytest

from amazon_estimators.client.job_settings import JobSettings
from amazon_estimators.errors import RequestError
from amazon_estimators.pipeline.create_training_job import MEMBERS, request_of, settings_of

MODEL = botocore.session.get_session().get_service_model("sagemaker")


def shape_of(operation: str, path: str) -> Any:
    """The shape of a member of CreateTrainingJob's input or DescribeTrainingJob's output."""
    model = MODEL.operation_model(operation)
    shape = model.input_shape if operation.startswith("Create") else model.output_shape
    for member in path.split("."):
        shape = shape.members[member]
    return shape


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_is_one_of_the_service_and_its_range_lies_within_the_service_s(name: str) -> None:
    member = MEMBERS[name]
    shape = shape_of("CreateTrainingJob", member.path)
    assert (shape.type_name == "integer") == (member.least is not None)
    if member.least is not None:
        assert member.least >= shape.metadata["min"]
        assert member.allowed
    if member.most is not None and "max" in shape.metadata:
        assert member.most == shape.metadata["max"]


def test_no_two_settings_share_a_member() -> None:
    paths = [member.path for member in MEMBERS.values()]
    assert len(paths) == len(set(paths))


def test_every_setting_of_the_client_is_a_member_but_the_name() -> None:
    assert {field.name for field in fields(JobSettings)} - set(MEMBERS) == {"base_job_name"}


def test_what_is_described_is_what_was_asked_for() -> None:
    given = {
        name: member.least if member.least is not None else f"{name}" for name, member in MEMBERS.items()
    }
    assert settings_of(request_of(given)) == given
    assert settings_of({}) == dict.fromkeys(MEMBERS)


@pytest.mark.parametrize("name", [name for name, member in MEMBERS.items() if member.most])
def test_a_number_out_of_range_is_refused_with_the_range(name: str) -> None:
    most = MEMBERS[name].most
    assert most is not None
    settings: Any = JobSettings
    settings(**{name: most})
    with pytest.raises(RequestError, match=f"{name} is {most + 1}; allowed: a whole number, "):
        settings(**{name: most + 1})
