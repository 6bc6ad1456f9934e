"""Implement the stand-in's view of its AWS account on the emulator."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudwatch, eventbridge, iam, sts

from amazon_estimators_rehearsal.environment import ACCOUNT, REGION
from amazon_estimators_rehearsal.sagemaker.account import Credentials
from amazon_estimators_rehearsal.sagemaker.checks.request_schema import sdk


class EmulatedAccount:
    """Implements :class:`sagemaker.account.Account` on the emulator."""

    account_id = ACCOUNT
    region = REGION

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._sessions: dict[tuple[str, str, str], Credentials] = {}

    def denial(
        self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> str | None:
        service = action.partition(":")[0]
        # What services do by themselves comes in no request; it goes over TLS all the same.
        iam_evaluator.pin_request_origin("127.0.0.1", True)
        result = iam_evaluator.enforce(access_key, action, service, REGION, resource, dict(context or {}))
        if result is None:
            return None
        if isinstance(result, iam_evaluator.AuthError):
            return f"{result.code}: {result.message}"
        explicit = result.decision == "Deny"
        return str(iam_actions.identity_denial_message(action, result.principal_arn, resource, explicit))

    def role_credentials(self, role_arn: str, service: str, source: str) -> Credentials:
        name = role_arn.rsplit("/", 1)[-1]
        role = iam._roles.get_scoped(ACCOUNT, None, name)
        if role is None or role["Arn"] != role_arn:
            raise LookupError(f"There is no role {role_arn}.")
        if not _trusts(role["AssumeRolePolicyDocument"], service, source, role_arn):
            raise LookupError(f"The trust policy of {role_arn} does not let {service} assume it.")
        session = re.sub(r"[^\w+=,.@-]", "-", source.rpartition(":")[2].rpartition("/")[2])[:64]
        digest = hashlib.sha256(f"{role_arn}:{session}:{time.time_ns()}".encode()).hexdigest()
        credentials = Credentials(f"ASIA{digest[:16].upper()}", digest[16:48], digest)
        sts.register_session(
            credentials.access_key_id,
            {
                "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
                "UserId": f"{name}:{session}",
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
            },
        )
        return credentials

    def session(self, role_arn: str, service: str, source: str) -> Credentials:
        """Return what :meth:`role_credentials` returned first: for what a service does all the time."""
        key = (role_arn, service, source)
        if key not in self._sessions:
            self._sessions[key] = self.role_credentials(*key)
        return self._sessions[key]

    def alarming(self, names: Sequence[str]) -> list[str]:
        alarms = (cloudwatch._alarms.get_scoped(ACCOUNT, REGION, name) for name in names)
        return [alarm["AlarmName"] for alarm in alarms if alarm and alarm["StateValue"] == "ALARM"]

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def publish(self, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        entry = {
            "Source": "aws.sagemaker",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": [resource],
        }
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    def client(self, service: str, credentials: Credentials) -> Any:
        """Return an SDK client that acts with a role's credentials through the emulator's endpoint."""
        return sdk().create_client(
            service,
            region_name=REGION,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )


def _trusts(policy: Any, service: str, source: str, role_arn: str) -> bool:
    """Return True if a trust policy lets a service assume the role. The emulator itself does not check."""
    regional = service.replace(".", f".{REGION}.", 1)  # the older spelling: states.us-east-1.amazonaws.com
    names = (service, regional)
    document = json.loads(policy) if isinstance(policy, str) else policy
    statements = document.get("Statement", [])
    named = [
        {**statement, "Principal": "*"}
        for statement in ([statements] if isinstance(statements, dict) else statements)
        if any(iam_evaluator._service_principal_matches(statement.get("Principal"), name) for name in names)
    ]
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=ACCOUNT,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=REGION,
        service_context={"aws:sourceaccount": ACCOUNT, "aws:sourcearn": source},
    )
    return bool(iam_evaluator.evaluate_trust_policy({"Statement": named}, service, context))
