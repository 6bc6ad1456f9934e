"""Encrypt log groups, functions' environments and state machines with their KMS key, as far as can be told.

- CloudWatch Logs uses a log group's key by the key's policy, with the group's ARN in the encryption context:
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
- Lambda decrypts environment variables as the function's role:
  https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
  A deployer who may create grants gives the role one on AWS; here it needs the permission itself.
- Step Functions encrypts and decrypts an execution's data as the state machine's role, with the machine's ARN
  in the encryption context, and for those who start, describe or read it, as themselves:
  https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from ministack.core import router
from ministack.services import lambda_svc, stepfunctions
from ministack.services.cloudformation import provisioners

from amazon_estimators_rehearsal.emulator.key_use import DECRYPT, ENCRYPT, KeyUse, denial_of_service
from amazon_estimators_rehearsal.environment import REGION

LOG_ACTIONS = ("kms:Encrypt", DECRYPT, ENCRYPT, "kms:ReEncryptFrom", "kms:ReEncryptTo")
MACHINE_ACTIONS = (DECRYPT, ENCRYPT)
CALLER_ACTIONS = {
    "StartExecution": MACHINE_ACTIONS,
    "RedriveExecution": MACHINE_ACTIONS,
    "DescribeExecution": (DECRYPT,),
    "DescribeStateMachine": (DECRYPT,),
    "DescribeStateMachineForExecution": (DECRYPT,),
    "GetExecutionHistory": (DECRYPT,),
}
"""What an API call needs on the key of a state machine."""
ENVIRONMENT_REFUSED = (
    "Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the "
    "function's KMS key settings."
)


def encrypt_log_groups() -> None:
    """Refuse a log group with a key that CloudWatch Logs may not use for it."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]

    def checking(name: str, place: int) -> Any:
        own = handlers[name]

        @functools.wraps(own)
        def checked(*arguments: Any, **options: Any) -> Any:
            physical_id, attributes = own(*arguments, **options)
            key = arguments[place].get("KmsKeyId")
            arn = attributes["Arn"].removesuffix(":*")
            context = {"aws:logs:arn": arn}
            if key and denial_of_service(
                f"logs.{REGION}.amazonaws.com", LOG_ACTIONS, key, context=context, source=arn
            ):
                reason = "The specified KMS key does not exist or is not allowed to be used with LogGroup"
                raise ValueError(f"{reason} '{arn}'")
            return physical_id, attributes

        return checked

    provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"] = {
        **handlers,
        "create": checking("create", 1),
        "update": checking("update", 2),
    }


def encrypt_environments(keys: KeyUse) -> None:
    """Run a function only if its role may decrypt its environment variables."""
    execute = lambda_svc._execute_function_warm

    @functools.wraps(execute)
    def decrypted(function: Mapping[str, Any], *arguments: Any) -> Any:
        config = function.get("config") or function
        key, arn = config.get("KMSKeyArn"), config.get("FunctionArn", "")
        if key and (config.get("Environment") or {}).get("Variables"):
            denial = keys.denial_of_role(
                config["Role"],
                (DECRYPT,),
                key,
                via="lambda",
                context={"aws:lambda:FunctionArn": arn},
                of=("lambda.amazonaws.com", arn),
            )
            if denial:
                message = f"{ENVIRONMENT_REFUSED} KMS Message: {denial}"
                body = {"errorType": "KMSAccessDeniedException", "errorMessage": message}
                return {"body": body, "error": True, "log": message}
        return execute(function, *arguments)

    lambda_svc._execute_function_warm = decrypted


def encrypt_executions(keys: KeyUse) -> None:
    """Hold the callers of an encrypted state machine to the permissions on its key."""
    handle = stepfunctions.handle_request

    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action in CALLER_ACTIONS:
            asked = json.loads(body or b"{}")
            arn = asked.get("stateMachineArn") or machine_of(asked.get("executionArn", ""))
            if (key := key_of_machine(arn)) and asked.get("includedData") != "METADATA_ONLY":
                caller, context = router.extract_access_key_id(headers, query), machine_context(arn)
                denial = keys.denial(caller, CALLER_ACTIONS[action], key, via="states", context=context)
                if denial:
                    return stepfunctions.error_response_json("KmsAccessDeniedException", denial, 400)
        return await handle(method, path, headers, body, query)

    stepfunctions.handle_request = handled


def machine_of(execution: str) -> str:
    """Return the ARN of the state machine of an execution."""
    return execution.replace(":execution:", ":stateMachine:", 1).rpartition(":")[0]


def key_of_machine(arn: str) -> str | None:
    """Return the KMS key of a state machine, or None."""
    machine = stepfunctions._state_machines.get(arn) or {}
    key: str | None = (machine.get("encryptionConfiguration") or {}).get("kmsKeyId")
    return key


def machine_context(arn: str) -> dict[str, str]:
    """Return the encryption context of a state machine."""
    return {"aws:states:stateMachineArn": arn}
