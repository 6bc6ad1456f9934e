"""Answer IAM's SimulatePrincipalPolicy in the emulator, whose own answer knows no conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.services import iam

from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}


def add_policy_simulation() -> None:
    """Let the emulator simulate every action on every resource, with context, as IAM does."""
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate


def simulate(parameters: Mapping[str, Any]) -> Any:
    """Answer one request. A role's permissions boundary limits it, as on AWS."""
    source = iam._p(parameters, "PolicySourceArn")
    name = source.rpartition("/")[2]
    role = iam._roles.get_scoped(ACCOUNT, None, name)
    if role is None or role["Arn"] != source:
        return iam._error(404, "NoSuchEntity", f"The role with name {name} cannot be found.", ns="iam")
    policies = iam_evaluator._gather_role_policies(name, ACCOUNT)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, ACCOUNT)
    context = {
        key.lower(): _members(parameters, f"ContextEntries.member.{number}.ContextKeyValues")
        for number, key in enumerate(_members(parameters, "ContextEntries", ".ContextKeyName"), start=1)
    }
    results = []
    for resource in _members(parameters, "ResourceArns") or ["*"]:
        for action in _members(parameters, "ActionNames"):
            asked = iam_evaluator.EvalContext(
                principal_arn=source,
                principal_type="AssumedRole",
                principal_account=ACCOUNT,
                action=action,
                resource_arn=resource,
                region=REGION,
                secure_transport=True,
                service_context={
                    key: values[0] if len(values) == 1 else values for key, values in context.items()
                },
            )
            decision = DECISIONS[iam_evaluator.evaluate(asked, policies, *limits).decision]
            results.append(
                f"<member><EvalActionName>{escape(action)}</EvalActionName>"
                f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
                f"<EvalDecision>{decision}</EvalDecision></member>"
            )
    answer = f"<EvaluationResults>{''.join(results)}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return iam._xml(
        200,
        "SimulatePrincipalPolicyResponse",
        f"<SimulatePrincipalPolicyResult>{answer}</SimulatePrincipalPolicyResult>",
        ns="iam",
    )


def _members(parameters: Mapping[str, Any], name: str, field: str = "") -> list[str]:
    """Return the members of a list parameter, or one field of each."""
    found: list[str] = []
    while value := iam._p(parameters, f"{name}.member.{len(found) + 1}{field}"):
        found.append(value)
    return found
