"""Stacks that several tests look at, each synthesised once."""

from __future__ import annotations

import os

# jsii talks to one Node process for the whole session; its notice about Node's age is not about the library.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")

import pytest
from pipeline_stacks import Synthesised, configured, plain


@pytest.fixture(scope="session")
def plain_pipeline() -> Synthesised:
    """A pipeline with nothing configured but what must be."""
    return plain()


@pytest.fixture(scope="session")
def configured_pipeline() -> Synthesised:
    """A pipeline with everything configured that goes together."""
    return configured()
