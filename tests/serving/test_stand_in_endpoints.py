"""Models and endpoints of the stand-in, through the API."""

from __future__ import annotations

import numpy as np
import pytest
from serving_account import CASES, ServingAccount

from amazon_estimators import ALGORITHMS
from amazon_estimators.inference import read_response, write_request

SERVED = [name for name, case in CASES.items() if case.served]


@pytest.mark.parametrize("name", SERVED)
def test_an_endpoint_answers_every_documented_pair_of_formats(serving: ServingAccount, name: str) -> None:
    algorithm = ALGORITHMS[name]
    endpoint = serving.endpoint(serving.model(name))
    assert endpoint["EndpointStatus"] == "InService", endpoint
    rows = serving.rows(name)
    columns = []
    for content_type in algorithm.inference.accepts:
        request = write_request(algorithm, rows, content_type)
        for accept in algorithm.inference.returns:
            body, answered = serving.invoke(
                endpoint["EndpointName"], request.body, request.content_type, Accept=accept
            )
            assert answered == accept
            predictions = read_response(algorithm, body, answered)
            assert predictions.rows == len(rows)
            columns.append({key: value.round(4).tolist() for key, value in predictions.items()})
    assert all(one.keys() == columns[0].keys() for one in columns)
    for one in columns[1:]:
        for key, value in one.items():
            assert np.allclose(value, columns[0][key], atol=2e-3)
