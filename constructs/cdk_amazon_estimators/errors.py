"""Errors that only a synth raises."""

from __future__ import annotations

from amazon_estimators.errors import AmazonEstimatorsError


class PipelineError(AmazonEstimatorsError, ValueError):
    """Raised for invalid props. If all problems are of one other kind, that kind is raised instead."""
