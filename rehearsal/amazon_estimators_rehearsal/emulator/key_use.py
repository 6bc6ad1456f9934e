"""Ask for the permission to use a KMS key, as AWS services do when they encrypt or decrypt for a caller.

A caller needs its own permission on the key, and the key's policy must allow it too, or a grant:
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html

A service's call to KMS carries ``kms:ViaService``, ``kms:CallerAccount`` and an encryption context:
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import kms

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.environment import ACCOUNT, REGION

logger = logging.getLogger("rehearsal")

ENCRYPT, DECRYPT = "kms:GenerateDataKey", "kms:Decrypt"


class KeyUse:
    """Judges who may use the account's keys."""

    def __init__(self, account: EmulatedAccount) -> None:
        self._account = account

    def denial(
        self, access_key: str, actions: Iterable[str], key: str, *, via: str, context: Mapping[str, str]
    ) -> str | None:
        """Return why the caller with ``access_key`` may not use a key, or None.

        Args:
            access_key: The caller's access key id. Empty for the emulator's own calls, which ask nothing.
            actions: The actions on the key.
            key: The key's id, ARN or alias. A key that AWS manages serves every caller of its service.
            via: The service that uses it, such as ``"s3"``.
            context: The encryption context.
        """
        if not access_key or managed_by_aws(key):
            return None
        unusable, arn = _usable(key)
        if unusable:
            return unusable
        keys = {
            "kms:ViaService": f"{via}.{REGION}.amazonaws.com",
            "kms:CallerAccount": ACCOUNT,
            **_encryption_context(context),
        }
        denials = (self._account.denial(access_key, action, arn, keys) for action in actions)
        return next((denial for denial in denials if denial), None)

    def denial_of_role(
        self,
        role_arn: str,
        actions: Iterable[str],
        key: str,
        *,
        via: str,
        context: Mapping[str, str],
        of: tuple[str, str],
    ) -> str | None:
        """Return why a role may not use a key when a service acts in its name, or None.

        Args:
            role_arn: The role.
            actions: The actions on the key.
            key: The key's id, ARN or alias.
            via: The service that uses the key.
            context: The encryption context.
            of: The service principal that assumes the role, and the ARN of the resource it acts for.
        """
        if managed_by_aws(key):
            return None
        try:
            caller = self._account.session(role_arn, *of).access_key_id
        except LookupError as problem:
            return str(problem)
        return self.denial(caller, actions, key, via=via, context=context)


def denial_of_service(
    service: str, actions: Iterable[str], key: str, *, context: Mapping[str, str], source: str = ""
) -> str | None:
    """Return why the policy of a key does not let a service use it by itself, or None.

    Args:
        service: The service principal, such as ``"events.amazonaws.com"``.
        actions: The actions on the key.
        key: The key's id, ARN or alias.
        context: The encryption context.
        source: The ARN of the resource it acts for, if it tells KMS.
    """
    unusable, arn = _usable(key)
    if unusable:
        return unusable
    policy, _ = kms.key_policy_for_arn(arn) or ("", "")
    for action in actions:
        asked = iam_evaluator.EvalContext(
            principal_arn=service,
            principal_type="Service",
            principal_account=ACCOUNT,
            action=action,
            resource_arn=arn,
            region=REGION,
            service_context={
                "aws:sourceaccount": ACCOUNT,
                **({"aws:sourcearn": source} if source else {}),
                **{name.lower(): value for name, value in _encryption_context(context).items()},
            },
        )
        if iam_evaluator.evaluate_resource_policy(policy, asked, service=service).decision != "Allow":
            logger.warning("DENIED %s: %s on %s: the key's policy does not allow it", service, action, arn)
            return f"The policy of {arn} does not allow {service} to perform {action}"
    return None


def principal_of(rule: Mapping[str, Any]) -> str:
    """Return the service that delivers for a rule, or for a schedule, which has one target of its own."""
    return "scheduler.amazonaws.com" if "Target" in rule else "events.amazonaws.com"


def honour_grants() -> None:
    """Let a grant allow what neither policy denies. The emulator keeps grants and does not look at them.

    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    combine = iam_evaluator.combine_resource_policy

    @functools.wraps(combine)
    def granted(identity: Any, asked: Any, *arguments: Any, **options: Any) -> Any:
        result = combine(identity, asked, *arguments, **options)
        if asked.action.startswith("kms:") and result.decision == "ImplicitDeny" and _granted(asked):
            return iam_evaluator.EvalResult("Allow", asked.principal_arn, "", "Grant")
        return result

    iam_evaluator.combine_resource_policy = granted


def _granted(asked: Any) -> bool:
    name, _, _ = asked.principal_arn.partition(":assumed-role/")[2].partition("/")
    operation = asked.action.partition(":")[2]
    prefix = "kms:encryptioncontext:"
    context = {
        key.removeprefix(prefix): value
        for key, value in asked.service_context.items()
        if key.startswith(prefix)
    }
    for grant in kms._grants.values():
        if grant["KeyId"] != asked.resource_arn or operation not in grant["Operations"]:
            continue
        grantee = grant["GranteePrincipal"]
        if grantee != asked.principal_arn and not (name and grantee.endswith(f":role/{name}")):
            continue
        constraints = grant.get("Constraints") or {}
        equal, subset = (
            constraints.get(f"EncryptionContext{constraint}") for constraint in ("Equals", "Subset")
        )
        wanted = {key.lower(): value for key, value in (equal or subset or {}).items()}
        if context == wanted if equal else wanted.items() <= context.items():
            return True
    return False


def managed_by_aws(key: str) -> bool:
    """Return True for a key that AWS manages, by its alias."""
    return "alias/aws/" in key


def _usable(key: str) -> tuple[str, str]:
    """Return why a key cannot be used, or nothing, and its ARN."""
    record = kms._resolve_key(key)
    if record is None:
        return f"NotFoundException: Key '{key}' does not exist", key
    if record["KeyState"] != "Enabled":
        return f"The key {record['Arn']} is {record['KeyState']}", record["Arn"]
    return "", record["Arn"]


def _encryption_context(context: Mapping[str, str]) -> dict[str, Any]:
    keys = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    return {**keys, "kms:EncryptionContextKeys": [*context]}
