"""The pipeline that the deployed tests share: those of one module run after one another."""

from __future__ import annotations

import pytest
from deployed_pipeline import Pipeline

from amazon_estimators_rehearsal.platform import Platform


@pytest.fixture(scope="module")
def pipeline(platform: Platform, outputs: dict[str, str]) -> Pipeline:
    return Pipeline(platform, outputs)
