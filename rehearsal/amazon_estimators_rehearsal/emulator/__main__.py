"""Serve the emulator until standard input closes, so that it never outlives the process that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app

from amazon_estimators_rehearsal.emulator.account import EmulatedAccount
from amazon_estimators_rehearsal.emulator.account_services import add_service_quotas, publish_training_images
from amazon_estimators_rehearsal.emulator.alarm_events import add_alarm_events
from amazon_estimators_rehearsal.emulator.auto_scaling import add_auto_scaling
from amazon_estimators_rehearsal.emulator.call_record import record_calls
from amazon_estimators_rehearsal.emulator.corrections import (
    accept_metric_math,
    correct_error_types,
    correct_permission_checks,
    correct_versioned_ranges,
    record_denials,
    unpack_once,
)
from amazon_estimators_rehearsal.emulator.embedded_metrics import (
    evaluate_alarms_by_dimensions,
    extract_embedded_metrics,
)
from amazon_estimators_rehearsal.emulator.encrypted_messages import encrypt_messages
from amazon_estimators_rehearsal.emulator.encrypted_objects import encrypt_objects
from amazon_estimators_rehearsal.emulator.encrypted_resources import (
    encrypt_environments,
    encrypt_executions,
    encrypt_log_groups,
)
from amazon_estimators_rehearsal.emulator.function_roles import enforce_function_roles
from amazon_estimators_rehearsal.emulator.key_use import KeyUse, honour_grants
from amazon_estimators_rehearsal.emulator.policy_simulation import add_policy_simulation
from amazon_estimators_rehearsal.emulator.redrive import add_redrive
from amazon_estimators_rehearsal.emulator.sagemaker_service import register_sagemaker
from amazon_estimators_rehearsal.emulator.state_machine_roles import enforce_state_machine_roles
from amazon_estimators_rehearsal.emulator.target_roles import enforce_target_roles


async def _serve(listener: int) -> None:
    config = Config()
    config.bind = [f"fd://{listener}"]
    config.certfile, config.keyfile = os.environ["MINISTACK_SSL_CERT"], os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    threading.Thread(target=_end_with_starter, daemon=True).start()
    await serve(app.app, config)


def _end_with_starter() -> None:
    """Exit at once when stdin closes, with all Lambda workers and training containers."""
    sys.stdin.buffer.read()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def main() -> None:
    """Serve the emulator on the socket with file descriptor ``sys.argv[1]`` until stdin closes."""
    secrets = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    account = EmulatedAccount({name: value for name, value in os.environ.items() if name not in secrets})
    os.environ.pop("PYTHONPATH", None)  # otherwise Lambda functions find packages that their bundle lacks
    record_calls(Path.cwd())
    record_denials()
    correct_permission_checks()
    correct_versioned_ranges()
    correct_error_types()
    unpack_once()
    accept_metric_math()
    register_sagemaker(account)
    keys = KeyUse(account)
    honour_grants()
    encrypt_objects(keys)
    encrypt_messages(keys)
    encrypt_log_groups()
    encrypt_environments(keys)
    encrypt_executions(keys)
    enforce_state_machine_roles(account, keys)
    enforce_target_roles(account, keys)
    add_redrive()
    add_policy_simulation()
    add_alarm_events()
    extract_embedded_metrics()
    enforce_function_roles(account)
    evaluate_alarms_by_dimensions()
    add_service_quotas()
    add_auto_scaling(account)
    publish_training_images()
    asyncio.run(_serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
