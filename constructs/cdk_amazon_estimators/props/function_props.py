"""Check the props of the Lambda functions against Lambda's limits."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, Size

from cdk_amazon_estimators.props.problems import Problems
from cdk_amazon_estimators.props.prop_types import known

NAMES = ("Plan", "Encode", "Seal", "Explain", "Announce", "Fail", "Report", "Starter")
"""The functions by name; a starter creates its own, with the same code and settings."""
LEAST_MEMORY, MOST_MEMORY = 512, 10_240
"""MiB. Encode needs at least the first; Lambda offers at most the second."""


def check_memory(problems: Problems, name: str, memory: Size | None, why: str) -> None:
    """Note a memory size that Lambda does not offer, or that is too small for the function."""
    size = known(name, memory)
    problems.unless(
        size is None or (size.to_bytes() % 2**20 == 0 and LEAST_MEMORY <= size.to_mebibytes() <= MOST_MEMORY),
        f"{name} is {size and size.to_human_string()}; allowed: whole MiB, 512 MiB to 10 GiB. {why}",
    )


def check_timeout(problems: Problems, timeout: Duration | None) -> None:
    """Note a timeout of Encode that exceeds Lambda's limits."""
    time = known("encode_timeout", timeout)
    problems.unless(
        time is None or 1 <= time.to_seconds() <= 900,
        f"encode_timeout is {time and time.to_human_string()}; allowed: 1 second to 15 minutes. What "
        "takes longer wants a smaller target_shard_size",
    )


def check_concurrency(problems: Problems, reserved: Mapping[str, int] | None) -> None:
    """Note names that are not functions, and numbers with which a function could never run."""
    for name, number in (known("reserved_concurrency", reserved) or {}).items():
        problems.unless(
            name in NAMES,
            f"reserved_concurrency has {name!r}; allowed: {', '.join(NAMES)}",
        )
        problems.unless(
            number >= 1,
            f"reserved_concurrency of {name} is {number}; allowed: 1 or more: with 0 it never runs",
        )
