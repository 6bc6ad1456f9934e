"""What the functions of the deployed endpoints are invoked with, to use all actions of their roles."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from endpoint_account import EndpointAccount

from amazon_estimators.pipeline.current_model import CurrentModel, approved_model, read_current_model
from amazon_estimators.serving.settings import EndpointSettings
from amazon_estimators.serving.wanted import Wanted
from denials import Invocation, Need, context_of, functions_of, states_of, task_invocation

NOT_IN_THE_LOCAL_ACCOUNT = {
    ("scale", action): "Application Auto Scaling asks for it on AWS, on behalf of the caller"
    for action in (
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "iam:CreateServiceLinkedRole",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    )
}
"""Steps and actions that nothing in the local account needs, and what needs them."""


def steps_of(account: EndpointAccount) -> tuple[list[Invocation], dict[Need, Callable[[], Invocation]]]:
    """What to invoke as each role, and what to invoke without one action alone, as it would change too much.

    Cheap's endpoint is deleted on the way, and then missing: Deploy would create it.
    """
    clients, outputs = account.client, account.outputs
    lifecycle = functions_of(clients)["lifecycle"]

    def step(endpoint: str, state: str, **attempt: Any) -> Invocation:
        machine = outputs[f"{endpoint}Machine"]
        task = states_of(clients, machine)[state]
        return task_invocation(task, {"attempt": attempt, "cleaned": {}}, context_of(machine, "denied"))

    def update(endpoint: str, current: CurrentModel | None, **changes: Any) -> Invocation:
        """Deploy when model and configuration are made."""
        assert current is not None
        made = step(endpoint, "Deploy")
        settings = {**made.event["endpoint"], **changes}
        intended = Wanted.of(EndpointSettings.from_dict(settings), current).config_name
        attempt = {"intended": intended}
        return Invocation(made.function, {**made.event, "endpoint": settings, "attempt": attempt})

    def in_use() -> CurrentModel | None:
        return read_current_model(clients("s3"), outputs["PointsData"], "")

    def on_another_instance_type() -> Invocation:
        variant = {**step("Single", "Deploy").event["endpoint"]["variant"], "InstanceType": "ml.m5.xlarge"}
        return update("Single", approved_model(clients("sagemaker"), outputs["Group"]), variant=variant)

    def request(kind: str, endpoint: str) -> Invocation:
        """A request of CloudFormation."""
        name = outputs[f"{endpoint}Endpoint"]
        url = clients("s3").generate_presigned_url(
            "put_object", Params={"Bucket": outputs["PointsData"], "Key": "answer"}
        )
        properties = {"name": name, "state_machine": outputs[f"{endpoint}Machine"], "retain": "false"}
        ids = dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), "denied")
        resource = {"PhysicalResourceId": name, "ResourceProperties": properties, "ResponseURL": url}
        return Invocation(lifecycle, {"RequestType": kind, **ids, **resource})

    def drift() -> Invocation:
        events = clients("events")
        (rule,) = (one for one in events.list_rules()["Rules"] if one.get("ScheduleExpression"))
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        return Invocation(outputs["DriftFunction"], json.loads(target["Input"]))

    current = in_use()
    assert current is not None
    model = asdict(current)
    prepare = step("Online", "Deploy")
    serving = account.described("Online")["EndpointConfigName"]
    steps = [
        request("Delete", "Cheap"),
        # The second time, model and configuration are there.
        *(prepare, prepare, step("Single", "Deploy")),
        # What Deploy has made without serving it can be deleted.
        *(step("Online", "Clean"), step("Single", "Clean")),
        step("Online", "Smoke", model=model),
        step("Online", "Tell", model=model, phase="served", smoke="the first record"),
        step("Single", "Scale"),
        drift(),
    ]
    alone = {
        ("lifecycle", "states:StartExecution"): lambda: request("Create", "Single"),
        ("deploy", "sagemaker:CreateEndpoint"): lambda: update("Cheap", in_use()),
        ("deploy", "sagemaker:UpdateEndpoint"): lambda: update("Online", in_use()),
        ("deploy", "sagemaker:DeleteEndpoint"): lambda: step(
            "Online", "Deploy", refused="it does not answer", config=serving
        ),
        ("deploy", "application-autoscaling:DeregisterScalableTarget"): on_another_instance_type,
    }
    return steps, alone
