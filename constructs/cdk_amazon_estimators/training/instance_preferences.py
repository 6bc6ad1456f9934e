"""Set the instances of a training job: one type, or several, of which SageMaker uses the first that is
free."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from amazon_estimators.algorithms.instances import types_of
from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known

MOST_TYPES = 5
GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/train-instance-preferences.html"
API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"

LOCAL_STORAGE = re.compile(
    r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[456]e?|gr6|p4de?|p5e?n?|p6[a-z0-9-]*|trn\d[a-z]*)\."
)
"""Instance types with hardware-encrypted disks, which refuse a volume key."""


def instances(instance_type: str | Sequence[str]) -> dict[str, Any]:
    """Return the type by its name in MEMBERS, or the types as preferences with one count for all."""
    if isinstance(instance_type, str):
        return {"instance_type": instance_type}
    return {"instance_preferences": [{"InstanceType": name} for name in instance_type]}


def check_preferences(
    problems: Problems, instance_type: str | Sequence[str], *, on_spot: bool, has_key: bool, is_tuned: bool
) -> None:
    """Note a list of types that SageMaker would refuse.

    Args:
        problems: Where to note it.
        instance_type: The prop. A single type is not checked.
        on_spot: True if the job trains on spot capacity.
        has_key: True if a user's key encrypts the training volumes.
        is_tuned: True if a tuning job trains.
    """
    if isinstance(instance_type, str) or known("instance_type", instance_type) is None:
        return
    types = types_of(instance_type)
    repeated = sorted({name for name in types if types.count(name) > 1})
    problems.unless(
        1 <= len(types) <= MOST_TYPES,
        f"instance_type lists {len(types)} types; allowed: 1 to {MOST_TYPES}. List those you prefer "
        f"({GUIDE})",
    )
    problems.unless(
        not repeated,
        f"instance_type lists {', '.join(repeated)} more than once; allowed: each type once. Leave out the "
        f"repetition ({API}API_InstancePreference.html)",
    )
    problems.unless(
        not on_spot,
        "instance_type is a list and spot_max_wait is given; SageMaker takes a list for on-demand capacity "
        f"only. Name one type, or leave out spot_max_wait ({API}API_ResourceConfig.html)",
    )
    problems.unless(
        not is_tuned,
        "instance_type is a list and tuning is given; AWS documents lists for CreateTrainingJob only. Name "
        f"one type, or leave out tuning ({GUIDE})",
    )
    local = [name for name in types if LOCAL_STORAGE.match(name)]
    problems.unless(
        not has_key or len(local) in (0, len(types)),
        f"instance_type lists {', '.join(local)}, with disks of their own, which refuse a volume key, beside "
        "types whose volumes encryption_key encrypts; a request has one volume key for all. List types of "
        f"one kind, or leave out encryption_key ({API}API_ResourceConfig.html)",
    )
