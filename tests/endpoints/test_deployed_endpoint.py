"""An endpoint that follows a pipeline, deployed with IAM enforced: it appears, is updated, and answers."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint_account import EndpointAccount

pytestmark = pytest.mark.deployed


@pytest.fixture(scope="module")
def first(account: EndpointAccount) -> dict[str, Any]:
    """Endpoint Updated of the first model."""
    assert account.client("sagemaker").list_endpoints()["Endpoints"] == []
    trained = account.train(1.0)
    return account.told("Endpoint Updated", lambda detail: detail["job"] == trained["job"])


def test_the_endpoint_appears_with_the_first_model(account: EndpointAccount, first: dict[str, Any]) -> None:
    described = account.described()
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == first["endpoint_config"]
    assert first["endpoint"] == account.endpoint
    assert first["previous_config"] is None
    assert first["smoke"].startswith("the first record of s3://")
    assert account.ask("1,1,1")["distance_to_cluster"] < 0.5
