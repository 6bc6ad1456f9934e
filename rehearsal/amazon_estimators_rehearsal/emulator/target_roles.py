"""Hold rules and schedules to the permissions of their target's role, for which the emulator does not ask.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Any

from ministack.services import eventbridge

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.emulator.encrypted_resources import (
    MACHINE_ACTIONS,
    key_of_machine,
    machine_context,
)
from amazon_estimators_rehearsal.emulator.key_use import KeyUse, principal_of

logger = logging.getLogger("rehearsal")

ACTIONS = {"states": "states:StartExecution", "sqs": "sqs:SendMessage"}
"""What the role of a target needs; targets of other services have no role here."""


def enforce_target_roles(account: EmulatedAccount, keys: KeyUse) -> None:
    """Deliver to a target with a role only if the role may, and the service may assume it."""
    invoke = eventbridge._invoke_target

    def denial(target: Mapping[str, Any], rule: Mapping[str, Any]) -> str | None:
        arn, role = target.get("Arn", ""), target.get("RoleArn")
        action = ACTIONS.get(arn.split(":")[2])
        if not role or not action:
            return None
        service = principal_of(rule)
        try:
            caller = account.role_credentials(role, service, rule.get("Arn", "")).access_key_id
        except LookupError as problem:
            return str(problem)
        if refused := account.denial(caller, action, arn):
            return refused
        if key := key_of_machine(arn):
            return keys.denial(caller, MACHINE_ACTIONS, key, via="states", context=machine_context(arn))
        return None

    @functools.wraps(invoke)
    def invoked(target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], *more: Any) -> None:
        if refused := denial(target, rule):
            logger.warning("Not delivered to %s: %s", target.get("Arn"), refused)
        else:
            invoke(target, event, rule, *more)

    eventbridge._invoke_target = invoked
