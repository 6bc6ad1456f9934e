"""What of a template's policies the Service Authorization Reference, as policy_sentry has it, does not know.

An action that does not exist, a resource of a kind that the action does not know and a condition key that
it is not asked with are accepted by IAM, and allow nothing.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipeline_stacks import Synthesised
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

GLOBAL = re.compile(r"aws:(SourceAccount|SourceArn|SecureTransport|ResourceAccount|PrincipalTag/.*)")
UNLISTED = {"events:source"}
"""Keys that EventBridge documents under another spelling of the table."""

Statements = list[tuple[str, dict[str, Any]]]
"""Where each statement is, and the statement."""


def statements_of(synthesised: Synthesised) -> Statements:
    """Return the statements of all policies of identities, and of queues, topics, buckets and keys."""
    found = []
    for name, resource in synthesised.resources.items():
        properties = resource.get("Properties", {})
        documents = [properties.get(document) for document in ("PolicyDocument", "KeyPolicy")]
        documents += [
            policy["PolicyDocument"]
            for policy in properties.get("Policies", ())
            if "PolicyDocument" in policy
        ]
        for document in filter(None, documents):
            found += [(f"{resource['Type']} {name}", statement) for statement in document["Statement"]]
    return found


def mistakes_of(synthesised: Synthesised) -> list[Any]:
    """Return all that the reference does not know of a template."""
    found = statements_of(synthesised)
    return [*unknown_actions(found), *unfit_resources(found), *unasked_conditions(found)]


def unknown_actions(policies: Statements) -> list[str]:
    """Return the actions that do not exist."""
    return sorted({action for _, action, _ in granted(policies) if not reference(action)})


def unfit_resources(policies: Statements) -> list[Any]:
    """Return the actions of identities that are allowed on no resource of a kind that they know."""
    wrong = []
    for where, action, statement in granted(policies):
        if not where.startswith("AWS::IAM"):
            continue  # what a resource's own policy names is the resource
        formats = [row["resource_arn_format"] for row in reference(action)]
        resources = as_list(statement["Resource"])
        if "*" in resources:
            continue
        if not any(fits(resource, arn) for resource in resources for arn in formats):
            wrong.append((where, action, resources, formats))
    return wrong


def unasked_conditions(policies: Statements) -> list[Any]:
    """Return the condition keys that an action is never asked with."""
    wrong = []
    for where, action, statement in granted(policies):
        known = {key.lower() for row in reference(action) for key in row["condition_keys"]}
        for keys in statement.get("Condition", {}).values():
            for key in keys:
                wanted = re.sub(r"EncryptionContext:.*", "EncryptionContext:${EncryptionContextKey}", key)
                if GLOBAL.fullmatch(key) or key in UNLISTED or wanted.lower() in known:
                    continue
                wrong.append((where, action, key, sorted(known)))
    return wrong


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def reference(action: str) -> tuple[dict[str, Any], ...]:
    """The rows of an action: one for each kind of resource; none if there is no such action."""
    service, _, name = action.partition(":")
    rows = get_action_data(service, name)
    return tuple(rows[service]) if rows else ()


def expanded(action: str) -> list[str]:
    """The actions of a pattern, as AWS has them."""
    if "*" not in action:
        return [action]
    service = action.partition(":")[0]
    known = get_actions_for_service(service)
    return [one for one in known if fnmatch.fnmatchcase(one.lower(), action.lower())]


def granted(policies: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for where, statement in policies:
        for pattern in as_list(statement["Action"]):
            if pattern not in ("*", "s3:*", "kms:*", "sqs:*", "sns:*"):
                yield from ((where, action, statement) for action in expanded(pattern) or [pattern])


def fits(resource: str, arn: str) -> bool:
    """If a resource, its references made readable, may be of the kind that an ARN's format describes."""
    if resource.startswith("<"):
        return True  # the ARN of a resource of this stack, which CloudFormation fills in
    plain = re.sub(r"\$\{\w+\}", "\0", arn)
    pattern = re.escape(plain).replace("\0", ".+?")
    # A star at the end may stand for any end of the format, such as log-stream:….
    ends = [plain[place:].replace("\0", "x") for place in range(len(plain)) if plain[place - 1] in ":/"]
    candidates = [resource] + [resource[:-1] + end for end in ends if resource.endswith("*")]
    return any(re.fullmatch(pattern, candidate) for candidate in candidates)
