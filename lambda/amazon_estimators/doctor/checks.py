"""The table of checks, and how a pipeline is examined by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from botocore.exceptions import BotoCoreError, ClientError

from amazon_estimators.client.pipeline import PipelineEstimator
from amazon_estimators.doctor import image, network, quotas, roles, running, storage
from amazon_estimators.doctor.finding import Finding, warning
from amazon_estimators.doctor.patient import Patient

Check = Callable[[Patient], Iterator[Finding]]

CHECKS: MappingProxyType[str, Check] = MappingProxyType(
    {
        "instance quotas": quotas.instances,
        "warm pool quota": quotas.warm_pool,
        "transform quotas": quotas.transforms,
        "endpoint quotas": quotas.endpoints,
        "Lambda concurrency": quotas.functions,
        "functions": running.functions,
        "buckets": storage.buckets,
        "versioning": storage.versioning,
        "bucket events": storage.events,
        "keys": storage.encryption_keys,
        "training role's trust": roles.training_role_trust,
        "training role's permissions": roles.training_role_permissions,
        "state machine's role": roles.state_machine_role,
        "image": image.image,
        "network": network.network,
        "starter": running.starter,
        "clock": running.clock,
    }
)
"""The checks by name. Each yields a line for everything it looks at."""


@dataclass(frozen=True)
class Examined:
    """The result of one check on one pipeline."""

    pipeline: str
    check: str
    finding: Finding


def examine(pipeline: PipelineEstimator) -> Iterator[Examined]:
    """Run all checks on a deployed pipeline. A check that AWS does not answer is a warning."""
    patient = Patient(pipeline)
    for name, check in CHECKS.items():
        try:
            for finding in check(patient):
                yield Examined(patient.name, name, finding)
        except (BotoCoreError, ClientError) as refused:
            unchecked = warning(
                f"could not be checked: {refused}",
                "Run the doctor as someone who may do that, or look yourself.",
            )
            yield Examined(patient.name, name, unchecked)
