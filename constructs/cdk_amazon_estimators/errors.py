"""The errors that only a synth can raise."""

from __future__ import annotations

from amazon_estimators.errors import AmazonEstimatorsError


class PipelineError(AmazonEstimatorsError, ValueError):
    """Props that make no pipeline. If all problems are of one other kind, that kind is raised instead."""
