"""The recorded calls of a rehearsal, and what a second IAM engine says of each."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from template_policies import Policies, name_of

from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

FILE = Path(__file__).with_name("recorded.json.gz")
"""The recording."""


@dataclass(frozen=True)
class Call:
    """A permission that was asked for, with names as :mod:`template_policies` makes them.

    Attributes:
        stack: The stack.
        role: The logical id of the role.
        action: The action.
        resource: The ARN of the resource.
        context: The keys of the request, each with its value or values.
    """

    stack: str
    role: str
    action: str
    resource: str
    context: Mapping[str, Any]

    @property
    def principal(self) -> str:
        """The ARN of the role's session."""
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{name_of(self.role)}/session"


@dataclass(frozen=True)
class Recorded:
    """Calls, the digests of the policies that they were judged by, and the verdicts.

    Attributes:
        engine: Name and version of the second engine.
        digests: The digest of each stack's policies.
        calls: The calls.
        verdicts: For each call, if it is allowed, and if it is without the statements that allow it.
    """

    engine: str
    digests: Mapping[str, str]
    calls: Sequence[Call]
    verdicts: Sequence[tuple[bool, bool]]

    def save(self) -> None:
        """Write it to its file."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        FILE.write_bytes(gzip.compress(text.encode(), mtime=0))

    @classmethod
    def load(cls) -> Recorded:
        """Read it from its file."""
        told = json.loads(gzip.decompress(FILE.read_bytes()))
        calls = [Call(**call) for call in told["calls"]]
        verdicts = [(allowed, without) for allowed, without in told["verdicts"]]
        return cls(told["engine"], told["digests"], calls, verdicts)


def digest_of(policies: Policies) -> str:
    """Return the digest of the policies of a stack."""
    text = json.dumps([dict(policies.roles), dict(policies.resources)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def resource_policy_of(call: Call, policies: Policies) -> dict[str, Any] | None:
    """Return the policy of the resource of a call, if it has one: an object has that of its bucket."""
    arn = call.resource.partition("/")[0] if call.resource.startswith("arn:aws:s3:::") else call.resource
    return policies.resources.get(arn)


def first_engine_allows(
    call: Call, statements: Sequence[Mapping[str, Any]], resource_policy: Mapping[str, Any] | None
) -> bool:
    """Return the verdict of the emulator's engine."""
    asked = _asked(call)
    parsed = iam_evaluator.parse_policy_document({"Statement": list(statements)})
    result = iam_evaluator.evaluate(asked, [parsed])
    if resource_policy is not None:
        required = call.action.startswith("kms:")
        result = iam_evaluator.combine_resource_policy(
            result, asked, dict(resource_policy), ACCOUNT, required=required
        )
    return bool(result.decision == "Allow")


def without_what_allows(call: Call, statements: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the statements of a role less those that allow a call each by itself."""
    return [one for one in statements if not first_engine_allows(call, [one], None)]


def simulations(
    calls: Sequence[Call], policies: Mapping[str, Policies]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield what the second engine is asked for each call: as it was, and without what allows it."""
    for call in calls:
        of_stack = policies[call.stack]
        statements, resource_policy = of_stack.roles[call.role], resource_policy_of(call, of_stack)
        yield (
            _simulation(call, statements, resource_policy),
            _simulation(call, without_what_allows(call, statements), resource_policy),
        )


def _simulation(
    call: Call, statements: Sequence[Mapping[str, Any]], resource_policy: Mapping[str, Any] | None
) -> dict[str, Any]:
    document = _in_its_words({"Version": "2012-10-17", "Statement": list(statements)})
    context = {
        _in_its_words(key): value if isinstance(value, list) else str(value)
        for key, value in call.context.items()
    }
    simulation = {
        "identityPolicies": [{"name": "role", "policy": document}] if statements else [],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "request": {
            "principal": call.principal,
            "action": call.action,
            "resource": {"resource": call.resource, "accountId": ACCOUNT},
            "contextVariables": {"aws:SecureTransport": "true", **context},
        },
    }
    return {**simulation, "resourcePolicy": _in_its_words(resource_policy)} if resource_policy else simulation


def _in_its_words(value: Any) -> Any:
    """Return a value with keys of the encryption context under a prefix that the second engine compares.

    It knows ``kms:EncryptionContext:${EncryptionContextKey}`` and takes no such key as one of that pattern.
    """
    return json.loads(json.dumps(value).replace("kms:EncryptionContext:", "aws:PrincipalTag/"))


def _asked(call: Call) -> Any:
    return iam_evaluator.EvalContext(
        principal_arn=call.principal,
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=call.action,
        resource_arn=call.resource,
        region=REGION,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context={key.lower(): value for key, value in call.context.items()},
    )
