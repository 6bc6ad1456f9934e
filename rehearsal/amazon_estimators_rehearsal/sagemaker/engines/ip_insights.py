"""IP Insights: no small model is an honest stand-in for its embeddings, so its data are verified only."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address

from amazon_estimators.algorithms import Algorithm
from amazon_estimators_rehearsal.sagemaker.checks.records import Records
from amazon_estimators_rehearsal.sagemaker.engines.fitted import Fitted, verified


def fit(algorithm: Algorithm, channels: Mapping[str, Records]) -> Fitted:
    """An entity and an IPv4 address in every record."""
    for name, records in channels.items():
        for number, (entity, address) in enumerate(records.values, start=1):
            if not entity.strip():
                raise ValueError(f"Channel {name}, record {number}: it names no entity.")
            try:
                IPv4Address(address)
            except AddressValueError as error:
                raise ValueError(f"Channel {name}, record {number}: no IPv4 address: {error}.") from None
    return verified()
