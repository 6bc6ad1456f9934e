"""Invoke the functions of deployed pipelines directly, without one action of their role after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Client = Callable[[str], Any]
"""Returns the account's client of a service."""
Need = tuple[str, str]
"""A step, by the name of its handler, and an action of its role."""

UNHEARD = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""Actions that no answer depends on: the log, which no step waits for."""


@dataclass(frozen=True)
class Invocation:
    """A function and the event it is invoked with."""

    function: str
    event: Mapping[str, Any]


def resolved(value: Any, state: Any, context: Mapping[str, Any]) -> Any:
    """Parameters of a task with the paths in them replaced, as Step Functions does."""

    def at(path: str) -> Any:
        reached: Any = context if path.startswith("$$") else state
        for name in path.lstrip("$").strip(".").split("."):
            reached = reached[name] if name else reached
        return reached

    if not isinstance(value, dict):
        return value
    return {
        name.removesuffix(".$"): at(inner) if name.endswith(".$") else resolved(inner, state, context)
        for name, inner in value.items()
    }


def states_of(client: Client, machine: str) -> dict[str, Any]:
    """The states of a state machine, by name."""
    described = client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    states: dict[str, Any] = json.loads(described["definition"])["States"]
    return states


def context_of(machine: str, name: str, entered: str = "2026-11-28T10:00:00.000Z") -> dict[str, Any]:
    """What ``$$`` is to a state of an execution."""
    return {
        "Execution": {"Name": name, "StartTime": "2026-11-28T10:00:00.000Z", "RedriveCount": 0},
        "StateMachine": {"Id": machine},
        "State": {"EnteredTime": entered},
    }


def task_invocation(task: Mapping[str, Any], state: Any, context: Mapping[str, Any]) -> Invocation:
    """What a task of a state machine invokes."""
    return Invocation(task["Resource"], resolved(task["Parameters"], state, context))


def invocations(client: Client, execution: Mapping[str, Any]) -> dict[str, Invocation]:
    """What each state of an execution has invoked last, by the state's name; those of Maps are left out."""
    machine = execution["stateMachineArn"]
    tasks, made = states_of(client, machine), {}
    pages = client("stepfunctions").get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution["executionArn"]):
        for event in page["events"]:
            entered = event.get("stateEnteredEventDetails", {})
            task = tasks.get(entered.get("name"), {})
            if ":function:" in str(task.get("Resource")):
                context = context_of(machine, execution["name"], event["timestamp"].isoformat())
                made[entered["name"]] = task_invocation(task, json.loads(entered["input"]), context)
    return made


def step_of(client: Client, function: str) -> str:
    """The name of a function's handler: ``plan`` of amazon_estimators.handlers.plan.handler."""
    handler: str = client("lambda").get_function_configuration(FunctionName=function)["Handler"]
    return handler.split(".")[-2]


def functions_of(client: Client) -> dict[str, str]:
    """The account's functions of the library, by the names of their handlers."""
    pages = client("lambda").get_paginator("list_functions").paginate()
    return {
        function["Handler"].split(".")[-2]: function["FunctionArn"]
        for page in pages
        for function in page["Functions"]
        if function["Handler"].startswith("amazon_estimators.handlers.")
    }


def role_of(client: Client, function: str) -> str:
    """The name of a function's role."""
    arn: str = client("lambda").get_function_configuration(FunctionName=function)["Role"]
    return arn.rpartition("/")[2]


def actions_of(client: Client, role: str) -> set[str]:
    """All actions that the policies of a role allow."""
    iam, actions = client("iam"), set[str]()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            listed = statement["Action"]
            actions.update([listed] if isinstance(listed, str) else listed)
    return actions


@contextmanager
def denied(client: Client, role: str, action: str) -> Iterator[None]:
    """A role without an action, for the time of the block."""
    iam = client("iam")
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="Denied", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Denied")


def untold(
    client: Client,
    steps: Iterable[Invocation],
    *,
    before: Callable[[], object] = lambda: None,
    only: Mapping[Need, Callable[[], Invocation]] | None = None,
) -> set[Need]:
    """The actions that no step misses: taken away, no answer names them and the role.

    Args:
        client: Returns the account's clients.
        steps: What to invoke; all that a role runs is invoked without each of its actions.
        before: Called before each action is taken away.
        only: Makes what to invoke without one action in place of ``steps``, as it would change too much.
    """
    by_role: dict[str, list[Invocation]] = {}
    for step in steps:
        by_role.setdefault(role_of(client, step.function), []).append(step)
    left: set[Need] = set()
    for role, made in by_role.items():
        name = step_of(client, made[0].function)
        for action in sorted(actions_of(client, role) - UNHEARD):
            before()
            chosen = [only[name, action]()] if only and (name, action) in only else made
            with denied(client, role, action):
                answers = [
                    client("lambda")
                    .invoke(FunctionName=step.function, Payload=json.dumps(step.event).encode())["Payload"]
                    .read()
                    .decode()
                    for step in chosen
                ]
            if not any(role in answer and action in answer for answer in answers):
                left.add((name, action))
    return left
