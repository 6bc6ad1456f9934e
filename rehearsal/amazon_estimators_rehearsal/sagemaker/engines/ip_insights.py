"""Verify the data of IP Insights. No small model is an honest stand-in for its embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted, verified


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """Check that every record has an entity and an IPv4 address."""
    for name, records in channels.items():
        for number, (entity, address) in enumerate(records.values, start=1):
            if not entity.strip():
                raise ValueError(f"Channel {name}, record {number}: the entity is empty.")
            try:
                IPv4Address(address)
            except AddressValueError as error:
                raise ValueError(
                    f"Channel {name}, record {number}: the address is not IPv4: {error}."
                ) from None
    return verified()
